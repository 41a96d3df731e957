//! Data that nothing can be learned from or measured on: refused before the first step.

use gristmill_io::schema::{Encoding, InputColumn, InputKind, Target};
use gristmill_io::{Dataset, DatasetLayout, DatasetWriter, RowBatch};
use gristmill_trainer::config::RunConfig;
use gristmill_trainer::{Isa, Session};
use std::path::Path;

/// Rows of these x, to be predicted, with these weights.
fn write(path: &Path, xs: &[f32], weights: &[f32]) -> Dataset {
    let inputs = vec![InputColumn { name: "x".into(), kind: InputKind::Number { fill: None } }];
    let encoding = Encoding { inputs, target: Target::Numbers { columns: vec!["y".into()] } };
    let layout = DatasetLayout { encoding, dtype: None, weighted: true };
    let mut writer = DatasetWriter::create(path, layout).unwrap();
    let targets = xs.iter().map(|x| x.clamp(-9.0, 9.0)).collect();
    let rows = RowBatch {
        features: xs.to_vec(),
        targets,
        weights: weights.to_vec(),
        ..RowBatch::default()
    };
    writer.push(&rows).unwrap();
    writer.finish().unwrap();
    Dataset::open(path).unwrap()
}

/// Why a session cannot be begun.
fn refusal(train: &Dataset, validation: Option<&Dataset>) -> String {
    let config = RunConfig::from_toml("network.hidden = [2]\ntraining.epochs = 1").unwrap();
    match Session::new(&config, Isa::best(), train, validation) {
        Ok(_) => panic!("it can be begun"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn rows_that_are_none_or_do_not_count_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let good = write(&path("good.grist"), &[1.0, 2.0, 3.0], &[0.0, 0.0, 1.0]);
    let none = write(&path("none.grist"), &[], &[]);
    let light = write(&path("light.grist"), &[1.0, 2.0], &[0.0, 0.0]);

    let config = RunConfig::from_toml("network.hidden = [2]\ntraining.epochs = 1").unwrap();
    let mut session = Session::new(&config, Isa::best(), &good, Some(&good)).unwrap();
    session.fit(&mut (), &mut |_| Ok(())).unwrap();

    let said = refusal(&none, None);
    assert!(said.contains("none.grist has no rows to learn from"), "{said}");
    let said = refusal(&good, Some(&none));
    assert!(said.contains("none.grist has no rows to validate on"), "{said}");
    let said = refusal(&light, None);
    assert!(said.contains("light.grist: the weight of every row to learn from is 0"), "{said}");
    let said = refusal(&good, Some(&light));
    assert!(said.contains("light.grist: the weight of every row to validate on is 0"), "{said}");
}

#[test]
fn columns_that_reach_too_far_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let wide = write(&folder.path().join("wide.grist"), &[3.4e38, -3.4e38, -3.4e38], &[1.0; 3]);
    let said = refusal(&wide, None);
    assert!(said.contains("wide.grist: column x reaches from -3.4e38 to 3.4e38"), "{said}");
}

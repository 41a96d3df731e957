//! Files of earlier versions: models predict as they did, and a run goes on as if it had never been stopped.

use gristmill_io::model::Loss;
use gristmill_io::{Checkpoint, Dataset, Model};
use gristmill_trainer::evaluation::evaluate;
use gristmill_trainer::inference::Predictor;
use gristmill_trainer::metrics::Metric;
use gristmill_trainer::model::Trained;
use gristmill_trainer::run::Run;
use gristmill_trainer::{Isa, Reason, Session};
use std::fs;
use std::path::{Path, PathBuf};

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../io/tests/golden/v1").join(name)
}

/// The instruction set that the files were made on.
fn portable() -> Isa {
    Isa::named("portable").unwrap()
}

/// What a model says of the first rows of a data set, a row after the other.
fn predictions(model: &str, data: &str, rows: u64) -> Vec<f32> {
    let model = Model::load(&golden(model)).unwrap();
    let data = Dataset::open(&golden(data)).unwrap();
    let mut predictor = Predictor::new(portable(), Trained::from_model(&model).unwrap());
    let mut values = vec![f32::NAN; rows as usize * predictor.outputs()];
    predictor.predict(&data, 0..rows, &mut values);
    values
}

#[test]
fn models_of_version_1_predict_as_they_did() {
    let classes = predictions("classes.gristmill", "run/data.grist", 2);
    let expected = [0.9996061, 0.000393954, 6.9712294e-9, 5.1663916e-5, 0.2680659, 0.73188245];
    assert_eq!(classes, expected);
    let numbers = predictions("huber.gristmill", "prices.grist", 2);
    assert_eq!(numbers, [311.05673, 22.660772, 505.27557, 36.679497]);
}

#[test]
fn models_of_version_1_are_measured_as_they_were() {
    let model = Model::load(&golden("classes.gristmill")).unwrap();
    let data = Dataset::open(&golden("run/data.grist")).unwrap();
    let report = evaluate(portable(), &model, &data, None, &mut |_| ()).unwrap();
    let values = report.values();
    let value = |metric| values.iter().find(|(m, _)| *m == metric).unwrap().1;
    assert_eq!(value(Metric::Loss), 0.33863490192009793);
    assert_eq!(value(Metric::Accuracy), 77.0 / 90.0);
    let model = Model::load(&golden("huber.gristmill")).unwrap();
    assert_eq!(model.loss, Some(Loss::Huber { delta: None }), "version 1 did not store it");
    let data = Dataset::open(&golden("prices.grist")).unwrap();
    let loss_of = |model: &Model| {
        let report = evaluate(portable(), model, &data, None, &mut |_| ()).unwrap();
        report.values().into_iter().find(|(metric, _)| *metric == Metric::Loss).unwrap().1
    };
    assert_eq!(loss_of(&model), 0.07198192079957022, "as with delta 1");
    let stored = Model { loss: Some(Loss::Huber { delta: Some(0.1) }), ..model };
    let by_delta = loss_of(&stored);
    assert!(
        (0.010..0.012).contains(&by_delta),
        "{by_delta}: as in training, where it ended with 0.01057"
    );
}

#[test]
fn a_run_of_version_1_goes_on_to_the_same_bits() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("run");
    let checkpoints = path.join("checkpoints");
    fs::create_dir_all(&checkpoints).unwrap();
    let stopped = Checkpoint::path_in(Path::new("checkpoints"), 132);
    for name in [Path::new("config.toml"), Path::new("metrics.csv"), &stopped] {
        fs::copy(golden("run").join(name), path.join(name)).unwrap();
    }
    let (mut run, checkpoint) = Run::open(&path, &mut |warning| panic!("{warning}")).unwrap();
    let checkpoint = checkpoint.unwrap();
    assert_eq!((checkpoint.epoch, checkpoint.step_in_epoch, checkpoint.step), (5, 12, 132));
    let data = Dataset::open(&golden("run/data.grist")).unwrap();
    let mut session = Session::new(run.config(), portable(), &data, None).unwrap();
    session.restore(&checkpoint).unwrap();
    let outcome = run.fit(&mut session, &mut ()).unwrap();
    assert_eq!((outcome.reason, outcome.epochs, outcome.restored), (Reason::Finished, 12, Some(6)));

    let last = Checkpoint::load(&Checkpoint::path_in(&checkpoints, 288)).unwrap();
    let expected = Checkpoint::load(&golden("resumed.checkpoint")).unwrap();
    // Version 1 stored no shapes.
    assert_eq!(last.tensors.len(), expected.tensors.len());
    for (tensor, expected) in last.tensors.iter().zip(&expected.tensors) {
        assert_eq!(tensor.info.name, expected.info.name);
        assert_eq!(tensor.values, expected.values, "{}", tensor.info.name);
    }
    assert_eq!(last.history, expected.history);
    assert_eq!(last.counters, expected.counters);
    let model = Model::load(&run.model_path()).unwrap();
    let expected = Model::load(&golden("resumed.gristmill")).unwrap();
    assert_eq!(model.nodes, expected.nodes);
    assert_eq!((model.inputs, model.outputs), (expected.inputs, expected.outputs));
    assert_eq!((model.encoding, model.output), (expected.encoding, expected.output));
}

//! Exporting: what is written is imported as the same data set, to the bit, in every format that is
//! written.

use crate::common::{names_in, texts};
use gristmill_io::schema::{Encoding, InputColumn, InputKind, Target};
use gristmill_io::writer::{DatasetLayout, DatasetWriter, RowBatch};
use gristmill_io::{
    Dataset, Dtype, ExportSummary, FORMATS, FormatChoice, ImportOptions, Missing, Plan, Task,
    export, import,
};
use proptest::prelude::*;
use std::path::Path;

fn number(name: &str) -> InputColumn {
    InputColumn { name: name.to_owned(), kind: InputKind::Number { fill: None } }
}

fn one_hot(name: &str, categories: &[&str]) -> InputColumn {
    let categories = texts(categories);
    InputColumn { name: name.to_owned(), kind: InputKind::OneHot { categories } }
}

fn write(path: &Path, layout: DatasetLayout, rows: &RowBatch) -> Dataset {
    let mut writer = DatasetWriter::create(path, layout).unwrap();
    writer.push(rows).unwrap();
    writer.finish().unwrap();
    Dataset::open(path).unwrap()
}

/// The names by which files of each written format are recognised.
fn file_names() -> Vec<String> {
    let written = FORMATS.iter().filter(|format| format.exporter().is_some());
    let name = |extension: &&str| format!("table.{extension}");
    let mut names: Vec<String> = written.flat_map(|f| f.extensions().iter().map(name)).collect();
    for (text, suffix) in [("table.csv", "gz"), ("table.jsonl", "zst"), ("table.arrow", "zst")] {
        // Arrow may not be built in.
        if names.iter().any(|name| name == text) {
            names.push(format!("{text}.{suffix}"));
        }
    }
    names
}

fn options(summary: &ExportSummary) -> ImportOptions {
    ImportOptions {
        target: summary.targets.clone(),
        weights: summary.weights.clone(),
        header: summary.again.header.then_some(true),
        category: summary.again.category.clone(),
        ..ImportOptions::default()
    }
}

/// Exports in every format and asserts that an import by the same encoding gives the same file, and,
/// where the encoding is one that an import would learn, that learning gives it too.
fn assert_round_trips(dataset: &Dataset, directory: &Path, learned: Option<Task>) {
    let expected = std::fs::read(dataset.path()).unwrap();
    for name in file_names() {
        let (table, again) = (directory.join(&name), directory.join("again.grist"));
        let summary = export(dataset, &table, &FormatChoice::default(), &()).unwrap();
        assert_eq!(summary.rows, dataset.rows());
        let mut options = options(&summary);
        if let Some(task) = learned {
            let plan = Plan::Learn(ImportOptions { task: Some(task), ..options.clone() });
            import(std::slice::from_ref(&table), &again, &plan, &())
                .unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(std::fs::read(&again).unwrap() == expected, "{name}, learned");
        }
        options.dtype = Some(dataset.dtype());
        if !summary.again.like {
            let task = match dataset.class_counts() {
                [] => Task::Regress,
                _ => Task::Classify,
            };
            let missing = summary.again.missing;
            let task = Some(task);
            let plan = Plan::Learn(ImportOptions { task, missing, ..options.clone() });
            import(std::slice::from_ref(&table), &again, &plan, &())
                .unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(std::fs::read(&again).unwrap() == expected, "{name}, as it says");
        }
        let plan = Plan::Fixed { encoding: dataset.encoding(), with_target: true, options };
        import(std::slice::from_ref(&table), &again, &plan, &())
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(std::fs::read(&again).unwrap() == expected, "{name}, by its encoding");
        std::fs::remove_file(&again).unwrap();
        std::fs::remove_file(&table).unwrap();
    }
    assert_eq!(names_in(directory).len(), 1, "nothing is left");
}

#[test]
fn classes_weights_and_categories() {
    let directory = tempfile::tempdir().unwrap();
    let names = ["a,\"b\"\nc", " blank ", "d;e|f", "é"];
    let encoding = Encoding {
        inputs: vec![number("x"), one_hot("colour, say", &["light \"blue\"", "red"]), number("z")],
        target: Target::Classes { column: "kind".to_owned(), names: texts(&names) },
    };
    let mut encoding = encoding;
    if let Target::Classes { names, .. } = &mut encoding.target {
        names.sort();
    }
    let rows = RowBatch {
        features: [
            [0.1, 1.0, 0.0, -0.0],
            [f32::MAX, 0.0, 1.0, f32::MIN_POSITIVE / 8.0],
            [1e-40, 1.0, 0.0, 16_777_217.0],
            [-3.5, 0.0, 1.0, 7.0],
        ]
        .concat(),
        labels: vec![3, 1, 0, 2],
        weights: vec![0.5, 1.0, 0.0, 1e-30],
        ..RowBatch::default()
    };
    let layout = DatasetLayout { encoding, dtype: None, weighted: true };
    let dataset = write(&directory.path().join("d.grist"), layout, &rows);
    assert_eq!(dataset.dtype(), Dtype::F32);
    assert_round_trips(&dataset, directory.path(), Some(Task::Classify));
}

#[test]
fn numeric_classes_stay_in_numeric_order() {
    let directory = tempfile::tempdir().unwrap();
    let target = Target::Classes { column: "digit".to_owned(), names: texts(&["2", "9", "10"]) };
    let encoding = Encoding { inputs: vec![number("a"), number("weight")], target };
    let rows = RowBatch {
        features: vec![0.0, 255.0, 7.0, 8.0, 9.0, 1.0],
        labels: vec![1, 2, 0],
        weights: vec![1.0, 2.0, 3.0],
        ..RowBatch::default()
    };
    let layout = DatasetLayout { encoding, dtype: None, weighted: true };
    let dataset = write(&directory.path().join("d.grist"), layout, &rows);
    assert_eq!(dataset.dtype(), Dtype::U8);
    assert_round_trips(&dataset, directory.path(), Some(Task::Classify));
}

#[test]
fn what_was_missing_comes_back_as_what_was_filled_in() {
    let directory = tempfile::tempdir().unwrap();
    let source = directory.path().join("a.csv");
    std::fs::write(&source, "x,c,y\n0.1,red,1.5\n,,2.5\n0.3,blue,3.5\nNA,red,4.5\n").unwrap();
    let fill = ImportOptions { missing: Missing::Mean, ..ImportOptions::default() };
    let path = directory.path().join("d.grist");
    import(&[source], &path, &Plan::Learn(fill), &()).unwrap();
    let dataset = Dataset::open(&path).unwrap();
    assert_eq!(dataset.statistics()[0].missing, 2);
    for name in file_names() {
        let (table, again) = (directory.path().join(&name), directory.path().join("again.grist"));
        let summary = export(&dataset, &table, &FormatChoice::default(), &()).unwrap();
        let options = options(&summary);
        let plan = Plan::Fixed { encoding: dataset.encoding(), with_target: true, options };
        import(&[table], &again, &plan, &()).unwrap_or_else(|error| panic!("{name}: {error}"));
        let again = Dataset::open(&again).unwrap();
        assert_eq!(again.encoding(), dataset.encoding());
        for row in 0..dataset.rows() {
            assert_eq!(again.row(row), dataset.row(row), "{name}, row {row}");
            let target = |dataset: &Dataset| {
                let mut target = [0.0];
                dataset.targets(row, &mut target);
                target
            };
            assert_eq!(target(&again), target(&dataset), "{name}, row {row}");
        }
    }
}

#[test]
fn a_class_that_no_row_has_needs_the_encoding() {
    let directory = tempfile::tempdir().unwrap();
    let target = Target::Classes { column: "y".to_owned(), names: texts(&["no", "yes"]) };
    let encoding = Encoding { inputs: vec![number("a")], target };
    let rows = RowBatch { features: vec![1.5], labels: vec![1], ..RowBatch::default() };
    let layout = DatasetLayout { encoding, dtype: Some(Dtype::F32), weighted: false };
    let dataset = write(&directory.path().join("d.grist"), layout, &rows);
    assert_round_trips(&dataset, directory.path(), None);
}

#[test]
fn rows_without_a_target() {
    let directory = tempfile::tempdir().unwrap();
    let encoding =
        Encoding { inputs: vec![one_hot("a", &["", "b"]), number("c")], target: Target::None };
    let rows = RowBatch { features: vec![1.0, 0.0, 1.0, 0.0, 1.0, 2.0], ..RowBatch::default() };
    let layout = DatasetLayout { encoding, dtype: None, weighted: false };
    let dataset = write(&directory.path().join("d.grist"), layout, &rows);
    assert_round_trips(&dataset, directory.path(), None);
}

#[test]
fn more_rows_than_a_batch() {
    let directory = tempfile::tempdir().unwrap();
    let target = Target::Numbers { columns: texts(&["u", "v"]) };
    let encoding = Encoding { inputs: vec![number("a"), number("b")], target };
    let count = 150_000;
    let rows = RowBatch {
        features: (0..2 * count).map(|i| (i % 999) as f32 + 0.5).collect(),
        targets: (0..2 * count).map(|i| i as f32 / 7.0).collect(),
        ..RowBatch::default()
    };
    let layout = DatasetLayout { encoding, dtype: None, weighted: false };
    let dataset = write(&directory.path().join("d.grist"), layout, &rows);
    assert_eq!(dataset.dtype(), Dtype::F16);
    assert_round_trips(&dataset, directory.path(), Some(Task::Regress));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_numbers_and_types(
        rows in prop::collection::vec(
            (prop::num::f32::NORMAL | prop::num::f32::SUBNORMAL | prop::num::f32::ZERO, 0u8..4,
             prop::num::f32::NORMAL | prop::num::f32::ZERO, 0f32..1e9), 1..40),
        dtype in prop::sample::select(vec![Dtype::U8, Dtype::F16, Dtype::F32]),
        weighted: bool,
    ) {
        let directory = tempfile::tempdir().unwrap();
        let target = Target::Numbers { columns: texts(&["t", "u"]) };
        let inputs = vec![number("x"), one_hot("c", &["p", "q", "r", "s"])];
        let encoding = Encoding { inputs, target };
        let feature = |x: f32| match dtype {
            Dtype::U8 => (x.to_bits() % 256) as f32,
            Dtype::F16 => half::f16::from_bits((x.to_bits() as u16) & 0xbbff).to_f32(),
            Dtype::F32 => x,
        };
        let hot = |c: u8| (0..4).map(move |k| f32::from(u8::from(k == c)));
        let data = RowBatch {
            features: rows.iter().flat_map(|(x, c, ..)| [feature(*x)].into_iter().chain(hot(*c))).collect(),
            targets: rows.iter().flat_map(|(x, _, t, _)| [*t, *x]).collect(),
            weights: if weighted { rows.iter().map(|row| row.3).collect() } else { Vec::new() },
            ..RowBatch::default()
        };
        let layout = DatasetLayout { encoding, dtype: Some(dtype), weighted };
        let dataset = write(&directory.path().join("d.grist"), layout, &data);
        assert_round_trips(&dataset, directory.path(), None);
    }
}

#[test]
fn what_cannot_be_written_is_said_and_nothing_left() {
    let directory = tempfile::tempdir().unwrap();
    let encoding = Encoding { inputs: vec![one_hot("a", &["b\0", "c"])], target: Target::None };
    let rows = RowBatch { features: vec![1.0, 0.0], ..RowBatch::default() };
    let layout = DatasetLayout { encoding, dtype: None, weighted: false };
    let dataset = write(&directory.path().join("d.grist"), layout, &rows);
    let refused = |name: &str, format: Option<&str>| {
        let path = directory.path().join(name);
        let error = export(&dataset, &path, &format.into(), &()).expect_err(name).to_string();
        assert_eq!(names_in(directory.path()), ["d.grist"]);
        error
    };
    assert!(refused("t.csv", None).contains("column \"a\": has a zero character"));
    assert!(refused("t.npz", None).contains("column \"a\": has a text that ends with a zero"));
    assert!(refused("t", None).contains("t: which format?"));
    assert!(refused("t.doc", None).contains("\"doc\" is no format that is written"));
    assert!(refused("t.arff", None).contains("\"arff\" is no format that is written; these are "));
    #[cfg(feature = "parquet")]
    assert!(refused("t.parquet.gz", None).contains("leave out .gz"));
    assert!(refused("t.npz.zst", None).contains("leave out .zst"));
    assert!(refused("t.csv", Some("xlsx")).contains("\"xlsx\" is no format that is written"));
    assert!(refused("no/such/t.csv", Some("jsonl")).contains("no/such/t.csv"));
    std::fs::write(directory.path().join("t.csv"), "old").unwrap();
    export(&dataset, &directory.path().join("t.csv"), &FormatChoice::default(), &()).unwrap_err();
    assert_eq!(std::fs::read(directory.path().join("t.csv")).unwrap(), b"old");
}

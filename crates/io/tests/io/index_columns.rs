//! Index columns and views: in data sets, models and checkpoints as files.

use crate::common::{self, numbers, texts};
use gristmill_io::model::View;
use gristmill_io::schema::{Encoding, InputColumn, InputKind, Target, Vocabulary};
use gristmill_io::{
    Dataset, DatasetLayout, DatasetWriter, Dtype, Error, ImportOptions, Plan, RowBatch, Task,
    import,
};
use std::path::Path;

fn index(name: &str, vocabulary: Vocabulary) -> InputColumn {
    InputColumn { name: name.to_owned(), kind: InputKind::Index { vocabulary } }
}

/// A number, an index of three names, an index of 300 numbers.
fn encoding() -> Encoding {
    let mut encoding = numbers(&["x"], Target::Numbers { columns: texts(&["y"]) });
    encoding.inputs.push(index("a", Vocabulary::Names(texts(&["", "p", "q"]))));
    encoding.inputs.push(index("b", Vocabulary::Codes(300)));
    encoding
}

fn create(path: &Path, dtype: Option<Dtype>) -> Result<DatasetWriter, Error> {
    DatasetWriter::create(path, DatasetLayout { encoding: encoding(), dtype, weighted: false })
}

fn rows() -> RowBatch {
    let features = vec![1.0, 0.0, 299.0, 2.0, 3.0, 300.0];
    RowBatch { features, targets: vec![0.5, 1.5], ..RowBatch::default() }
}

#[test]
fn a_data_set_keeps_its_vocabularies_and_its_view() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("d.grist");
    let view = View { height: 1, width: 3, channels: 1 };
    for view in [None, Some(view)] {
        let mut writer = create(&path, None).unwrap();
        writer.push(&rows()).unwrap();
        writer.arrange(view).unwrap();
        assert_eq!(writer.finish().unwrap().dtype, Dtype::F16, "300 is no byte");
        let dataset = Dataset::open(&path).unwrap();
        assert_eq!((dataset.encoding(), dataset.view()), (&encoding(), view));
        let columns = dataset.encoding().index_columns();
        let columns = columns.iter().map(|of| (of.features.clone(), of.categories));
        assert_eq!(Vec::from_iter(columns), [(1..2, 3), (2..3, 300)]);
        let mut row = [0.0; 3];
        dataset.dtype().decode(dataset.row(1), &mut row);
        assert_eq!(row, [2.0, 3.0, 300.0]);
        // Version, little-endian, after magic and kind.
        assert_eq!(std::fs::read(&path).unwrap()[12..16], [2, 0, 0, 0]);
    }
    let mut writer = create(&path, None).unwrap();
    let wrong = View { height: 2, width: 2, channels: 1 };
    let error = writer.arrange(Some(wrong)).unwrap_err().to_string();
    assert!(error.contains("2x2x1 is no arrangement of the 3 features"), "{error}");
}

#[test]
fn a_type_that_cannot_hold_every_index_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("d.grist");
    let error = create(&path, Some(Dtype::U8)).unwrap_err().to_string();
    assert!(error.contains("300 categories of the column \"b\": ask for f16"), "{error}");
    for dtype in [Dtype::F16, Dtype::F32] {
        assert!(create(&path, Some(dtype)).is_ok());
    }
}

#[test]
fn every_damage_to_a_data_set_with_a_view_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("d.grist");
    let mut writer = create(&path, None).unwrap();
    writer.push(&rows()).unwrap();
    writer.arrange(Some(View { height: 3, width: 1, channels: 1 })).unwrap();
    writer.finish().unwrap();
    let whole = std::fs::read(&path).unwrap();
    // The metadata, and so the vocabularies and the view, stand last.
    let start = whole.len() - 200;
    for at in start..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        assert!(Dataset::open(&path).is_err(), "byte {at}");
    }
}

#[test]
fn an_import_learns_what_it_is_told_is_an_index() {
    let directory = tempfile::tempdir().unwrap();
    let (table, path) = (directory.path().join("t.csv"), directory.path().join("d.grist"));
    std::fs::write(&table, "w,a,b,y\n1,p,1,0.5\n1,q,0,1.5\n0,r,9,2.5\n2,p,3,0.5\n").unwrap();
    let options = ImportOptions {
        index: texts(&["a", "b"]),
        weights: Some("w".to_owned()),
        task: Some(Task::Regress),
        ..ImportOptions::default()
    };
    import(&[table], &path, &Plan::Learn(options), &()).unwrap();
    let dataset = Dataset::open(&path).unwrap();
    let expected =
        [index("a", Vocabulary::Names(texts(&["p", "q"]))), index("b", Vocabulary::Codes(4))];
    assert_eq!(dataset.encoding().inputs, expected);
    let features = (0..4).map(|row| dataset.row(row).to_vec());
    // Of the row of no weight nothing is learned, so what it has is not known.
    assert_eq!(Vec::from_iter(features), [[0, 1], [1, 0], [2, 4], [0, 3]]);
}

#[test]
fn every_way_of_spelling_a_number_is_the_number_in_every_format() {
    let directory = tempfile::tempdir().unwrap();
    let json = "{\"a\": 3, \"y\": 1.5}\n{\"a\": 0.0, \"y\": 2.5}\n{\"a\": 1e0, \"y\": 3.5}\n";
    for (name, text) in
        [("t.csv", "a,y\n3,1.5\n0.0,2.5\n+1,3.5\n"), ("t.jsonl", json), ("t.svm", "")]
    {
        let (table, path) = (directory.path().join(name), directory.path().join("d.grist"));
        let text = if name == "t.svm" { "1.5 1:3\n2.5 1:0\n3.5 1:1\n" } else { text };
        std::fs::write(&table, text).unwrap();
        let column = if name == "t.svm" { "f1" } else { "a" };
        let options = ImportOptions {
            index: texts(&[column]),
            task: Some(Task::Regress),
            ..ImportOptions::default()
        };
        import(&[table], &path, &Plan::Learn(options), &()).unwrap();
        let dataset = Dataset::open(&path).unwrap();
        assert_eq!(dataset.encoding().inputs, [index(column, Vocabulary::Codes(4))], "{name}");
        assert_eq!([0, 1, 2].map(|row| dataset.row(row)[0]), [3, 0, 1], "{name}");
        drop(dataset);
        assert!(common::names_in(directory.path()).contains(&"d.grist".to_owned()));
    }
}

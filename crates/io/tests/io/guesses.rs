//! What decides how a source is read that says little of itself: its content, the ending of its name, the names of
//! files, arrays and columns.

use crate::samples::npy;
use gristmill_io::schema::Target;
use gristmill_io::{Dataset, FormatChoice, ImportOptions, Missing, Plan, Task, export, import};
use std::io::{Cursor, Write};
use std::path::PathBuf;

/// Imports files of these names and contents.
fn try_learn(files: &[(&str, &[u8])], options: ImportOptions) -> Result<Dataset, String> {
    let directory = tempfile::tempdir().unwrap();
    let write = |(name, content): &(&str, &[u8])| {
        let path = directory.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    };
    let sources: Vec<PathBuf> = files.iter().map(write).collect();
    let output = directory.path().join("out.grist");
    import(&sources, &output, &Plan::Learn(options), &()).map_err(|error| error.to_string())?;
    Ok(Dataset::open(&output).unwrap())
}

fn learn(files: &[(&str, &[u8])]) -> Dataset {
    try_learn(files, ImportOptions::default()).unwrap()
}

#[track_caller]
fn refuses(files: &[(&str, &[u8])], expected: &[&str]) {
    let error = try_learn(files, ImportOptions::default()).unwrap_err();
    for expected in expected {
        assert!(error.contains(expected), "{error}");
    }
}

fn features(dataset: &Dataset) -> Vec<Vec<f32>> {
    let row = |row| {
        let mut out = vec![0.0; dataset.features()];
        dataset.dtype().decode(dataset.row(row), &mut out);
        out
    };
    (0..dataset.rows()).map(row).collect()
}

fn targets(dataset: &Dataset) -> Vec<Vec<f32>> {
    let width = dataset.target_statistics().len();
    let row = |row| {
        let mut out = vec![0.0; width];
        dataset.targets(row, &mut out);
        out
    };
    (0..dataset.rows()).map(row).collect()
}

fn target_columns(dataset: &Dataset) -> Vec<String> {
    match &dataset.encoding().target {
        Target::Classes { column, .. } => vec![column.clone()],
        Target::Numbers { columns } => columns.clone(),
        Target::None => Vec::new(),
    }
}

#[test]
fn the_ending_decides_where_the_content_does_not() {
    let bare = learn(&[("a.libsvm", b"1\n0 1:0.5 3:2\n1 2:1\n0 1:1\n")]);
    assert_eq!(bare.encoding().feature_names(), ["f1", "f2", "f3"]);
    assert_eq!(features(&bare)[..2], [[0.0; 3], [0.5, 0.0, 2.0]]);
    let times = b"20190101 12:30,1.5,0\n20190101 12:31,1.5,1\n20190101 12:30,1.75,0\n20190101 12:31,1.5,1\n";
    let options = || ImportOptions { header: Some(false), ..ImportOptions::default() };
    let times = try_learn(&[("d.csv", times)], options()).unwrap();
    assert_eq!(times.encoding().feature_names(), ["f0=20190101 12:30", "f0=20190101 12:31", "f1"]);
    refuses(
        &[("e.jsonl", b"[{\"a\":1,\"y\":0},\n{\"a\":2,\"y\":1}]\n")],
        &["e.jsonl, line 1", "is no JSON object", "no array around them"],
    );
    let empty_first = b"{}\n{\"a\":1,\"y\":0}\n{\"a\":2,\"y\":1}\n";
    refuses(&[("f.jsonl", empty_first)], &["f.jsonl", "line 1", "missing"]);
    refuses(&[("g.npy", b"a,b\n1,2\n")], &["g.npy"]);
}

#[test]
fn what_only_one_format_begins_with_comes_before_the_ending() {
    let array = npy("<f4", false, "(2, 3)", &floats(&[1.0, 2.0, 0.5, 4.0, 5.0, 1.5]));
    assert_eq!(features(&learn(&[("a.csv", &array)])), [[1.0, 2.0], [4.0, 5.0]]);
    // An ending that any text may have names no format.
    let pairs = learn(&[("a.txt", b"1 1:1\n2 2:2\n1 1:1\n2 2:2\n")]);
    assert_eq!(pairs.encoding().feature_names(), ["f1", "f2"]);
}

#[test]
fn queries_and_indices_that_descend_are_called_that() {
    refuses(
        &[("b.svm", b"1 qid:1 1:0.5 2:1\n0 qid:1 1:0.1\n")],
        &["b.svm, line 1", "\"qid:1\"", "ranking is not learned"],
    );
    refuses(&[("c.svm", b"0 1:0.1\n1 2:1 1:0.5\n")], &["line 2", "the index 1 stands after 2"]);
    refuses(&[("c.svm", b"0 9:0.1\n1 2:1 5:1 4:0.5\n")], &["line 2", "index 4 stands after 5"]);
    refuses(&[("c.svm", b"0 3:1\n1 1:1 7:1 3:1\n")], &["line 2", "index 7", "must ascend"]);
    refuses(&[("c.svm", b"0 3:1\n1 2:1 2:1\n")], &["line 2", "index 2 stands after 2"]);
}

#[test]
fn declared_values_and_comments_of_arff() {
    let header = "@relation k\n@attribute x real % a note\n@attribute c {p,'q % r'}\n@data\n";
    let noted = format!("{header}1,p\n0,'q % r'\n1,p % note\n0,p% note\n2,?\n");
    refuses(&[("a.arff", noted.as_bytes())], &["line 9", "missing"]);
    let noted = noted.replace("2,?\n", "");
    let dataset = learn(&[("a.arff", noted.as_bytes())]);
    assert_eq!(features(&dataset), [[1.0], [0.0], [1.0], [0.0]]);
    let Target::Classes { names, .. } = &dataset.encoding().target else { panic!() };
    assert_eq!(names, &["p", "q % r"]);
    let undeclared = format!("{header}1,p\n0,z\n");
    refuses(
        &[("a.arff", undeclared.as_bytes())],
        &["line 6", "\"c\"", "one of the values declared, {p,q % r}", "found \"z\""],
    );
}

fn floats(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

#[test]
fn arrays_are_rows_or_targets_by_name() {
    let x = npy("<f4", false, "(4, 2)", &floats(&[0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0]));
    let wide = [1.0, 0.0, 0.5, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0];
    let y = npy("<f4", false, "(4, 3)", &floats(&wide));
    for files in [[("X.npy", &x), ("Y.npy", &y)], [("train_labels.npy", &y), ("train.npy", &x)]] {
        let files = files.map(|(name, bytes)| (name, &bytes[..]));
        let dataset = learn(&files);
        assert_eq!(features(&dataset), [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]);
        assert_eq!(target_columns(&dataset), ["y0", "y1", "y2"]);
        assert_eq!(targets(&dataset).concat(), wide);
    }
    let column = npy("<f4", false, "(3, 1)", &floats(&[1.5, 2.5, 3.5]));
    let dataset = learn(&[("X1.npy", &column), ("y1.npy", &column)]);
    assert_eq!(
        (features(&dataset), target_columns(&dataset)),
        (targets(&dataset), vec!["y".into()])
    );
    // Nothing is said by these names: what is as wide is more rows, what is narrower is the targets.
    assert_eq!(learn(&[("a.npy", &y), ("b.npy", &y)]).rows(), 8);
    let dataset = learn(&[("b.npy", &x), ("a.npy", &y)]);
    assert_eq!(target_columns(&dataset), ["y0", "y1"]);
    refuses(&[("X.npy", &x), ("y.npy", &column)], &["y.npy", "3 targets for the 4 rows", "X.npy"]);
    let short = npy("<f4", false, "(1, 3)", &floats(&[1.0, 2.0, 3.0]));
    refuses(&[("a.npy", &x), ("b.npy", &short)], &["neither parts of one table", "b.npy"]);
    refuses(
        &[("X1.npy", &x), ("X2.npy", &x), ("y1.npy", &y), ("y2.npy", &y)],
        &["X1.npy", "just before its targets"],
    );
}

fn npz(arrays: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    for (name, bytes) in arrays {
        archive.start_file(format!("{name}.npy"), options).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

#[test]
fn all_columns_of_y_are_targets_and_a_column_may_be_called_x() {
    let x = npy("<f4", false, "(2, 2)", &floats(&[0.0, 1.0, 2.0, 3.0]));
    let y = npy("<f4", false, "(2, 2)", &floats(&[0.5, 1.0, 2.0, 3.5]));
    for name in ["y", "Y", "labels"] {
        let dataset = learn(&[("a.npz", &npz(&[(name, y.clone()), ("X", x.clone())]))]);
        assert_eq!(features(&dataset), [[0.0, 1.0], [2.0, 3.0]], "{name}");
        assert_eq!(targets(&dataset), [[0.5, 1.0], [2.0, 3.5]], "{name}");
        assert_eq!(target_columns(&dataset), [format!("{name}0"), format!("{name}1")]);
    }
    let column = |values: &[f32]| npy("<f4", false, "(2,)", &floats(values));
    let columns =
        [("X", column(&[7.0, 8.0])), ("Y", column(&[5.0, 4.0])), ("area", column(&[0.5, 1.5]))];
    let options = || ImportOptions { target: vec!["area".into()], ..ImportOptions::default() };
    let dataset = try_learn(&[("a.npz", &npz(&columns))], options()).unwrap();
    assert_eq!(dataset.encoding().feature_names(), ["X", "Y"]);
    assert_eq!(features(&dataset), [[7.0, 5.0], [8.0, 4.0]]);
}

/// Exports a data set whose last column is called so, and imports it with nothing said of its columns.
#[cfg(feature = "parquet")]
fn exported_with_last_column(last: &str, file: &str) -> Dataset {
    let directory = tempfile::tempdir().unwrap();
    let [text, grist, table, back] =
        ["a.csv", "a.grist", file, "b.grist"].map(|name| directory.path().join(name));
    std::fs::write(&text, format!("a,price,{last}\n1,10.5,3\n2,11.5,1\n3,12.5,0\n4,13.5,2\n"))
        .unwrap();
    let options = ImportOptions {
        target: vec![last.to_owned()],
        task: Some(Task::Regress),
        missing: Missing::Error,
        ..ImportOptions::default()
    };
    import(&[text], &grist, &Plan::Learn(options), &()).unwrap();
    export(&Dataset::open(&grist).unwrap(), &table, &FormatChoice::default(), &()).unwrap();
    import(&[table], &back, &Plan::Learn(ImportOptions::default()), &()).unwrap();
    Dataset::open(&back).unwrap()
}

#[cfg(feature = "parquet")]
#[test]
fn the_index_of_pandas_is_not_the_target() {
    for file in ["t.parquet", "t.arrow", "t.csv", "t.jsonl"] {
        for (last, expected) in
            [("__index_level_0__", "price"), ("Unnamed: 0", "price"), ("z", "z")]
        {
            let dataset = exported_with_last_column(last, file);
            assert_eq!(target_columns(&dataset), [expected], "{file}, {last}");
        }
    }
}

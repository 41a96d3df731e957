//! The example plugins as gristmill sees them: every clause of the protocol, and files that other programs
//! write.

use gristmill_io::plugin::{Clause, Finding, check};
use gristmill_io::schema::Target;
use gristmill_io::{Dataset, FormatChoice, ImportOptions, Plan, Plugins, Task, import};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

const FANN: &str = env!("CARGO_BIN_EXE_gristmill-format-fann");
const SQLITE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/gristmill-format-sqlite");

/// A directory with links to both plugins.
fn place() -> (TempDir, FormatChoice) {
    let place = tempfile::tempdir().unwrap();
    for program in [FANN, SQLITE].map(Path::new) {
        symlink(program, place.path().join(program.file_name().unwrap())).unwrap();
    }
    let plugins = Plugins::in_directories(vec![place.path().to_owned()], Duration::from_secs(300));
    (place, FormatChoice { plugins, ..FormatChoice::default() })
}

/// Whether the plugin in Python can run here; says so if it cannot.
fn has_pyarrow() -> bool {
    let python = Command::new("python3").args(["-c", "import pyarrow"]).output();
    let found = python.is_ok_and(|done| done.status.success());
    if !found {
        eprintln!("skipped: python3 on PATH has no pyarrow (pip install pyarrow)");
    }
    found
}

fn named(choice: &FormatChoice, name: &str) -> FormatChoice {
    FormatChoice { name: Some(name.to_owned()), ..choice.clone() }
}

fn learn(source: PathBuf, options: ImportOptions) -> Result<Dataset, String> {
    let output = source.with_file_name("out.grist");
    import(&[source], &output, &Plan::Learn(options), &()).map_err(|error| error.to_string())?;
    Dataset::open(&output).map_err(|error| error.to_string())
}

fn row(dataset: &Dataset, row: u64) -> Vec<f32> {
    let mut features = vec![0.0; dataset.features()];
    dataset.dtype().decode(dataset.row(row), &mut features);
    features
}

fn assert_kept(report: &[Clause]) {
    let wrong: Vec<&Clause> =
        report.iter().filter(|clause| clause.finding != Finding::Kept).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(report.len(), 12);
}

#[test]
fn fann_keeps_every_clause() {
    let (_place, choice) = place();
    assert_kept(&check(&named(&choice, "fann"), None).unwrap().unwrap());
}

#[test]
fn fann_files_are_read_as_others_write_them() {
    let (place, choice) = place();
    let options = || ImportOptions { format: choice.clone(), ..ImportOptions::default() };
    let xor = place.path().join("xor.fann");
    fs::write(&xor, "4 2 1\n-1 -1\n-1\n\n-1 1\n1\n1 -1\n1\n1 1 -1").unwrap();
    let dataset = learn(xor.clone(), ImportOptions { task: Some(Task::Regress), ..options() });
    let dataset = dataset.unwrap();
    assert_eq!((dataset.rows(), dataset.features()), (4, 2));
    assert_eq!(dataset.encoding().target, Target::Numbers { columns: vec!["out0".to_owned()] });
    assert_eq!(row(&dataset, 1), [-1.0, 1.0]);

    // Proben1's data sets code a class as outputs of which one is 1.
    let heart = place.path().join("heart.train");
    fs::write(&heart, "4 1 3\n0.5\n0 1 0\n0.25\n1 0 0\n2e-1\n0 0 1\n0\n0 1 0\n").unwrap();
    let classify = ImportOptions { task: Some(Task::Classify), ..options() };
    let dataset = learn(heart, classify).unwrap();
    assert_eq!((0..4).map(|row| dataset.label(row)).collect::<Vec<_>>(), [1, 0, 2, 1]);

    for (text, part) in [
        ("2 1 1\n1\n1\n1\n", "ends after line 4, too early"),
        ("1 1 1\n1\n1\n1\n", "line 4: 1 follows the last pair"),
        ("1 1 1\nx\n1\n", "line 2: expected a number, found x"),
        ("1 1 1\n1\nnan\n", "line 3: expected a number, found nan"),
        ("1 1 2\n1\n1 1\n", "line 3: not one of the outputs is 1"),
        ("-1 1 1\n", "line 1: expected how many, found -1"),
        ("1 1e9 1\n", "inputs and 1 outputs are no table"),
        ("", "is empty"),
    ] {
        fs::write(&xor, text).unwrap();
        let error = learn(xor.clone(), options()).unwrap_err();
        assert!(error.contains("xor.fann") && error.contains(part), "{text:?}: {error}");
    }
}

#[test]
fn sqlite_keeps_every_clause() {
    if has_pyarrow() {
        let (_place, choice) = place();
        assert_kept(&check(&named(&choice, "sqlite"), None).unwrap().unwrap());
    }
}

/// Makes a database by other means than the plugin.
fn database(path: &Path, script: &str) {
    let code = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).executescript(sys.argv[2])";
    let done = Command::new("python3").args(["-c", code]).arg(path).arg(script).status().unwrap();
    assert!(done.success());
}

#[test]
fn sqlite_databases_are_read_as_others_write_them() {
    if !has_pyarrow() {
        return;
    }
    let (place, choice) = place();
    let path = place.path().join("flowers.db");
    database(
        &path,
        "CREATE TABLE iris (length REAL, width INTEGER, kind TEXT);
         INSERT INTO iris VALUES (5.1, 3, 'a'), (4.9, 2, 'b'), (4.7, 1, 'a'), (4.6, 0, 'b');
         CREATE TABLE \"more \"\"iris\"\"\" AS SELECT * FROM iris LIMIT 0;
         CREATE TABLE gaps (x, y); INSERT INTO gaps VALUES (1, 2), (NULL, 3), (3, 4);
         CREATE TABLE mixed (x, y); INSERT INTO mixed VALUES (1, 2), (x'00', 3);",
    );
    let with = |options: &[(&str, &str)]| {
        let options = options.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let format = FormatChoice { options, ..choice.clone() };
        learn(path.clone(), ImportOptions { format, ..ImportOptions::default() })
    };
    let dataset = with(&[("table", "iris")]).unwrap();
    assert_eq!((dataset.rows(), row(&dataset, 1)), (4, vec![4.9, 2.0]));
    assert_eq!(dataset.encoding().feature_names(), ["length", "width"]);
    let query = "SELECT width, 2 * length AS twice, kind FROM iris WHERE width < 3 ORDER BY width";
    let dataset = with(&[("query", query)]).unwrap();
    assert_eq!((dataset.rows(), row(&dataset, 0)), (3, vec![0.0, 9.2]));

    for (options, part) in [
        (&[][..], "say which with --option table=...: there are iris, more \"iris\", gaps, mixed"),
        (&[("table", "irises")], "exit code 1: no such table: irises"),
        (&[("table", "more \"iris\"")], "has no rows"),
        (&[("query", "SELEC 1")], "syntax error"),
        (&[("query", "DROP TABLE iris")], "attempt to write a readonly database"),
        (&[("table", "gaps")], "row 2, column \"x\": the value is missing"),
        (&[("table", "mixed")], "the column \"x\" holds bytes"),
        (&[("rows", "3")], "sqlite has no option \"rows\" for read; it has table, query"),
    ] {
        let error = with(options).unwrap_err();
        assert!(error.contains(part), "{options:?}: {error}");
    }
    fs::write(&path, "SQLite format 3\0 and then nonsense").unwrap();
    let error = with(&[("table", "iris")]).unwrap_err();
    assert!(error.contains("flowers.db: the plugin gristmill-format-sqlite failed"), "{error}");
}

//! What is no input though it stands in a table: the numbers of its rows, empty columns, the weights of a data set, and
//! what only rows of no weight have.

use gristmill_io::schema::{InputKind, Target};
use gristmill_io::{
    Dataset, FormatChoice, ImportOptions, ImportProgress, Plan, Task, export, import, preview,
};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

#[derive(Default)]
struct Notes(Mutex<Vec<String>>);

impl ImportProgress for Notes {
    fn note(&self, line: &str) {
        self.0.lock().unwrap().push(line.to_owned());
    }
}

fn options(task: Task) -> ImportOptions {
    ImportOptions { task: Some(task), ..ImportOptions::default() }
}

/// Imports a file into one beside it, and returns that with what was told.
fn learn(source: &Path, options: ImportOptions) -> Result<(Dataset, Vec<String>), String> {
    let output = source.with_extension("out.grist");
    let notes = Notes::default();
    import(&[source.to_owned()], &output, &Plan::Learn(options), &notes)
        .map_err(|error| error.to_string())?;
    let directory = format!("{}/", source.parent().unwrap().display());
    let told = notes.0.into_inner().unwrap();
    let told = told.into_iter().map(|line| line.replace(&directory, "")).collect();
    Ok((Dataset::open(&output).unwrap(), told))
}

fn learn_text(
    name: &str,
    text: &str,
    options: ImportOptions,
) -> Result<(Dataset, Vec<String>), String> {
    let directory = tempfile::tempdir().unwrap();
    let source = directory.path().join(name);
    std::fs::write(&source, text).unwrap();
    learn(&source, options)
}

fn names(dataset: &Dataset) -> Vec<String> {
    dataset.encoding().feature_names()
}

fn left_out(name: &str) -> String {
    format!(
        "column \"{name}\" numbers the rows, as the index of pandas does, and is left out: --number \"{name}\" takes it, --drop \"{name}\" confirms it"
    )
}

#[test]
fn a_nameless_first_column_that_numbers_the_rows_is_left_out() {
    for table in [
        ",a,y\n0,5,0.5\n1,6,1.5\n2,7,2.5\n",
        "\"\",a,y\n1,5,0.5\n2,6,1.5\n3,7,2.5\n",
        ",a,y\n17,5,0.5\n2,6,1.5\n40,7,2.5\n",
    ] {
        let (dataset, told) = learn_text("a.csv", table, options(Task::Regress)).unwrap();
        assert_eq!(names(&dataset), ["a"], "{table}");
        assert_eq!(told, [format!("a.csv: {}", left_out("f0"))], "{table}");
        let said = ImportOptions { number: vec!["f0".into()], ..options(Task::Regress) };
        let (dataset, told) = learn_text("a.csv", table, said).unwrap();
        assert_eq!((names(&dataset), told.len()), (vec!["f0".into(), "a".into()], 0));
        let said = ImportOptions { drop: vec!["f0".into()], ..options(Task::Regress) };
        assert_eq!(learn_text("a.csv", table, said).unwrap().1, [""; 0]);
        let said = ImportOptions { target: vec!["f0".into()], ..options(Task::Regress) };
        assert_eq!(names(&learn_text("a.csv", table, said).unwrap().0), ["a", "y"]);
    }
    for other in [
        ",a,y\n0.5,5,0.5\n1,6,1.5\n",
        ",a,y\n3,5,0.5\n3,6,1.5\n",
        "k,a,y\n0,5,0.5\n1,6,1.5\n",
        "a,,y\n0,5,0.5\n1,6,1.5\n",
    ] {
        let (dataset, told) = learn_text("a.csv", other, options(Task::Regress)).unwrap();
        assert_eq!((dataset.features(), told.len()), (2, 0), "{other}");
    }
}

#[test]
fn an_index_of_pandas_is_no_input_in_any_format() {
    let directory = tempfile::tempdir().unwrap();
    let [text, grist] = ["a.csv", "a.grist"].map(|name| directory.path().join(name));
    for index in ["__index_level_0__", "Unnamed: 0"] {
        std::fs::write(&text, format!("{index},a,y\n4,5,0.5\n2,6,1.5\n3,7,2.5\n")).unwrap();
        let with_index = ImportOptions { number: vec![index.into()], ..options(Task::Regress) };
        import(std::slice::from_ref(&text), &grist, &Plan::Learn(with_index), &()).unwrap();
        let dataset = Dataset::open(&grist).unwrap();
        assert_eq!(names(&dataset), [index, "a"]);
        for name in ["t.csv", "t.jsonl", "t.npz", "t.parquet", "t.arrow"] {
            let table: PathBuf = directory.path().join(name);
            let written = match export(&dataset, &table, &FormatChoice::default(), &()) {
                Ok(written) => written,
                // Parquet and Arrow may not be built in.
                Err(_) if cfg!(not(feature = "parquet")) => continue,
                Err(error) => panic!("{name}: {error}"),
            };
            assert_eq!(written.again.number, [index], "{name}");
            let target = || ImportOptions { target: vec!["y".into()], ..options(Task::Regress) };
            let (found, told) = learn(&table, target()).unwrap();
            assert_eq!(names(&found), ["a"], "{name}");
            assert_eq!(told, [format!("{name}: {}", left_out(index))]);
            let again = ImportOptions { number: written.again.number, ..target() };
            let (found, told) = learn(&table, again).unwrap();
            assert_eq!((names(&found), told.len()), (vec![index.into(), "a".into()], 0));
        }
    }
}

#[test]
fn an_empty_last_column_can_be_dropped() {
    for table in ["a,b,y,\n1,2,0.5,\n3,4,1.5,\n", "a,b,y\n1,2,0.5,\n3,4,1.5,\n"] {
        let said = ImportOptions { drop: vec!["f3".into()], ..options(Task::Regress) };
        assert_eq!(names(&learn_text("a.csv", table, said).unwrap().0), ["a", "b"]);
    }
    let wrong = ImportOptions { drop: vec!["f4".into()], ..options(Task::Regress) };
    let error = learn_text("a.csv", "a,b,y,\n1,2,0.5,\n", wrong).unwrap_err();
    assert!(error.contains("column \"f4\": this column is missing"), "{error}");
}

#[test]
fn the_weights_of_a_data_set_stay_weights() {
    let directory = tempfile::tempdir().unwrap();
    let [text, first, second] =
        ["a.csv", "first.grist", "second.grist"].map(|name| directory.path().join(name));
    std::fs::write(&text, "a,b,y,w\n1,2,0.5,1\n3,4,1.5,0\n5,7,2.5,4\n").unwrap();
    let weighted = || ImportOptions { weights: Some("w".into()), ..options(Task::Regress) };
    import(&[text], &first, &Plan::Learn(weighted()), &()).unwrap();
    let original = Dataset::open(&first).unwrap();
    let weights = |dataset: &Dataset| (0..3).map(|row| dataset.weight(row)).collect::<Vec<_>>();
    let again = |options: ImportOptions| {
        import(std::slice::from_ref(&first), &second, &Plan::Learn(options), &()).unwrap();
        Dataset::open(&second).unwrap()
    };
    let fewer = again(ImportOptions { drop: vec!["b".into()], ..options(Task::Regress) });
    assert_eq!(names(&fewer), ["a"]);
    assert_eq!((fewer.has_weights(), weights(&fewer)), (true, vec![1.0, 0.0, 4.0]));
    let without = again(ImportOptions { drop: vec!["weight".into()], ..options(Task::Regress) });
    assert_eq!((names(&without), without.has_weights()), (vec!["a".into(), "b".into()], false));
    let input = again(ImportOptions { number: vec!["weight".into()], ..options(Task::Regress) });
    assert_eq!((names(&input).len(), input.has_weights()), (3, false));
    let encoding = original.encoding();
    let like = Plan::Fixed { encoding, with_target: true, options: ImportOptions::default() };
    import(std::slice::from_ref(&first), &second, &like, &()).unwrap();
    assert_eq!(std::fs::read(&first).unwrap(), std::fs::read(&second).unwrap());
}

#[test]
fn rows_of_no_weight_enter_no_mean_and_no_category() {
    let directory = tempfile::tempdir().unwrap();
    let text = directory.path().join("a.csv");
    let rows = "1,p,0.5,1\n,q,1.5,2\n3,p,2.5,0.5\n1000,z,3.5,0\n";
    std::fs::write(&text, format!("a,c,y,w\n{rows}")).unwrap();
    let weighted = || ImportOptions {
        weights: Some("w".into()),
        missing: gristmill_io::Missing::Mean,
        ..options(Task::Regress)
    };
    let (dataset, told) = learn(&text, weighted()).unwrap();
    let encoding = dataset.encoding();
    assert_eq!(encoding.inputs[0].kind, InputKind::Number { fill: Some(2.0) });
    assert_eq!(names(&dataset), ["a", "c=p", "c=q"]);
    let expected = "a.csv: column \"c\": \"z\" occurs in rows of weight 0 only, from which nothing is learned, so it is no category";
    assert_eq!(told, [expected]);
    let mut row = [0.0; 3];
    dataset.dtype().decode(dataset.row(3), &mut row);
    assert_eq!(row, [1000.0, 0.0, 0.0]);
    // What has no category is written as nothing, and read again as that.
    let table = directory.path().join("t.csv");
    export(&dataset, &table, &FormatChoice::default(), &()).unwrap();
    let again = ImportOptions {
        weights: Some("weight".into()),
        target: vec!["y".into()],
        ..options(Task::Regress)
    };
    let (back, _) = learn(&table, again).unwrap();
    assert_eq!(names(&back), names(&dataset));
    // Where the row counts, an unknown category is refused as ever.
    let plan = |weights: Option<String>| Plan::Fixed {
        encoding: dataset.encoding(),
        with_target: true,
        options: ImportOptions { weights, ..ImportOptions::default() },
    };
    let output = directory.path().join("fixed.grist");
    import(std::slice::from_ref(&text), &output, &plan(Some("w".into())), &()).unwrap();
    let error = import(&[text], &output, &plan(None), &()).unwrap_err().to_string();
    assert!(error.contains("line 5, column \"c\": \"z\" is no category known"), "{error}");
    assert!(matches!(dataset.encoding().target, Target::Numbers { .. }));
}

#[test]
fn sparse_text_says_how_large_it_becomes() {
    let directory = tempfile::tempdir().unwrap();
    let told = |name: &str, text: &str| {
        let source = directory.path().join(name);
        std::fs::write(&source, text).unwrap();
        let notes = Notes::default();
        preview(&[source], &ImportOptions::default(), 1, &notes).unwrap();
        notes.0.into_inner().unwrap()
    };
    let svm = |rows: usize| format!("1 1:1 65536:1\n{}", "0 2:1\n".repeat(rows - 1));
    let line = told("a.libsvm", &svm(30_000));
    assert!(line[0].ends_with("a.libsvm: 30000 rows of 65536 features, all of which are stored, take 1.8 GiB as u8 (whole numbers to 255), 7.3 GiB as f32"), "{line:?}");
    assert_eq!(told("b.libsvm", &svm(300)), [""; 0]);
    let attributes: String = (0..3000).map(|i| format!("@attribute a{i} numeric\n")).collect();
    let arff = format!("@relation r\n{attributes}@data\n{}", "{7 1}\n".repeat(150_000));
    let line = told("a.arff", &arff);
    assert!(line[0].contains("about 16") && line[0].contains("rows of 3000 features"), "{line:?}");
}

#[test]
fn what_is_said_of_text_is_refused_for_other_formats() {
    let json = "{\"a\":1,\"y\":0.5}\n{\"a\":2,\"y\":1.5}\n";
    let error = |options| learn_text("a.jsonl", json, options).unwrap_err();
    let header = |header| ImportOptions { header: Some(header), ..ImportOptions::default() };
    let said = error(header(true));
    assert!(said.starts_with("--header: ") && said.contains("a.jsonl is jsonl, no line"), "{said}");
    assert!(error(header(false)).starts_with("--no-header: "));
    let decimal = ImportOptions { decimal: Some(gristmill_io::Decimal::Comma), ..header(true) };
    assert!(error(ImportOptions { header: None, ..decimal }).starts_with("--decimal: "));
}

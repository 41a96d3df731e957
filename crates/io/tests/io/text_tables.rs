//! Reading text as it is written: headers, separators, line ends, decimal commas, labels, and what is told of them.

use gristmill_io::schema::{InputKind, Target};
use gristmill_io::{Dataset, Decimal, ImportOptions, ImportProgress, Missing, Plan, Task, import};
use std::io::Write;
use std::sync::Mutex;

/// The notes of an import.
#[derive(Default)]
struct Notes(Mutex<Vec<String>>);

impl ImportProgress for Notes {
    fn note(&self, line: &str) {
        self.0.lock().unwrap().push(line.to_owned());
    }
}

/// What an import made, and the notes that it told; or its error.
struct Read {
    dataset: Option<Dataset>,
    notes: Vec<String>,
    error: String,
}

impl Read {
    fn dataset(&self) -> &Dataset {
        self.dataset.as_ref().unwrap_or_else(|| panic!("{}", self.error))
    }

    fn features(&self) -> Vec<Vec<f32>> {
        let dataset = self.dataset();
        let row = |row| {
            let mut out = vec![0.0; dataset.features()];
            dataset.dtype().decode(dataset.row(row), &mut out);
            out
        };
        (0..dataset.rows()).map(row).collect()
    }

    fn names(&self) -> Vec<String> {
        self.dataset().encoding().feature_names()
    }

    fn classes(&self) -> Vec<String> {
        match &self.dataset().encoding().target {
            Target::Classes { names, .. } => names.clone(),
            other => panic!("{other:?}"),
        }
    }

    /// The only note.
    fn note(&self) -> &str {
        assert_eq!(self.notes.len(), 1, "{:?}", self.notes);
        &self.notes[0]
    }
}

fn read_as(name: &str, content: impl AsRef<[u8]>, options: ImportOptions) -> Read {
    let directory = tempfile::tempdir().unwrap();
    let (source, output) = (directory.path().join(name), directory.path().join("out.grist"));
    std::fs::write(&source, content).unwrap();
    let notes = Notes::default();
    let done = import(std::slice::from_ref(&source), &output, &Plan::Learn(options), &notes);
    let short = |text: String| text.replace(source.to_str().unwrap(), name);
    Read {
        dataset: done.is_ok().then(|| Dataset::open(&output).unwrap()),
        notes: notes.0.into_inner().unwrap().into_iter().map(short).collect(),
        error: done.err().map_or(String::new(), |error| short(error.to_string())),
    }
}

fn read(content: impl AsRef<[u8]>) -> Read {
    read_as("a.csv", content, ImportOptions::default())
}

fn classify() -> ImportOptions {
    ImportOptions { task: Some(Task::Classify), ..ImportOptions::default() }
}

fn regress() -> ImportOptions {
    ImportOptions { task: Some(Task::Regress), ..ImportOptions::default() }
}

#[test]
fn years_among_names_are_a_header() {
    let table = "who,2023,2024,y\nann,1,2,0\nbob,3,4,1\nann,5,6,0\nbob,7,8,1\n";
    let found = read(table);
    assert_eq!(found.dataset().rows(), 4);
    assert_eq!(found.names(), ["who=ann", "who=bob", "2023", "2024"]);
    assert_eq!(found.classes(), ["0", "1"]);
    assert!(found.note().contains("is taken for column names"), "{}", found.note());
    let said = read_as("a.csv", table, ImportOptions { header: Some(true), ..classify() });
    assert_eq!((said.dataset().rows(), said.notes.len()), (4, 0));
}

#[test]
fn texts_that_recur_below_are_data() {
    let found = read("EI,DON-1,CCA\nEI,DON-2,AGA\nIE,ACC-1,GAG\nIE,ACC-2,GGG\n");
    assert_eq!(found.dataset().rows(), 4);
    assert!(found.note().contains("taken for data, since \"EI\" is found below it again"));
}

#[test]
fn decimal_commas_are_numbers() {
    let prices = read("a;b;price\n1;2;10,5\n2;3;11,5\n3;4;10,5\n4;5;12,5\n");
    assert_eq!(prices.dataset().target_statistics()[0].mean, 11.25);
    let expected = "a.csv: numbers are read with a decimal comma, as in \"10,5\" (line 2, column \"price\"): --decimal . reads them with a point";
    assert_eq!(prices.note(), expected);
    let bare = read("1,5;2,5;0\n2,5;3,5;1\n1,5;4,5;0\n4,5;5,5;1\n");
    assert_eq!(bare.features(), [[1.5, 2.5], [2.5, 3.5], [1.5, 4.5], [4.5, 5.5]]);
    let units = read("price, EUR;y\n1,5;2\n2,5;3\n1,5;2\n2,5;3\n");
    assert_eq!(units.names(), ["price, EUR"]);
    assert_eq!(units.features(), [[1.5], [2.5], [1.5], [2.5]]);
    let quoted = read("x,y\n\"1,5\",0\n\"2,5\",1\n\"1,5\",0\n\"2,5\",1\n");
    assert_eq!(quoted.features(), [[1.5], [2.5], [1.5], [2.5]]);
    let said = ImportOptions { decimal: Some(Decimal::Comma), ..regress() };
    let grouped = read_as("a.csv", "x;y\n1.234,5;1\n2;2\n", said);
    assert_eq!((grouped.features(), grouped.notes.len()), (vec![vec![1234.5], vec![2.0]], 0));
    let labels = read("x;y\n1;0,5\n2;1,5\n1;0,5\n2;1,5\n");
    assert_eq!(labels.dataset().target_statistics()[0].mean, 1.0, "no classes 0,5 and 1,5");
}

#[test]
fn each_column_may_be_written_in_its_own_way() {
    let mixed = read("a;b;y\n1,5;1.5;0\n2,5;2.5;1\n1,5;3.5;0\n2,5;4.5;1\n");
    assert_eq!(mixed.features(), [[1.5, 1.5], [2.5, 2.5], [1.5, 3.5], [2.5, 4.5]]);
    assert!(mixed.note().contains("\"1,5\" (line 2, column \"a\")"));
}

#[test]
fn thousands_are_numbers() {
    let table = "a,y\n\"1,234\",0\n\"2,345\",1\n\"1,001\",0\n\"13,456,789\",1\n";
    let found = read(table);
    assert_eq!(found.features(), [[1234.0], [2345.0], [1001.0], [13_456_789.0]]);
    assert!(found.note().contains("\"1,234\" (line 2, column \"a\")"), "{}", found.note());
}

#[test]
fn a_stray_value_among_numbers_is_refused() {
    let rows: String = (1..200).map(|i| format!("{i},{}.5\n", i * 7 % 191)).collect();
    let target = read(format!("x,price\n{rows}200,<1.0\n"));
    let expected = "a.csv, line 201, column \"price\": expected a number, as nearly all others are, found \"<1.0\"";
    assert!(target.error.starts_with(expected), "{}", target.error);
    let table = format!("price,y\n{}", rows.replace(".5\n", "\n").replacen("7,", "<1.0,", 1));
    let feature = read_as("a.csv", &table, regress());
    assert!(feature.error.contains("line 8, column \"price\""), "{}", feature.error);
    let marked = ImportOptions { na: vec!["<1.0".to_owned()], missing: Missing::Mean, ..regress() };
    let marked = read_as("a.csv", &table, marked);
    assert_eq!(marked.dataset().statistics()[0].missing, 1);
    assert_eq!(marked.names(), ["price"]);
    let said = ImportOptions { category: vec!["price".to_owned()], ..regress() };
    assert_eq!(read_as("a.csv", &table, said).names().len(), 199);
}

#[test]
fn few_numbers_with_a_text_are_texts_and_said_to_be() {
    let found = read("x,y\n1,a\n2,b\nbad,a\n");
    assert_eq!(found.names(), ["x=1", "x=2", "x=bad"]);
    assert!(found.note().starts_with("a.csv: column \"x\" is text because of \"bad\" in line 4"));
}

#[test]
fn a_number_may_stand_for_a_missing_value_in_any_format() {
    let options =
        || ImportOptions { na: vec!["-999".to_owned()], missing: Missing::Mean, ..regress() };
    for (name, content) in [
        ("a.csv", "x,y\n1,1\n-999,2\n3,3\n-999.0,4\n"),
        (
            "a.jsonl",
            "{\"x\":1,\"y\":1}\n{\"x\":-999,\"y\":2}\n{\"x\":3,\"y\":3}\n{\"x\":-999.0,\"y\":4}\n",
        ),
    ] {
        let found = read_as(name, content, options());
        assert_eq!(found.features(), [[1.0], [2.0], [3.0], [2.0]], "{name}");
    }
}

#[test]
fn lines_may_end_in_returns_alone() {
    let found = read("a,b,y\r1,2,0\r3,4,1\r5,6,0\r7,8,1\r");
    assert_eq!(found.features(), [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]]);
    assert_eq!(read("name,y\rann,p\rbob,q\r").classes(), ["p", "q"]);
    let wrong = read_as("a.csv", "a,y\r1,2\r2,5\rx,3\r", regress());
    assert!(wrong.dataset.is_some() && wrong.note().contains("in line 4"), "{:?}", wrong.notes);
    let json = read_as("a.jsonl", "{\"x\":1,\"y\":1}\r{\"x\":2,\"y\":2}\r", regress());
    assert_eq!(json.features(), [[1.0], [2.0]]);
}

#[test]
fn a_blank_line_in_a_single_column_is_a_missing_value() {
    let directory = tempfile::tempdir().unwrap();
    let (source, output) = (directory.path().join("p.csv"), directory.path().join("p.grist"));
    let trained = read_as("a.csv", "x,y\n1,0.5\n2,1.5\n", regress());
    let filled = ImportOptions { missing: Missing::Mean, ..regress() };
    let filled = read_as("a.csv", "x,y\n1,0.5\n2,1.5\n", filled);
    let predict = |read: &Read, content: &str| {
        std::fs::write(&source, content).unwrap();
        let encoding = read.dataset().encoding();
        let options = ImportOptions::default();
        let plan = Plan::Fixed { encoding, with_target: false, options };
        import(std::slice::from_ref(&source), &output, &plan, &()).map(|summary| summary.rows)
    };
    let error = predict(&trained, "x\n1\n\n3\n").unwrap_err().to_string();
    assert!(error.contains("p.csv, line 3, column \"x\": the value is missing"), "{error}");
    assert_eq!(predict(&filled, "x\n1\n\n3\n").unwrap(), 3);
    assert_eq!(predict(&filled, "x\r\n1\r\n\r\n3\r\n").unwrap(), 3);
    assert_eq!(predict(&trained, "x\n1\n3\n\n\n").unwrap(), 2, "blank lines at the end");
    let many = format!("x\n{}\n\n", "1\n\n".repeat(200_000));
    assert_eq!(predict(&filled, &many).unwrap(), 399_999);
}

#[test]
fn labels_are_texts() {
    let large =
        "x,label\n1,9007199254740992\n2,9007199254740993\n3,9007199254740992\n4,9007199254740993\n";
    assert_eq!(read(large).classes(), ["9007199254740992", "9007199254740993"]);
    let coded = read("x,label\n1,007\n2,010\n3,007\n4,010\n");
    assert_eq!((coded.classes(), coded.notes.len()), (vec!["007".into(), "010".into()], 0));
    let zeros = read_as("a.csv", "x,y\n1,-0.0\n2,0.0\n3,1.0\n4,0\n5,1e0\n", classify());
    assert_eq!(zeros.classes(), ["0", "1"]);
    assert_eq!(zeros.dataset().class_counts(), [3, 2]);
}

#[test]
fn categories_are_their_texts() {
    let trained = read("c,y\n100,0\nB,1\n100,0\nB,1\n");
    let categories = vec!["100".to_owned(), "B".to_owned()];
    assert_eq!(trained.dataset().encoding().inputs[0].kind, InputKind::OneHot { categories });
    for value in ["1e2", "0100", "+100", "100.0"] {
        let directory = tempfile::tempdir().unwrap();
        let source = directory.path().join("n.csv");
        std::fs::write(&source, format!("c\n{value}\n")).unwrap();
        let encoding = trained.dataset().encoding();
        let options = ImportOptions::default();
        let plan = Plan::Fixed { encoding, with_target: false, options };
        let error = import(&[source], &directory.path().join("o"), &plan, &()).unwrap_err();
        let expected = format!("line 2, column \"c\": \"{value}\" is no category known");
        assert!(error.to_string().contains(&expected), "{error}");
    }
}

#[test]
fn numbers_that_become_one_are_told() {
    let dates = "d,y\n20180127,0\n20180128,0\n20180129,1\n20180130,0\n20180131,1\n20180132,1\n";
    let expected = "a.csv: column \"d\": 20180127 and 20180128 become the same number";
    assert!(read(dates).note().starts_with(expected));
    let json = "{\"d\":20180127,\"y\":0.5}\n{\"d\":20180128,\"y\":1.5}\n";
    let json = read_as("a.jsonl", json, ImportOptions::default());
    assert!(json.note().contains("20180127 and 20180128 become the same number"));
    let sparse = "1 1:20180127 2:1\n0 1:20180128\n1 1:20180129 2:3\n";
    let sparse = read_as("a.libsvm", sparse, ImportOptions::default());
    assert!(sparse.note().contains("column \"f1\": 20180127 and 20180128 become the same number"));
    let target = read("x,t\n1,1609459.123\n2,1609459.124\n3,1609459.125\n");
    assert!(target.note().contains("column \"t\": 1609459.123 and 1609459.124"));
    assert_eq!(read("d,y\n2018,0.5\n2019,1.5\n2020,2.5\n").notes, [""; 0]);
}

fn with_number(column: &str) -> ImportOptions {
    ImportOptions { number: vec![column.to_owned()], ..ImportOptions::default() }
}

#[test]
fn codes_are_texts() {
    let zips = "zip,y\n01234,0.5\n12345,1.5\n";
    let found = read(zips);
    assert_eq!(found.names(), ["zip=01234", "zip=12345"]);
    let expected = "a.csv: column \"zip\" is text because of the zeros before its numbers, as in \"01234\" (line 2): --number \"zip\" reads numbers, --category \"zip\" confirms it";
    assert_eq!(found.note(), expected);
    let category = ImportOptions { category: vec!["zip".to_owned()], ..Default::default() };
    for (options, names) in
        [(category, vec!["zip=01234", "zip=12345"]), (with_number("zip"), vec!["zip"])]
    {
        let said = read_as("a.csv", zips, options);
        assert_eq!(
            (said.names(), said.notes.len()),
            (names.iter().map(|n| n.to_string()).collect(), 0)
        );
    }
    assert_eq!(read_as("a.csv", zips, with_number("zip")).features(), [[1234.0], [12345.0]]);
    assert_eq!(read("m,y\n01,0.5\n12,1.5\n").names(), ["m=01", "m=12"]);
    assert_eq!(
        read_as("d.txt", "01 5 0.5\n12 6 1.5\n", regress()).names(),
        ["f0=01", "f0=12", "f1"]
    );
    for numbers in
        ["1.5,0.5\n007,1.5\n", "-5,0.5\n007,1.5\n", "0,0.5\n00.5,1.5\n", "1e2,1\n007,2\n"]
    {
        let found = read_as("a.csv", format!("x,y\n{numbers}"), regress());
        assert_eq!((found.names(), found.notes.len()), (vec!["x".to_owned()], 0), "{numbers}");
    }
}

#[test]
fn too_many_codes_have_a_way_out() {
    let rows: String = (0..1500).map(|i| format!("{i:05},0.5\n")).collect();
    let table = format!("n,y\n{rows}");
    let error = read_as("a.csv", &table, regress()).error;
    assert!(error.contains("--drop \"n\", or take it for numbers with --number \"n\""), "{error}");
    let said = ImportOptions { number: vec!["n".to_owned()], ..regress() };
    assert_eq!(read_as("a.csv", &table, said).features()[7], [7.0]);
}

#[test]
fn a_code_after_many_numbers_is_refused() {
    let rows = |code: &str| -> String {
        let row =
            |i: u32| format!("{},0.5\n", if i == 1700 { code.to_owned() } else { i.to_string() });
        format!("zip,y\n{}", (0..2000).map(row).collect::<String>())
    };
    let expected = "a.csv, line 1702, column \"zip\": expected a number as before, found \"01234\", which begins with a zero as codes do: say --category \"zip\" if the values are texts, --number \"zip\" if they are numbers";
    let marked = || ImportOptions { na: vec!["-".to_owned()], ..regress() };
    let filled = || ImportOptions { missing: Missing::Mean, ..regress() };
    for options in [regress(), marked(), filled()] {
        for code in ["01234", "\"01234\"", " 01234 "] {
            assert_eq!(read_as("a.csv", rows(code), options.clone()).error, expected);
        }
        let said = ImportOptions { number: vec!["zip".to_owned()], ..options };
        assert_eq!(read_as("a.csv", rows("01234"), said).features()[1700], [1234.0]);
    }
    for numbers in ["0.5", "0", "-01", "000.5", "0e1"] {
        assert_eq!(read_as("a.csv", rows(numbers), regress()).names(), ["zip"], "{numbers}");
    }
    let row = |i| match i {
        1700 => "{\"zip\":\"01234\",\"y\":0.5}\n".to_owned(),
        i => format!("{{\"zip\":{i},\"y\":0.5}}\n"),
    };
    let json: String = (0..2000).map(row).collect();
    let error = read_as("a.jsonl", json, regress()).error;
    assert!(error.starts_with("a.jsonl, line 1701, column \"zip\": expected a number"), "{error}");
}

#[test]
fn codes_in_another_source_are_refused_and_models_read_numbers() {
    let directory = tempfile::tempdir().unwrap();
    let [first, second, output] =
        ["1.csv", "2.csv", "out.grist"].map(|name| directory.path().join(name));
    std::fs::write(&first, "zip,y\n12345,0.5\n23456,1.5\n").unwrap();
    std::fs::write(&second, "zip,y\n01234,0.5\n").unwrap();
    let both = [first.clone(), second.clone()];
    let error = import(&both, &output, &Plan::Learn(regress()), &()).unwrap_err().to_string();
    assert!(error.contains("2.csv, line 2, column \"zip\": expected a number"), "{error}");
    import(&[first], &output, &Plan::Learn(regress()), &()).unwrap();
    let trained = Dataset::open(&output).unwrap();
    let options = ImportOptions::default();
    let plan = Plan::Fixed { encoding: trained.encoding(), with_target: true, options };
    let again = directory.path().join("again.grist");
    import(&[second], &again, &plan, &()).unwrap();
    assert_eq!(Dataset::open(&again).unwrap().statistics()[0].max, 1234.0);
}

#[test]
fn codes_are_classes() {
    let coded = read("x,y\n1,01\n2,02\n3,03\n");
    assert_eq!(coded.classes(), ["01", "02", "03"]);
    let expected = "a.csv: column \"y\" has classes because of the zeros before its numbers, as in \"01\": --task regress reads numbers, --task classify confirms it";
    assert_eq!(coded.note(), expected);
    let said = read_as("a.csv", "x,y\n1,01\n2,02\n3,03\n", regress());
    assert_eq!((said.dataset().target_statistics()[0].mean, said.notes.len()), (2.0, 0));
    // Hundreds of rows with a time of their own each have no classes.
    let times: String = (0..300).map(|i| format!("{i},{:04}\n", i * 7)).collect();
    let found = read(format!("x,time\n{times}"));
    assert_eq!(found.dataset().target_statistics()[0].max, 2093.0);
    assert!(found.note().contains(
        "read as numbers, and the zeros before them, as in \"0000\", are lost: --task classify"
    ));
    let codes: String = (0..600).map(|i| format!("{i},{:04}\n", i % 150)).collect();
    let found = read(format!("x,code\n{codes}"));
    assert_eq!((found.classes().len(), found.classes()[7].as_str()), (150, "0007"));
    assert!(found.note().contains("has classes because of the zeros"));
    // The code comes when there are too many values to remember.
    let late: String = (0..500).map(|i| format!("{i},{}\n", i + 1000)).collect();
    let found = read(format!("x,t\n{late}500,0007\n"));
    assert!(found.note().contains("as in \"0007\", are lost"), "{}", found.note());
}

#[test]
fn what_is_said_of_inputs_must_fit_them() {
    let refused = |options: ImportOptions| read_as("a.csv", "a,b,y\n1,2,3\n4,5,6\n", options).error;
    let both = ImportOptions { category: vec!["a".to_owned()], ..with_number("a") };
    assert!(refused(both).contains("column \"a\": is said to have both texts and numbers"));
    assert!(refused(with_number("y")).contains("column \"y\": is the target: --task regress"));
    assert!(refused(with_number("z")).contains("column \"z\": this column is missing"));
    let dropped = ImportOptions { drop: vec!["b".to_owned()], ..with_number("b") };
    assert!(refused(dropped).contains("column \"b\": is no input"));
}

#[test]
fn excel_s_line_names_the_separator() {
    for first in ["sep=;\n", "\"sep=;\"\r\n", "\u{feff}SEP=;\n"] {
        let found = read_as("a.csv", format!("{first}a;b;y\n1;2;0\n3;4;1\n"), regress());
        assert_eq!(found.features(), [[1.0, 2.0], [3.0, 4.0]], "{first:?}");
    }
    let wrong = read_as("a.csv", "sep=;\na;y\n1;2\n3;4;5\n", regress());
    assert_eq!(wrong.error, "a.csv, line 4: expected 2 fields, found 3");
}

#[test]
fn an_empty_last_column_is_left_out() {
    for table in ["a,b,price,\n1,2,0.5,\n3,4,1.5,\n", "a,b,price\n1,2,0.5,\n3,4,1.5,\n"] {
        let found = read(table);
        assert_eq!(found.features(), [[1.0, 2.0], [3.0, 4.0]]);
        assert_eq!(found.dataset().target_statistics()[0].mean, 1.0);
        assert!(found.note().contains("the empty column after it is left out"));
    }
    let late = format!("a,y,\n{}3,4.5,x\n", "1,2.5,\n".repeat(2000));
    let found = read(late);
    assert!(
        found.error.starts_with("a.csv, line 2002: the last field is \"x\""),
        "{}",
        found.error
    );
}

#[test]
fn blanks_separate_numbers() {
    let found = read_as("d.txt", "1 2 0\n3  4\t1 \n -5 6e0 0\n", classify());
    assert_eq!(found.features(), [[1.0, 2.0], [3.0, 4.0], [-5.0, 6.0]]);
    assert_eq!(found.classes(), ["0", "1"]);
    let named = read_as("d.txt", "a b y\r\n1 2 0\r\n3 4 1", regress());
    assert_eq!(
        (named.names(), named.features()),
        (vec!["a".into(), "b".into()], vec![vec![1.0, 2.0], vec![3.0, 4.0]])
    );
}

#[test]
fn names_that_occur_twice_are_told_apart() {
    let found = read_as("a.csv", "x,x,y\n1,2,0\n3,4,1\n", regress());
    assert_eq!(found.names(), ["x", "x.1"]);
    assert!(found.note().contains("the second is called \"x.1\""));
}

#[test]
fn zeros_after_a_gzip_file_are_no_part_of_it() {
    let pack = |text: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    };
    let members = [pack(b"a,y\n1,0\n"), pack(b"2,1\n"), vec![0; 512]].concat();
    let found = read_as("a.csv.gz", members, regress());
    assert_eq!(found.features(), [[1.0], [2.0]]);
    let garbage = [pack(b"a,y\n1,0\n2,1\n"), b"xyz".to_vec()].concat();
    assert!(read_as("a.csv.gz", garbage, regress()).error.contains("cannot read"));
}

#[test]
fn utf_16_is_named() {
    let text: Vec<u8> = "x,y\n1,2\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let found = read([vec![0xff, 0xfe], text].concat());
    assert!(found.error.starts_with("a.csv: is UTF-16 text: convert it"), "{}", found.error);
}

//! Importing good sources: what is learned, what is stored, and that nothing else decides the bytes.

use crate::common;
use crate::common::{classes, names_in, texts};
use flate2::Compression;
use flate2::write::GzEncoder;
use gristmill_io::schema::{Encoding, InputKind, Target};
use gristmill_io::{
    Dataset, Dtype, ImportOptions, ImportProgress, ImportSummary, Missing, Plan, Result, Task,
    import,
};
use proptest::prelude::*;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use tempfile::TempDir;

/// A directory with sources in it.
struct Bench(TempDir);

impl Bench {
    fn new() -> Bench {
        Bench(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    fn import(&self, sources: &[PathBuf], plan: &Plan) -> Result<ImportSummary> {
        import(sources, &self.path("out.grist"), plan, &())
    }

    fn learn(&self, source: &str, options: ImportOptions) -> Dataset {
        let source = self.file("source", source);
        self.import(&[source], &Plan::Learn(options)).unwrap();
        self.output()
    }

    fn output(&self) -> Dataset {
        let dataset = Dataset::open(&self.path("out.grist")).unwrap();
        dataset.verify().unwrap();
        dataset
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

fn labels(dataset: &Dataset) -> Vec<u32> {
    (0..dataset.rows()).map(|row| dataset.label(row)).collect()
}

fn targets(dataset: &Dataset, count: usize) -> Vec<Vec<f32>> {
    let row = |row| {
        let mut out = vec![0.0; count];
        dataset.targets(row, &mut out);
        out
    };
    (0..dataset.rows()).map(row).collect()
}

fn target(name: &str) -> ImportOptions {
    ImportOptions { target: vec![name.to_owned()], ..ImportOptions::default() }
}

fn gz(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

const FLOWERS: &str = "length,width,species\n5.1,3.5,setosa\n7.0,3.2,versicolor\n4.9,3.0,setosa\n";

#[test]
fn numbers_and_text_classes() {
    let dataset = Bench::new().learn(FLOWERS, ImportOptions::default());
    assert_eq!(features(&dataset), [[5.1, 3.5], [7.0, 3.2], [4.9, 3.0]]);
    assert_eq!(labels(&dataset), [0, 1, 0]);
    assert_eq!(dataset.class_counts(), [2, 1]);
    assert_eq!(dataset.dtype(), Dtype::F32);
    let names = texts(&["setosa", "versicolor"]);
    assert_eq!(dataset.encoding().target, Target::Classes { column: "species".into(), names });
    assert_eq!(dataset.encoding().feature_names(), ["length", "width"]);
}

#[test]
fn every_separator_line_end_and_compression_gives_the_same_bytes() {
    let bench = Bench::new();
    bench.learn(FLOWERS, ImportOptions::default());
    let expected = std::fs::read(bench.path("out.grist")).unwrap();
    let variants: [(&str, Vec<u8>); 9] = [
        ("a.tsv", FLOWERS.replace(',', "\t").into()),
        ("a.csv", FLOWERS.replace(',', ";").into()),
        ("a.txt", FLOWERS.replace(',', "|").into()),
        ("b.csv", FLOWERS.replace('\n', "\r\n").into()),
        ("c.csv", FLOWERS.trim_end().into()),
        ("d.csv", FLOWERS.replace('\n', "\n\n").into()),
        ("e.csv", FLOWERS.replace("setosa", " \"setosa\"").replace(" \"", "\"").into()),
        ("f.csv", format!("\u{feff}{FLOWERS}").into()),
        ("g.csv.gz", gz(FLOWERS.as_bytes())),
    ];
    for (name, content) in variants {
        let source = bench.file(name, content);
        bench.import(&[source], &Plan::Learn(ImportOptions::default())).unwrap();
        assert!(std::fs::read(bench.path("out.grist")).unwrap() == expected, "{name}");
    }
}

#[test]
fn quotes_hold_separators_line_ends_and_quotes() {
    let source = "text,y\n\"a,\"\"b\"\"\nc\",1\nd,2\n\"a,\"\"b\"\"\nc\",3\n";
    let options = ImportOptions { task: Some(Task::Regress), ..ImportOptions::default() };
    let dataset = Bench::new().learn(source, options);
    let categories = texts(&["a,\"b\"\nc", "d"]);
    assert_eq!(dataset.encoding().inputs[0].kind, InputKind::OneHot { categories });
    assert_eq!(features(&dataset), [[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]);
    assert_eq!(dataset.dtype(), Dtype::U8);
    assert_eq!(targets(&dataset, 1), [[1.0], [2.0], [3.0]]);
}

#[test]
fn a_file_without_a_header_is_recognised_or_said_to_be_one() {
    let bench = Bench::new();
    let dataset = bench.learn("1,2,x\n3,4,y\n", ImportOptions::default());
    assert_eq!(dataset.rows(), 2);
    assert_eq!(dataset.encoding().feature_names(), ["f0", "f1"]);
    let years = "2019,2020,y\n1,2,a\n3,4,b\n";
    let options = ImportOptions { header: Some(true), ..ImportOptions::default() };
    assert_eq!(bench.learn(years, options).encoding().feature_names(), ["2019", "2020"]);
    let options = ImportOptions { header: Some(false), ..ImportOptions::default() };
    let dataset = bench.learn("a,b\nc,d\n", options);
    assert_eq!(dataset.encoding().feature_names(), ["f0=a", "f0=c"]);
}

#[test]
fn the_target_is_found_by_name_or_is_the_last_column() {
    let bench = Bench::new();
    let column =
        |source: &str| match &bench.learn(source, ImportOptions::default()).encoding().target {
            Target::Classes { column, .. } => column.clone(),
            other => panic!("{other:?}"),
        };
    assert_eq!(column("a,Class,c\n1,x,3\n2,y,4\n"), "Class");
    assert_eq!(column("a,b,c\n1,2,x\n2,3,y\n"), "c");
}

#[test]
fn the_task_is_guessed_by_the_target() {
    let bench = Bench::new();
    let is_class = |values: &[&str], task| {
        let rows: String = values.iter().map(|value| format!("0,{value}\n")).collect();
        let options = ImportOptions { task, ..ImportOptions::default() };
        let dataset = bench.learn(&format!("x,y\n{rows}"), options);
        matches!(dataset.encoding().target, Target::Classes { .. })
    };
    assert!(is_class(&["0", "1", "1", "0"], None));
    assert!(is_class(&["a", "b", "c"], None));
    assert!(is_class(&["0", "1", "1", "x"], None));
    assert!(!is_class(&["0.5", "1", "1", "0.5"], None));
    assert!(!is_class(&["1", "2", "3", "3"], None));
    assert!(!is_class(&["0", "1", "1", "0"], Some(Task::Regress)));
    assert!(is_class(&["1", "2", "3", "3"], Some(Task::Classify)));
    let many: Vec<String> = (0..404).map(|i| (i % 101).to_string()).collect();
    assert!(!is_class(&many.iter().map(String::as_str).collect::<Vec<_>>(), None));
}

#[test]
fn numeric_classes_are_in_numeric_order_and_equal_spellings_are_one() {
    let bench = Bench::new();
    let dataset =
        bench.learn("x,y\n0,10\n0,9\n0,9.0\n0,10\n0,-1\n0,-1\n", ImportOptions::default());
    let names = texts(&["-1", "9", "10"]);
    assert_eq!(dataset.encoding().target, Target::Classes { column: "y".into(), names });
    assert_eq!(labels(&dataset), [2, 1, 1, 2, 0, 0]);
}

#[test]
fn several_targets_weights_and_dropped_columns() {
    let options = ImportOptions {
        target: texts(&["v", "u"]),
        weights: Some("w".to_owned()),
        drop: texts(&["id"]),
        ..ImportOptions::default()
    };
    let dataset = Bench::new().learn("id,a,u,v,w\nr1,1,2,3,0.5\nr2,4,5,6,2\n", options);
    assert_eq!(features(&dataset), [[1.0], [4.0]]);
    assert_eq!(targets(&dataset, 2), [[3.0, 2.0], [6.0, 5.0]]);
    assert_eq!([dataset.weight(0), dataset.weight(1)], [0.5, 2.0]);
    assert_eq!(dataset.target_statistics()[0].mean, 4.5);
}

#[test]
fn missing_values_are_filled_when_asked_for() {
    let bench = Bench::new();
    let options = ImportOptions { missing: Missing::Mean, ..target("y") };
    let source = "a,b,y\n1,x,0\nNA,y,1\n,?,0\n4,x,1\n";
    let dataset = bench.learn(source, options);
    let rows =
        [[1.0, 0.0, 1.0, 0.0], [2.5, 0.0, 0.0, 1.0], [2.5, 1.0, 0.0, 0.0], [4.0, 0.0, 1.0, 0.0]];
    assert_eq!(features(&dataset), rows);
    let encoding = dataset.encoding().clone();
    assert_eq!(encoding.inputs[0].kind, InputKind::Number { fill: Some(2.5) });
    assert_eq!(encoding.inputs[1].kind, InputKind::OneHot { categories: texts(&["", "x", "y"]) });
    assert_eq!((dataset.statistics()[0].mean, dataset.statistics()[0].missing), (2.5, 2));
    let source = bench.file("new.csv", "b,a\nnull,\n");
    let options = ImportOptions::default();
    let plan = Plan::Fixed { encoding: &encoding, with_target: false, options };
    assert_eq!(bench.import(&[source], &plan).unwrap().filled, 1);
    assert_eq!(features(&bench.output()), [[2.5, 1.0, 0.0, 0.0]]);
}

#[test]
fn a_known_encoding_finds_columns_by_name() {
    let bench = Bench::new();
    let encoding = bench.learn(FLOWERS, ImportOptions::default()).encoding().clone();
    let source = bench.file("new.csv", "species,extra,width,length\nversicolor,9,2,1\n");
    let fixed = |with_target| Plan::Fixed {
        encoding: &encoding,
        with_target,
        options: ImportOptions::default(),
    };
    bench.import(std::slice::from_ref(&source), &fixed(true)).unwrap();
    let dataset = bench.output();
    assert_eq!((features(&dataset), labels(&dataset)), (vec![vec![1.0, 2.0]], vec![1]));
    assert_eq!(dataset.class_counts(), [0, 1]);
    assert_eq!(dataset.encoding(), &encoding);
    bench.import(&[source], &fixed(false)).unwrap();
    assert_eq!(bench.output().encoding().target, Target::None);
    let source = bench.file("new.csv", "length,width\n1,2\n");
    bench.import(&[source], &fixed(false)).unwrap();
    assert_eq!(features(&bench.output()), [[1.0, 2.0]]);
}

#[test]
fn a_known_encoding_finds_columns_by_position_where_there_are_no_names() {
    let bench = Bench::new();
    let encoding = bench.learn(FLOWERS, ImportOptions::default()).encoding().clone();
    let options = ImportOptions::default();
    let source = bench.file("new.csv", "1,2,setosa\n");
    let plan = Plan::Fixed { encoding: &encoding, with_target: true, options: options.clone() };
    bench.import(&[source], &plan).unwrap();
    assert_eq!(features(&bench.output()), [[1.0, 2.0]]);
    let source = bench.file("new.csv", "1,2\n");
    let plan = Plan::Fixed { encoding: &encoding, with_target: false, options };
    bench.import(&[source], &plan).unwrap();
    assert_eq!(features(&bench.output()), [[1.0, 2.0]]);
}

#[test]
fn several_sources_are_one_data_set() {
    let bench = Bench::new();
    let sources = [
        bench.file("1.csv", "a,c,y\n1,red,p\n"),
        bench.file("2.csv", "y,c,a\nq,blue,2\n"),
        bench.file("3.csv", "3,red,p\n"),
    ];
    bench.import(&sources, &Plan::Learn(ImportOptions::default())).unwrap();
    let dataset = bench.output();
    assert_eq!(features(&dataset), [[1.0, 0.0, 1.0], [2.0, 1.0, 0.0], [3.0, 0.0, 1.0]]);
    assert_eq!(labels(&dataset), [0, 1, 0]);
}

fn idx(code: u8, shape: &[u32], data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, code, shape.len() as u8];
    bytes.extend(shape.iter().flat_map(|size| size.to_be_bytes()));
    bytes.extend(data);
    bytes
}

#[test]
fn images_find_their_labels() {
    let bench = Bench::new();
    let images = idx(8, &[2, 1, 2], &[0, 255, 7, 8]);
    let labels_file = idx(8, &[2], &[9, 3]);
    let plain = bench.file("t-images-idx3-ubyte", &images);
    let plain_labels = bench.file("t-labels-idx1-ubyte", &labels_file);
    let packed = bench.file("u-images-idx3-ubyte.gz", gz(&images));
    bench.file("u-labels-idx1-ubyte.gz", gz(&labels_file));
    let (a, b) = (bench.file("a", &images), bench.file("b", &labels_file));
    let classify = ImportOptions { task: Some(Task::Classify), ..ImportOptions::default() };
    for sources in [
        vec![plain.clone()],
        vec![plain, plain_labels],
        vec![packed],
        vec![a.clone(), b.clone()],
        vec![b, a],
    ] {
        bench.import(&sources, &Plan::Learn(classify.clone())).unwrap();
        let dataset = bench.output();
        assert_eq!(features(&dataset), [[0.0, 255.0], [7.0, 8.0]]);
        assert_eq!(dataset.dtype(), Dtype::U8);
        assert_eq!(labels(&dataset), [1, 0]);
        let names = texts(&["3", "9"]);
        let column = "label".to_owned();
        assert_eq!(dataset.encoding().target, Target::Classes { column, names });
        assert_eq!(dataset.encoding().feature_names(), ["r0c0", "r0c1"]);
    }
}

#[test]
fn images_alone_can_be_predicted() {
    let bench = Bench::new();
    let encoding = Encoding {
        target: classes(&["3", "9"]),
        ..common::numbers(&["r0c0", "r0c1"], Target::None)
    };
    let source = bench.file("x", idx(8, &[1, 1, 2], &[1, 2]));
    let options = ImportOptions::default();
    let plan = Plan::Fixed { encoding: &encoding, with_target: false, options };
    bench.import(&[source], &plan).unwrap();
    assert_eq!(features(&bench.output()), [[1.0, 2.0]]);
}

#[test]
fn every_idx_number_type() {
    let bench = Bench::new();
    let encoding = common::numbers(&["r0c0"], Target::None);
    let encoding = &Encoding {
        inputs: vec![encoding.inputs[0].clone(), {
            let mut second = encoding.inputs[0].clone();
            second.name = "r0c1".to_owned();
            second
        }],
        ..encoding
    };
    let cases: [(u8, Vec<u8>); 5] = [
        (0x09, vec![0xff, 2]),
        (0x0b, vec![0xff, 0xff, 0, 2]),
        (0x0c, vec![0xff, 0xff, 0xff, 0xff, 0, 0, 0, 2]),
        (0x0d, [(-1f32).to_be_bytes(), 2f32.to_be_bytes()].concat()),
        (0x0e, [(-1f64).to_be_bytes(), 2f64.to_be_bytes()].concat()),
    ];
    for (code, data) in cases {
        let source = bench.file("x", idx(code, &[1, 1, 2], &data));
        let options = ImportOptions::default();
        bench.import(&[source], &Plan::Fixed { encoding, with_target: false, options }).unwrap();
        assert_eq!(features(&bench.output()), [[-1.0, 2.0]], "type {code:#x}");
    }
}

#[test]
fn a_data_set_can_be_imported_again() {
    let bench = Bench::new();
    let options =
        ImportOptions { weights: Some("w".to_owned()), missing: Missing::Mean, ..target("y") };
    let first = bench.learn("a,c,w,y\n1.5,red,1,p\n,blue,2,q\n3.5,red,3,p\n", options);
    let source = bench.path("first.grist");
    std::fs::rename(bench.path("out.grist"), &source).unwrap();
    let options = ImportOptions { weights: Some("weight".to_owned()), ..ImportOptions::default() };
    let plan =
        Plan::Fixed { encoding: first.encoding(), with_target: true, options: options.clone() };
    bench.import(std::slice::from_ref(&source), &plan).unwrap();
    let again = bench.output();
    assert_eq!(features(&again), features(&first));
    assert_eq!(labels(&again), labels(&first));
    assert_eq!(again.weight(2), 3.0);
    bench.import(&[source], &Plan::Learn(options)).unwrap();
    let learned = bench.output();
    assert_eq!(learned.encoding().target, first.encoding().target);
    assert_eq!(features(&learned), features(&first));
}

#[test]
fn the_bytes_do_not_depend_on_the_number_of_threads() {
    let bench = Bench::new();
    let mut source = "a,b,c,y\n".to_owned();
    for i in 0..120_000 {
        let (b, c) = (["u", "v", "w"][i % 3], (i as f64 * 0.3).sin());
        let a = if i % 1000 == 77 { String::new() } else { (i % 977).to_string() };
        source += &format!("{a},{b},{c},{}\n", i % 7);
    }
    let source = bench.file("a.csv", &source);
    let options = ImportOptions { missing: Missing::Mean, ..ImportOptions::default() };
    let bytes = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let plan = Plan::Learn(options.clone());
        pool.install(|| bench.import(std::slice::from_ref(&source), &plan)).unwrap();
        std::fs::read(bench.path("out.grist")).unwrap()
    };
    let expected = bytes(1);
    assert!(bytes(2) == expected);
    assert!(bytes(8) == expected);
}

#[test]
fn progress_grows_to_the_total() {
    #[derive(Default)]
    struct Seen(Mutex<(u64, Vec<(u64, u64)>)>);
    impl ImportProgress for Seen {
        fn begin(&self, total: u64) {
            self.0.lock().unwrap().0 = total;
        }
        fn advance(&self, bytes: u64, rows: u64) {
            self.0.lock().unwrap().1.push((bytes, rows));
        }
    }
    let bench = Bench::new();
    let source = bench.file("a.csv", FLOWERS);
    let seen = Seen::default();
    let plan = Plan::Learn(ImportOptions::default());
    import(&[source], &bench.path("out.grist"), &plan, &seen).unwrap();
    let (total, steps) = seen.0.into_inner().unwrap();
    assert!(steps.is_sorted());
    assert_eq!(steps.last(), Some(&(total, 3)));
}

#[test]
fn nothing_but_the_output_is_left() {
    let bench = Bench::new();
    bench.learn(FLOWERS, ImportOptions::default());
    assert_eq!(names_in(bench.0.path()), ["out.grist", "source"]);
}

fn read_back(source: &Path, rows: &[Vec<f32>]) -> Dataset {
    let output = source.with_extension("grist");
    let options = ImportOptions {
        header: Some(false),
        task: Some(Task::Regress),
        ..ImportOptions::default()
    };
    import(&[source.to_owned()], &output, &Plan::Learn(options), &()).unwrap();
    let dataset = Dataset::open(&output).unwrap();
    assert_eq!(dataset.rows(), rows.len() as u64);
    dataset
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn any_numbers_import_to_the_bit(
        columns in 2usize..5,
        values in proptest::collection::vec(proptest::num::f32::NORMAL | proptest::num::f32::ZERO, 5..200),
    ) {
        let rows: Vec<Vec<f32>> = values.chunks_exact(columns).map(<[f32]>::to_vec).collect();
        let line = |row: &Vec<f32>| row.iter().map(f32::to_string).collect::<Vec<_>>().join(",");
        let text = rows.iter().map(line).collect::<Vec<_>>().join("\n");
        let directory = tempfile::tempdir().unwrap();
        let source = directory.path().join("a.csv");
        std::fs::write(&source, text).unwrap();
        let dataset = read_back(&source, &rows);
        for (row, (expected, found)) in rows.iter().zip(features(&dataset)).enumerate() {
            let mut target = [0.0];
            dataset.targets(row as u64, &mut target);
            let bits = |v: &[f32]| v.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            prop_assert_eq!(bits(&found), bits(&expected[..columns - 1]));
            prop_assert_eq!(target[0].to_bits(), expected[columns - 1].to_bits());
        }
    }
}

#[test]
fn a_pattern_stands_for_its_files_in_order() {
    let bench = Bench::new();
    for (name, value) in
        [("part-2.csv", 2), ("part-1.csv", 1), ("other.csv", 9), ("part-[3].csv", 3)]
    {
        bench.file(name, format!("a,b\n{value},0.5\n"));
    }
    let first = |sources: &[&str]| {
        let sources: Vec<PathBuf> = sources.iter().map(|name| bench.path(name)).collect();
        bench.import(&sources, &Plan::Learn(target("b"))).unwrap();
        features(&bench.output()).concat()
    };
    assert_eq!(first(&["part-?.csv"]), [1.0, 2.0]);
    assert_eq!(first(&["other.csv", "part-*.csv"]), [9.0, 1.0, 2.0, 3.0]);
    assert_eq!(first(&["part-[3].csv"]), [3.0], "a file of that very name comes first");
    let none = bench.import(&[bench.path("none-*.csv")], &Plan::Learn(target("b"))).unwrap_err();
    assert!(none.to_string().contains("none-*.csv: matches no file"), "{none}");
}

/// In wide tables a first pass cuts out the target alone.
#[test]
fn the_target_of_a_wide_table_is_found_at_any_place() {
    const COLUMNS: usize = 9;
    for place in 0..COLUMNS {
        let mut text = (0..COLUMNS).map(|c| format!("c{c}")).collect::<Vec<_>>().join(",");
        for row in 0..6 {
            let cell = |c: usize| match c == place {
                true => ["yes", " no "][row % 2].to_owned(),
                false => (10 * row + c).to_string(),
            };
            let end = ["\n", "\r\n", "\n\n"][row % 3];
            text += &format!("{end}{}", (0..COLUMNS).map(cell).collect::<Vec<_>>().join(","));
        }
        let dataset = Bench::new().learn(&text, target(&format!("c{place}")));
        let expected =
            Target::Classes { column: format!("c{place}"), names: texts(&["no", "yes"]) };
        assert_eq!(dataset.encoding().target, expected);
        assert_eq!(labels(&dataset), [1, 0, 1, 0, 1, 0]);
        let ragged = format!("{text}\n1,2,3");
        let bench = Bench::new();
        let source = bench.file("ragged.csv", ragged);
        let plan = Plan::Learn(target(&format!("c{place}")));
        let error = bench.import(&[source], &plan).unwrap_err().to_string();
        assert!(error.ends_with("ragged.csv, line 10: expected 9 fields, found 3"), "{error}");
    }
}

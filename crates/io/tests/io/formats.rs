//! Importing good sources of every format, as other programs write them.

use crate::common::texts;
use crate::samples::npy;
use gristmill_io::schema::{InputKind, Target};
use gristmill_io::{Dataset, ImportOptions, Missing, Plan, Task, import};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Imports files of these names and contents, in a directory of their own.
fn learn(files: &[(&str, &[u8])], options: ImportOptions) -> Dataset {
    let directory = tempfile::tempdir().unwrap();
    let sources = write(directory.path(), files);
    let output = directory.path().join("out.grist");
    import(&sources, &output, &Plan::Learn(options), &()).unwrap();
    Dataset::open(&output).unwrap()
}

fn write(directory: &Path, files: &[(&str, &[u8])]) -> Vec<PathBuf> {
    let write = |(name, content): &(&str, &[u8])| {
        let path = directory.join(name);
        std::fs::write(&path, content).unwrap();
        path
    };
    files.iter().map(write).collect()
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

fn class_names(dataset: &Dataset) -> Vec<String> {
    match &dataset.encoding().target {
        Target::Classes { names, .. } => names.clone(),
        other => panic!("{other:?}"),
    }
}

fn classify() -> ImportOptions {
    ImportOptions { task: Some(Task::Classify), ..ImportOptions::default() }
}

const JSONL: &str = r#"{"length": 5.1, "colour": "red", "kind": "a\"b"}

{"colour": "blue", "kind": "c", "length": 1e1}
{"kind": "c", "length": null, "colour": null}
"#;

#[test]
fn json_lines() {
    let options = ImportOptions { missing: Missing::Mean, ..ImportOptions::default() };
    let dataset = learn(&[("a", JSONL.as_bytes())], options);
    assert_eq!(
        dataset.encoding().feature_names(),
        ["length", "colour=", "colour=blue", "colour=red"]
    );
    let rows = [[5.1, 0.0, 0.0, 1.0], [10.0, 0.0, 1.0, 0.0], [7.55, 1.0, 0.0, 0.0]];
    assert_eq!(features(&dataset), rows);
    assert_eq!(class_names(&dataset), ["a\"b", "c"]);
    assert_eq!(labels(&dataset), [0, 1, 1]);
}

#[test]
fn compressed_text_is_read_like_plain() {
    let plain =
        features(&learn(&[("a.jsonl", b"{\"x\":1,\"y\":2}\n{\"x\":3,\"y\":4}\n")], classify()));
    let text = b"{\"x\":1,\"y\":2}\n{\"x\":3,\"y\":4}\n";
    let packed = zstd::encode_all(&text[..], 3).unwrap();
    assert_eq!(features(&learn(&[("a.jsonl.zst", &packed)], classify())), plain);
}

#[test]
fn libsvm() {
    let text = b"# a comment\n+1 1:0.5 3:2 # another\n-1 2:-1\n\n+1\n";
    let dataset = learn(&[("a", text)], classify());
    assert_eq!(dataset.encoding().feature_names(), ["f1", "f2", "f3"]);
    assert_eq!(features(&dataset), [[0.5, 0.0, 2.0], [0.0, -1.0, 0.0], [0.0, 0.0, 0.0]]);
    assert_eq!(class_names(&dataset), ["-1", "1"]);
    assert_eq!(labels(&dataset), [1, 0, 1]);
    let zero = learn(&[("a", b"1 0:7 2:8\n2 1:9\n")], classify());
    assert_eq!(zero.encoding().feature_names(), ["f0", "f1", "f2"]);
}

#[test]
fn libsvm_files_of_different_width_are_one_data_set() {
    let dataset = learn(&[("a", b"1 1:1\n2 2:2\n"), ("b", b"1 3:3\n")], classify());
    assert_eq!(features(&dataset), [[1.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 3.0]]);
    let dataset = learn(&[("a", b"1 1:1\n2 3:2\n"), ("b", b"1 2:3\n")], classify());
    assert_eq!(features(&dataset)[2], [0.0, 3.0, 0.0]);
}

#[test]
fn a_narrower_libsvm_file_is_encoded_like_the_one_learned_from() {
    let directory = tempfile::tempdir().unwrap();
    let sources = write(directory.path(), &[("a", b"1 1:1\n2 3:2\n"), ("b", b"2 2:3\n")]);
    let output = directory.path().join("out.grist");
    import(&sources[..1], &output, &Plan::Learn(classify()), &()).unwrap();
    let encoding = Dataset::open(&output).unwrap().encoding().clone();
    let options = ImportOptions::default();
    let plan = Plan::Fixed { encoding: &encoding, with_target: true, options };
    import(&sources[1..], &output, &plan, &()).unwrap();
    let dataset = Dataset::open(&output).unwrap();
    assert_eq!((features(&dataset), labels(&dataset)), (vec![vec![0.0, 3.0, 0.0]], vec![1]));
}

const ARFF: &str = "% a comment
@RELATION 'some flowers'

@attribute 'petal length' NUMERIC
@attribute colour {red, 'light blue'}
@attribute note string
@attribute class {setosa,versicolor}
@DATA
5.1, red, 'it\\'s', setosa
% another
?, 'light blue', x, versicolor

{0 7.5, 2 x, 3 versicolor}
{1 'light blue',2 x}
";

#[test]
fn arff() {
    let options = ImportOptions {
        missing: Missing::Mean,
        drop: texts(&["note"]),
        ..ImportOptions::default()
    };
    let dataset = learn(&[("a", ARFF.as_bytes())], options);
    let inputs = &dataset.encoding().inputs;
    assert_eq!(inputs[0].name, "petal length");
    let categories = texts(&["light blue", "red"]);
    assert_eq!(inputs[1].kind, InputKind::OneHot { categories });
    let rows = [[5.1, 0.0, 1.0], [4.2, 1.0, 0.0], [7.5, 0.0, 1.0], [0.0, 1.0, 0.0]];
    assert_eq!(features(&dataset), rows);
    assert_eq!(labels(&dataset), [0, 1, 1, 0]);
    let dropped = ImportOptions { task: Some(Task::Classify), ..ImportOptions::default() };
    let text = ARFF.replace("?, ", "1, ");
    let names = learn(&[("a.txt", text.as_bytes())], dropped).encoding().feature_names();
    assert_eq!(names[3..], ["note=it's", "note=x"]);
}

fn floats(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

#[test]
fn npy_in_either_order_and_with_targets() {
    let c_order = npy("<f4", false, "(2, 3)", &floats(&[1.0, 2.5, 0.0, 4.0, 5.0, 1.0]));
    let fortran = npy("<f4", true, "(2, 3)", &floats(&[1.0, 4.0, 2.5, 5.0, 0.0, 1.0]));
    for array in [&c_order, &fortran] {
        let dataset = learn(&[("a", array)], classify());
        assert_eq!(features(&dataset), [[1.0, 2.5], [4.0, 5.0]]);
        assert_eq!(labels(&dataset), [0, 1]);
        let targets = npy(">i8", false, "(2,)", &[7i64, 3].map(i64::to_be_bytes).concat());
        for files in [[("a", &array[..]), ("b", &targets)], [("b", &targets), ("a", array)]] {
            let dataset = learn(&files, classify());
            assert_eq!(features(&dataset), [[1.0, 2.5, 0.0], [4.0, 5.0, 1.0]]);
            assert_eq!(class_names(&dataset), ["3", "7"]);
            assert_eq!(labels(&dataset), [1, 0]);
        }
    }
    let packed = zstd::encode_all(&c_order[..], 1).unwrap();
    assert_eq!(features(&learn(&[("a.npy.zst", &packed)], classify())), [[1.0, 2.5], [4.0, 5.0]]);
    let images = npy("|u1", false, "(2, 2, 2)", &[1, 2, 3, 0, 5, 6, 7, 1]);
    let dataset = learn(&[("a", &images)], classify());
    assert_eq!(features(&dataset), [[1.0, 2.0, 3.0], [5.0, 6.0, 7.0]]);
}

/// An archive of arrays, compressed by deflate or not.
fn npz(arrays: &[(&str, Vec<u8>)], compression: zip::CompressionMethod) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, array) in arrays {
        let options = zip::write::SimpleFileOptions::default().compression_method(compression);
        archive.start_file(format!("{name}.npy"), options).unwrap();
        archive.write_all(array).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

fn words(words: &[&str]) -> Vec<u8> {
    let code = |word: &&str, at| word.chars().nth(at).map_or(0, u32::from).to_le_bytes();
    let bytes = words.iter().flat_map(|word| (0..3).flat_map(move |at| code(word, at)));
    npy("<U3", false, &format!("({},)", words.len()), &bytes.collect::<Vec<u8>>())
}

#[test]
fn npz_of_a_matrix_or_of_columns() {
    for compression in [zip::CompressionMethod::Stored, zip::CompressionMethod::Deflated] {
        let matrix = npy("<f4", false, "(2, 2)", &floats(&[1.0, 2.5, 4.0, 5.0]));
        let sklearn = [
            ("y", words(&["no", "yes"])),
            ("X", matrix),
            ("lengths", npy("|u1", false, "(1,)", &[2])),
            ("feature_names", words(&["a", "é"])),
        ];
        let dataset = learn(&[("a", &npz(&sklearn, compression))], classify());
        assert_eq!(dataset.encoding().feature_names(), ["a", "é"]);
        assert_eq!(features(&dataset), [[1.0, 2.5], [4.0, 5.0]]);
        assert_eq!(class_names(&dataset), ["no", "yes"]);
        let columns = [
            ("colour", words(&["red", "tan"])),
            ("size", npy("<f2", false, "(2,)", &[0, 0x3c, 0, 0x40])),
            ("kind", npy("|b1", false, "(2,)", &[1, 0])),
        ];
        let dataset = learn(&[("a", &npz(&columns, compression))], classify());
        assert_eq!(dataset.encoding().feature_names(), ["colour=red", "colour=tan", "size"]);
        assert_eq!(features(&dataset), [[1.0, 0.0, 1.0], [0.0, 1.0, 2.0]]);
        assert_eq!(labels(&dataset), [1, 0]);
    }
    let fortran = npy("<f4", true, "(2, 2)", &floats(&[1.0, 4.0, 2.5, 5.0]));
    let arrays = [("X", fortran), ("y", npy("|u1", false, "(2,)", &[0, 1]))];
    let dataset = learn(&[("a", &npz(&arrays, zip::CompressionMethod::Stored))], classify());
    assert_eq!(features(&dataset), [[1.0, 2.5], [4.0, 5.0]]);
}

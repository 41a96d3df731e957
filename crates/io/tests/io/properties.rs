//! Formats that are only read: any table, written as other programs do, is read as it is; and no text
//! whatever makes a reader do worse than refuse it.

use gristmill_io::{Dataset, FORMATS, ImportOptions, Plan, Task, import};
use proptest::prelude::*;
use std::path::{Path, PathBuf};

/// Rows of two numbers each and a target.
type Numbers = Vec<(f32, f32, f32)>;

fn numbers() -> impl Strategy<Value = Numbers> {
    let number = || prop::num::f32::NORMAL | prop::num::f32::SUBNORMAL | prop::num::f32::ZERO;
    prop::collection::vec((number(), number(), number()), 1..30)
}

/// Imports files of these contents.
fn read(directory: &Path, files: &[(&str, Vec<u8>)], options: ImportOptions) -> Dataset {
    let paths: Vec<PathBuf> = files.iter().map(|(name, _)| directory.join(name)).collect();
    for (path, (_, bytes)) in paths.iter().zip(files) {
        std::fs::write(path, bytes).unwrap();
    }
    let output = directory.join("out.grist");
    import(&paths, &output, &Plan::Learn(options), &()).unwrap();
    Dataset::open(&output).unwrap()
}

/// Asserts that the rows are read to the bit.
fn assert_read(files: &[(&str, Vec<u8>)], rows: &Numbers) {
    let directory = tempfile::tempdir().unwrap();
    let options = ImportOptions { task: Some(Task::Regress), ..ImportOptions::default() };
    let dataset = read(directory.path(), files, options);
    assert_eq!(dataset.rows(), rows.len() as u64);
    for (index, (a, b, y)) in (0..).zip(rows) {
        let (mut features, mut target) = ([0.0; 2], [0.0]);
        dataset.dtype().decode(dataset.row(index), &mut features);
        dataset.targets(index, &mut target);
        let found = [features[0], features[1], target[0]].map(f32::to_bits);
        assert_eq!(found, [a, b, y].map(|number| number.to_bits()), "row {index}");
    }
}

fn lines(rows: &Numbers, line: impl Fn(&(f32, f32, f32)) -> String) -> Vec<u8> {
    rows.iter().map(line).collect::<String>().into_bytes()
}

fn npy(order: &str, shape: &str, numbers: impl Iterator<Item = f32>) -> Vec<u8> {
    let header = format!("{{'descr': '>f4', 'fortran_order': {order}, 'shape': {shape}, }}\n");
    let mut bytes = b"\x93NUMPY\x02\0".to_vec();
    bytes.extend((header.len() as u32).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(numbers.flat_map(f32::to_be_bytes));
    bytes
}

fn idx(shape: &[u32], numbers: impl Iterator<Item = f32>) -> Vec<u8> {
    let mut bytes = vec![0, 0, 0x0d, shape.len() as u8];
    bytes.extend(shape.iter().flat_map(|size| size.to_be_bytes()));
    bytes.extend(numbers.flat_map(f32::to_be_bytes));
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_numbers_are_read(rows in numbers()) {
        let header = "@relation r\n@attribute 'a a' real\n@attribute b integer\n@attribute y numeric\n@data\n";
        let dense = lines(&rows, |(a, b, y)| format!("{a:e}, {b} ,{y:?}\n"));
        assert_read(&[("a.arff", [header.as_bytes(), &dense].concat())], &rows);
        let sparse = lines(&rows, |(a, b, y)| format!("{{0 {a},1 {b:e}, 2 {y}}}\n"));
        assert_read(&[("a.arff", [header.as_bytes(), &sparse].concat())], &rows);
        let svm = lines(&rows, |(a, b, y)| format!("{y} 1:{a}  2:{b:e} # {y}\n"));
        assert_read(&[("a.svm", svm)], &rows);
        let (count, y) = (rows.len(), || rows.iter().map(|row| row.2));
        let row_major = || rows.iter().flat_map(|row| [row.0, row.1]);
        let column_major = rows.iter().map(|row| row.0).chain(rows.iter().map(|row| row.1));
        let targets = npy("False", &format!("({count},)"), y());
        let x = npy("False", &format!("({count}, 2)"), row_major());
        assert_read(&[("x.npy", x), ("y.npy", targets.clone())], &rows);
        let x = npy("True", &format!("({count}, 2)"), column_major);
        assert_read(&[("x.npy", x), ("y.npy", targets)], &rows);
        let items = idx(&[count as u32, 1, 2], row_major());
        assert_read(&[("images", items), ("labels", idx(&[count as u32], y()))], &rows);
    }

    #[test]
    fn any_text_is_read_or_refused(
        pieces in prop::collection::vec(prop::sample::select(vec![
            "1", "-2.5e3", "0", "a", "é", "\"", "'", "\\", "{", "}", "[", ":", ",", ";", "\t", " ",
            "\n", "\r\n", "1:2", "null", "NaN", "?", "@data", "@relation r", "@attribute x real\n",
            "@attribute c {a,b}\n", "#", "%", "\u{feff}", "{\"a\":1}\n", "{\"a\":\"\\u00e9\",\"b\":", "x,y\n1,a\n2,b\n",
        ]), 0..40),
        cut in 0usize..4,
    ) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("text");
        let text = pieces.concat();
        // Perhaps within a character.
        std::fs::write(&path, &text.as_bytes()[cut.min(text.len())..]).unwrap();
        for format in FORMATS {
            let format = Some(format.name()).into();
            let plan = Plan::Learn(ImportOptions { format, ..ImportOptions::default() });
            let output = directory.path().join("out.grist");
            match import(std::slice::from_ref(&path), &output, &plan, &()) {
                Ok(_) => std::fs::remove_file(&output).unwrap(),
                Err(error) => prop_assert!(error.to_string().contains(path.to_str().unwrap()), "{error}"),
            }
            prop_assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
        }
    }
}

//! What several test programs of this crate share.
#![allow(dead_code)] // each test program uses a part

use gristmill_io::schema::{Encoding, InputColumn, InputKind, Target};
use gristmill_io::{Dataset, DatasetLayout, DatasetWriter, Dtype, RowBatch};
use std::os::unix::fs::FileExt;
use std::path::Path;

pub(crate) fn numbers(names: &[&str], target: Target) -> Encoding {
    let column = |name: &&str| InputColumn {
        name: (*name).to_owned(),
        kind: InputKind::Number { fill: None },
    };
    Encoding { inputs: names.iter().map(column).collect(), target }
}

pub(crate) fn classes(names: &[&str]) -> Target {
    Target::Classes { column: "label".to_owned(), names: texts(names) }
}

pub(crate) fn texts(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// A data set of two numbers and a class: row r holds r and 2 r, and is of the class r mod 2.
pub(crate) fn write_multiples(path: &Path, rows: u64) -> Dataset {
    let layout = DatasetLayout {
        encoding: numbers(&["a", "b"], classes(&["no", "yes"])),
        dtype: Some(Dtype::F32),
        weighted: false,
    };
    let mut writer = DatasetWriter::create(path, layout).unwrap();
    writer
        .push(&RowBatch {
            features: (0..rows).flat_map(|r| [r as f32, 2.0 * r as f32]).collect(),
            labels: (0..rows).map(|r| (r % 2) as u32).collect(),
            ..RowBatch::default()
        })
        .unwrap();
    writer.finish().unwrap();
    Dataset::open(path).unwrap()
}

/// The names in a directory, hidden ones included.
pub(crate) fn names_in(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).unwrap();
    let mut names: Vec<_> =
        entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Asserts that `read` refuses `path` after every truncation and after every flipped bit, with an
/// error that names the file, and accepts it as it was.
pub(crate) fn assert_every_damage_is_refused(
    path: &Path,
    read: impl Fn(&Path) -> gristmill_io::Result<()>,
) {
    let whole = std::fs::read(path).unwrap();
    read(path).expect("the undamaged file is read");
    let refused = |damage: String| {
        let error = read(path).expect_err(&damage).to_string();
        assert!(error.contains(path.to_str().unwrap()), "{damage}: {error}");
    };
    let file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
    for (at, byte) in whole.iter().enumerate() {
        for bit in 0..8 {
            file.write_all_at(&[byte ^ (1 << bit)], at as u64).unwrap();
            refused(format!("bit {bit} of byte {at} flipped"));
        }
        file.write_all_at(&[*byte], at as u64).unwrap();
    }
    read(path).expect("the restored file is read");
    file.set_len(whole.len() as u64 + 1).unwrap();
    refused("a byte too long".to_owned());
    for length in (0..whole.len()).rev() {
        file.set_len(length as u64).unwrap();
        refused(format!("cut to {length} bytes"));
    }
}

//! Parts of data sets, and how their values are distributed.

use crate::common::{classes, names_in, numbers};
use gristmill_io::schema::{InputKind, Target};
use gristmill_io::{
    Dataset, DatasetLayout, DatasetWriter, Dtype, Histogram, RowBatch, SplitOptions, first_rows,
    head, histograms, split,
};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const ROWS: u64 = 10_007;

/// Row r holds r and r mod 8; one row in ten has the class "yes"; the weight is r + 1.
fn source(directory: &Path) -> Dataset {
    let path = directory.join("source.grist");
    let layout = DatasetLayout {
        encoding: numbers(&["a", "b"], classes(&["no", "yes"])),
        dtype: None,
        weighted: true,
    };
    let mut writer = DatasetWriter::create(&path, layout).unwrap();
    let rows = RowBatch {
        features: (0..ROWS).flat_map(|r| [r as f32, (r % 8) as f32]).collect(),
        labels: (0..ROWS).map(|r| u32::from(r.is_multiple_of(10))).collect(),
        weights: (0..ROWS).map(|r| r as f32 + 1.0).collect(),
        ..RowBatch::default()
    };
    writer.push(&rows).unwrap();
    writer.finish().unwrap();
    Dataset::open(&path).unwrap()
}

fn paths(directory: &Path, names: &[&str]) -> Vec<PathBuf> {
    names.iter().map(|name| directory.join(name)).collect()
}

/// The numbers of the source's rows that a part has, after checking that all of each is there.
fn row_numbers(part: &Path) -> Vec<u64> {
    let part = Dataset::open(part).unwrap();
    part.verify().unwrap();
    let number = |row| {
        let mut features = [0.0; 2];
        part.dtype().decode(part.row(row), &mut features);
        let number = features[0] as u64;
        assert_eq!(features[1] as u64, number % 8);
        assert_eq!(part.label(row), u32::from(number.is_multiple_of(10)));
        assert_eq!(part.weight(row) as u64, number + 1);
        number
    };
    (0..part.rows()).map(number).collect()
}

#[test]
fn parts_have_their_shares_and_no_row_twice() {
    let directory = tempfile::tempdir().unwrap();
    let source = source(directory.path());
    for (stratified, seed) in [(false, 1), (true, 2)] {
        let options = SplitOptions { fractions: vec![0.7, 0.2], seed, stratified };
        let outputs = paths(directory.path(), &["train.grist", "test.grist"]);
        split(&source, &outputs, &options, &()).unwrap();
        let parts: Vec<Vec<u64>> = outputs.iter().map(|path| row_numbers(path)).collect();
        assert!(parts[0].len().abs_diff(7005) <= 1 && parts[1].len().abs_diff(2001) <= 1);
        assert!(parts.iter().all(|part| part.is_sorted()));
        let different: BTreeSet<u64> = parts.concat().into_iter().collect();
        assert_eq!(different.len(), parts[0].len() + parts[1].len());
        // Each half of the source is in each part as much as the other.
        let early = parts[0].iter().filter(|row| **row < ROWS / 2).count();
        assert!(early.abs_diff(3502) < 150, "{early}");
        let counts = Dataset::open(&outputs[0]).unwrap().class_counts().to_vec();
        if stratified {
            assert_eq!(counts, [6304, 701]);
        }
    }
}

#[test]
fn the_seed_alone_decides_which_rows() {
    let directory = tempfile::tempdir().unwrap();
    let source = source(directory.path());
    let drawn = |seed| {
        let options = SplitOptions { fractions: vec![0.5], seed, stratified: false };
        let outputs = paths(directory.path(), &["half.grist"]);
        split(&source, &outputs, &options, &()).unwrap();
        row_numbers(&outputs[0])
    };
    assert_eq!(drawn(1), drawn(1));
    assert_ne!(drawn(1), drawn(2));
}

#[test]
fn splits_that_cannot_be_are_refused_and_leave_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let source = source(directory.path());
    for (fractions, names, expected) in [
        (vec![], vec![], "no shares"),
        (vec![0.7, 0.4], vec!["a", "b"], "all together 1 at most"),
        (vec![0.5, f64::NAN], vec!["a", "b"], "no shares"),
        (vec![0.5, 0.0], vec!["a", "b"], "more than 0"),
        (vec![0.5, 0.5], vec!["a"], "2 parts and 1 files"),
        (vec![0.5, 0.5], vec!["a", "a"], "given for two parts"),
    ] {
        let options = SplitOptions { fractions, seed: 0, stratified: false };
        let outputs = paths(directory.path(), &names);
        let error = split(&source, &outputs, &options, &()).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    assert_eq!(names_in(directory.path()), ["source.grist"]);
}

#[test]
fn numeric_targets_have_no_mix_to_keep() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("n.grist");
    let target = Target::Numbers { columns: vec!["y".to_owned()] };
    let layout = DatasetLayout { encoding: numbers(&["a"], target), dtype: None, weighted: false };
    let mut writer = DatasetWriter::create(&path, layout).unwrap();
    let rows = RowBatch {
        features: vec![1.0; 4],
        targets: vec![0.0, 1.0, 2.0, 9.0],
        ..RowBatch::default()
    };
    writer.push(&rows).unwrap();
    writer.finish().unwrap();
    let dataset = Dataset::open(&path).unwrap();
    let mut options = SplitOptions { fractions: vec![0.5], seed: 0, stratified: true };
    let outputs = paths(directory.path(), &["half.grist"]);
    let error = split(&dataset, &outputs, &options, &()).unwrap_err().to_string();
    assert!(error.contains("n.grist has no classes"), "{error}");
    options.stratified = false;
    assert_eq!(split(&dataset, &outputs, &options, &()).unwrap()[0].rows, 2);
    let found = histograms(&dataset, 3, &()).unwrap();
    let expected = [vec![4, 0, 0], vec![3, 0, 1]].map(|counts| Histogram { counts });
    assert_eq!(found, expected);
}

#[test]
fn the_head_is_the_first_rows() {
    let directory = tempfile::tempdir().unwrap();
    let source = source(directory.path());
    let path = directory.path().join("head.grist");
    head(&source, 5000, &path, &()).unwrap();
    assert_eq!(row_numbers(&path), (0..5000).collect::<Vec<u64>>());
    head(&source, u64::MAX, &path, &()).unwrap();
    let whole = Dataset::open(&path).unwrap();
    assert_eq!((whole.rows(), whole.dtype()), (ROWS, Dtype::F32));
    assert_eq!(whole.fingerprint(), source.fingerprint());
    let (names, rows) = first_rows(&source, 2).unwrap();
    assert_eq!(names, ["a", "b", "label", "weight"]);
    assert_eq!(rows, [["0", "0", "yes", "1"], ["1", "1", "no", "2"]]);
}

#[test]
fn histograms_count_every_value_once() {
    let directory = tempfile::tempdir().unwrap();
    let source = source(directory.path());
    let found = histograms(&source, 8, &()).unwrap();
    assert_eq!(found.len(), 2);
    let one_in_eight = |r: u64| (0..ROWS).filter(|row| row % 8 == r).count() as u64;
    assert_eq!(found[1].counts, (0..8).map(one_in_eight).collect::<Vec<_>>());
    for count in &found[0].counts {
        assert!(count.abs_diff(ROWS / 8) <= 1, "{:?}", found[0]);
    }
    assert_eq!(found[0].counts.iter().sum::<u64>(), ROWS);
    assert!(histograms(&source, 0, &()).is_err());
}

/// Two rows of each of 50 classes.
fn small_classes(directory: &Path) -> Dataset {
    let path = directory.join("small.grist");
    let names: Vec<String> = (0..50).map(|class| format!("c{class:02}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let encoding = numbers(&["a"], classes(&names));
    let mut writer =
        DatasetWriter::create(&path, DatasetLayout { encoding, dtype: None, weighted: false })
            .unwrap();
    let rows = RowBatch {
        features: (0..100).map(|row| row as f32).collect(),
        labels: (0..100).map(|row| row / 2).collect(),
        ..RowBatch::default()
    };
    writer.push(&rows).unwrap();
    writer.finish().unwrap();
    Dataset::open(&path).unwrap()
}

#[test]
fn parts_have_their_shares_however_small_the_classes_are() {
    let directory = tempfile::tempdir().unwrap();
    let source = small_classes(directory.path());
    for (fractions, expected) in [
        (vec![0.8, 0.2], vec![80, 20]),
        (vec![0.5, 0.5], vec![50, 50]),
        (vec![0.6, 0.2, 0.2], vec![60, 20, 20]),
        (vec![0.1], vec![10]),
    ] {
        let outputs: Vec<PathBuf> =
            (0..fractions.len()).map(|part| directory.path().join(format!("p{part}"))).collect();
        let options = SplitOptions { fractions, seed: 1, stratified: true };
        let parts = split(&source, &outputs, &options, &()).unwrap();
        assert_eq!(parts.iter().map(|part| part.rows).collect::<Vec<_>>(), expected);
        for (path, fraction) in outputs.iter().zip(&options.fractions) {
            let part = Dataset::open(path).unwrap();
            // Each class has its share but for less than a row.
            let exact = 2.0 * fraction;
            assert!(part.class_counts().iter().all(|count| (*count as f64 - exact).abs() < 1.0));
        }
    }
}

#[test]
fn a_part_without_rows_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let source = small_classes(directory.path());
    for stratified in [false, true] {
        let outputs = paths(directory.path(), &["most.grist", "none.grist"]);
        let options = SplitOptions { fractions: vec![0.996, 0.004], seed: 1, stratified };
        let error = split(&source, &outputs, &options, &()).unwrap_err().to_string();
        assert!(error.contains("none.grist would have no rows"), "{error}");
    }
    assert_eq!(names_in(directory.path()), ["small.grist"]);
}

#[cfg(unix)]
#[test]
fn one_file_for_two_parts_is_refused_by_whatever_name() {
    use std::os::unix::fs::symlink;
    let directory = tempfile::tempdir().unwrap();
    let (source, at) = (source(directory.path()), |name: &str| directory.path().join(name));
    symlink("s.grist", at("link.grist")).unwrap();
    symlink(directory.path(), at("here")).unwrap();
    std::fs::write(at("old.grist"), "old").unwrap();
    std::fs::hard_link(at("old.grist"), at("hard.grist")).unwrap();
    let options = SplitOptions { fractions: vec![0.5, 0.5], seed: 0, stratified: false };
    for (first, second) in [
        ("s.grist", "./s.grist"),
        ("s.grist", "link.grist"),
        ("here/s.grist", "s.grist"),
        ("old.grist", "hard.grist"),
    ] {
        let error = split(&source, &[at(first), at(second)], &options, &()).unwrap_err();
        assert!(error.to_string().contains("given for two parts"), "{error}");
    }
    assert_eq!(std::fs::read_to_string(at("old.grist")).unwrap(), "old");
    split(&source, &[at("s.grist"), at("t.grist")], &options, &()).unwrap();
}

#[test]
fn rows_whose_gaps_were_filled_otherwise_do_not_fit() {
    let directory = tempfile::tempdir().unwrap();
    let filled = |name: &str, fill: f32, values: [f32; 4]| {
        let path = directory.path().join(name);
        let mut encoding = numbers(&["a"], classes(&["no", "yes"]));
        encoding.inputs[0].kind = InputKind::Number { fill: Some(fill) };
        let layout = DatasetLayout { encoding, dtype: None, weighted: false };
        let mut writer = DatasetWriter::create(&path, layout).unwrap();
        let rows =
            RowBatch { features: values.to_vec(), labels: vec![0, 1, 0, 1], ..RowBatch::default() };
        writer.push(&rows).unwrap();
        writer.finish().unwrap();
        Dataset::open(&path).unwrap()
    };
    let train = filled("train.grist", 2.5, [1.0, f32::NAN, 3.0, 4.0]);
    let known = train.encoding();
    assert_eq!(train.mismatch(known, true), None);
    let whole = filled("whole.grist", 7.0, [1.0, 2.0, 3.0, 4.0]);
    assert_eq!(whole.mismatch(known, true), None, "nothing was filled in");
    let test = filled("test.grist", 7.0, [1.0, 2.0, f32::NAN, 4.0]);
    let reason = test.mismatch(known, true).unwrap();
    assert_eq!(reason, "1 missing values of column \"a\" were filled with 7, expected 2.5");
    // A part remembers what was filled in.
    let part = directory.path().join("part.grist");
    head(&test, 3, &part, &()).unwrap();
    assert_eq!(Dataset::open(&part).unwrap().mismatch(known, true), Some(reason));
    head(&test, 2, &part, &()).unwrap();
    assert_eq!(Dataset::open(&part).unwrap().mismatch(known, true), None);
}

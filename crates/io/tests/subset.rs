//! Parts of data sets, and how their values are distributed.

mod common;

use common::{classes, names_in, numbers};
use gristmill_io::schema::Target;
use gristmill_io::{
    Dataset, DatasetWriter, Dtype, Histogram, Layout, Rows, SplitOptions, first_rows, head,
    histograms, split,
};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const ROWS: u64 = 10_007;

/// Row r holds r and r mod 8; one row in ten has the class "yes"; the weight is r + 1.
fn source(directory: &Path) -> Dataset {
    let path = directory.join("source.grist");
    let layout = Layout {
        encoding: numbers(&["a", "b"], classes(&["no", "yes"])),
        dtype: None,
        weighted: true,
    };
    let mut writer = DatasetWriter::create(&path, layout).unwrap();
    let rows = Rows {
        features: (0..ROWS).flat_map(|r| [r as f32, (r % 8) as f32]).collect(),
        labels: (0..ROWS).map(|r| u32::from(r.is_multiple_of(10))).collect(),
        weights: (0..ROWS).map(|r| r as f32 + 1.0).collect(),
        ..Rows::default()
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
    let layout = Layout { encoding: numbers(&["a"], target), dtype: None, weighted: false };
    let mut writer = DatasetWriter::create(&path, layout).unwrap();
    let rows =
        Rows { features: vec![1.0; 4], targets: vec![0.0, 1.0, 2.0, 9.0], ..Rows::default() };
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

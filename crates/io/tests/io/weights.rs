//! What the weights of rows decide, and that a data set is known by all that it says of its rows.

use gristmill_io::schema::{Encoding, InputColumn, InputKind, Statistics, Target};
use gristmill_io::{Dataset, DatasetLayout, DatasetWriter, RowBatch};
use std::path::Path;

fn write(path: &Path, rows: &RowBatch) -> Dataset {
    let inputs = vec![InputColumn { name: "x".into(), kind: InputKind::Number { fill: None } }];
    let target = Target::Numbers { columns: vec!["y".into()] };
    let encoding = Encoding { inputs, target };
    let weighted = !rows.weights.is_empty();
    let layout = DatasetLayout { encoding, dtype: None, weighted };
    let mut writer = DatasetWriter::create(path, layout).unwrap();
    writer.push(rows).unwrap();
    writer.finish().unwrap();
    Dataset::open(path).unwrap()
}

#[test]
fn rows_of_no_weight_change_no_statistics() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("d.grist");
    // More than a block of rows, and one of no weight in each.
    let count = 10_000;
    let value = |row: usize| (row * 7919 % 1000) as f32;
    let mut rows = RowBatch::default();
    for row in 0..count {
        let counts = row % 1000 != 500;
        rows.features.push(if counts { value(row) } else { 1e9 });
        rows.targets.push(if counts { -2.0 * value(row) } else { -1e9 });
        rows.weights.push(f32::from(counts));
    }
    let dataset = write(&path, &rows);
    assert_eq!(dataset.rows(), count as u64);

    let counted: Vec<f64> =
        (0..count).filter(|row| row % 1000 != 500).map(|row| f64::from(value(row))).collect();
    let n = counted.len() as f64;
    let mean = counted.iter().sum::<f64>() / n;
    let deviation = (counted.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n).sqrt();
    let close = |s: &Statistics, factor: f64| {
        assert!((s.mean - factor * mean).abs() < 1e-9, "{s:?}");
        assert!((s.deviation - factor.abs() * deviation).abs() < 1e-9, "{s:?}");
    };
    close(&dataset.statistics()[0], 1.0);
    close(&dataset.target_statistics()[0], -2.0);
    assert_eq!((dataset.statistics()[0].min, dataset.statistics()[0].max), (0.0, 999.0));
}

#[test]
fn without_rows_of_no_weight_the_statistics_have_the_bits_of_unweighted_ones() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("d.grist");
    let mut rows = RowBatch::default();
    for row in 0..9000 {
        rows.features.push((row * 7919 % 1000) as f32 * 0.1);
        rows.targets.push((row * 104_729 % 1000) as f32 * 0.3);
    }
    let plain = write(&path, &rows);
    rows.weights = (0..9000).map(|row| 0.5 + (row % 3) as f32).collect();
    let weighted = write(&directory.path().join("w.grist"), &rows);
    assert_eq!(plain.statistics(), weighted.statistics());
    assert_eq!(plain.target_statistics(), weighted.target_statistics());
}

#[test]
fn the_fingerprint_covers_features_targets_and_weights() {
    let directory = tempfile::tempdir().unwrap();
    let rows = RowBatch {
        features: vec![1.0, 2.0, 3.0],
        targets: vec![1.0, 0.0, 2.0],
        weights: vec![1.0, 2.0, 1.0],
        ..RowBatch::default()
    };
    let fingerprint = |rows: &RowBatch| {
        let path = directory.path().join("d.grist");
        write(&path, rows).fingerprint()
    };
    let first = fingerprint(&rows);
    assert_eq!(first, fingerprint(&rows));
    // The same statistics in another order, so that only the rows themselves differ.
    let swapped = |change: fn(&mut RowBatch)| {
        let mut rows = rows.clone();
        change(&mut rows);
        fingerprint(&rows)
    };
    assert_ne!(first, swapped(|rows| rows.features.swap(0, 2)));
    assert_ne!(first, swapped(|rows| rows.targets.swap(0, 2)));
    assert_ne!(first, swapped(|rows| rows.weights.swap(0, 1)));
}

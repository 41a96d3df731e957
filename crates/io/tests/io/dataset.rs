//! Data sets: written, read back, damaged, and larger than any disk here.

use crate::common::{classes, names_in, numbers, texts};
use gristmill_io::schema::{InputKind, Target};
use gristmill_io::{Dataset, DatasetLayout, DatasetWriter, Defect, Dtype, RowBatch};
use proptest::prelude::*;
use std::os::unix::fs::FileExt;
use std::path::Path;

fn write(path: &Path, layout: DatasetLayout, rows: &RowBatch) -> Dataset {
    let mut writer = DatasetWriter::create(path, layout).unwrap();
    writer.push(rows).unwrap();
    writer.finish().unwrap();
    Dataset::open(path).unwrap()
}

fn plain(names: &[&str], target: Target) -> DatasetLayout {
    DatasetLayout { encoding: numbers(names, target), dtype: None, weighted: false }
}

fn features(dataset: &Dataset) -> Vec<f32> {
    let mut all = Vec::new();
    for row in 0..dataset.rows() {
        let mut out = vec![0.0; dataset.features()];
        dataset.dtype().decode(dataset.row(row), &mut out);
        all.extend(out);
    }
    all
}

/// A small data set that uses every region.
fn small(path: &Path) -> Dataset {
    let rows = RowBatch {
        features: vec![1.0, 0.5, 2.0, 0.25, 3.0, 0.125],
        labels: vec![0, 1, 1],
        weights: vec![1.0, 2.0, 0.5],
        ..RowBatch::default()
    };
    let layout = DatasetLayout { weighted: true, ..plain(&["a", "b"], classes(&["no", "yes"])) };
    write(path, layout, &rows)
}

#[test]
fn everything_reads_back_as_written() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("d.grist");
    let dataset = small(&path);
    assert_eq!((dataset.rows(), dataset.features(), dataset.dtype()), (3, 2, Dtype::F16));
    assert_eq!(features(&dataset), [1.0, 0.5, 2.0, 0.25, 3.0, 0.125]);
    assert_eq!((0..3).map(|row| dataset.label(row)).collect::<Vec<_>>(), [0, 1, 1]);
    assert_eq!((0..3).map(|row| dataset.weight(row)).collect::<Vec<_>>(), [1.0, 2.0, 0.5]);
    assert!(dataset.has_weights());
    assert_eq!(dataset.class_counts(), [1, 2]);
    assert_eq!(dataset.encoding().target, classes(&["no", "yes"]));
    let a = dataset.statistics()[0];
    assert_eq!((a.mean, a.min, a.max, a.missing), (2.0, 1.0, 3.0, 0));
    assert!((a.deviation - (2.0f64 / 3.0).sqrt()).abs() < 1e-15);
    dataset.verify().unwrap();
    assert_eq!(names_in(directory.path()), ["d.grist"]);
}

#[test]
fn missing_values_are_filled_but_not_counted_in() {
    let directory = tempfile::tempdir().unwrap();
    let mut layout = plain(&["a"], Target::None);
    layout.encoding.inputs[0].kind = InputKind::Number { fill: Some(0.1) };
    let rows = RowBatch { features: vec![1.0, f32::NAN, 3.0], ..RowBatch::default() };
    let dataset = write(&directory.path().join("d"), layout, &rows);
    assert_eq!(features(&dataset), [1.0, 0.1, 3.0]);
    let s = dataset.statistics()[0];
    assert_eq!((s.mean, s.deviation, s.missing), (2.0, 1.0, 1));
}

#[test]
fn what_was_written_is_widened_when_a_later_value_needs_it() {
    let directory = tempfile::tempdir().unwrap();
    let count = 700_000;
    let mut values: Vec<f32> = (0..count).map(|i| (i % 256) as f32).collect();
    values[count / 2] = 0.5;
    values[count - 1] = 0.1;
    let mut writer =
        DatasetWriter::create(&directory.path().join("d"), plain(&["a"], Target::None)).unwrap();
    for part in values.chunks(10_000) {
        writer.push(&RowBatch { features: part.to_vec(), ..RowBatch::default() }).unwrap();
    }
    let summary = writer.finish().unwrap();
    assert_eq!((summary.rows, summary.dtype), (count as u64, Dtype::F32));
    let dataset = Dataset::open(&directory.path().join("d")).unwrap();
    assert!(features(&dataset) == values);
    dataset.verify().unwrap();
}

#[test]
fn the_bytes_do_not_depend_on_pushes_or_threads() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("d");
    let values: Vec<f32> = (0..60_000).map(|i| (i as f32 * 0.37).sin()).collect();
    let bytes = |threads: usize, part: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let target = Target::Numbers { columns: texts(&["y"]) };
            let mut writer = DatasetWriter::create(&path, plain(&["a", "b"], target)).unwrap();
            for part in values.chunks(part) {
                let targets = part.iter().step_by(2).copied().collect();
                let rows = RowBatch { features: part.to_vec(), targets, ..RowBatch::default() };
                writer.push(&rows).unwrap();
            }
            writer.finish().unwrap();
        });
        std::fs::read(&path).unwrap()
    };
    let expected = bytes(1, 60_000);
    assert!(bytes(3, 60_000) == expected);
    assert!(bytes(2, 1_234) == expected);
}

#[test]
fn a_type_asked_for_is_used_or_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("d");
    let wanted = |dtype, value: f32| {
        let layout = DatasetLayout { dtype: Some(dtype), ..plain(&["a"], Target::None) };
        let mut writer = DatasetWriter::create(&path, layout).unwrap();
        writer.push(&RowBatch { features: vec![value], ..RowBatch::default() })?;
        writer.finish()?;
        Dataset::open(&path)
    };
    assert_eq!(features(&wanted(Dtype::F32, 1.0).unwrap()), [1.0]);
    assert_eq!(features(&wanted(Dtype::F16, 0.1).unwrap()), [0.099_975_586]);
    std::fs::remove_file(&path).unwrap();
    let error = wanted(Dtype::U8, 0.1).unwrap_err().to_string();
    assert!(error.contains("0.1 cannot be stored as u8"), "{error}");
    assert!(wanted(Dtype::F16, 1e6).is_err());
    assert!(names_in(directory.path()).is_empty());
}

#[test]
fn rows_that_do_not_fit_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let layout = plain(&["a", "b"], classes(&["no", "yes"]));
    let mut writer = DatasetWriter::create(&directory.path().join("d"), layout).unwrap();
    let rows = |features: &[f32], labels: &[u32]| RowBatch {
        features: features.to_vec(),
        labels: labels.to_vec(),
        ..RowBatch::default()
    };
    for bad in [rows(&[1.0], &[]), rows(&[1.0, 2.0], &[]), rows(&[1.0, 2.0], &[2])] {
        assert!(writer.push(&bad).is_err(), "{bad:?}");
    }
}

#[test]
fn a_data_set_without_inputs_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let layout = plain(&[], classes(&["no", "yes"]));
    assert!(DatasetWriter::create(&directory.path().join("d"), layout).is_err());
}

/// Each byte of every region; of the padding between them only some.
#[test]
fn every_damage_is_found() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("d.grist");
    drop(small(&path));
    let whole = std::fs::read(&path).unwrap();
    let read = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        Dataset::open(&path).and_then(|dataset| dataset.verify())
    };
    read(&whole).unwrap();
    let refused = |bytes: &[u8], damage: &str, at: usize| {
        let error = read(bytes).expect_err(damage).to_string();
        assert!(error.contains(path.to_str().unwrap()), "{damage} {at}: {error}");
    };
    for at in (0..whole.len()).filter(|at| at % 4096 < 130 || at % 509 == 0 || *at > 20_480) {
        refused(&whole[..at], "cut to", at);
        let mut damaged = whole.clone();
        damaged[at] ^= 1 << (at % 8);
        refused(&damaged, "flipped a bit of byte", at);
    }
}

#[test]
fn verify_names_the_bad_block_and_its_rows() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("d.grist");
    let rows =
        RowBatch { features: (0..900_000).map(|i| i as f32).collect(), ..RowBatch::default() };
    drop(write(&path, plain(&["a", "b", "c"], Target::None), &rows));
    let file = std::fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
    file.write_all_at(b"\xff", 4096 + (2 << 20) + 5).unwrap();
    let dataset = Dataset::open(&path).unwrap();
    let error = dataset.verify().unwrap_err().to_string();
    assert!(error.contains("block 2 of its features"), "{error}");
    assert!(error.contains("rows 174763 to 262144"), "{error}");
    file.write_all_at(b"\xff", 4096 + 7).unwrap();
    let changed = dataset.defects(&()).unwrap_err().to_string();
    assert!(changed.contains("changed while it was in use"), "{changed}");
    let dataset = Dataset::open(&path).unwrap();
    let bad = |block, bytes, rows| Defect::Block { region: "features", block, bytes, rows };
    let blocks =
        [bad(0, 4096..1_052_672, 0..87_382), bad(2, 2_101_248..3_149_824, 174_762..262_144)];
    assert_eq!(dataset.defects(&()).unwrap(), blocks);
}

#[test]
fn data_sets_of_other_content_have_other_fingerprints() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("d");
    let of = |value: f32| {
        let rows = RowBatch { features: vec![value, 3.0, 1.0], ..RowBatch::default() };
        write(&path, plain(&["a"], Target::None), &rows).fingerprint()
    };
    assert_eq!(of(2.0), of(2.0));
    assert_ne!(of(2.0), of(4.0));
}

/// 10^9 rows as a sparse file: opening must look at the metadata only.
#[test]
fn a_thousand_million_rows_open() {
    const ROWS: u64 = 1_000_000_000;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("d.grist");
    let rows = RowBatch { features: vec![0.0; 28], labels: vec![0], ..RowBatch::default() };
    let names: Vec<String> = (0..28).map(|i| format!("f{i}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    drop(write(&path, plain(&names, classes(&["no", "yes"])), &rows));
    let bytes = std::fs::read(&path).unwrap();
    let entry = |index: usize| 20 + 20 * index;
    let u64_at = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
    let mut metadata = bytes[u64_at(entry(4)) as usize..].to_vec();
    metadata[..8].copy_from_slice(&ROWS.to_le_bytes());
    let blocks = (28 * ROWS).div_ceil(1 << 20) + (4 * ROWS).div_ceil(1 << 20);
    let lengths = [28 * ROWS, 4 * ROWS, 0, 4 * blocks, metadata.len() as u64];
    let mut header = bytes[..20].to_vec();
    let mut end = 4096u64;
    for (index, length) in lengths.iter().enumerate() {
        let offset = end.next_multiple_of(4096);
        let crc = if index == 4 { crc32c::crc32c(&metadata) } else { 0 };
        header.extend(offset.to_le_bytes());
        header.extend(length.to_le_bytes());
        header.extend(crc.to_le_bytes());
        end = offset + length;
    }
    header.extend(crc32c::crc32c(&header).to_le_bytes());
    let file = std::fs::File::create(&path).unwrap();
    file.set_len(end).unwrap();
    file.write_all_at(&header, 0).unwrap();
    file.write_all_at(&metadata, end - lengths[4]).unwrap();
    let dataset = Dataset::open(&path).unwrap();
    assert_eq!(dataset.rows(), ROWS);
    assert_eq!(dataset.row(ROWS - 1), [0; 28]);
    assert_eq!(dataset.label(ROWS - 1), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_rows_read_back_to_the_bit(
        columns in 1usize..6,
        values in proptest::collection::vec(
            prop_oneof![
                any::<u8>().prop_map(f32::from),
                proptest::num::f32::NORMAL | proptest::num::f32::ZERO,
            ],
            1..300,
        ),
        targets in 0usize..3,
        part in 1usize..40,
    ) {
        let rows = values.len() / columns;
        let names: Vec<String> = (0..columns).map(|i| format!("f{i}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let target = Target::Numbers { columns: (0..targets).map(|i| format!("t{i}")).collect() };
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("d");
        let layout = DatasetLayout { weighted: true, ..plain(&names, target) };
        let mut writer = DatasetWriter::create(&path, layout).unwrap();
        let goal = |row: usize, t: usize| (row * 3 + t) as f32 * 0.1;
        for start in (0..rows).step_by(part) {
            let range = start..rows.min(start + part);
            writer.push(&RowBatch {
                features: values[range.start * columns..range.end * columns].to_vec(),
                targets: range.clone().flat_map(|r| (0..targets).map(move |t| goal(r, t))).collect(),
                weights: range.map(|r| r as f32).collect(),
                ..RowBatch::default()
            }).unwrap();
        }
        writer.finish().unwrap();
        let dataset = Dataset::open(&path).unwrap();
        dataset.verify().unwrap();
        prop_assert_eq!(dataset.rows(), rows as u64);
        let bits = |v: &[f32]| v.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        prop_assert_eq!(bits(&features(&dataset)), bits(&values[..rows * columns]));
        for row in 0..rows {
            let mut out = vec![0.0; targets];
            dataset.targets(row as u64, &mut out);
            prop_assert_eq!(out, (0..targets).map(|t| goal(row, t)).collect::<Vec<_>>());
            prop_assert_eq!(dataset.weight(row as u64), row as f32);
        }
    }
}

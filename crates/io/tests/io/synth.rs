//! Synthetic data sets: that they are what was asked for, the same every time, and learnable.

use gristmill_io::schema::Target;
use gristmill_io::{Dataset, Dtype, SynthOptions, SynthTarget, synth};
use std::path::Path;

const SMALL: SynthOptions = SynthOptions {
    rows: 20_000,
    features: 12,
    target: SynthTarget::Classes(3),
    noise: 0.3,
    seed: 7,
    sorted: false,
    dtype: Dtype::F32,
};

fn make(options: &SynthOptions) -> Dataset {
    let directory = tempfile::tempdir().unwrap();
    make_in(directory.path(), options)
}

fn make_in(directory: &Path, options: &SynthOptions) -> Dataset {
    let path = directory.join("s.grist");
    let summary = synth(&path, options, &()).unwrap();
    let dataset = Dataset::open(&path).unwrap();
    dataset.verify().unwrap();
    assert_eq!((summary.rows, dataset.rows()), (options.rows, options.rows));
    assert_eq!((dataset.features(), dataset.dtype()), (options.features, options.dtype));
    dataset
}

fn row(dataset: &Dataset, row: u64) -> Vec<f32> {
    let mut out = vec![0.0; dataset.features()];
    dataset.dtype().decode(dataset.row(row), &mut out);
    out
}

fn labels(dataset: &Dataset) -> Vec<u32> {
    (0..dataset.rows()).map(|row| dataset.label(row)).collect()
}

#[test]
fn the_same_bits_on_any_number_of_threads_and_others_for_another_seed() {
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| make(&SMALL).fingerprint())
    };
    assert_eq!(on(1), on(3));
    assert_ne!(on(1), make(&SynthOptions { seed: 8, ..SMALL }).fingerprint());
}

#[test]
fn a_row_does_not_depend_on_how_many_follow_it() {
    let (all, few) = (make(&SMALL), make(&SynthOptions { rows: 11, ..SMALL }));
    for index in 0..11 {
        assert_eq!(row(&all, index), row(&few, index));
        assert_eq!(all.label(index), few.label(index));
    }
}

/// The nearest of the rows before tells the class nearly always, where noise is small.
#[test]
fn classes_can_be_learned_and_are_balanced() {
    let dataset = make(&SMALL);
    for count in dataset.class_counts() {
        assert!((6_300..7_000).contains(count), "{:?}", dataset.class_counts());
    }
    let known: Vec<(Vec<f32>, u32)> =
        (0..300).map(|r| (row(&dataset, r), dataset.label(r))).collect();
    let right = (1000..1300).filter(|index| {
        let new = row(&dataset, *index);
        let distance = |known: &[f32]| -> f32 {
            known.iter().zip(&new).take(8).map(|(a, b)| (a - b).powi(2)).sum()
        };
        let nearest = known.iter().min_by(|a, b| distance(&a.0).total_cmp(&distance(&b.0)));
        nearest.unwrap().1 == dataset.label(*index)
    });
    let right = right.count();
    assert!(right > 285, "{right} of 300");
}

#[test]
fn numbers_can_be_learned() {
    let options = SynthOptions { target: SynthTarget::Number, noise: 0.0, ..SMALL };
    let dataset = make(&options);
    assert_eq!(dataset.encoding().target, Target::Numbers { columns: vec!["y".to_owned()] });
    assert!((0.7..1.6).contains(&dataset.target_statistics()[0].deviation));
    // The features that decide go together with the target, each by its own weight.
    let n = dataset.rows();
    let mut explained = 0.0;
    for feature in 0..12 {
        let mut product = 0.0;
        for index in 0..n {
            let mut y = [0.0];
            dataset.targets(index, &mut y);
            product += f64::from(row(&dataset, index)[feature] * y[0]);
        }
        let together = product / n as f64;
        if feature < 8 {
            explained += together * together;
        } else {
            assert!(together.abs() < 0.05, "feature {feature}: {together}");
        }
    }
    assert!(explained > 0.3, "{explained}");
}

#[test]
fn sorted_rows_go_from_class_to_class() {
    let dataset = make(&SynthOptions { sorted: true, ..SMALL });
    assert!(labels(&dataset).is_sorted());
    assert_eq!(dataset.class_counts(), [6667, 6667, 6666]);
}

#[test]
fn every_number_type_is_filled() {
    for dtype in Dtype::ALL {
        let dataset = make(&SynthOptions { dtype, ..SMALL });
        let (least, most) = if dtype == Dtype::U8 { (10.0, 110.0) } else { (0.3, 3.5) };
        for s in dataset.statistics() {
            assert!((least..most).contains(&s.deviation), "{dtype}: {s:?}");
        }
    }
}

#[test]
fn what_makes_no_data_set_is_refused_and_nothing_is_left() {
    let directory = tempfile::tempdir().unwrap();
    for (options, expected) in [
        (SynthOptions { rows: 0, ..SMALL }, "at least one row"),
        (SynthOptions { features: 0, ..SMALL }, "one feature"),
        (SynthOptions { noise: -1.0, ..SMALL }, "noise"),
        (SynthOptions { noise: f32::NAN, ..SMALL }, "noise"),
        (SynthOptions { target: SynthTarget::Classes(1), ..SMALL }, "2 classes"),
        (SynthOptions { target: SynthTarget::Number, sorted: true, ..SMALL }, "sorted"),
    ] {
        let error = synth(&directory.path().join("s.grist"), &options, &()).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}

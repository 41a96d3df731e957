//! Windows of a series: the same bits as of rows that are written out, on any number of threads, in any order of
//! reading, interrupted or not.

use crate::stop_after::StopAfter;
use gristmill_io::{Checkpoint, Dataset, ImportOptions, Model, Plan, Task, import};
use gristmill_kernels::Isa;
use gristmill_trainer::config::RunConfig;
use gristmill_trainer::data::samples::{Samples, Table};
use gristmill_trainer::evaluation::evaluate;
use gristmill_trainer::inference::Predictor;
use gristmill_trainer::metrics::Metric;
use gristmill_trainer::model::Trained;
use gristmill_trainer::{CheckpointView, Session, TrainError};
use std::fmt::Write as _;

const ROWS: usize = 400;
const WIDTH: usize = 3;
const WINDOW: usize = 7;
const HORIZON: usize = 2;

/// Two waves and noise, and the sum that is to be predicted.
fn series() -> (Vec<f32>, Vec<f32>) {
    let mut features = Vec::new();
    let mut targets = Vec::new();
    for i in 0..ROWS {
        let (a, b) = ((i as f32 / 9.0).sin(), (i as f32 / 23.0).cos());
        let noise = (i * i % 17) as f32 / 17.0;
        features.extend([a, b, noise]);
        targets.push(a + 0.5 * b);
    }
    (features, targets)
}

fn table() -> Table {
    let (features, targets) = series();
    Table::of_numbers(&features, targets, 1).unwrap()
}

/// The windows, each written out as a row.
fn written_out() -> Table {
    let (features, targets) = series();
    let count = ROWS + 1 - WINDOW - HORIZON;
    let windows = (0..count).flat_map(|i| &features[i * WIDTH..(i + WINDOW) * WIDTH]).copied();
    let last = WINDOW - 1 + HORIZON;
    Table::of_numbers(&Vec::from_iter(windows), targets[last..].to_vec(), 1).unwrap()
}

const NETWORK: &str = "
    seed = 3
    [[network.layers]]
    kind = 'conv'
    filters = 5
    kernel = 3
    activation = 'relu'
    [[network.layers]]
    kind = 'gru'
    units = 6
    [training]
    batch_size = 50
    epochs = 3";

fn config(threads: usize, more: &str) -> RunConfig {
    let window = format!("{NETWORK}\n{more}\n[data]\nwindow = {WINDOW}\nhorizon = {HORIZON}");
    let mut config = RunConfig::from_toml(&window).unwrap();
    config.training.threads = threads;
    config
}

fn trained<S: Samples>(config: &RunConfig, isa: Isa, samples: &S) -> Model {
    let mut session = Session::new(config, isa, samples, None).unwrap();
    session.fit(&mut (), &mut |_| Ok(())).unwrap();
    session.model()
}

/// As they are: the columns of rows that are written out have statistics of their own.
const UNSCALED: &str = "standardize_inputs = false\nstandardize_targets = false";

#[test]
fn windows_are_the_rows_that_they_are_written_out_as() {
    let plain = format!("{NETWORK}\n{UNSCALED}\n[data]\nshape = [1, {WINDOW}, {WIDTH}]");
    let plain = RunConfig::from_toml(&plain).unwrap();
    for isa in Isa::available() {
        let expected = trained(&plain, isa, &written_out());
        let found = trained(&config(0, UNSCALED), isa, &table());
        assert!(found.nodes == expected.nodes, "{isa}");
        assert_eq!(found.encoding.features(), WIDTH);

        let mut written = vec![0.0; ROWS + 1 - WINDOW - HORIZON];
        let mut predictor = Predictor::new(isa, Trained::from_model(&expected).unwrap());
        predictor.predict(&written_out(), 0..written.len() as u64, &mut written);
        let mut predictor = Predictor::new(isa, Trained::from_model(&found).unwrap());
        let mut all: Vec<(u64, f32)> = Vec::new();
        let make = |first: u64, values: &[f32], out: &mut Vec<(u64, f32)>| {
            out.clear();
            out.extend((first..).zip(values.iter().copied()));
        };
        let each = |_, parts: &[Vec<(u64, f32)>]| {
            all.extend(parts.iter().flatten());
            Ok::<(), TrainError>(())
        };
        predictor.predict_all(&table(), None, make, each).unwrap();
        // Beyond those whose target is known there are as many as the horizon.
        assert_eq!(all.len(), written.len() + HORIZON);
        for (i, expected) in written.iter().enumerate() {
            assert_eq!(all[i], (i as u64, *expected), "{isa}");
        }
        let [of_windows, of_rows] = [(&found, table()), (&expected, written_out())]
            .map(|(model, table)| evaluate(isa, model, &table, None, &mut |_| ()).unwrap());
        assert_eq!(of_windows.get(Metric::Loss), of_rows.get(Metric::Loss));
        assert_eq!(of_windows.get(Metric::R2), of_rows.get(Metric::R2));
    }
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let more = "[validation]\nsplit = 0.2\n[early_stopping]\npatience = 2";
    for isa in Isa::available() {
        let reference = trained(&config(1, more), isa, &table());
        for threads in [2, 3, 8] {
            assert!(trained(&config(threads, more), isa, &table()) == reference, "{isa} {threads}");
        }
    }
}

#[test]
fn scales_are_those_of_the_rows_to_learn_from() {
    let split = "[validation]\nsplit = 0.25";
    let with = trained(&config(1, split), Isa::best(), &table());
    let (features, targets) = series();
    let head = ROWS * 3 / 4;
    let head = Table::of_numbers(&features[..head * WIDTH], targets[..head].to_vec(), 1).unwrap();
    let alone = trained(&config(1, ""), Isa::best(), &head);
    let close = |a: f32, b: f32| (a - b).abs() <= 1e-6 * b.abs().max(1e-3);
    assert_eq!(with.inputs.len(), WINDOW * WIDTH);
    for (found, expected) in with.inputs.iter().zip(&alone.inputs) {
        assert!(close(found.mean, expected.mean) && close(found.deviation, expected.deviation));
    }
    assert!(close(with.outputs[0].mean, alone.outputs[0].mean));
    let all = trained(&config(1, ""), Isa::best(), &table());
    assert!(!close(with.inputs[1].mean, all.inputs[1].mean), "the whole has another mean");
}

#[test]
fn an_interrupted_run_ends_with_the_same_bits() {
    let (table, config) = (table(), config(2, "[validation]\nsplit = 0.2"));
    let reference = trained(&config, Isa::best(), &table);
    for steps in [1, 6, 9] {
        let mut saved: Vec<Checkpoint> = Vec::new();
        let mut session = Session::new(&config, Isa::best(), &table, None).unwrap();
        let mut save = |checkpoint: &CheckpointView<'_>| {
            saved.push(checkpoint.collect());
            Ok(())
        };
        session.fit(&mut StopAfter(steps), &mut save).unwrap();
        let mut resumed = Session::new(&config, Isa::best(), &table, None).unwrap();
        resumed.restore(saved.last().unwrap()).unwrap();
        resumed.fit(&mut (), &mut |_| Ok(())).unwrap();
        assert!(resumed.model() == reference, "after {steps} steps");
    }
}

#[test]
fn a_file_in_little_memory_gives_the_same_bits() {
    let directory = tempfile::tempdir().unwrap();
    let (csv, grist) = (directory.path().join("s.csv"), directory.path().join("s.grist"));
    let (features, targets) = series();
    let mut text = "a,b,c,y\n".to_owned();
    for (row, y) in features.chunks(WIDTH).zip(&targets) {
        writeln!(text, "{},{},{},{y}", row[0], row[1], row[2]).unwrap();
    }
    std::fs::write(&csv, text).unwrap();
    let options = ImportOptions { task: Some(Task::Regress), ..Default::default() };
    import(&[csv], &grist, &Plan::Learn(options), &()).unwrap();
    let dataset = Dataset::open(&grist).unwrap();
    // Blocks of 16 rows, of which the windows at the end of each reach into the next.
    let order = "shuffle = 'window'\nblock_rows = 16\nwindow_blocks = 4";
    let split = "[validation]\nsplit = 0.2";
    let of_table = trained(&config(2, &format!("{order}\n{split}")), Isa::best(), &table());
    for (threads, memory) in [(1, ""), (2, "memory = '1K'"), (3, "memory = '3K'")] {
        let config = config(threads, &format!("{order}\n{memory}\n{split}"));
        let of_file = trained(&config, Isa::best(), &dataset);
        assert!(of_file.nodes == of_table.nodes, "{memory}");
        let report =
            |memory| evaluate(Isa::best(), &of_file, &dataset, memory, &mut |_| ()).unwrap();
        assert_eq!(report(Some(1000)).get(Metric::Loss), report(None).get(Metric::Loss));
    }
}

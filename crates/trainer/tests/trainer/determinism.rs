//! Equal bits on any number of threads, interrupted or not, on every instruction set.

use crate::stop_after::StopAfter;
use gristmill_io::{Checkpoint, Model};
use gristmill_kernels::Isa;
use gristmill_trainer::config::RunConfig;
use gristmill_trainer::data::samples::Table;
use gristmill_trainer::{CheckpointView, Reason, Session};

/// Three classes in 37 features; wide enough for several tiles, steps large enough for threads.
const CONFIG: &str = "
    seed = 5
    [network]
    hidden = [150, 140]
    activation = 'gelu'
    dropout = 0.2
    [optimizer]
    clip_norm = 1.0
    l2 = 0.001
    [schedule]
    kind = 'cosine'
    warmup = 0.5
    [training]
    batch_size = 100
    epochs = 6
    class_weights = 'balanced'
    [validation]
    split = 0.2
    [early_stopping]
    patience = 4
    metric = 'accuracy'";

fn table() -> Table {
    let mut state = 1u32;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / 16_777_216.0 - 0.5
    };
    let rows = 1030;
    let labels: Vec<u32> = (0..rows).map(|row| (row * row % 7 % 3) as u32).collect();
    let mut features = Vec::new();
    for &label in &labels {
        features.extend((0..37).map(|i| noise() + if i % 3 == label { 0.4 } else { 0.0 }));
    }
    let names = ["a", "b", "c"].map(str::to_owned).to_vec();
    Table::of_classes(&features, labels, names).unwrap()
}

fn config(threads: usize, more: &str) -> RunConfig {
    let mut config = RunConfig::from_toml(&format!("{CONFIG}{more}")).unwrap();
    config.training.threads = threads;
    config
}

fn trained(config: &RunConfig, isa: Isa, table: &Table) -> Model {
    let mut session = Session::new(config, isa, table, None).unwrap();
    let outcome = session.fit(&mut (), &mut |_| Ok(())).unwrap();
    assert_ne!(outcome.reason, Reason::Interrupted);
    session.model()
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let table = table();
    for isa in Isa::available() {
        let clipped: fn(usize) -> RunConfig = |threads| config(threads, "");
        // Steps that are worth all threads for certain, and update their weights as they go.
        let large: fn(usize) -> RunConfig = |threads| {
            let mut config = config(threads, "");
            config.optimizer.clip_norm = None;
            config.training.batch_size = 400;
            config
        };
        for config in [clipped, large] {
            let reference = trained(&config(1), isa, &table);
            for threads in [2, 3, 8] {
                let model = trained(&config(threads), isa, &table);
                assert!(model == reference, "{isa}, {threads} threads");
            }
        }
    }
}

#[test]
fn an_interrupted_run_ends_with_the_same_bits() {
    let table = table();
    for isa in Isa::available() {
        let config = config(2, "");
        let reference = trained(&config, isa, &table);
        // In the middle of an epoch, after its last step, and after the first step of the next.
        for steps in [5, 9, 10, 22] {
            let mut saved: Vec<Checkpoint> = Vec::new();
            let mut session = Session::new(&config, isa, &table, None).unwrap();
            let mut save = |checkpoint: &CheckpointView<'_>| {
                saved.push(checkpoint.collect());
                Ok(())
            };
            let outcome = session.fit(&mut StopAfter(steps), &mut save).unwrap();
            assert_eq!(outcome.reason, Reason::Interrupted);
            let last = saved.last().unwrap();
            assert_eq!(last.step, steps);

            let mut resumed = Session::new(&config, isa, &table, None).unwrap();
            resumed.restore(last).unwrap();
            resumed.fit(&mut (), &mut |_| Ok(())).unwrap();
            assert!(resumed.model() == reference, "{isa}, after {steps} steps");
        }
    }
}

#[test]
fn another_seed_gives_other_bits() {
    let table = table();
    let reference = trained(&config(2, ""), Isa::best(), &table);
    let mut other = config(2, "");
    other.seed = 6;
    assert!(trained(&other, Isa::best(), &table).nodes != reference.nodes);
}

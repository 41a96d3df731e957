//! Images that change each time they are learned from: the same bits however a run goes, and rows that are only
//! looked at stay as they are.

use crate::stop_after::StopAfter;
use gristmill_trainer::config::{augment_of_line, layers_of_line};
use gristmill_trainer::prelude::*;

const ALL: &str = "shift 2, flip, crop 1, cutout 3, mixup 0.4";

/// Rows of 5 x 7 pixels of 3 channels.
fn pixels(rows: usize) -> Vec<f32> {
    let value = |i: usize| ((i * 7919 + i / 105 * 31) % 211) as f32 / 105.0 - 1.0;
    (0..rows * 105).map(value).collect()
}

/// With a class of three.
fn classes(rows: usize) -> Table {
    let labels = (0..rows).map(|row| (row * row % 7 % 3) as u32).collect();
    Table::of_classes(&pixels(rows), labels, ["a", "b", "c"].map(str::to_owned).to_vec()).unwrap()
}

/// With two numbers.
fn numbers(rows: usize) -> Table {
    let targets = (0..2 * rows).map(|i| (i * 37 % 11) as f32).collect();
    Table::of_numbers(&pixels(rows), targets, 2).unwrap()
}

fn config(more: &str, changes: &str) -> RunConfig {
    let text = format!(
        "data.shape = [5, 7, 3]\nseed = 3\ntraining = {{ epochs = 3, batch_size = 50{more} }}"
    );
    let mut config = RunConfig::from_toml(&text).unwrap();
    let layers = "conv 6 3x3 padding=same bias=false, batch-norm, relu, pool 2, dense 9";
    config.network.layers = layers_of_line(layers).unwrap().try_into().unwrap();
    config.data.augment = augment_of_line(changes).unwrap().try_into().unwrap();
    config
}

fn trained(config: &RunConfig, table: &Table, isa: Isa) -> Vec<f32> {
    let mut session = Session::new(config, isa, table, None).unwrap();
    session.fit(&mut (), &mut |_| Ok(())).unwrap();
    session.network().weights().as_flattened().to_vec()
}

/// Ends a run after this number of steps.
/// Orders of rows, as keys of `[training]`; and class weights with one of them.
const ORDERS: [&str; 3] = [
    ", class_weights = { a = 2.0, b = 0.0 }",
    ", shuffle = 'window', block_rows = 8, window_blocks = 5",
    ", shuffle = 'none'",
];

#[test]
fn any_number_of_threads_and_an_interruption_give_the_same_bits() {
    let table = classes(137);
    for order in ORDERS {
        for isa in Isa::available() {
            let reference = trained(&config(&format!("{order}, threads = 1"), ALL), &table, isa);
            assert!(reference.iter().all(|w| w.is_finite()));
            for threads in [2, 3, 8] {
                let config = config(&format!("{order}, threads = {threads}"), ALL);
                assert!(trained(&config, &table, isa) == reference, "{isa}{order}, {threads}");
            }
            let config = config(order, ALL);
            // In the first epoch, after its last step, and in the second.
            for steps in [2, 3, 5] {
                let mut first = Session::new(&config, isa, &table, None).unwrap();
                let outcome = first.fit(&mut StopAfter(steps), &mut |_| Ok(())).unwrap();
                assert_eq!(outcome.reason, Reason::Interrupted);
                let saved = first.checkpoint().collect();
                let mut second = Session::new(&config, isa, &table, None).unwrap();
                second.restore(&saved).unwrap();
                second.fit(&mut (), &mut |_| Ok(())).unwrap();
                let found = second.network().weights().as_flattened();
                assert!(found == reference, "{isa}{order}, after {steps} steps");
            }
        }
    }
}

#[test]
fn every_change_is_another_run() {
    for table in [classes(137), numbers(137)] {
        let mut runs = vec![trained(&config("", "none"), &table, Isa::best())];
        for change in ALL.split(", ") {
            let run = trained(&config("", change), &table, Isa::best());
            assert!(run.iter().all(|w| w.is_finite()), "{change}");
            assert!(!runs.contains(&run), "{change}");
            runs.push(run);
        }
    }
}

#[test]
fn rows_to_validate_on_stay_as_they_are() {
    let (table, held_out) = (classes(137), classes(60));
    let mut session = Session::new(&config("", ALL), Isa::best(), &table, Some(&held_out)).unwrap();
    session.fit(&mut (), &mut |_| Ok(())).unwrap();
    let last = &session.history().last().unwrap().values;
    let of_run = last.iter().find(|(name, _)| name == "val_loss").unwrap().1;
    let report = evaluate(Isa::best(), &session.model(), &held_out, None, &mut |_| ()).unwrap();
    assert_eq!(report.get(Metric::Loss), Some(of_run));
}

//! Is the order of an epoch as good as a true shuffle? Files are often sorted, by class or by time.
//!
//! In a true shuffle the targets of a minibatch are a random sample of all targets. How much the
//! minibatches differ is compared with how much random samples would: Pearson's chi-square over its
//! degrees of freedom for classes, the variance of the batches' means over that of random ones for
//! numbers. Either is about 1 for a true shuffle, and up to the size of the batch for a sorted file.

use crate::data::order::{Order, Picker};
use crate::data::samples::Samples;
use crate::data::subset::Subset;
use gristmill_io::schema::Target;

/// Minibatches that are looked at, spread evenly over the epoch.
const BATCHES: u64 = 32;

/// Rows that are looked at of a minibatch. Each may have to be read from the disk.
const ROWS: u64 = 128;

/// Beyond this, minibatches differ enough to disturb training.
pub(crate) const UNEVEN: f64 = 3.0;

/// How much more the targets of minibatches differ than those of random samples do; about 1 if the
/// order is a true shuffle. 1 for data sets too small to tell.
pub(crate) fn unevenness<S: Samples>(order: &Order, rows: &Subset<'_, S>, batch: u64) -> f64 {
    let batch = batch.min(ROWS);
    if batch < 2 || rows.len() < 2 * BATCHES * batch {
        return 1.0;
    }
    let mut picker = Picker::default();
    let spacing = rows.len() / BATCHES;
    let mut batches = (0..BATCHES).map(|k| {
        let positions = k * spacing..k * spacing + batch;
        picker.prepare(order, &positions);
        let row = |position| rows.row(picker.index(order, position));
        positions.map(row).collect::<Vec<u64>>()
    });
    let samples = rows.samples();
    match &samples.encoding().target {
        Target::Classes { names, .. } => {
            let count = |rows: Vec<u64>| {
                let mut counts = vec![0.0; names.len()];
                for row in rows {
                    if let Some(count) = counts.get_mut(samples.label(row) as usize) {
                        *count += 1.0;
                    }
                }
                counts
            };
            chi_square_ratio(&batches.by_ref().map(count).collect::<Vec<_>>())
        }
        Target::Numbers { columns } => {
            let mut targets = vec![0.0; columns.len()];
            let mut first = |rows: Vec<u64>| {
                let value = |row| {
                    samples.targets(row, &mut targets);
                    f64::from(targets[0])
                };
                rows.into_iter().map(value).collect::<Vec<f64>>()
            };
            variance_ratio(&batches.by_ref().map(&mut first).collect::<Vec<_>>())
        }
        Target::None => 1.0,
    }
}

/// Chi-square over degrees of freedom of counts per batch and class.
fn chi_square_ratio(batches: &[Vec<f64>]) -> f64 {
    let classes = batches[0].len();
    let size: f64 = batches[0].iter().sum();
    let total = size * batches.len() as f64;
    let share = |class: usize| batches.iter().map(|b| b[class]).sum::<f64>() / total;
    let shares: Vec<f64> = (0..classes).map(share).collect();
    let present = shares.iter().filter(|&&p| p > 0.0).count();
    if present < 2 {
        return 1.0;
    }
    let cell = |batch: &Vec<f64>, class: usize| {
        let expected = size * shares[class];
        if expected > 0.0 { (batch[class] - expected).powi(2) / expected } else { 0.0 }
    };
    let chi: f64 = batches.iter().flat_map(|b| (0..classes).map(move |c| cell(b, c))).sum();
    chi / ((batches.len() - 1) * (present - 1)) as f64
}

/// Variance of the batches' means over what it would be for random batches.
fn variance_ratio(batches: &[Vec<f64>]) -> f64 {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let variance = |values: &[f64]| {
        let mean = mean(values);
        values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (values.len() - 1) as f64
    };
    let means: Vec<f64> = batches.iter().map(|batch| mean(batch)).collect();
    let all: Vec<f64> = batches.iter().flatten().copied().collect();
    let spread = variance(&all);
    if spread > 0.0 { variance(&means) * batches[0].len() as f64 / spread } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::order::Shuffling;
    use crate::data::samples::Table;
    use crate::sampler::WindowShape;

    const ROWS: usize = 60_000;

    fn sorted_classes() -> Table {
        let labels: Vec<u32> = (0..ROWS).map(|row| (row * 3 / ROWS) as u32).collect();
        let names = ["a", "b", "c"].map(str::to_owned).to_vec();
        Table::of_classes(&vec![1.0; ROWS], labels, names).unwrap()
    }

    fn sorted_numbers() -> Table {
        Table::of_numbers(&vec![1.0; ROWS], (0..ROWS).map(|row| row as f32).collect(), 1).unwrap()
    }

    fn of(how: Shuffling, table: &Table) -> f64 {
        unevenness(&Order::new(how, ROWS as u64, 4, 1, 1), &Subset::all(table), 128)
    }

    #[test]
    fn a_true_shuffle_is_even_and_a_sorted_file_is_not() {
        for table in [sorted_classes(), sorted_numbers()] {
            let full = of(Shuffling::Full, &table);
            assert!((0.5..1.6).contains(&full), "{full}");
            let stored = of(Shuffling::Stored, &table);
            assert!(stored > 50.0, "{stored}");
        }
    }

    #[test]
    fn windows_of_many_blocks_are_even_and_of_few_are_not() {
        for table in [sorted_classes(), sorted_numbers()] {
            let many = of(Shuffling::Window(WindowShape { block_rows: 10, blocks: 2000 }), &table);
            assert!(many < 2.0, "{many}");
            let few = of(Shuffling::Window(WindowShape { block_rows: 1000, blocks: 4 }), &table);
            assert!(few > UNEVEN, "{few}");
        }
    }
}

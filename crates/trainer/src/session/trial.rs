//! Whether values are numbers, and whether what a network makes of rows that it was trained on is any use.

use crate::data::counted;
use crate::data::samples::Samples;
use crate::data::subset::Subset;
use crate::objective::{Objective, TargetKind};
use crate::step::engine::Engine;
use crate::step::shard::{Purpose, RowContext, Shard};
use gristmill_kernels::{Isa, LANES, Loss, Row};

/// Most rows that a network is tried on.
const MOST_ROWS: u64 = 256;

/// Rows of an epoch for each that the network is tried on after it.
const ROWS_PER_TRIAL: u64 = 64;

/// A network whose loss is `HOPELESS` times what a network that always answers 0 loses on its worst row has
/// learned nothing but large numbers.
const HOPELESS: f64 = 1e9;

/// Whether all values are finite.
pub(super) fn is_finite(arena: &[Row]) -> bool {
    // As signed numbers, which vectors of every width compare.
    const SIGNLESS: u32 = u32::MAX >> 1;
    let mut largest = [0; LANES];
    for row in arena {
        for (largest, value) in largest.iter_mut().zip(row) {
            *largest = (*largest).max((value.to_bits() & SIGNLESS) as i32);
        }
    }
    largest.iter().all(|&bits| bits < f32::INFINITY.to_bits() as i32)
}

/// Some rows that a run learns from, and a workspace to try its network on them.
pub(super) struct Trial {
    rows: Vec<u64>,
    shard: Shard,
}

impl Trial {
    /// Of rows that count: a small share of all, so that a trial takes no time beside an epoch.
    pub(super) fn new<S: Samples>(engine: &Engine, train: &Subset<'_, S>) -> Trial {
        let most = (train.len() / ROWS_PER_TRIAL).clamp(LANES as u64, MOST_ROWS);
        let (samples, objective) = (train.samples(), &engine.objective);
        let counts = |row: &u64| counted::weight(samples, objective, *row) > 0.0;
        let rows = (0..train.len().min(MOST_ROWS * ROWS_PER_TRIAL)).map(|index| train.row(index));
        let rows: Vec<u64> = rows.filter(counts).take(most as usize).collect();
        let capacity = rows.len().next_multiple_of(LANES);
        let shard = Shard::new(&engine.network, capacity.max(LANES), Purpose::Measure);
        Trial { rows, shard }
    }

    /// The mean loss of the rows, all weighing the same; 0 without rows.
    pub(super) fn loss<S: Samples>(&mut self, isa: Isa, engine: &Engine, samples: &S) -> f64 {
        let Engine { network, preprocess, objective, .. } = engine;
        self.shard.assign(0, self.rows.iter().copied());
        self.shard.measure(&RowContext { isa, network, preprocess, samples }, objective);
        let panels = self.shard.losses().flat_map(|(losses, weights)| losses.iter().zip(weights));
        let rows = panels.take(self.rows.len());
        let sum: f64 = rows.map(|(loss, weight)| f64::from(*loss) / f64::from(*weight)).sum();
        sum / self.rows.len().max(1) as f64
    }
}

/// The loss from which on a network is of no use; what is learned are targets of at most this size, as they
/// are after they were scaled.
pub(super) fn hopeless_loss(objective: &Objective, outputs: usize, largest_target: f64) -> f64 {
    let worst = match (objective.targets, objective.loss) {
        (TargetKind::Classes, _) => 1.0,
        (TargetKind::Numbers, Loss::HalfSumSquares) => outputs as f64 * largest_target.powi(2),
        (TargetKind::Numbers, _) => largest_target.powi(2),
    };
    HOPELESS * worst.max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_that_is_no_number_is_found_wherever_it_is() {
        for rows in [1, 7, 1000] {
            let mut arena = vec![[f32::MAX; LANES]; rows];
            arena[0][1] = -f32::MAX;
            assert!(is_finite(&arena), "{rows} rows");
            for (row, lane) in [(0, 0), (rows - 1, LANES - 1), (rows / 2, 5)] {
                for value in [f32::NAN, -f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                    let before = std::mem::replace(&mut arena[row][lane], value);
                    assert!(!is_finite(&arena), "{value} at {row} of {rows}");
                    arena[row][lane] = before;
                }
            }
        }
        assert!(is_finite(&[]));
    }
}

//! Statistics of some of the rows of a data set, for where those of all would tell of rows to validate on.

use crate::data::feed::Paging;
use crate::data::memory;
use crate::data::order::Shuffling;
use crate::data::samples::Samples;
use crate::error::TrainError;
use gristmill_io::schema::{Statistics, Target};
use gristmill_io::{Advice, Moments};
use rayon::prelude::*;
use std::ops::Range;

/// Values of a block, whose moments are taken by themselves: how rows are cut depends on the data alone.
const BLOCK_VALUES: usize = 1 << 16;
/// Blocks that are in memory together.
const BLOCKS: usize = 32;

/// Statistics of each feature and of each numeric target over some rows, on the threads of the current pool.
///
/// # Errors
/// The rows cannot be read.
pub(super) fn of_rows<S: Samples>(
    samples: &S,
    rows: Range<u64>,
    memory: Option<u64>,
) -> Result<[Vec<Statistics>; 2], TrainError> {
    let columns = match &samples.encoding().target {
        Target::Numbers { columns } => columns.len(),
        Target::Classes { .. } | Target::None => 0,
    };
    let mut all = [vec![Moments::EMPTY; samples.features()], vec![Moments::EMPTY; columns]];
    let is_dropped = memory::paging(Shuffling::Stored, samples, memory) == Paging::AheadAndDrop;
    let block = (BLOCK_VALUES / samples.features()).max(1) as u64;
    for start in rows.clone().step_by(block as usize * BLOCKS) {
        let round = start..rows.end.min(start + block * BLOCKS as u64);
        if samples.is_paged() {
            samples.populate(round.clone())?;
        }
        let starts: Vec<u64> = round.clone().step_by(block as usize).collect();
        let moments =
            |&start: &u64| of_block(samples, columns, start..round.end.min(start + block));
        let found: Vec<[Vec<Moments>; 2]> = starts.par_iter().map(moments).collect();
        for block in found {
            for (all, block) in all.iter_mut().flatten().zip(block.iter().flatten()) {
                all.merge(block);
            }
        }
        if is_dropped {
            samples.advise(round, Advice::DontNeed);
        }
    }
    Ok(all.map(|moments| moments.iter().map(Moments::statistics).collect()))
}

/// Moments of the features and the numeric targets of a block of rows.
fn of_block<S: Samples>(samples: &S, columns: usize, rows: Range<u64>) -> [Vec<Moments>; 2] {
    let (width, count) = (samples.features(), (rows.end - rows.start) as usize);
    let (mut features, mut targets) = (vec![0.0; count * width], vec![0.0; count * columns]);
    let mut weights = Vec::with_capacity(count);
    for (i, row) in rows.enumerate() {
        samples.decode(row, &mut features[i * width..][..width]);
        samples.targets(row, &mut targets[i * columns..][..columns]);
        weights.push(samples.weight(row));
    }
    [(&features, width), (&targets, columns)].map(|(values, columns)| match columns {
        0 => Vec::new(),
        _ => Moments::of_weighted_rows(values, columns, &weights),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::samples::Table;

    /// Rows of (row, 100 + row), whose target is 10 row.
    fn table(rows: usize) -> Table {
        let features: Vec<f32> = (0..rows).flat_map(|i| [i as f32, 100.0 + i as f32]).collect();
        Table::of_numbers(&features, (0..rows).map(|i| 10.0 * i as f32).collect(), 1).unwrap()
    }

    #[test]
    fn statistics_of_a_part_are_those_of_its_rows() {
        let close = |a: &Statistics, b: &Statistics| {
            (a.mean - b.mean).abs() < 1e-9
                && (a.deviation - b.deviation).abs() < 1e-9
                && (a.min, a.max) == (b.min, b.max)
        };
        let head = table(5000);
        let [features, targets] = of_rows(&table(10_000), 0..5000, None).unwrap();
        for (i, (found, expected)) in features.iter().zip(head.statistics()).enumerate() {
            assert!(close(found, expected), "{i}: {found:?}");
        }
        assert_eq!(features.len(), 2);
        assert!(close(&targets[0], &head.target_statistics()[0]));
    }
}

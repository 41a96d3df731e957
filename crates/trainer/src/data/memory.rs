//! How much memory there is for the data, and what order of rows follows from it.

use crate::config::{LayerPlan, OnNan, Shuffle, TrainingPlan};
use crate::data::feed::Paging;
use crate::data::order::Shuffling;
use crate::data::samples::Samples;
use crate::data::subset::Subset;
use crate::error::TrainError;
use crate::layer::Parameters;
use crate::sampler::WindowShape;
use gristmill_kernels::LANES;
use std::path::Path;

/// Bytes of a block at least: enough for a disk to read at its full rate.
const BLOCK_BYTES: u64 = 256 << 10;

/// Rows of a block at least, unless windows get too few blocks: large blocks of wide rows are read as
/// huge pages.
const BLOCK_ROWS: u64 = 4096;

/// Bytes of the smallest block that a window is made of to mix better: a page.
const SMALLEST_BLOCK: u64 = 4096;

/// Bytes of a window where no budget is given: a thousand blocks, so that every window looks like the
/// whole file, and three of them at a time still fit into a small machine.
const WINDOW_BYTES: u64 = 256 << 20;

/// Rows of a block at least for each row that its last samples have of the next block: that one is read twice.
const ROWS_PER_OVERLAP: u64 = 4;

/// Bytes that are read as one stretch where rows come as they are stored, at most: enough for the disk.
const STRETCH_BYTES: u64 = 64 << 20;

/// Windows that would fill a budget: the one in use and the next are in memory at once, and a third is
/// left for the network and for what the system reads ahead or has not dropped yet.
const WINDOWS_IN_BUDGET: u64 = 3;

/// What the rows of a data set take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RowShape {
    pub(crate) bytes: u64,
    /// Rows beyond a row itself that it is made of.
    pub(crate) overlap: u64,
}

impl RowShape {
    pub(crate) fn of<S: Samples>(samples: &S) -> RowShape {
        RowShape { bytes: samples.row_bytes(), overlap: samples.overlap() }
    }

    /// Rows of the smallest block that is of use.
    fn least_block(self) -> u64 {
        (ROWS_PER_OVERLAP * self.overlap).max(1)
    }
}

/// The order of `rows` rows of a data set, with `budget` bytes of memory for it; `None` is no limit but the machine's.
///
/// The shape of windows depends on the data and on a given budget, never on the machine: the same
/// command gives the same bits everywhere.
pub(crate) fn choose(shuffle: Shuffle, rows: u64, row: RowShape, budget: Option<u64>) -> Shuffling {
    match shuffle {
        Shuffle::None => Shuffling::Stored,
        Shuffle::Full => Shuffling::Full,
        Shuffle::Auto if fits(rows, row.bytes, budget) => Shuffling::Full,
        Shuffle::Auto | Shuffle::Window => Shuffling::Window(window_shape(row, budget)),
    }
}

fn window_shape(row: RowShape, budget: Option<u64>) -> WindowShape {
    let window = budget.map_or(WINDOW_BYTES, |memory| memory / WINDOWS_IN_BUDGET);
    // At least 64 blocks to a window, however small: few blocks mix badly.
    let row_bytes = row.bytes.max(1);
    let block = BLOCK_BYTES.max(BLOCK_ROWS * row_bytes).min(window / 64);
    let block_rows = (block / row_bytes).max(row.least_block());
    let blocks = (window / ((block_rows + row.overlap) * row_bytes)).max(64);
    WindowShape { block_rows, blocks }
}

/// Windows of smaller blocks, which mix better; `None` if blocks are as small as is of use.
pub(crate) fn smaller_blocks(shape: WindowShape, row: RowShape) -> Option<WindowShape> {
    let block_rows = shape.block_rows.div_ceil(2);
    let is_small = shape.block_rows * row.bytes <= SMALLEST_BLOCK;
    let is_least = block_rows < row.least_block();
    (!is_small && !is_least).then_some(WindowShape { block_rows, blocks: shape.blocks * 2 })
}

/// How rows in this order get into memory.
pub(crate) fn paging<S: Samples>(how: Shuffling, samples: &S, budget: Option<u64>) -> Paging {
    if !samples.is_paged() {
        return Paging::None;
    }
    match (how, fits(samples.rows(), samples.row_bytes(), budget)) {
        (Shuffling::Full, true) => Paging::Load,
        (Shuffling::Full, false) => Paging::Scattered,
        (_, true) => Paging::Ahead,
        (_, false) => Paging::AheadAndDrop,
    }
}

/// How rows to validate on get into memory beside those that are trained on, which may be of the same
/// file.
pub(crate) fn validation_paging<S: Samples>(
    training: Paging,
    train: &S,
    validation: &S,
    budget: Option<u64>,
) -> Paging {
    let bytes = |samples: &S| samples.rows().saturating_mul(samples.row_bytes());
    let others = if std::ptr::eq(train, validation) { 0 } else { bytes(train) };
    match training {
        _ if !validation.is_paged() => Paging::None,
        Paging::AheadAndDrop | Paging::Scattered => Paging::AheadAndDrop,
        _ if fits_bytes(bytes(validation).saturating_add(others), budget) => Paging::Ahead,
        _ => Paging::AheadAndDrop,
    }
}

/// Rows to read as one stretch where they come as they are stored. Where a few of many rows take part,
/// those between them are read too.
pub(crate) fn stretch_rows<S: Samples>(rows: &Subset<'_, S>, budget: Option<u64>) -> u64 {
    let bytes = budget.map_or(STRETCH_BYTES, |m| STRETCH_BYTES.min(m / WINDOWS_IN_BUDGET));
    let samples = rows.samples();
    let all = u128::from(samples.rows()) * u128::from(samples.row_bytes());
    let stretch = u128::from(bytes) * u128::from(rows.len()) / all.max(1);
    u64::try_from(stretch).unwrap_or(u64::MAX).max(1)
}

/// Whether all rows can stay in memory.
fn fits(rows: u64, row_bytes: u64, budget: Option<u64>) -> bool {
    fits_bytes(rows.saturating_mul(row_bytes), budget)
}

fn fits_bytes(bytes: u64, budget: Option<u64>) -> bool {
    budget.or_else(available).is_none_or(|memory| bytes <= memory / 4 * 3)
}

/// Bytes that this process may still use for its own data and for cached files: what the system has
/// available, or the limit of its control group if that is less. `None` where nobody tells.
pub(crate) fn available() -> Option<u64> {
    let system = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("MemAvailable:"))?;
        let kibibytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
        Some(kibibytes * 1024)
    });
    match (system, group_limit()) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// Checks that there is memory for a network in training: a program that finds out later is killed.
///
/// # Errors
/// The system does not give as much.
pub(crate) fn check_room(plan: &TrainingPlan, rows: u64) -> Result<(), TrainError> {
    let bytes = training_bytes(plan, rows);
    let mut room: Vec<u8> = Vec::new();
    let is_given = usize::try_from(bytes).is_ok_and(|bytes| room.try_reserve_exact(bytes).is_ok());
    match is_given {
        true => Ok(()),
        false => Err(TrainError::Memory {
            what: "training this network".to_owned(),
            bytes,
            advice: "take fewer units or a smaller batch size",
        }),
    }
}

/// About how many bytes the weights, what is kept of each, and the values of a minibatch take.
fn training_bytes(plan: &TrainingPlan, rows: u64) -> u128 {
    let lanes = |units: usize| units.next_multiple_of(LANES) as u128;
    let weights = |layer: &LayerPlan| match layer.node.layer.parameters() {
        Parameters::None => 0,
        Parameters::Matrix(shape) => {
            lanes(shape.inputs) * shape.outputs as u128 + lanes(shape.outputs)
        }
        Parameters::Table(table) => table.numbers() as u128,
        Parameters::Shared(blocks) => blocks.iter().map(|block| (block.rows * LANES) as u128).sum(),
    };
    let weights: u128 = plan.layers.iter().map(weights).sum();
    let trained = 1 + plan.optimizer.rule.slots() as u128;
    let rolls_back = plan.config.training.on_nan == OnNan::Rollback;
    let keeps_best = plan.early_stopping.patience > 0 && plan.early_stopping.restore_best;
    let arenas = trained * (1 + u128::from(rolls_back))
        + u128::from(plan.optimizer.clip_norm.is_some())
        + u128::from(keeps_best);
    // As in a shard: the input twice, and of each layer the output, the error and the output as rows.
    let units = |layer: &LayerPlan| lanes(layer.node.layer.output().units());
    let units: u128 = plan.layers.iter().map(units).sum();
    let row = 2 * lanes(plan.features.units()) + 3 * units;
    let batch = (plan.batch_size as u128).min(u128::from(rows)) * row;
    // A larger minibatch is computed in rounds.
    let at_once = batch.min(4 * weights + (1 << 24));
    size_of::<f32>() as u128 * (arenas * weights + at_once)
}

/// How often a thread of this process has waited for a page that had to be read from the disk; 0 where
/// nobody tells.
pub(crate) fn page_reads() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name of the program may have spaces, but ends with the last bracket.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    fields.split_whitespace().nth(9).and_then(|field| field.parse().ok()).unwrap_or(0)
}

/// The memory limit of this process's control group or of the nearest one above it, of version 1 or 2.
fn group_limit() -> Option<u64> {
    let groups = std::fs::read_to_string("/proc/self/cgroup").ok()?;
    let limits = groups.lines().filter_map(|line| {
        let mut fields = line.splitn(3, ':').skip(1);
        let (controllers, path) = (fields.next()?, fields.next()?);
        let (root, file) = match controllers {
            "" => ("/sys/fs/cgroup", "memory.max"),
            _ if controllers.split(',').any(|c| c == "memory") => {
                ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")
            }
            _ => return None,
        };
        let own = Path::new(root).join(path.trim_start_matches('/'));
        let above = own.ancestors().take_while(|dir| dir.starts_with(root));
        above
            .filter_map(|dir| std::fs::read_to_string(dir.join(file)).ok()?.trim().parse().ok())
            .min()
    });
    limits.min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::feed::tests::{Paged, ROWS};
    use crate::sampler::Split;

    #[test]
    fn what_fits_is_shuffled_in_full() {
        let row = RowShape { bytes: 112, overlap: 0 };
        let small = choose(Shuffle::Auto, 1000, row, Some(1 << 20));
        assert_eq!(small, Shuffling::Full);
        let large = choose(Shuffle::Auto, 1_000_000_000, row, Some(2 << 30));
        let Shuffling::Window(shape) = large else { panic!("{large:?}") };
        assert!(shape.blocks >= 500, "{shape:?}");
        let held = 2 * shape.block_rows * shape.blocks * 112;
        assert!(held <= 3 << 29, "{held} bytes in windows");
    }

    #[test]
    fn windows_have_many_blocks_whatever_the_rows() {
        for row_bytes in [1, 28, 3072, 1 << 20, 1 << 26] {
            for budget in [None, Some(1 << 20), Some(2 << 30)] {
                let shape = window_shape(RowShape { bytes: row_bytes, overlap: 0 }, budget);
                assert!(shape.block_rows >= 1 && shape.blocks >= 64, "{row_bytes} {shape:?}");
            }
        }
    }

    #[test]
    fn blocks_are_longer_than_what_their_last_samples_reach_beyond() {
        let row = RowShape { bytes: 20, overlap: 500 };
        for budget in [None, Some(1 << 20), Some(2 << 30)] {
            let shape = window_shape(row, budget);
            assert!(shape.block_rows >= 2000 && shape.blocks >= 64, "{shape:?}");
            let smallest = std::iter::successors(Some(shape), |&s| smaller_blocks(s, row)).last();
            assert!(smallest.unwrap().block_rows >= 2000, "{smallest:?}");
        }
        let WindowShape { block_rows, blocks } = window_shape(row, Some(2 << 30));
        assert!(2 * blocks * (block_rows + row.overlap) * row.bytes <= 3 << 29);
    }

    #[test]
    fn no_shuffling_is_the_order_of_the_file() {
        let row = RowShape { bytes: 4, overlap: 0 };
        assert_eq!(choose(Shuffle::None, 10, row, None), Shuffling::Stored);
        assert_eq!(choose(Shuffle::Full, u64::MAX, row, Some(1)), Shuffling::Full);
    }

    #[test]
    fn what_is_validated_on_stays_in_memory_only_beside_what_is_trained_on() {
        let (train, other) = (Paged::new(ROWS), Paged::new(ROWS));
        let paging = |training, validation, budget| {
            validation_paging(training, &train, validation, Some(budget))
        };
        // A file has 4000 bytes.
        assert_eq!(paging(Paging::Load, &train, 6000), Paging::Ahead);
        assert_eq!(paging(Paging::Load, &other, 6000), Paging::AheadAndDrop);
        assert_eq!(paging(Paging::Load, &other, 12_000), Paging::Ahead);
        assert_eq!(paging(Paging::AheadAndDrop, &other, 12_000), Paging::AheadAndDrop);
        assert_eq!(paging(Paging::Scattered, &train, 6000), Paging::AheadAndDrop);
    }

    #[test]
    fn stretches_are_no_larger_than_a_budget_allows() {
        let samples = Paged::new(ROWS);
        let all = Subset::all(&samples);
        assert_eq!(stretch_rows(&all, Some(300)), 25);
        assert_eq!(stretch_rows(&all, Some(1)), 1);
        assert_eq!(stretch_rows(&all, None), STRETCH_BYTES / 4);
        let (_, held_out) = Subset::both(&samples, Split::random(ROWS, 0.2, 1));
        assert_eq!(stretch_rows(&held_out, Some(300)), 5);
    }
}

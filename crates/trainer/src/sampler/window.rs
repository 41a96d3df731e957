//! The order of an epoch for files larger than memory: rows mixed within windows of blocks.
//!
//! Rows lie in blocks of consecutive rows. The file is cut into as many strata of consecutive blocks as
//! a window has blocks, and every window draws one block from each: so every window is a sample of the
//! whole file, also of one that is sorted. An epoch goes through one window after the other, its rows
//! in permuted order. Reads are whole blocks, each once an epoch, and at any time the rows wanted lie
//! in one window. Everything is a function of (seed, epoch, position): nothing is stored but the
//! blocks of the window at hand.
//!
//! Blocks that make no whole stratum go to the first windows, a block each; counting of blocks starts
//! at another one every epoch, so that these are not always the same. Rows beyond the last whole
//! block belong to the last window.

use super::Permutation;
use crate::random::{Purpose, Random};
use std::ops::Range;

/// How rows are cut into blocks and blocks into windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowShape {
    /// Rows of a block; at least 1.
    pub block_rows: u64,
    /// Most blocks of a window; at least 1.
    pub blocks: u64,
}

/// The windows of an epoch.
#[derive(Debug, Clone)]
pub struct Windows {
    rows: u64,
    block_rows: u64,
    /// Whole blocks.
    whole: u64,
    count: u64,
    /// Blocks of the first windows; the others have one less.
    most: u64,
    /// How many windows have the most blocks.
    first: u64,
    /// The block that counting starts at.
    start: u64,
    /// Of the draws from strata.
    block_seed: u64,
    /// Of the order of rows in windows.
    row_seed: u64,
}

/// One window of an epoch, ready to be asked for its rows.
#[derive(Debug, Clone)]
pub struct Window {
    /// Which positions of the epoch it covers.
    pub positions: Range<u64>,
    /// The first row of each of its blocks.
    blocks: Vec<u64>,
    order: Permutation,
}

impl Windows {
    /// The windows of epoch number `epoch` over `rows` rows (at least 1), in a run with this seed.
    pub fn new(rows: u64, shape: WindowShape, seed: u64, epoch: u64) -> Windows {
        let WindowShape { block_rows, blocks } = shape;
        let draws = Random::new(seed, Purpose::Order).part(epoch);
        let whole = rows / block_rows;
        let count = whole.div_ceil(blocks).max(1);
        let most = whole.div_ceil(count);
        Windows {
            rows,
            block_rows,
            whole,
            count,
            most,
            first: whole - most.saturating_sub(1) * count,
            start: (draws.uniform(2) * whole as f64) as u64,
            block_seed: draws.bits(0),
            row_seed: draws.bits(1),
        }
    }

    /// How many windows there are; at least 1.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// A window by its number.
    pub fn window(&self, number: u64) -> Window {
        let mut blocks: Vec<u64> = self.whole_blocks(number).collect();
        if number + 1 == self.count {
            blocks.push(self.whole * self.block_rows);
        }
        let positions = self.positions(number);
        let order = Permutation::new(positions.end - positions.start, self.row_seed, number);
        Window { positions, blocks, order }
    }

    /// Which window covers a position of the epoch.
    pub fn number(&self, position: u64) -> u64 {
        let block = position / self.block_rows;
        let beyond = self.first * self.most;
        let number = if block < beyond {
            block / self.most
        } else {
            self.first + (block - beyond) / self.most.saturating_sub(1).max(1)
        };
        number.min(self.count - 1)
    }

    /// The row at a position of the epoch that `window` covers.
    #[inline]
    pub fn row(&self, window: &Window, position: u64) -> u64 {
        let index = window.order.index(position - window.positions.start);
        window.blocks[(index / self.block_rows) as usize] + index % self.block_rows
    }

    /// The rows of each block of a window.
    pub fn blocks(&self, number: u64) -> impl Iterator<Item = Range<u64>> + '_ {
        let rest = (number + 1 == self.count && self.whole * self.block_rows < self.rows)
            .then_some(self.whole * self.block_rows..self.rows);
        self.whole_blocks(number).map(|first| first..first + self.block_rows).chain(rest)
    }

    /// The first row of each whole block of a window.
    fn whole_blocks(&self, number: u64) -> impl Iterator<Item = u64> + '_ {
        (0..self.slots(number)).map(move |stratum| {
            let size = self.count.min(self.whole - stratum * self.count);
            let drawn = Permutation::new(size, self.block_seed, stratum).index(number);
            (stratum * self.count + drawn + self.start) % self.whole * self.block_rows
        })
    }

    /// How many whole blocks a window has.
    fn slots(&self, number: u64) -> u64 {
        if number < self.first { self.most } else { self.most.saturating_sub(1) }
    }

    fn positions(&self, number: u64) -> Range<u64> {
        let blocks_before = |n: u64| n * self.most.saturating_sub(1) + n.min(self.first);
        let start = blocks_before(number) * self.block_rows;
        let is_last = number + 1 == self.count;
        start..if is_last { self.rows } else { blocks_before(number + 1) * self.block_rows }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epoch(rows: u64, block_rows: u64, blocks: u64, seed: u64, epoch: u64) -> Vec<u64> {
        let windows = Windows::new(rows, WindowShape { block_rows, blocks }, seed, epoch);
        let mut order = Vec::new();
        for number in 0..windows.count() {
            let window = windows.window(number);
            assert_eq!(window.positions.start, order.len() as u64);
            let mut expected: Vec<u64> = windows.blocks(number).flatten().collect();
            let mut got = Vec::new();
            for position in window.positions.clone() {
                assert_eq!(windows.number(position), number);
                got.push(windows.row(&window, position));
            }
            order.extend(&got);
            got.sort_unstable();
            expected.sort_unstable();
            assert_eq!(got, expected, "window {number} holds the rows of its blocks");
        }
        order
    }

    #[test]
    fn every_row_comes_once_whatever_the_shape() {
        for rows in [1, 2, 7, 63, 64, 65, 100, 1000, 1023] {
            for block_rows in [1, 3, 16, 64, 2000] {
                for blocks in [1, 2, 5, 100] {
                    let mut order = epoch(rows, block_rows, blocks, 3, 1);
                    order.sort_unstable();
                    let all: Vec<u64> = (0..rows).collect();
                    assert_eq!(order, all, "{rows} rows, {block_rows} x {blocks}");
                }
            }
        }
    }

    #[test]
    fn every_window_has_rows_of_every_part_of_the_file() {
        let rows = 100_000;
        for blocks in [20, 50, 333] {
            let windows = Windows::new(rows, WindowShape { block_rows: 10, blocks }, 1, 1);
            for number in 0..windows.count() {
                let mut tenths = [0u64; 10];
                windows
                    .blocks(number)
                    .for_each(|run| tenths[(run.start * 10 / rows) as usize] += 1);
                // One block per stratum; one more or less where a tenth cuts a stratum at either end.
                let expected = blocks as f64 / 10.0;
                let even = tenths.iter().all(|&n| (n as f64 - expected).abs() < 3.0);
                assert!(even, "window {number} of {blocks} blocks: {tenths:?}");
            }
        }
    }

    #[test]
    fn any_two_blocks_of_different_strata_are_as_likely_to_meet() {
        // 5 windows of 4 blocks: which of the 5 blocks of the second stratum is with the first block
        // of the first? Blocks are counted from another one every epoch.
        let mut counts = [0u32; 19];
        for e in 0..40_000 {
            let windows = Windows::new(20, WindowShape { block_rows: 1, blocks: 4 }, 7, e);
            let home = (0..5).find(|&n| windows.blocks(n).any(|run| run.start == 0)).unwrap();
            for run in windows.blocks(home).filter(|run| run.start > 0) {
                counts[run.start as usize - 1] += 1;
            }
        }
        // A block never meets those of its own stratum, so near ones meet more seldom, far ones alike.
        let far = &counts[4..14];
        let expected = far.iter().sum::<u32>() as f64 / far.len() as f64;
        let chi: f64 = far.iter().map(|&c| (f64::from(c) - expected).powi(2) / expected).sum();
        assert!(chi < 9.0 + 4.5 * (2.0f64 * 9.0).sqrt(), "{chi}: {counts:?}");
        assert!(counts[..4].iter().chain(&counts[15..]).all(|&c| f64::from(c) < expected));
    }

    #[test]
    fn epochs_and_seeds_differ() {
        let first = epoch(1000, 10, 7, 1, 1);
        assert_eq!(first, epoch(1000, 10, 7, 1, 1));
        assert_ne!(first, epoch(1000, 10, 7, 1, 2));
        assert_ne!(first, epoch(1000, 10, 7, 2, 1));
    }

    /// A chi-square of where the rows of each tenth of the file come in the epoch: with many blocks
    /// to a window every tenth is found everywhere.
    #[test]
    fn rows_of_every_part_of_the_file_come_in_every_part_of_the_epoch() {
        let rows = 100_000;
        let mut counts = [[0u32; 10]; 10];
        for e in 0..20 {
            for (position, row) in epoch(rows, 10, 2000, 5, e).into_iter().enumerate() {
                counts[position * 10 / rows as usize][(row * 10 / rows) as usize] += 1;
            }
        }
        // Twenty epochs of 1,000 blocks of 10 rows a cell: blocks move as one, so a count's variance
        // is at most 10 times that of single rows.
        let expected = 20_000.0;
        let chi: f64 = counts
            .iter()
            .flatten()
            .map(|&c| (f64::from(c) - expected).powi(2) / (10.0 * expected))
            .sum();
        assert!(chi < 81.0 + 4.5 * (2.0f64 * 81.0).sqrt(), "{chi}");
    }
}

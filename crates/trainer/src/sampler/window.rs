//! The order of an epoch for files larger than memory: rows mixed within windows of blocks.
//!
//! Rows lie in blocks of consecutive rows. The blocks are permuted and dealt into windows; an epoch
//! goes through one window after the other, its rows in permuted order. So reads are whole blocks,
//! each once an epoch, and at any time the rows wanted lie in one window. Everything is a function of
//! (seed, epoch, position): nothing is stored but the permutation of the window at hand.
//!
//! Rows beyond the last whole block belong to the last window.

use super::Permutation;
use crate::random::{Purpose, Random};
use std::ops::Range;

/// How rows are cut into blocks and blocks into windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowShape {
    /// Rows of a block; at least 1.
    pub block_rows: u64,
    /// Blocks of a window; at least 1.
    pub blocks: u64,
}

/// The windows of an epoch.
#[derive(Debug, Clone)]
pub struct Windows {
    rows: u64,
    shape: WindowShape,
    /// Whole blocks.
    whole: u64,
    order: Permutation,
    seed: u64,
}

/// One window of an epoch, ready to be asked for its rows.
#[derive(Debug, Clone)]
pub struct Window {
    /// Which positions of the epoch it covers.
    pub positions: Range<u64>,
    /// Its blocks: places in the order of blocks.
    slots: Range<u64>,
    order: Permutation,
}

impl Windows {
    /// The windows of this epoch of a run with this seed over so many rows, at least 1.
    pub fn new(rows: u64, shape: WindowShape, seed: u64, epoch: u64) -> Windows {
        let whole = rows / shape.block_rows;
        let draws = Random::new(seed, Purpose::Order).part(epoch);
        // The order of blocks and that of rows in windows come from seeds of their own.
        let order = Permutation::new(whole, draws.bits(0), 0);
        Windows { rows, shape, whole, order, seed: draws.bits(1) }
    }

    /// How many windows there are; at least 1.
    pub fn count(&self) -> u64 {
        self.whole.div_ceil(self.shape.blocks).max(1)
    }

    /// A window by its number.
    pub fn window(&self, number: u64) -> Window {
        let Range { start, end } = self.slots(number);
        let last = end == self.whole;
        let first = start * self.shape.block_rows;
        let beyond = if last { self.rows } else { end * self.shape.block_rows };
        let order = Permutation::new(beyond - first, self.seed, number);
        Window { positions: first..beyond, slots: start..end, order }
    }

    /// Which window covers a position of the epoch.
    pub fn number(&self, position: u64) -> u64 {
        (position / (self.shape.block_rows * self.shape.blocks)).min(self.count() - 1)
    }

    /// The row at a position of the epoch that `window` covers.
    #[inline]
    pub fn row(&self, window: &Window, position: u64) -> u64 {
        let index = window.order.index(position - window.positions.start);
        let slot = window.slots.start + index / self.shape.block_rows;
        let within = index % self.shape.block_rows;
        if slot < window.slots.end {
            self.order.index(slot) * self.shape.block_rows + within
        } else {
            self.whole * self.shape.block_rows + within
        }
    }

    /// The rows of each block of a window.
    pub fn blocks(&self, number: u64) -> impl Iterator<Item = Range<u64>> + '_ {
        let size = self.shape.block_rows;
        let slots = self.slots(number);
        let rest = (slots.end == self.whole && self.whole * size < self.rows)
            .then_some(self.whole * size..self.rows);
        let block = move |slot| {
            let first = self.order.index(slot) * size;
            first..first + size
        };
        slots.map(block).chain(rest)
    }

    fn slots(&self, number: u64) -> Range<u64> {
        let start = (number * self.shape.blocks).min(self.whole);
        start..(start + self.shape.blocks).min(self.whole)
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

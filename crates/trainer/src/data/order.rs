//! In which order the rows of an epoch come: a function of the seed and the epoch.

use crate::sampler::{Permutation, Window, WindowShape, Windows};
use std::ops::Range;

/// How the rows of every epoch are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shuffling {
    /// As they are stored.
    Stored,
    /// Any row at any place.
    Full,
    /// Blocks at any place, rows mixed within windows of blocks.
    Window(WindowShape),
}

/// The order of one epoch.
#[derive(Debug, Clone)]
pub(crate) enum Order {
    Stored { rows: u64, stretch: u64 },
    Full(Permutation),
    Windows(Windows),
}

impl Order {
    /// The order of `rows` rows, of which `stretch` are read as one where they come as they are stored.
    pub(crate) fn new(how: Shuffling, rows: u64, stretch: u64, seed: u64, epoch: u64) -> Order {
        match how {
            Shuffling::Stored => Order::Stored { rows, stretch },
            Shuffling::Full => Order::Full(Permutation::new(rows, seed, epoch)),
            Shuffling::Window(shape) => Order::Windows(Windows::new(rows, shape, seed, epoch)),
        }
    }

    /// The number of the stretch that a position lies in; `None` where rows come from everywhere.
    pub(super) fn stretch(&self, position: u64) -> Option<u64> {
        match self {
            Order::Stored { stretch, .. } => Some(position / stretch),
            Order::Full(_) => None,
            Order::Windows(windows) => Some(windows.number(position)),
        }
    }

    /// The indices of the rows of a stretch, in runs; none beyond the last stretch.
    pub(super) fn runs(&self, number: u64) -> Vec<Range<u64>> {
        match self {
            Order::Stored { rows, stretch } => {
                let start = (number * stretch).min(*rows);
                let end = (start + stretch).min(*rows);
                Some(start..end).filter(|run| !run.is_empty()).into_iter().collect()
            }
            Order::Full(_) => Vec::new(),
            Order::Windows(windows) if number >= windows.count() => Vec::new(),
            Order::Windows(windows) => {
                let mut runs: Vec<_> = windows.blocks(number).collect();
                // In the order of the file, which the disk likes best.
                runs.sort_unstable_by_key(|run| run.start);
                runs
            }
        }
    }
}

/// The rows of a minibatch, by place.
#[derive(Debug, Default)]
pub(crate) struct Picker {
    windows: Vec<Window>,
}

impl Picker {
    /// Makes ready for these positions.
    pub(crate) fn prepare(&mut self, order: &Order, positions: &Range<u64>) {
        let Order::Windows(windows) = order else { return };
        self.windows.retain(|window| window.positions.end > positions.start);
        let mut next = self.windows.last().map_or(positions.start, |w| w.positions.end);
        while next < positions.end {
            let window = windows.window(windows.number(next));
            next = window.positions.end;
            self.windows.push(window);
        }
    }

    /// The index of the row at a position that it was made ready for.
    #[inline]
    pub(crate) fn index(&self, order: &Order, position: u64) -> u64 {
        match order {
            Order::Stored { .. } => position,
            Order::Full(permutation) => permutation.index(position),
            Order::Windows(windows) => {
                let covers = |window: &&Window| position < window.positions.end;
                let window = self.windows.iter().find(covers).expect("prepared");
                windows.row(window, position)
            }
        }
    }
}

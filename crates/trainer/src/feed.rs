//! In which order rows come, and their way into memory before they are wanted.
//!
//! A thread of its own reads the next stretch of the epoch while the steps of this one run. A step
//! waits only for a stretch that is not there yet, and that time is counted: it is what the disk costs.

use crate::error::TrainError;
use crate::sampler::{Permutation, Window, WindowShape, Windows};
use crate::samples::Samples;
use crate::subset::Subset;
use std::ops::Range;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{Scope, ScopedJoinHandle};
use std::time::{Duration, Instant};

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

/// Bytes of features that are read ahead as one stretch where rows come as they are stored.
const STRETCH_BYTES: u64 = 64 << 20;

impl Order {
    pub(crate) fn new(how: Shuffling, rows: u64, row_bytes: u64, seed: u64, epoch: u64) -> Order {
        match how {
            Shuffling::Stored => {
                Order::Stored { rows, stretch: (STRETCH_BYTES / row_bytes.max(1)).max(1) }
            }
            Shuffling::Full => Order::Full(Permutation::new(rows, seed, epoch)),
            Shuffling::Window(shape) => Order::Windows(Windows::new(rows, shape, seed, epoch)),
        }
    }

    /// The number of the stretch that a position lies in; `None` where rows come from everywhere.
    fn stretch(&self, position: u64) -> Option<u64> {
        match self {
            Order::Stored { stretch, .. } => Some(position / stretch),
            Order::Full(_) => None,
            Order::Windows(windows) => Some(windows.number(position)),
        }
    }

    /// The indices of the rows of a stretch, in runs; none beyond the last stretch.
    fn runs(&self, number: u64) -> Vec<Range<u64>> {
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

/// Reads ahead through one epoch.
pub(crate) struct Feed<'scope> {
    /// Stretches to be read, and stretches to be let go.
    requests: Option<Sender<Request>>,
    done: Receiver<Result<u64, TrainError>>,
    reader: Option<ScopedJoinHandle<'scope, ()>>,
    /// The first stretch that is not known to be there.
    ready: u64,
    /// The first stretch that was not asked for.
    asked: u64,
    /// Whether stretches that were used are let go.
    releases: bool,
    waited: Duration,
}

enum Request {
    Read(u64),
    Release(u64),
}

impl<'scope> Feed<'scope> {
    /// A feed through `order` from `position` on; it lets go of what was used if it `releases`.
    pub(crate) fn start<'env, S: Samples>(
        scope: &'scope Scope<'scope, 'env>,
        order: &'env Order,
        rows: &'env Subset<'_, S>,
        position: u64,
        releases: bool,
    ) -> Feed<'scope> {
        let (requests, inbox) = channel();
        let (outbox, done) = channel();
        let first = order.stretch(position);
        let reader = first.filter(|_| rows.samples().is_paged()).map(|_| {
            scope.spawn(move || {
                for request in inbox {
                    match request {
                        Request::Read(number) => {
                            let result = read(order, rows, number).map(|()| number);
                            if outbox.send(result).is_err() {
                                return;
                            }
                        }
                        Request::Release(number) => {
                            for run in order.runs(number) {
                                rows.samples().release(span(rows, run));
                            }
                        }
                    }
                }
            })
        });
        let first = first.unwrap_or(0);
        let requests = reader.is_some().then_some(requests);
        Feed {
            requests,
            done,
            reader,
            ready: first,
            asked: first,
            releases,
            waited: Duration::ZERO,
        }
    }

    /// Waits until the rows at these positions are in memory.
    ///
    /// # Errors
    /// They cannot be read.
    pub(crate) fn await_rows(
        &mut self,
        order: &Order,
        positions: &Range<u64>,
    ) -> Result<(), TrainError> {
        let Some(requests) = &self.requests else { return Ok(()) };
        let Some(last) = order.stretch(positions.end - 1) else { return Ok(()) };
        // This stretch and the next; what lies behind is let go.
        while self.asked <= last + 1 {
            if let Some(behind) = self.asked.checked_sub(3).filter(|_| self.releases) {
                let _ = requests.send(Request::Release(behind));
            }
            let _ = requests.send(Request::Read(self.asked));
            self.asked += 1;
        }
        while self.ready <= last {
            let began = Instant::now();
            let read = self.done.recv();
            self.waited += began.elapsed();
            match read {
                Ok(result) => self.ready = result? + 1,
                // The reader is gone, as it may be at the end: rows are then read when touched.
                Err(_) => break,
            }
        }
        Ok(())
    }

    /// Ends the feed; how long steps waited for it.
    pub(crate) fn finish(mut self) -> Duration {
        self.requests = None;
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
        self.waited
    }
}

fn read<S: Samples>(order: &Order, rows: &Subset<'_, S>, number: u64) -> Result<(), TrainError> {
    for run in order.runs(number) {
        rows.samples().populate(span(rows, run))?;
    }
    Ok(())
}

/// The rows of the data set from the first to the last of a run of indices.
fn span<S: Samples>(rows: &Subset<'_, S>, run: Range<u64>) -> Range<u64> {
    rows.row(run.start)..rows.row(run.end - 1) + 1
}

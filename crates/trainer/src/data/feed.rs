//! The way of rows into memory before they are wanted.
//!
//! A thread of its own reads the next stretch of the epoch while the steps of this one run. A step
//! waits only for a stretch that is not there yet, and that time is counted: it is what the disk costs.

use super::order::Order;
use crate::data::samples::Samples;
use crate::data::subset::Subset;
use crate::error::TrainError;
use crate::threads;
use gristmill_io::Advice;
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread::{Scope, ScopedJoinHandle};
use std::time::{Duration, Instant};

/// How the rows of a file get into memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paging {
    /// They are there: the data are no file.
    None,
    /// The file is read from its beginning to its end while the first steps run, and stays.
    Load,
    /// The next stretch of the epoch is read while this one is trained on; what was used stays.
    Ahead,
    /// As `Ahead`, and what was used is let go, so that memory holds two stretches.
    AheadAndDrop,
    /// A step reads the rows that it needs, each by itself: the whole file does not fit.
    Scattered,
}

/// Reads ahead through one epoch.
pub(crate) struct Feed<'scope> {
    /// What the reader is to do.
    requests: Option<Sender<Request>>,
    done: Receiver<Result<u64, TrainError>>,
    reader: Option<ScopedJoinHandle<'scope, ()>>,
    /// The first stretch that is not known to be there.
    ready: u64,
    /// The first stretch that was not asked for.
    asked: u64,
    /// The first stretch that was not let go.
    kept: u64,
    paging: Paging,
    waited: Duration,
}

enum Request {
    Read(u64),
    Drop(u64),
}

/// Small reads that are requested ahead: a disk delivers more bytes a second when several requests wait.
const READS: usize = 16;
/// Bytes of one read. Its end is the most; a read above its start keeps a disk busy by itself, without others
/// requested beside it.
const READ_BYTES: Range<u64> = 2 << 20..16 << 20;

impl<'scope> Feed<'scope> {
    /// A feed through `order` from `position` on.
    ///
    /// # Errors
    /// The system refuses to start the thread that reads.
    pub(crate) fn start<'env, S: Samples>(
        scope: &'scope Scope<'scope, 'env>,
        order: &'env Order,
        rows: &'env Subset<'_, S>,
        position: u64,
        paging: Paging,
    ) -> Result<Feed<'scope>, TrainError> {
        let (requests, inbox) = channel();
        let (outbox, done) = channel();
        let reader = match paging {
            Paging::None | Paging::Scattered => None,
            Paging::Load => Some(threads::spawn(scope, "load", move || {
                let is_over = || matches!(inbox.try_recv(), Err(TryRecvError::Disconnected));
                if let Err(error) = load(rows.samples(), is_over) {
                    let _ = outbox.send(Err(error));
                }
            })?),
            Paging::Ahead | Paging::AheadAndDrop => {
                Some(threads::spawn(scope, "read", move || {
                    for request in inbox {
                        match request {
                            Request::Read(number) => {
                                let result = read(order, rows, number).map(|()| number);
                                if outbox.send(result).is_err() {
                                    return;
                                }
                            }
                            Request::Drop(number) => {
                                for run in only_in(order, rows, number) {
                                    rows.samples().advise(run, Advice::DontNeed);
                                }
                            }
                        }
                    }
                })?)
            }
        };
        let first = order.stretch(position).unwrap_or(0);
        Ok(Feed {
            requests: reader.is_some().then_some(requests),
            done,
            reader,
            ready: first,
            asked: first,
            kept: first,
            paging,
            waited: Duration::ZERO,
        })
    }

    /// Waits until the rows at these positions are in memory, if they are read ahead.
    ///
    /// # Errors
    /// They cannot be read.
    pub(crate) fn await_rows(
        &mut self,
        order: &Order,
        positions: &Range<u64>,
    ) -> Result<(), TrainError> {
        let Some(requests) = &self.requests else { return Ok(()) };
        let stretches = order.stretch(positions.start).zip(order.stretch(positions.end - 1));
        let Some((first, last)) = stretches else {
            // The file is being loaded; this is an error or nothing.
            return self.done.try_recv().map_or(Ok(()), |result| result.map(drop));
        };
        if self.paging == Paging::AheadAndDrop {
            (self.kept..first).for_each(|number| drop(requests.send(Request::Drop(number))));
            self.kept = first;
        }
        // Nothing is read ahead before what lies behind is let go.
        while self.asked <= last.max(first + 1) {
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
        if let Some(requests) = self.requests.take()
            && self.paging == Paging::AheadAndDrop
        {
            // Others are to have the memory now.
            (self.kept..self.asked).for_each(|number| drop(requests.send(Request::Drop(number))));
        }
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        }
        self.waited
    }
}

/// Reads the rows of a stretch.
fn read<S: Samples>(order: &Order, rows: &Subset<'_, S>, number: u64) -> Result<(), TrainError> {
    let spans = order.runs(number).into_iter().map(|run| span(rows, run));
    read_spans(rows.samples(), spans, || false)
}

/// Reads all rows, unless it is over before.
fn load<S: Samples>(samples: &S, is_over: impl Fn() -> bool) -> Result<(), TrainError> {
    read_spans(samples, std::iter::once(0..samples.rows()), is_over)
}

/// Reads rows in this order, several pieces at a time.
fn read_spans<S: Samples>(
    samples: &S,
    spans: impl Iterator<Item = Range<u64>>,
    is_over: impl Fn() -> bool,
) -> Result<(), TrainError> {
    let row_bytes = samples.row_bytes().max(1);
    let size = (READ_BYTES.end / row_bytes).max(1);
    let pieces = spans.flat_map(|span| {
        let end = span.end;
        span.step_by(size as usize).map(move |start| start..end.min(start + size))
    });
    let mut asked = VecDeque::with_capacity(READS);
    for piece in pieces {
        let is_large = (piece.end - piece.start) * row_bytes > READ_BYTES.start;
        if !is_large {
            samples.advise(piece.clone(), Advice::WillNeed);
        }
        asked.push_back(piece);
        if is_large || asked.len() == READS {
            asked.pop_front().map_or(Ok(()), |piece| samples.populate(piece))?;
        }
        if is_over() {
            return Ok(());
        }
    }
    Ok(asked.into_iter().try_for_each(|piece| samples.populate(piece))?)
}

/// The rows of the data set from the first to the last of a run of indices.
fn span<S: Samples>(rows: &Subset<'_, S>, run: Range<u64>) -> Range<u64> {
    rows.row(run.start)..rows.row(run.end - 1) + 1
}

/// The rows of a stretch, without those that samples of the two after it have too: these are in memory now.
fn only_in<S: Samples>(order: &Order, rows: &Subset<'_, S>, number: u64) -> Vec<Range<u64>> {
    let overlap = rows.samples().overlap();
    let extents = |number: u64| {
        let spans = order.runs(number).into_iter().map(|run| span(rows, run));
        spans.map(|span| span.start..span.end + overlap)
    };
    if overlap == 0 {
        return extents(number).collect();
    }
    let mut others: Vec<Range<u64>> = extents(number + 1).chain(extents(number + 2)).collect();
    others.sort_unstable_by_key(|extent| extent.start);
    let mut left = Vec::new();
    for Range { mut start, end } in extents(number) {
        // Extents reach equally far beyond their runs, so that they end in the order in which they start.
        let first = others.partition_point(|other| other.end <= start);
        for other in others[first..].iter().take_while(|other| other.start < end) {
            left.extend((start < other.start).then_some(start..other.start));
            start = start.max(other.end);
        }
        left.extend((start < end).then_some(start..end));
    }
    left
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::data::order::{Picker, Shuffling};
    use crate::data::samples::Table;
    use crate::data::windows::Windows;
    use crate::sampler::WindowShape;
    use gristmill_io::model::Series;
    use gristmill_io::schema::{Encoding, Statistics};
    use gristmill_kernels::Element;
    use std::sync::Mutex;

    pub(crate) const ROWS: u64 = 1000;
    const BATCH: u64 = 30;

    /// A table that takes note of which of its rows would be in memory.
    pub(crate) struct Paged {
        table: Table,
        /// Of each row, and the most there were at any time.
        there: Mutex<(Vec<bool>, usize)>,
        /// From this row on nothing can be read.
        broken: u64,
    }

    impl Paged {
        pub(crate) fn new(broken: u64) -> Paged {
            let targets = (0..ROWS).map(|row| row as f32).collect();
            let table = Table::of_numbers(&vec![1.0; ROWS as usize], targets, 1).unwrap();
            Paged { table, there: Mutex::new((vec![false; ROWS as usize], 0)), broken }
        }

        /// How many of its rows are in memory.
        pub(crate) fn there(&self) -> usize {
            self.there.lock().unwrap().0.iter().filter(|&&row| row).count()
        }

        /// Whether a row is.
        pub(crate) fn has(&self, row: u64) -> bool {
            self.there.lock().unwrap().0[row as usize]
        }

        /// The most that were at any time.
        pub(crate) fn most(&self) -> u64 {
            self.there.lock().unwrap().1 as u64
        }

        fn note(&self, rows: Range<u64>, is_there: bool) {
            let (there, most) = &mut *self.there.lock().unwrap();
            there[rows.start as usize..rows.end as usize].fill(is_there);
            *most = (*most).max(there.iter().filter(|&&row| row).count());
        }
    }

    impl Samples for Paged {
        fn rows(&self) -> u64 {
            self.table.rows()
        }
        fn element(&self) -> Element {
            self.table.element()
        }
        fn row(&self, row: u64) -> &[u8] {
            self.table.row(row)
        }
        fn consecutive(&self, rows: Range<u64>) -> Option<&[u8]> {
            self.table.consecutive(rows)
        }
        fn label(&self, row: u64) -> u32 {
            self.table.label(row)
        }
        fn targets(&self, row: u64, out: &mut [f32]) {
            self.table.targets(row, out);
        }
        fn weight(&self, row: u64) -> f32 {
            self.table.weight(row)
        }
        fn encoding(&self) -> &Encoding {
            self.table.encoding()
        }
        fn statistics(&self) -> &[Statistics] {
            self.table.statistics()
        }
        fn target_statistics(&self) -> &[Statistics] {
            self.table.target_statistics()
        }
        fn fingerprint(&self) -> u64 {
            self.table.fingerprint()
        }
        fn is_paged(&self) -> bool {
            true
        }
        fn populate(&self, rows: Range<u64>) -> Result<(), gristmill_io::Error> {
            if rows.end > self.broken {
                return Err(gristmill_io::Error::Invalid("broken".to_owned()));
            }
            self.note(rows, true);
            Ok(())
        }
        fn advise(&self, rows: Range<u64>, advice: Advice) {
            if advice == Advice::DontNeed {
                self.note(rows, false);
            }
        }
    }

    /// Goes through an epoch; the most rows that were there at a time.
    fn run(how: Shuffling, paging: Paging, from: u64, samples: &Paged) -> Result<u64, TrainError> {
        run_windows(how, paging, from, samples, None)
    }

    /// The same, of windows of the rows.
    fn run_windows(
        how: Shuffling,
        paging: Paging,
        from: u64,
        samples: &Paged,
        series: Option<Series>,
    ) -> Result<u64, TrainError> {
        let windows = Windows::new(samples, series)?;
        let (count, overlap) = (windows.rows(), windows.overlap());
        let order = Order::new(how, count, 40, 1, 1);
        let rows = Subset::of(windows);
        std::thread::scope(|scope| {
            let mut feed = Feed::start(scope, &order, &rows, from, paging)?;
            let mut picker = Picker::default();
            let mut result = Ok(());
            for start in (from..count).step_by(BATCH as usize) {
                let positions = start..count.min(start + BATCH);
                result = feed.await_rows(&order, &positions);
                if result.is_err() {
                    break;
                }
                picker.prepare(&order, &positions);
                for position in positions {
                    let first = picker.index(&order, position);
                    for row in first..=first + overlap {
                        assert!(samples.has(row), "{how:?}: row {row} of {first} is not there");
                    }
                }
            }
            feed.finish();
            result
        })?;
        Ok(samples.most())
    }

    #[test]
    fn rows_are_there_when_a_step_wants_them_and_at_most_two_windows_are() {
        for shape in
            [WindowShape { block_rows: 7, blocks: 20 }, WindowShape { block_rows: 3, blocks: 2 }]
        {
            let how = Shuffling::Window(shape);
            for from in [0, 330] {
                let most = run(how, Paging::AheadAndDrop, from, &Paged::new(ROWS)).unwrap();
                let window = shape.block_rows * shape.blocks + ROWS % shape.block_rows;
                assert!(most <= (2 * window).max(BATCH + 2 * window), "{shape:?}: {most} rows");
            }
            let kept = run(how, Paging::Ahead, 0, &Paged::new(ROWS)).unwrap();
            assert_eq!(kept, ROWS);
        }
        assert_eq!(run(Shuffling::Stored, Paging::Ahead, 0, &Paged::new(ROWS)).unwrap(), ROWS);
    }

    #[test]
    fn all_rows_of_windows_are_there_and_are_dropped_when_none_has_them() {
        let series = Some(Series { window: 9, horizon: 4 });
        let overlap = 12;
        let orders = [
            (Shuffling::Window(WindowShape { block_rows: 20, blocks: 5 }), 20, 5),
            (Shuffling::Window(WindowShape { block_rows: 3, blocks: 4 }), 3, 4),
            (Shuffling::Stored, 40, 1),
        ];
        for (how, block_rows, blocks) in orders {
            for from in [0, 330] {
                let samples = Paged::new(ROWS);
                let most = run_windows(how, Paging::AheadAndDrop, from, &samples, series).unwrap();
                let window = (block_rows + overlap) * blocks + (ROWS - overlap) % block_rows;
                assert!(most <= BATCH + 3 * window, "{how:?}: {most} rows");
                assert_eq!(samples.there(), 0, "{how:?} from {from}");
            }
        }
    }

    #[test]
    fn a_file_that_cannot_be_read_is_an_error() {
        let shape = WindowShape { block_rows: 10, blocks: 4 };
        let broken = Paged::new(500);
        let result = run(Shuffling::Window(shape), Paging::AheadAndDrop, 0, &broken);
        assert!(matches!(result, Err(TrainError::Io(_))), "{result:?}");
    }

    #[test]
    fn what_is_loaded_is_all_there_in_the_end() {
        let samples = Paged::new(ROWS);
        load(&samples, || false).unwrap();
        assert_eq!(samples.most(), ROWS);
        assert!(load(&Paged::new(500), || false).is_err());
    }
}

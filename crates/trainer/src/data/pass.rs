//! One pass over rows in the order of the file, which are read before they are wanted and let go after
//! where they do not all fit. For validation, evaluation and prediction; training has orders of its own.

use crate::data::feed::{Feed, Paging};
use crate::data::memory;
use crate::data::order::{Order, Shuffling};
use crate::data::samples::Samples;
use crate::data::subset::Subset;
use crate::error::TrainError;
use gristmill_io::Advice;
use std::ops::Range;
use std::time::Duration;

/// A pass over some rows.
pub struct Pass<'a, 'd, S> {
    rows: &'a Subset<'d, S>,
    order: Order,
    paging: Paging,
}

impl<'a, 'd, S: Samples> Pass<'a, 'd, S> {
    /// A pass beside other work, with `budget` bytes of memory for rows; `None` is no limit but the
    /// machine's.
    pub(crate) fn new(
        rows: &'a Subset<'d, S>,
        paging: Paging,
        budget: Option<u64>,
    ) -> Pass<'a, 'd, S> {
        let stretch = memory::stretch_rows(rows, budget);
        Pass { rows, order: Order::new(Shuffling::Stored, rows.len(), stretch, 0, 0), paging }
    }

    /// A pass that has the memory and the data set to itself.
    pub fn alone(rows: &'a Subset<'d, S>, budget: Option<u64>) -> Pass<'a, 'd, S> {
        let samples = rows.samples();
        samples.advise(0..samples.rows(), Advice::Parts);
        Pass::new(rows, memory::paging(Shuffling::Stored, samples, budget), budget)
    }

    /// The rows of the pass.
    pub fn rows(&self) -> &'a Subset<'d, S> {
        self.rows
    }

    /// Hands out the indices of the rows, at most `batch` at a time, each when its row is in memory.
    /// Returns for how long it waited for that.
    ///
    /// # Errors
    /// The file has changed or cannot be read, or what `each` fails with.
    pub(crate) fn run<E: From<TrainError>>(
        &self,
        batch: u64,
        mut each: impl FnMut(Range<u64>) -> Result<(), E>,
    ) -> Result<Duration, E> {
        let rows = self.rows.len();
        self.rows.samples().check_unchanged().map_err(TrainError::from)?;
        std::thread::scope(|scope| {
            let mut feed = Feed::start(scope, &self.order, self.rows, 0, self.paging)?;
            let mut result = Ok(());
            for start in (0..rows).step_by(batch as usize) {
                let indices = start..rows.min(start + batch);
                result = feed.await_rows(&self.order, &indices).map_err(E::from);
                result = result.and_then(|()| each(indices));
                if result.is_err() {
                    break;
                }
            }
            let waited = feed.finish();
            result?;
            // What was written to meanwhile was not what it seemed to be.
            self.rows.samples().check_unchanged().map_err(TrainError::from)?;
            Ok(waited)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::feed::tests::{Paged, ROWS};
    use crate::sampler::Split;

    /// So many bytes make stretches of 25 rows.
    const BUDGET: Option<u64> = Some(300);
    const BATCH: u64 = 7;

    /// The rows that a pass hands out, each of which must be in memory.
    fn visit(samples: &Paged, pass: &Pass<'_, '_, Paged>) -> Result<Vec<u64>, TrainError> {
        let mut visited = Vec::new();
        pass.run(BATCH, |indices| {
            assert!(indices.end - indices.start <= BATCH);
            for row in indices.map(|index| pass.rows().row(index)) {
                assert!(samples.has(row), "row {row} is not there");
                visited.push(row);
            }
            Ok::<(), TrainError>(())
        })?;
        Ok(visited)
    }

    #[test]
    fn every_row_is_read_before_its_turn_and_dropped_after_it() {
        let samples = Paged::new(ROWS);
        let all = Subset::all(&samples);
        let visited = visit(&samples, &Pass::new(&all, Paging::AheadAndDrop, BUDGET)).unwrap();
        assert_eq!(visited, (0..ROWS).collect::<Vec<_>>());
        assert!(samples.most() <= 2 * 25 + BATCH, "{} rows", samples.most());
        assert_eq!(samples.there(), 0);
        visit(&samples, &Pass::new(&all, Paging::Ahead, BUDGET)).unwrap();
        assert_eq!(samples.there() as u64, ROWS);
    }

    #[test]
    fn a_few_rows_of_many_take_no_more_memory() {
        let samples = Paged::new(ROWS);
        let (_, held_out) = Subset::both(&samples, Split::random(ROWS, 0.1, 1));
        let visited = visit(&samples, &Pass::new(&held_out, Paging::AheadAndDrop, BUDGET)).unwrap();
        let expected: Vec<u64> = (0..100).map(|index| held_out.row(index)).collect();
        assert_eq!(visited, expected);
        // Two stretches and what a batch reaches beyond, and chance in how far apart rows are.
        assert!(samples.most() <= 200, "{} rows", samples.most());
    }

    #[test]
    fn it_ends_with_the_first_error() {
        let broken = Paged::new(500);
        let result =
            visit(&broken, &Pass::new(&Subset::all(&broken), Paging::AheadAndDrop, BUDGET));
        assert!(matches!(result, Err(TrainError::Io(_))), "{result:?}");

        let samples = Paged::new(ROWS);
        let all = Subset::all(&samples);
        let mut batches = 0;
        let result = Pass::new(&all, Paging::Ahead, BUDGET).run(BATCH, |indices| {
            batches += 1;
            match indices.start < 3 * BATCH {
                true => Ok(()),
                false => Err(TrainError::Data("enough".to_owned())),
            }
        });
        assert!(matches!(result, Err(TrainError::Data(_))), "{result:?}");
        assert_eq!(batches, 4);
    }
}

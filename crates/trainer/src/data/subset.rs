//! The rows of a data set that take part: all of them, or one side of a split.

use crate::data::samples::Samples;
use crate::data::windows::Windows;
use crate::sampler::Split;
use std::ops::Range;
use std::sync::Arc;

/// Some rows of a data set, numbered from 0 in the order of the data set.
pub struct Subset<'d, S> {
    samples: Arc<Windows<'d, S>>,
    rows: Rows,
}

enum Rows {
    /// These, one after the other.
    Run(Range<u64>),
    Training(Arc<Split>),
    Validation(Arc<Split>),
}

impl<'d, S: Samples> Subset<'d, S> {
    /// Every row.
    pub fn all(samples: &'d S) -> Subset<'d, S> {
        Subset::of(Windows::none(samples))
    }

    /// Every sample.
    pub fn of(samples: Windows<'d, S>) -> Subset<'d, S> {
        let rows = Rows::Run(0..samples.rows());
        Subset { samples: Arc::new(samples), rows }
    }

    /// Runs of consecutive samples.
    pub fn runs<const N: usize>(
        samples: Windows<'d, S>,
        runs: [Range<u64>; N],
    ) -> [Subset<'d, S>; N] {
        let samples = Arc::new(samples);
        runs.map(|run| Subset { samples: Arc::clone(&samples), rows: Rows::Run(run) })
    }

    /// Both sides of a split: the rows to learn from, and those to validate on.
    pub fn both(samples: &'d S, split: Split) -> (Subset<'d, S>, Subset<'d, S>) {
        let (samples, split) = (Arc::new(Windows::none(samples)), Arc::new(split));
        let rows = Rows::Training(Arc::clone(&split));
        let training = Subset { samples: Arc::clone(&samples), rows };
        (training, Subset { samples, rows: Rows::Validation(split) })
    }

    /// The data set that the rows are of.
    pub fn samples(&self) -> &Windows<'d, S> {
        &self.samples
    }

    /// How many rows there are.
    pub fn len(&self) -> u64 {
        match &self.rows {
            Rows::Run(run) => run.end - run.start,
            Rows::Training(split) => split.training_rows(),
            Rows::Validation(split) => split.validation_rows(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The row of the data set that is number `index` here.
    ///
    /// # Panics
    /// If there is none.
    #[inline]
    pub fn row(&self, index: u64) -> u64 {
        match &self.rows {
            Rows::Run(run) => run.start + index,
            Rows::Training(split) => split.training_row(index),
            Rows::Validation(split) => split.validation_row(index),
        }
    }
}

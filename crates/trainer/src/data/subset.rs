//! The rows of a data set that take part: all of them, or one side of a split.

use crate::data::samples::Samples;
use crate::sampler::Split;
use std::sync::Arc;

/// Some rows of a data set, numbered from 0 in the order of the data set.
pub struct Subset<'d, S> {
    samples: &'d S,
    rows: Rows,
}

enum Rows {
    All(u64),
    Training(Arc<Split>),
    Validation(Arc<Split>),
}

impl<'d, S: Samples> Subset<'d, S> {
    /// Every row.
    pub fn all(samples: &'d S) -> Subset<'d, S> {
        Subset { samples, rows: Rows::All(samples.rows()) }
    }

    /// Both sides of a split: the rows to learn from, and those to validate on.
    pub fn both(samples: &'d S, split: Split) -> (Subset<'d, S>, Subset<'d, S>) {
        let split = Arc::new(split);
        let training = Subset { samples, rows: Rows::Training(Arc::clone(&split)) };
        (training, Subset { samples, rows: Rows::Validation(split) })
    }

    /// The data set that the rows are of.
    pub fn samples(&self) -> &'d S {
        self.samples
    }

    /// How many rows there are.
    pub fn len(&self) -> u64 {
        match &self.rows {
            Rows::All(rows) => *rows,
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
            Rows::All(_) => index,
            Rows::Training(split) => split.training_row(index),
            Rows::Validation(split) => split.validation_row(index),
        }
    }
}

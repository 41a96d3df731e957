//! Some rows of a data set, as the gather takes them.

use crate::data::samples::Samples;
use gristmill_kernels::RowSource;

/// Rows by their numbers.
pub(crate) struct Picked<'a, S> {
    pub(crate) samples: &'a S,
    pub(crate) rows: &'a [u64],
}

impl<S: Samples> RowSource for Picked<'_, S> {
    fn len(&self) -> usize {
        self.rows.len()
    }
    #[inline(always)]
    fn row(&self, i: usize) -> &[u8] {
        self.samples.row(self.rows[i])
    }
}

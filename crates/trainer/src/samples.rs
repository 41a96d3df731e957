//! Where training rows come from: a mapped data set, or arrays in memory.

use gristmill_io::{Dataset, Dtype};
use gristmill_kernels::Element;

/// Rows of features with what is to be predicted from them.
pub trait Samples: Sync {
    /// Number of rows.
    fn rows(&self) -> u64;
    /// Features of a row.
    fn features(&self) -> usize;
    /// How a feature is stored.
    fn element(&self) -> Element;
    /// The features of a row as little-endian bytes: `features()` elements.
    fn row(&self, row: u64) -> &[u8];
    /// The class of a row; 0 where targets are numbers.
    fn label(&self, row: u64) -> u32;
    /// The numeric targets of a row; untouched where targets are classes.
    fn targets(&self, row: u64, out: &mut [f32]);
    /// The weight of a row, 1 unless given.
    fn weight(&self, row: u64) -> f32;
}

impl Samples for Dataset {
    fn rows(&self) -> u64 {
        Dataset::rows(self)
    }
    fn features(&self) -> usize {
        Dataset::features(self)
    }
    fn element(&self) -> Element {
        match self.dtype() {
            Dtype::U8 => Element::U8,
            Dtype::F16 => Element::F16,
            Dtype::F32 => Element::F32,
        }
    }
    #[inline]
    fn row(&self, row: u64) -> &[u8] {
        Dataset::row(self, row)
    }
    #[inline]
    fn label(&self, row: u64) -> u32 {
        Dataset::label(self, row)
    }
    #[inline]
    fn targets(&self, row: u64, out: &mut [f32]) {
        Dataset::targets(self, row, out);
    }
    #[inline]
    fn weight(&self, row: u64) -> f32 {
        Dataset::weight(self, row)
    }
}

//! What the tests of several kernels share.

use crate::simd::{LANES, Row};

/// Counts of samples, units or features that leave lanes, blocks and tiles partly filled.
pub(crate) const ODD_SIZES: [usize; 6] = [1, 7, 16, 17, 33, 100];

/// A small generator of test values (splitmix64).
pub(crate) struct Draw(pub(crate) u64);

impl Draw {
    /// Uniform in [-1, 1), a multiple of 2^-23.
    pub(crate) fn unit(&mut self) -> f32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((x ^ (x >> 31)) >> 40) as f32 / 8_388_608.0 - 1.0
    }

    /// Uniform below `n`.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        ((f64::from(self.unit()) + 1.0) / 2.0 * n as f64) as usize
    }

    /// Rows of values within `scale` of 0.
    pub(crate) fn rows(&mut self, count: usize, scale: f32) -> Vec<Row> {
        (0..count).map(|_| std::array::from_fn(|_| self.unit() * scale)).collect()
    }
}

/// Where the element (row, col) of a panel matrix of `rows` rows stands in its flattened panels.
pub(crate) fn place(rows: usize, row: usize, col: usize) -> usize {
    (col / LANES * rows + row) * LANES + col % LANES
}

/// The bits, so that -0 and NaN count.
pub(crate) fn bits(rows: &[Row]) -> Vec<u32> {
    rows.as_flattened().iter().map(|x| x.to_bits()).collect()
}

/// Asserts |got - want| <= tolerance (1 + |want|).
#[track_caller]
pub(crate) fn assert_close(got: f32, want: f64, tolerance: f64, what: &str) {
    let error = (f64::from(got) - want).abs();
    assert!(error <= tolerance * (1.0 + want.abs()), "{what}: {got}, not {want}");
}

/// The values of one sample, of panels of `units` rows.
pub(crate) fn sample(rows: &[Row], units: usize, sample: usize) -> Vec<f64> {
    let panel = &rows[sample / LANES * units..][..units];
    panel.iter().map(|row| f64::from(row[sample % LANES])).collect()
}

/// The derivative of `f` by element `i` of `x`, by central differences.
pub(crate) fn slope(f: impl Fn(&[f64]) -> f64, x: &[f64], i: usize) -> f64 {
    let h = 1e-5;
    let mut shifted = x.to_vec();
    shifted[i] = x[i] + h;
    let above = f(&shifted);
    shifted[i] = x[i] - h;
    (above - f(&shifted)) / (2.0 * h)
}

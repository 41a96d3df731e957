//! Gradients of bias terms: errors summed over the samples.

use crate::isa::Isa;
use crate::panels::Panels;
use crate::simd::{Kernel, LANES, Row, Simd};

/// Adds to `sums[i]` the panels of row `i` of `errors`, in order; the lanes stay apart.
///
/// # Panics
/// If `sums` has another length than `errors` has rows.
pub fn accumulate_rows(isa: Isa, errors: Panels<'_>, sums: &mut [Row]) {
    assert_eq!(errors.row_count(), sums.len(), "a sum per row");
    isa.run(Accumulate { errors, sums });
}

/// Adds up the lanes of each row of `sums`: sixteen totals a row of `totals`.
///
/// # Panics
/// If `totals` has no room for all.
pub fn total_lanes(isa: Isa, sums: &[Row], totals: &mut [Row]) {
    assert!(totals.len() * LANES >= sums.len(), "a total per sum");
    isa.run(Total { sums, totals });
}

struct Accumulate<'a> {
    errors: Panels<'a>,
    sums: &'a mut [Row],
}

impl Kernel for Accumulate<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        for panel in 0..self.errors.panel_count() {
            for (sum, row) in self.sums.iter_mut().zip(self.errors.panel(panel)) {
                simd.store(sum, simd.add(simd.load(sum), simd.load(row)));
            }
        }
    }
}

struct Total<'a> {
    sums: &'a [Row],
    totals: &'a mut [Row],
}

impl Kernel for Total<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        for (total, sum) in self.totals.as_flattened_mut().iter_mut().zip(self.sums) {
            *total = simd.sum(simd.load(sum));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_on_odd_shapes() {
        for isa in Isa::available() {
            for rows in [1usize, 7, 17, 33, 100] {
                let errors: Vec<Row> = (0..3 * rows).map(|i| [(i % rows) as f32; LANES]).collect();
                let mut sums = vec![[0.5; LANES]; rows];
                accumulate_rows(isa, Panels::new(&errors, rows), &mut sums);
                let mut totals = vec![[0.0; LANES]; rows.div_ceil(LANES)];
                total_lanes(isa, &sums, &mut totals);
                for (i, total) in totals.as_flattened()[..rows].iter().enumerate() {
                    assert_eq!(*total, 16.0 * (3.0 * i as f32 + 0.5), "{isa} {rows}");
                }
            }
        }
    }
}

//! Bias terms: spread over the samples before a product, summed over them after.

use crate::isa::Isa;
use crate::panels::{Panels, PanelsMut};
use crate::simd::{Kernel, LANES, Row, Simd};

/// Sets every sample of row `i` of `z` to bias term `i`, or to zero where there are no terms.
///
/// `bias` holds sixteen terms a row, or is empty.
///
/// # Panics
/// If there are terms, but fewer than rows of `z`.
pub fn spread_bias(isa: Isa, bias: &[Row], z: PanelsMut<'_>) {
    assert!(bias.is_empty() || bias.len() * LANES >= z.row_count(), "a term per row");
    isa.run(Spread { bias, z });
}

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

struct Spread<'a> {
    bias: &'a [Row],
    z: PanelsMut<'a>,
}

impl Kernel for Spread<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        for panel in 0..self.z.panel_count() {
            let rows = self.z.panel_mut(panel);
            if self.bias.is_empty() {
                for row in rows {
                    simd.store(row, simd.splat(0.0));
                }
            } else {
                for (row, &term) in rows.iter_mut().zip(self.bias.as_flattened()) {
                    simd.store(row, simd.splat(term));
                }
            }
        }
    }
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
    fn spread_and_totals_on_odd_shapes() {
        for isa in Isa::available() {
            for rows in [1usize, 7, 17, 33, 100] {
                let bias: Vec<Row> = (0..rows.div_ceil(LANES))
                    .map(|r| std::array::from_fn(|lane| (r * LANES + lane) as f32))
                    .collect();
                let mut z = vec![[9.0; LANES]; 3 * rows];
                spread_bias(isa, &bias, PanelsMut::new(&mut z, rows));
                for (i, row) in z.iter().enumerate() {
                    assert_eq!(*row, [(i % rows) as f32; LANES]);
                }
                let mut sums = vec![[0.5; LANES]; rows];
                accumulate_rows(isa, Panels::new(&z, rows), &mut sums);
                let mut totals = vec![[0.0; LANES]; bias.len()];
                total_lanes(isa, &sums, &mut totals);
                for (i, total) in totals.as_flattened()[..rows].iter().enumerate() {
                    assert_eq!(*total, 16.0 * (3.0 * i as f32 + 0.5), "{isa} {rows}");
                }
                spread_bias(isa, &[], PanelsMut::new(&mut z, rows));
                assert!(z.iter().flatten().all(|&x| x == 0.0));
            }
        }
    }
}

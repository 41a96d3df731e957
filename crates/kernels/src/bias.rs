//! Gradients of bias terms: errors summed over the samples.

use crate::isa::Isa;
use crate::panels::{Panels, panels};
use crate::simd::{Kernel, LANES, Row, Simd};

/// Adds to `sums[i]` the panels of row `i` of `errors`, in order; the lanes stay apart.
///
/// # Panics
/// If `sums` has another length than `errors` has rows.
pub fn accumulate_rows(isa: Isa, errors: Panels<'_>, sums: &mut [Row]) {
    assert_eq!(errors.row_count(), sums.len(), "a sum per row");
    isa.run(Accumulate { errors, sums });
}

/// Adds up the lanes of each row of `sums`, in the order of [`Simd::sum`]: sixteen totals a row of
/// `totals`, the last padded with zeros.
///
/// # Panics
/// If `totals` has another length.
pub fn total_lanes(isa: Isa, sums: &[Row], totals: &mut [Row]) {
    assert_eq!(totals.len(), panels(sums.len()), "sixteen totals a row");
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
        for (sums, total) in self.sums.chunks(LANES).zip(self.totals) {
            let Ok(block) = <&[Row; LANES]>::try_from(sums) else {
                *total = [0.0; LANES];
                for (total, sum) in total.iter_mut().zip(sums) {
                    *total = simd.sum(simd.load(sum));
                }
                continue;
            };
            // Turned, the lanes of sixteen rows are rows, which are added up side by side.
            let mut lanes = [[0.0; LANES]; LANES];
            simd.transpose(block, &mut lanes);
            let mut width = LANES / 2;
            while width > 0 {
                for i in 0..width {
                    let sum = simd.add(simd.load(&lanes[i]), simd.load(&lanes[i + width]));
                    simd.store(&mut lanes[i], sum);
                }
                width /= 2;
            }
            *total = lanes[0];
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
                let mut totals = vec![[f32::NAN; LANES]; rows.div_ceil(LANES)];
                total_lanes(isa, &sums, &mut totals);
                let (totals, padding) = totals.as_flattened().split_at(rows);
                for (i, total) in totals.iter().enumerate() {
                    assert_eq!(*total, 16.0 * (3.0 * i as f32 + 0.5), "{isa} {rows}");
                }
                assert!(padding.iter().all(|&x| x == 0.0), "{isa} {rows}");
            }
        }
    }

    struct Sum<'a>(&'a Row);

    impl Kernel for Sum<'_> {
        type Output = f32;
        fn run<S: Simd>(self, simd: S) -> f32 {
            simd.sum(simd.load(self.0))
        }
    }

    #[test]
    fn totals_are_sums_to_the_bit() {
        for isa in Isa::available() {
            let row = |i: usize| std::array::from_fn(|lane| 1.0 / (1 + 31 * i + 7 * lane) as f32);
            let sums: Vec<Row> = (0..37).map(row).collect();
            let mut totals = [[0.0; LANES]; 3];
            total_lanes(isa, &sums, &mut totals);
            for (sum, total) in sums.iter().zip(totals.as_flattened()) {
                assert_eq!(isa.run(Sum(sum)).to_bits(), total.to_bits(), "{isa}");
            }
        }
    }
}

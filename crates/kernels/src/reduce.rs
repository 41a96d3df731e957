//! Sums over panels, each in one fixed order.

use crate::Isa;
use crate::simd::{Kernel, LANES, Row, Simd};

struct AddPanels<'a> {
    panels: &'a [Row],
    sums: &'a mut [Row],
}

impl Kernel for AddPanels<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for panel in self.panels.chunks_exact(self.sums.len()) {
            for (sum, row) in self.sums.iter_mut().zip(panel) {
                let total = s.add(s.load(sum), s.load(row));
                s.store(sum, total);
            }
        }
    }
}

/// Adds row r of every panel to `sums[r]`, lane by lane and panel after panel, so that the result
/// does not depend on how the panels are cut into calls. With [`lane_sums`] it is the gradient of
/// a bias.
///
/// # Panics
/// `sums` is empty, or its length does not divide that of `panels`.
pub fn add_panels(isa: Isa, panels: &[Row], sums: &mut [Row]) {
    let rows = sums.len();
    assert!(rows > 0 && panels.len().is_multiple_of(rows), "whole panels of {rows} rows");
    isa.run(AddPanels { panels, sums });
}

struct LaneSums<'a> {
    rows: &'a [Row],
    sums: &'a mut [f32],
}

impl Kernel for LaneSums<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for (row, sum) in self.rows.iter().zip(self.sums) {
            *sum = s.sum(s.load(row));
        }
    }
}

/// Sets each sum to that of the lanes of its row, in the order of [`Simd::sum`].
///
/// # Panics
/// The slices differ in length.
pub fn lane_sums(isa: Isa, rows: &[Row], sums: &mut [f32]) {
    assert_eq!(rows.len(), sums.len(), "one sum per row");
    isa.run(LaneSums { rows, sums });
}

/// Rows whose squares are summed in `f32` before they join the sum in `f64`.
const BLOCK: usize = 64;

struct SquaredNorm<'a>(&'a [Row]);

impl Kernel for SquaredNorm<'_> {
    type Output = f64;
    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> f64 {
        let mut total = 0.0;
        for block in self.0.chunks(BLOCK) {
            // Four sums, so that one addition need not wait for the last.
            let mut sums = [s.splat(0.0); 4];
            let (quads, rest) = block.as_chunks::<4>();
            for quad in quads {
                for (sum, row) in sums.iter_mut().zip(quad) {
                    let x = s.load(row);
                    *sum = s.mul_add(x, x, *sum);
                }
            }
            for (sum, row) in sums.iter_mut().zip(rest) {
                let x = s.load(row);
                *sum = s.mul_add(x, x, *sum);
            }
            let mut lanes = [0.0; LANES];
            s.store(&mut lanes, s.add(s.add(sums[0], sums[1]), s.add(sums[2], sums[3])));
            for lane in lanes {
                total += f64::from(lane);
            }
        }
        total
    }
}

/// The sum of the squares, within 2e-6 of itself. Elements beyond 1e18 make it infinite.
pub fn squared_norm(isa: Isa, rows: &[Row]) -> f64 {
    isa.run(SquaredNorm(rows))
}

#[cfg(test)]
mod tests;

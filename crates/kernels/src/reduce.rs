//! Sums over many rows, in one fixed order.

use crate::Isa;
use crate::simd::{Kernel, LANES, Row, Simd};

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

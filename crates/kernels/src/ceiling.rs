//! The two ceilings of a machine, to judge kernels by: multiply-adds in registers, and memory passed over.
//!
//! Nothing here is part of training, and nothing here reads a clock: callers time the calls.

// Indices of chains keep them in registers.
#![allow(clippy::needless_range_loop)]

use crate::isa::Isa;
use crate::simd::{Kernel, LANES, Row, Simd};
use std::hint::black_box;

/// Multiplies and adds in registers only and returns how many floating-point operations that was.
///
/// As many independent chains as fill the registers of the instruction set hide the latency of each.
pub fn fma_loop(isa: Isa, iterations: u64) -> u64 {
    isa.run(FmaLoop { iterations, start: black_box([0.5; LANES]) })
}

/// Reads every row, changes it and writes it back, as an optimiser does with its arenas.
///
/// No row is touched twice, so rows that fit in no cache move 2 x 64 bytes each through memory. (A
/// copy to elsewhere would move half as much again: a line is read before it is overwritten.)
pub fn stream(isa: Isa, rows: &mut [Row]) {
    isa.run(Stream { rows });
}

struct FmaLoop {
    iterations: u64,
    start: Row,
}

impl Kernel for FmaLoop {
    type Output = u64;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> u64 {
        // The tile of the matrix product says how many vectors there are registers for.
        match S::TILE_ROWS * S::TILE_PANELS {
            ..6 => self.chains::<S, 3>(simd),
            6..16 => self.chains::<S, 6>(simd),
            _ => self.chains::<S, 16>(simd),
        }
    }
}

impl FmaLoop {
    #[inline(always)]
    fn chains<S: Simd, const CHAINS: usize>(self, simd: S) -> u64 {
        let (factor, summand) = (simd.splat(0.5), simd.splat(1.0));
        let mut acc = [simd.load(&self.start); CHAINS];
        // Unequal chains and lanes, or the compiler computes one in place of all.
        for i in 0..CHAINS {
            let row: Row = black_box(std::array::from_fn(|lane| (i * LANES + lane) as f32));
            acc[i] = simd.mul(acc[i], simd.load(&row));
        }
        for _ in 0..self.iterations {
            for i in 0..CHAINS {
                acc[i] = simd.mul_add(acc[i], factor, summand);
            }
        }
        let mut total = acc[0];
        for i in 1..CHAINS {
            total = simd.add(total, acc[i]);
        }
        black_box(simd.sum(total));
        self.iterations * (2 * CHAINS * LANES) as u64
    }
}

struct Stream<'a> {
    rows: &'a mut [Row],
}

impl Kernel for Stream<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let one = simd.splat(1.0);
        for row in self.rows {
            let next = simd.add(simd.load(row), one);
            simd.store(row, next);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_are_counted_per_lane() {
        for isa in Isa::available() {
            let one = fma_loop(isa, 1);
            assert!(one > 0 && one.is_multiple_of(2 * LANES as u64), "{isa}: {one}");
            assert_eq!(fma_loop(isa, 1000), 1000 * one, "{isa}");
        }
    }

    #[test]
    fn every_row_is_written() {
        for isa in Isa::available() {
            let mut rows = vec![[1.0; LANES]; 5];
            stream(isa, &mut rows);
            assert_eq!(rows, [[2.0; LANES]; 5], "{isa}");
        }
    }
}

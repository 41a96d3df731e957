//! Rotary positions: pairs of units are turned by angles that grow with the position.
//!
//! Unit c of the first half of a head and unit c of the second half are a pair; at position p it is
//! turned by p / base^(2 c / width). So products of queries and keys depend on how far apart they are.

use crate::isa::Isa;
use crate::simd::{Kernel, Row, Simd};
use std::ops::Range;

/// Cosine and sine of the angle of each pair: `[positions][width / 2]`.
///
/// # Panics
/// `width` is odd.
pub fn angles(positions: usize, width: usize, base: f32) -> Vec<[f32; 2]> {
    assert!(width.is_multiple_of(2), "pairs of units: {width}");
    let mut angles = Vec::with_capacity(positions * width / 2);
    for position in 0..positions {
        for pair in 0..width / 2 {
            let power = (2 * pair) as f64 / width as f64;
            let angle = position as f64 / f64::from(base).powf(power);
            angles.push([angle.cos() as f32, angle.sin() as f32]);
        }
    }
    angles
}

/// Which way pairs are turned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// As the position says.
    Forward,
    /// Back: for errors.
    Backward,
}

/// Turns units `range` of each position, which are heads of `width` units.
///
/// `x` has `stride` rows a position; the positions of a panel are those of `angles`.
///
/// # Panics
/// The shapes do not fit.
pub fn rotate(
    isa: Isa,
    turn: Turn,
    angles: &[[f32; 2]],
    width: usize,
    x: &mut [Row],
    stride: usize,
    range: Range<usize>,
) {
    assert!(width > 0 && width.is_multiple_of(2), "pairs of units: {width}");
    assert!(angles.len().is_multiple_of(width / 2), "angles of {width} units a position");
    let rows = angles.len() / (width / 2) * stride;
    assert!(rows > 0 && x.len().is_multiple_of(rows), "whole panels of {rows} rows");
    assert!(range.end <= stride && range.len().is_multiple_of(width), "heads of {width} units");
    isa.run(Rotate { turn, angles, width, x, stride, range });
}

struct Rotate<'a> {
    turn: Turn,
    angles: &'a [[f32; 2]],
    width: usize,
    x: &'a mut [Row],
    stride: usize,
    range: Range<usize>,
}

impl Kernel for Rotate<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let pairs = self.width / 2;
        let positions = self.angles.len() / pairs;
        for panel in self.x.chunks_exact_mut(positions * self.stride) {
            let rows = panel.chunks_exact_mut(self.stride).zip(self.angles.chunks_exact(pairs));
            for (units, angles) in rows {
                for head in units[self.range.clone()].chunks_exact_mut(self.width) {
                    let (first, second) = head.split_at_mut(pairs);
                    for ((a, b), [cosine, sine]) in first.iter_mut().zip(second).zip(angles) {
                        let cosine = s.splat(*cosine);
                        let sine = match self.turn {
                            Turn::Forward => s.splat(*sine),
                            Turn::Backward => s.splat(-*sine),
                        };
                        let (x, y) = (s.load(a), s.load(b));
                        s.store(a, s.neg_mul_add(y, sine, s.mul(x, cosine)));
                        s.store(b, s.mul_add(x, sine, s.mul(y, cosine)));
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;

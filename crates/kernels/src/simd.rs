//! The vector token that every kernel is generic over.
//!
//! A vector is always [`LANES`] = 16 `f32`s: one cache line, one row of a panel. An instruction set
//! with narrower registers uses several of them, so layouts and loop bounds are the same everywhere.
//!
//! The token design follows pulp (proof of a CPU feature as a zero-sized value): whoever holds a
//! token was given it by detection, so its methods are safe to call.

use std::ops::AddAssign;

/// Elements of a vector.
pub const LANES: usize = 16;

/// One vector in memory: a cache line.
pub type Row = [f32; LANES];

/// Work to be run with the instructions of some [`Simd`] token.
///
/// Implementations mark `run` `#[inline(always)]`, and everything that it calls in a loop too: only
/// code that is inlined into [`Simd::vectorize`] is compiled for the instruction set. Closures are
/// functions of their own and inherit no target features; hot loops use none.
pub trait Kernel {
    /// What the work returns.
    type Output;
    /// Does the work.
    fn run<S: Simd>(self, simd: S) -> Self::Output;
}

/// Operations on vectors of 16 `f32` in one instruction set.
///
/// Comparisons with NaN are false. `min` and `max` return their *second* argument where either is NaN.
#[allow(missing_docs)]
pub trait Simd: Copy + Send + Sync + 'static {
    /// A vector.
    type V: Copy;
    /// A truth value per lane.
    type M: Copy;

    /// Rows of the register tile of a matrix product.
    const TILE_ROWS: usize;
    /// Panels (vectors) of the register tile of a matrix product.
    const TILE_PANELS: usize;

    /// Runs a kernel compiled for this instruction set.
    fn vectorize<K: Kernel>(self, kernel: K) -> K::Output;

    fn splat(self, x: f32) -> Self::V;
    fn load(self, row: &Row) -> Self::V;
    fn store(self, row: &mut Row, v: Self::V);
    /// Sixteen bytes as numbers 0 to 255.
    fn load_u8(self, bytes: &[u8; LANES]) -> Self::V;
    /// Sixteen little-endian IEEE 754 half-precision numbers.
    fn load_f16(self, bytes: &[u8; 2 * LANES]) -> Self::V;
    /// Sixteen little-endian `f32`s at any alignment.
    fn load_f32(self, bytes: &[u8; 4 * LANES]) -> Self::V;
    /// Fewer than sixteen of them, and zeros in the lanes beyond.
    #[inline(always)]
    fn load_f32_head(self, bytes: &[u8]) -> Self::V {
        self.load_f32(&padded(bytes))
    }

    fn add(self, a: Self::V, b: Self::V) -> Self::V;
    fn sub(self, a: Self::V, b: Self::V) -> Self::V;
    fn mul(self, a: Self::V, b: Self::V) -> Self::V;
    fn div(self, a: Self::V, b: Self::V) -> Self::V;
    /// a b + c, rounded once where the instruction set can (twice in the portable one).
    fn mul_add(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// c - a b, rounded as [`mul_add`](Self::mul_add).
    fn neg_mul_add(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    fn min(self, a: Self::V, b: Self::V) -> Self::V;
    fn max(self, a: Self::V, b: Self::V) -> Self::V;
    fn abs(self, a: Self::V) -> Self::V;
    fn sqrt(self, a: Self::V) -> Self::V;
    /// The square root of x >= 0, finite, to within an ULP or two; x below the normal numbers may
    /// give anything from 0 to the root of the least normal number.
    #[inline(always)]
    fn quick_sqrt(self, x: Self::V) -> Self::V {
        self.sqrt(x)
    }
    /// a / b to within an ULP or two, where a, b, 1 / b and a / b are normal numbers or a is 0.
    #[inline(always)]
    fn quick_div(self, a: Self::V, b: Self::V) -> Self::V {
        self.div(a, b)
    }
    /// To the nearest integer, ties to even.
    fn round(self, a: Self::V) -> Self::V;

    /// a < b
    fn lt(self, a: Self::V, b: Self::V) -> Self::M;
    /// a = b
    fn eq(self, a: Self::V, b: Self::V) -> Self::M;
    /// `yes` where the mask holds, else `no`.
    fn select(self, mask: Self::M, yes: Self::V, no: Self::V) -> Self::V;

    /// 2^n for integral n in [-126, 127]; anything for other n.
    fn exp2_int(self, n: Self::V) -> Self::V;
    /// For normal x > 0: (m, e) with x = m 2^e, m in [1, 2), e integral. Anything for other x.
    fn split_exponent(self, x: Self::V) -> (Self::V, Self::V);

    /// Transposes a 16 x 16 block in place of a copy: `to[i][j] = from[j][i]`.
    fn transpose(self, from: &[Row; LANES], to: &mut [Row; LANES]);

    /// The sum of the lanes, as [`sum_lanes`] takes it.
    #[inline(always)]
    fn sum(self, v: Self::V) -> f32 {
        let mut lanes = [0.0; LANES];
        self.store(&mut lanes, v);
        sum_lanes(lanes)
    }
}

/// The sum of the lanes, in one fixed order on every instruction set:
/// halves are added until one element is left (8 + 8, 4 + 4, 2 + 2, 1 + 1).
#[inline(always)]
pub fn sum_lanes<T: Copy + AddAssign>(mut lanes: [T; LANES]) -> T {
    let mut width = LANES / 2;
    while width > 0 {
        for i in 0..width {
            lanes[i] += lanes[i + width];
        }
        width /= 2;
    }
    lanes[0]
}

/// Some bytes and then zeros, by copies of constant length: a call for each row would take longer.
#[inline(always)]
pub(crate) fn padded<const BYTES: usize>(tail: &[u8]) -> [u8; BYTES] {
    #[inline(always)]
    fn copy<const N: usize>(from: &[u8], to: &mut [u8], at: &mut usize) {
        if from.len() & N != 0 {
            to[*at..*at + N].copy_from_slice(&from[*at..*at + N]);
            *at += N;
        }
    }
    let (mut chunk, mut at) = ([0; BYTES], 0);
    copy::<32>(tail, &mut chunk, &mut at);
    copy::<16>(tail, &mut chunk, &mut at);
    copy::<8>(tail, &mut chunk, &mut at);
    copy::<4>(tail, &mut chunk, &mut at);
    copy::<2>(tail, &mut chunk, &mut at);
    copy::<1>(tail, &mut chunk, &mut at);
    chunk
}

#[cfg(test)]
mod tests;

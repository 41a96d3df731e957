//! Any CPU: `wide` vectors at the target's baseline (SSE2 on x86-64, NEON on AArch64).

use crate::simd::{Kernel, LANES, Row, Simd};
use wide::{bytemuck, f32x16, i32x16};

/// Token of the portable instruction set; always available.
#[derive(Clone, Copy)]
pub(crate) struct Portable;

impl Simd for Portable {
    type V = f32x16;
    type M = f32x16;

    const TILE_ROWS: usize = 2;
    const TILE_PANELS: usize = 1;

    #[inline(always)]
    fn vectorize<K: Kernel>(self, kernel: K) -> K::Output {
        kernel.run(self)
    }

    #[inline(always)]
    fn splat(self, x: f32) -> f32x16 {
        f32x16::splat(x)
    }
    #[inline(always)]
    fn load(self, row: &Row) -> f32x16 {
        f32x16::new(*row)
    }
    #[inline(always)]
    fn store(self, row: &mut Row, v: f32x16) {
        *row = v.to_array();
    }
    #[inline(always)]
    fn load_u8(self, bytes: &[u8; LANES]) -> f32x16 {
        f32x16::new(bytes.map(f32::from))
    }
    #[inline(always)]
    fn load_f16(self, bytes: &[u8; 2 * LANES]) -> f32x16 {
        let (halves, _) = bytes.as_chunks::<2>();
        let mut row = [0.0; LANES];
        for (x, half) in row.iter_mut().zip(halves) {
            *x = f16_to_f32(u16::from_le_bytes(*half));
        }
        f32x16::new(row)
    }
    #[inline(always)]
    fn load_f32(self, bytes: &[u8; 4 * LANES]) -> f32x16 {
        let (words, _) = bytes.as_chunks::<4>();
        let mut row = [0.0; LANES];
        for (x, word) in row.iter_mut().zip(words) {
            *x = f32::from_le_bytes(*word);
        }
        f32x16::new(row)
    }

    #[inline(always)]
    fn add(self, a: f32x16, b: f32x16) -> f32x16 {
        a + b
    }
    #[inline(always)]
    fn sub(self, a: f32x16, b: f32x16) -> f32x16 {
        a - b
    }
    #[inline(always)]
    fn mul(self, a: f32x16, b: f32x16) -> f32x16 {
        a * b
    }
    #[inline(always)]
    fn div(self, a: f32x16, b: f32x16) -> f32x16 {
        a / b
    }
    #[inline(always)]
    fn mul_add(self, a: f32x16, b: f32x16, c: f32x16) -> f32x16 {
        a.mul_add(b, c)
    }
    #[inline(always)]
    fn neg_mul_add(self, a: f32x16, b: f32x16, c: f32x16) -> f32x16 {
        a.mul_neg_add(b, c)
    }
    #[inline(always)]
    fn min(self, a: f32x16, b: f32x16) -> f32x16 {
        self.select(self.lt(a, b), a, b)
    }
    #[inline(always)]
    fn max(self, a: f32x16, b: f32x16) -> f32x16 {
        self.select(self.lt(b, a), a, b)
    }
    #[inline(always)]
    fn abs(self, a: f32x16) -> f32x16 {
        a.abs()
    }
    #[inline(always)]
    fn sqrt(self, a: f32x16) -> f32x16 {
        a.sqrt()
    }
    #[inline(always)]
    fn round(self, a: f32x16) -> f32x16 {
        a.round_ties_even()
    }

    #[inline(always)]
    fn lt(self, a: f32x16, b: f32x16) -> f32x16 {
        a.simd_lt(b)
    }
    #[inline(always)]
    fn eq(self, a: f32x16, b: f32x16) -> f32x16 {
        a.simd_eq(b)
    }
    #[inline(always)]
    fn select(self, mask: f32x16, yes: f32x16, no: f32x16) -> f32x16 {
        mask.bitselect(yes, no)
    }

    #[inline(always)]
    fn exp2_int(self, n: f32x16) -> f32x16 {
        let biased: i32x16 = n.fast_round_int() + i32x16::splat(127);
        bytemuck::cast(biased << 23_i32)
    }
    #[inline(always)]
    fn split_exponent(self, x: f32x16) -> (f32x16, f32x16) {
        let bits: i32x16 = bytemuck::cast(x);
        let exponent = (bits >> 23_i32) - i32x16::splat(127);
        let mantissa = (bits & i32x16::splat(0x007f_ffff)) | i32x16::splat(0x3f80_0000);
        (bytemuck::cast(mantissa), f32x16::from_i32x16(exponent))
    }

    #[inline(always)]
    fn transpose(self, from: &[Row; LANES], to: &mut [Row; LANES]) {
        for (i, row) in to.iter_mut().enumerate() {
            for (x, source) in row.iter_mut().zip(from) {
                *x = source[i];
            }
        }
    }
}

/// IEEE 754 binary16 to binary32; exact.
fn f16_to_f32(half: u16) -> f32 {
    let sign = u32::from(half & 0x8000) << 16;
    let exponent = u32::from(half >> 10 & 0x1f);
    let fraction = u32::from(half & 0x3ff);
    match exponent {
        // Zero and subnormals: fraction * 2^-24.
        0 => f32::from_bits((fraction as f32 * (-24f32).exp2()).to_bits() | sign),
        0x1f => f32::from_bits(sign | 0x7f80_0000 | fraction << 13),
        _ => f32::from_bits(sign | (exponent + 112) << 23 | fraction << 13),
    }
}

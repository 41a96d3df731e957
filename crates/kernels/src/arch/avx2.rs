//! AVX2 with FMA: a vector is a pair of `ymm` registers.

use crate::simd::{Kernel, LANES, Row, Simd};
use core::arch::x86_64::*;

/// Token of AVX2 with FMA and F16C (Haswell, 2013, and later).
#[derive(Clone, Copy)]
pub(crate) struct Avx2(());

impl Avx2 {
    pub(crate) fn detect() -> Option<Avx2> {
        let has = is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("fma")
            && is_x86_feature_detected!("f16c");
        has.then_some(Avx2(()))
    }
}

#[target_feature(enable = "avx2,fma,f16c")]
fn with_features<K: Kernel>(simd: Avx2, kernel: K) -> K::Output {
    kernel.run(simd)
}

/// Low and high half of a vector.
type Pair = (__m256, __m256);

/// Calls an intrinsic that computes on registers only.
macro_rules! op {
    ($($call:tt)*) => {
        // SAFETY: the token exists only where `detect` saw every feature that the intrinsic needs.
        unsafe { $($call)* }
    };
}

impl Simd for Avx2 {
    type V = Pair;
    type M = Pair;

    const TILE_ROWS: usize = 6;
    const TILE_PANELS: usize = 1;

    #[inline(always)]
    fn vectorize<K: Kernel>(self, kernel: K) -> K::Output {
        op!(with_features(self, kernel))
    }

    #[inline(always)]
    fn splat(self, x: f32) -> Pair {
        op!((_mm256_set1_ps(x), _mm256_set1_ps(x)))
    }
    #[inline(always)]
    fn load(self, row: &Row) -> Pair {
        // SAFETY: as `op!`; the reference covers 16 floats, and the loads need no alignment.
        unsafe { (_mm256_loadu_ps(row.as_ptr()), _mm256_loadu_ps(row.as_ptr().add(8))) }
    }
    #[inline(always)]
    fn store(self, row: &mut Row, v: Pair) {
        // SAFETY: as `op!`; the reference covers 16 floats, and the stores need no alignment.
        unsafe {
            _mm256_storeu_ps(row.as_mut_ptr(), v.0);
            _mm256_storeu_ps(row.as_mut_ptr().add(8), v.1);
        }
    }
    #[inline(always)]
    fn load_u8(self, bytes: &[u8; LANES]) -> Pair {
        // SAFETY: as `op!`; the reference covers the 16 bytes of the unaligned load.
        unsafe {
            let x = _mm_loadu_si128(bytes.as_ptr().cast());
            (
                _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(x)),
                _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_srli_si128::<8>(x))),
            )
        }
    }
    #[inline(always)]
    fn load_f16(self, bytes: &[u8; 2 * LANES]) -> Pair {
        // SAFETY: as `op!`; the reference covers the 32 bytes of the unaligned loads.
        unsafe {
            let p = bytes.as_ptr();
            (
                _mm256_cvtph_ps(_mm_loadu_si128(p.cast())),
                _mm256_cvtph_ps(_mm_loadu_si128(p.add(16).cast())),
            )
        }
    }
    #[inline(always)]
    fn load_f32(self, bytes: &[u8; 4 * LANES]) -> Pair {
        // SAFETY: as `op!`; the reference covers the 64 bytes of the unaligned loads.
        unsafe {
            let p = bytes.as_ptr();
            (_mm256_loadu_ps(p.cast()), _mm256_loadu_ps(p.add(32).cast()))
        }
    }

    #[inline(always)]
    fn add(self, a: Pair, b: Pair) -> Pair {
        op!((_mm256_add_ps(a.0, b.0), _mm256_add_ps(a.1, b.1)))
    }
    #[inline(always)]
    fn sub(self, a: Pair, b: Pair) -> Pair {
        op!((_mm256_sub_ps(a.0, b.0), _mm256_sub_ps(a.1, b.1)))
    }
    #[inline(always)]
    fn mul(self, a: Pair, b: Pair) -> Pair {
        op!((_mm256_mul_ps(a.0, b.0), _mm256_mul_ps(a.1, b.1)))
    }
    #[inline(always)]
    fn div(self, a: Pair, b: Pair) -> Pair {
        op!((_mm256_div_ps(a.0, b.0), _mm256_div_ps(a.1, b.1)))
    }
    #[inline(always)]
    fn mul_add(self, a: Pair, b: Pair, c: Pair) -> Pair {
        op!((_mm256_fmadd_ps(a.0, b.0, c.0), _mm256_fmadd_ps(a.1, b.1, c.1)))
    }
    #[inline(always)]
    fn neg_mul_add(self, a: Pair, b: Pair, c: Pair) -> Pair {
        op!((_mm256_fnmadd_ps(a.0, b.0, c.0), _mm256_fnmadd_ps(a.1, b.1, c.1)))
    }
    #[inline(always)]
    fn min(self, a: Pair, b: Pair) -> Pair {
        op!((_mm256_min_ps(a.0, b.0), _mm256_min_ps(a.1, b.1)))
    }
    #[inline(always)]
    fn max(self, a: Pair, b: Pair) -> Pair {
        op!((_mm256_max_ps(a.0, b.0), _mm256_max_ps(a.1, b.1)))
    }
    #[inline(always)]
    fn abs(self, a: Pair) -> Pair {
        op!({
            let sign = _mm256_set1_ps(-0.0);
            (_mm256_andnot_ps(sign, a.0), _mm256_andnot_ps(sign, a.1))
        })
    }
    #[inline(always)]
    fn sqrt(self, a: Pair) -> Pair {
        op!((_mm256_sqrt_ps(a.0), _mm256_sqrt_ps(a.1)))
    }
    #[inline(always)]
    fn round(self, a: Pair) -> Pair {
        const NEAREST: i32 = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
        op!((_mm256_round_ps::<NEAREST>(a.0), _mm256_round_ps::<NEAREST>(a.1)))
    }

    #[inline(always)]
    fn lt(self, a: Pair, b: Pair) -> Pair {
        op!((_mm256_cmp_ps::<_CMP_LT_OQ>(a.0, b.0), _mm256_cmp_ps::<_CMP_LT_OQ>(a.1, b.1)))
    }
    #[inline(always)]
    fn eq(self, a: Pair, b: Pair) -> Pair {
        op!((_mm256_cmp_ps::<_CMP_EQ_OQ>(a.0, b.0), _mm256_cmp_ps::<_CMP_EQ_OQ>(a.1, b.1)))
    }
    #[inline(always)]
    fn select(self, mask: Pair, yes: Pair, no: Pair) -> Pair {
        op!((_mm256_blendv_ps(no.0, yes.0, mask.0), _mm256_blendv_ps(no.1, yes.1, mask.1)))
    }

    #[inline(always)]
    fn exp2_int(self, n: Pair) -> Pair {
        op!({
            let bias = _mm256_set1_epi32(127);
            let lo = _mm256_add_epi32(_mm256_cvtps_epi32(n.0), bias);
            let hi = _mm256_add_epi32(_mm256_cvtps_epi32(n.1), bias);
            (
                _mm256_castsi256_ps(_mm256_slli_epi32::<23>(lo)),
                _mm256_castsi256_ps(_mm256_slli_epi32::<23>(hi)),
            )
        })
    }
    #[inline(always)]
    fn split_exponent(self, x: Pair) -> (Pair, Pair) {
        let (m0, e0) = op!(split_half(x.0));
        let (m1, e1) = op!(split_half(x.1));
        ((m0, m1), (e0, e1))
    }

    #[inline(always)]
    fn transpose(self, from: &[Row; LANES], to: &mut [Row; LANES]) {
        for (part, rows) in from.as_chunks::<8>().0.iter().enumerate() {
            for half in 0..2 {
                let mut block = [self.splat(0.0).0; 8];
                for (v, row) in block.iter_mut().zip(rows) {
                    let v8 = self.load(row);
                    *v = if half == 0 { v8.0 } else { v8.1 };
                }
                let block = op!(transpose8(block));
                for (i, v) in block.into_iter().enumerate() {
                    let target = &mut to[8 * half + i][8 * part..8 * part + 8];
                    // SAFETY: as `op!`; the slice covers the 8 floats of the unaligned store.
                    unsafe { _mm256_storeu_ps(target.as_mut_ptr(), v) }
                }
            }
        }
    }
}

#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn split_half(x: __m256) -> (__m256, __m256) {
    let bits = _mm256_castps_si256(x);
    let exponent = _mm256_sub_epi32(_mm256_srai_epi32::<23>(bits), _mm256_set1_epi32(127));
    let mantissa = _mm256_or_si256(
        _mm256_and_si256(bits, _mm256_set1_epi32(0x007f_ffff)),
        _mm256_set1_epi32(0x3f80_0000),
    );
    (_mm256_castsi256_ps(mantissa), _mm256_cvtepi32_ps(exponent))
}

/// Transposes 8 x 8 in registers: pairs of rows, pairs of pairs, then 128-bit halves.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn transpose8(r: [__m256; 8]) -> [__m256; 8] {
    let mut s = [_mm256_setzero_ps(); 8];
    for i in 0..2 {
        let (a, b, c, d) = (r[4 * i], r[4 * i + 1], r[4 * i + 2], r[4 * i + 3]);
        let (ab_lo, ab_hi) = (_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
        let (cd_lo, cd_hi) = (_mm256_unpacklo_ps(c, d), _mm256_unpackhi_ps(c, d));
        s[4 * i] = _mm256_shuffle_ps::<0b01_00_01_00>(ab_lo, cd_lo);
        s[4 * i + 1] = _mm256_shuffle_ps::<0b11_10_11_10>(ab_lo, cd_lo);
        s[4 * i + 2] = _mm256_shuffle_ps::<0b01_00_01_00>(ab_hi, cd_hi);
        s[4 * i + 3] = _mm256_shuffle_ps::<0b11_10_11_10>(ab_hi, cd_hi);
    }
    let mut t = [_mm256_setzero_ps(); 8];
    for j in 0..4 {
        t[j] = _mm256_permute2f128_ps::<0x20>(s[j], s[4 + j]);
        t[4 + j] = _mm256_permute2f128_ps::<0x31>(s[j], s[4 + j]);
    }
    t
}

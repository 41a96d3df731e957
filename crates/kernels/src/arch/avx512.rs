//! AVX-512: a vector is one `zmm` register.

use crate::simd::{Kernel, LANES, Row, Simd};
use core::arch::x86_64::*;

/// Token of AVX-512 (F, BW, DQ, VL) with FMA and F16C.
#[derive(Clone, Copy)]
pub(crate) struct Avx512(());

impl Avx512 {
    pub(crate) fn detect() -> Option<Avx512> {
        let has = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("fma")
            && is_x86_feature_detected!("f16c");
        has.then_some(Avx512(()))
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c")]
fn with_features<K: Kernel>(simd: Avx512, kernel: K) -> K::Output {
    kernel.run(simd)
}

/// Calls an intrinsic that computes on registers only.
macro_rules! op {
    ($($call:tt)*) => {
        // SAFETY: the token exists only where `detect` saw every feature that the intrinsic needs.
        unsafe { $($call)* }
    };
}

impl Simd for Avx512 {
    type V = __m512;
    type M = __mmask16;

    const TILE_ROWS: usize = 12;
    const TILE_PANELS: usize = 2;

    #[inline(always)]
    fn vectorize<K: Kernel>(self, kernel: K) -> K::Output {
        op!(with_features(self, kernel))
    }

    #[inline(always)]
    fn splat(self, x: f32) -> __m512 {
        op!(_mm512_set1_ps(x))
    }
    #[inline(always)]
    fn load(self, row: &Row) -> __m512 {
        // SAFETY: as `op!`; the reference covers 16 floats, and the load needs no alignment.
        unsafe { _mm512_loadu_ps(row.as_ptr()) }
    }
    #[inline(always)]
    fn store(self, row: &mut Row, v: __m512) {
        // SAFETY: as `op!`; the reference covers 16 floats, and the store needs no alignment.
        unsafe { _mm512_storeu_ps(row.as_mut_ptr(), v) }
    }
    #[inline(always)]
    fn load_u8(self, bytes: &[u8; LANES]) -> __m512 {
        // SAFETY: as `op!`; the reference covers the 16 bytes of the unaligned load.
        unsafe { _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128(bytes.as_ptr().cast()))) }
    }
    #[inline(always)]
    fn load_f16(self, bytes: &[u8; 2 * LANES]) -> __m512 {
        // SAFETY: as `op!`; the reference covers the 32 bytes of the unaligned load.
        unsafe { _mm512_cvtph_ps(_mm256_loadu_si256(bytes.as_ptr().cast())) }
    }
    #[inline(always)]
    fn load_f32(self, bytes: &[u8; 4 * LANES]) -> __m512 {
        // SAFETY: as `op!`; the reference covers the 64 bytes of the unaligned load.
        unsafe { _mm512_loadu_ps(bytes.as_ptr().cast()) }
    }
    // A vector that is loaded right after its parts were stored would wait for these.
    #[inline(always)]
    fn load_f32_head(self, bytes: &[u8]) -> __m512 {
        let lanes = bytes.len() / 4;
        assert!(lanes < LANES, "less than a vector");
        let mask = ((1u32 << lanes) - 1) as __mmask16;
        // SAFETY: as `op!`; only the lanes of the mask are read, all within the slice, at any alignment.
        unsafe { _mm512_maskz_loadu_ps(mask, bytes.as_ptr().cast()) }
    }

    #[inline(always)]
    fn add(self, a: __m512, b: __m512) -> __m512 {
        op!(_mm512_add_ps(a, b))
    }
    #[inline(always)]
    fn sub(self, a: __m512, b: __m512) -> __m512 {
        op!(_mm512_sub_ps(a, b))
    }
    #[inline(always)]
    fn mul(self, a: __m512, b: __m512) -> __m512 {
        op!(_mm512_mul_ps(a, b))
    }
    #[inline(always)]
    fn div(self, a: __m512, b: __m512) -> __m512 {
        op!(_mm512_div_ps(a, b))
    }
    #[inline(always)]
    fn mul_add(self, a: __m512, b: __m512, c: __m512) -> __m512 {
        op!(_mm512_fmadd_ps(a, b, c))
    }
    #[inline(always)]
    fn neg_mul_add(self, a: __m512, b: __m512, c: __m512) -> __m512 {
        op!(_mm512_fnmadd_ps(a, b, c))
    }
    #[inline(always)]
    fn min(self, a: __m512, b: __m512) -> __m512 {
        op!(_mm512_min_ps(a, b))
    }
    #[inline(always)]
    fn max(self, a: __m512, b: __m512) -> __m512 {
        op!(_mm512_max_ps(a, b))
    }
    #[inline(always)]
    fn abs(self, a: __m512) -> __m512 {
        op!(_mm512_abs_ps(a))
    }
    #[inline(always)]
    fn sqrt(self, a: __m512) -> __m512 {
        op!(_mm512_sqrt_ps(a))
    }
    // The exact instructions take a dozen cycles or more each. An estimate of 14 bits, refined once by
    // Newton's method, is as good but for the last bit, and several times as fast.
    #[inline(always)]
    fn quick_sqrt(self, x: __m512) -> __m512 {
        op!({
            let estimate = _mm512_rsqrt14_ps(_mm512_max_ps(x, _mm512_set1_ps(f32::MIN_POSITIVE)));
            let root = _mm512_mul_ps(x, estimate);
            let error = _mm512_fnmadd_ps(root, root, x);
            let half = _mm512_mul_ps(estimate, _mm512_set1_ps(0.5));
            _mm512_fmadd_ps(error, half, root)
        })
    }
    #[inline(always)]
    fn quick_div(self, a: __m512, b: __m512) -> __m512 {
        op!({
            let estimate = _mm512_rcp14_ps(b);
            let quotient = _mm512_mul_ps(a, estimate);
            let error = _mm512_fnmadd_ps(quotient, b, a);
            _mm512_fmadd_ps(error, estimate, quotient)
        })
    }
    #[inline(always)]
    fn round(self, a: __m512) -> __m512 {
        op!(_mm512_roundscale_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(a))
    }

    #[inline(always)]
    fn lt(self, a: __m512, b: __m512) -> __mmask16 {
        op!(_mm512_cmp_ps_mask::<_CMP_LT_OQ>(a, b))
    }
    #[inline(always)]
    fn eq(self, a: __m512, b: __m512) -> __mmask16 {
        op!(_mm512_cmp_ps_mask::<_CMP_EQ_OQ>(a, b))
    }
    #[inline(always)]
    fn select(self, mask: __mmask16, yes: __m512, no: __m512) -> __m512 {
        op!(_mm512_mask_blend_ps(mask, no, yes))
    }

    #[inline(always)]
    fn exp2_int(self, n: __m512) -> __m512 {
        op!({
            let biased = _mm512_add_epi32(_mm512_cvtps_epi32(n), _mm512_set1_epi32(127));
            _mm512_castsi512_ps(_mm512_slli_epi32::<23>(biased))
        })
    }
    #[inline(always)]
    fn split_exponent(self, x: __m512) -> (__m512, __m512) {
        op!({
            let bits = _mm512_castps_si512(x);
            let exponent = _mm512_sub_epi32(_mm512_srai_epi32::<23>(bits), _mm512_set1_epi32(127));
            let mantissa = _mm512_or_epi32(
                _mm512_and_epi32(bits, _mm512_set1_epi32(0x007f_ffff)),
                _mm512_set1_epi32(0x3f80_0000),
            );
            (_mm512_castsi512_ps(mantissa), _mm512_cvtepi32_ps(exponent))
        })
    }

    #[inline(always)]
    fn transpose(self, from: &[Row; LANES], to: &mut [Row; LANES]) {
        op!({
            // Pairs of rows, then of pairs, within each 128-bit part: part q of s[4i + j] holds
            // column 4q + j of rows 4i to 4i + 3.
            let mut s = [_mm512_setzero_ps(); LANES];
            for i in 0..4 {
                let (a, b) = (self.load(&from[4 * i]), self.load(&from[4 * i + 1]));
                let (c, d) = (self.load(&from[4 * i + 2]), self.load(&from[4 * i + 3]));
                let (ab_lo, ab_hi) = (_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b));
                let (cd_lo, cd_hi) = (_mm512_unpacklo_ps(c, d), _mm512_unpackhi_ps(c, d));
                s[4 * i] = _mm512_shuffle_ps::<0b01_00_01_00>(ab_lo, cd_lo);
                s[4 * i + 1] = _mm512_shuffle_ps::<0b11_10_11_10>(ab_lo, cd_lo);
                s[4 * i + 2] = _mm512_shuffle_ps::<0b01_00_01_00>(ab_hi, cd_hi);
                s[4 * i + 3] = _mm512_shuffle_ps::<0b11_10_11_10>(ab_hi, cd_hi);
            }
            // Then the 4 x 4 matrix of 128-bit parts is transposed.
            for j in 0..4 {
                let lo02 = _mm512_shuffle_f32x4::<0b10_00_10_00>(s[j], s[4 + j]);
                let lo13 = _mm512_shuffle_f32x4::<0b11_01_11_01>(s[j], s[4 + j]);
                let hi02 = _mm512_shuffle_f32x4::<0b10_00_10_00>(s[8 + j], s[12 + j]);
                let hi13 = _mm512_shuffle_f32x4::<0b11_01_11_01>(s[8 + j], s[12 + j]);
                self.store(&mut to[j], _mm512_shuffle_f32x4::<0b10_00_10_00>(lo02, hi02));
                self.store(&mut to[4 + j], _mm512_shuffle_f32x4::<0b10_00_10_00>(lo13, hi13));
                self.store(&mut to[8 + j], _mm512_shuffle_f32x4::<0b11_01_11_01>(lo02, hi02));
                self.store(&mut to[12 + j], _mm512_shuffle_f32x4::<0b11_01_11_01>(lo13, hi13));
            }
        })
    }
}

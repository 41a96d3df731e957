//! Elementary functions of vectors: branch-free, and accurate over the whole range of `f32`.
//!
//! Errors are in ULP (units in the last place of the `f32` nearest to the true value), measured
//! against `f64` and asserted by the tests of this module on every instruction set. Values below
//! the normal range count in the unit of its smallest. The polynomials are minimax fits for the
//! intervals named beside them.

use crate::simd::Simd;
use std::f32::consts::{LOG2_E, SQRT_2};

/// ln 2 in two parts; the product of the first (9 bits) with an exponent (8 bits) is exact.
const LN_2_HIGH: f32 = 355.0 / 512.0;
const LN_2_LOW: f32 = -2.121_944_4e-4;

/// (e^r - 1 - r) / r^2 on |r| <= ln 2 / 2.
const EXP: [f32; 5] = [0.499_999_94, 0.166_665_21, 0.041_668_348, 0.008_368_71, 0.001_381_673_2];

/// (ln(1 + f) - f + f^2 / 2) / f^3 on 1 + f in [sqrt(1/2), sqrt(2)].
const LN: [f32; 8] = [
    0.333_333_3,
    -0.250_008_2,
    0.200_012_27,
    -0.166_233_58,
    0.142_017_6,
    -0.131_601_81,
    0.127_615_55,
    -0.076_344_86,
];

/// (a + 4) e^(a^2/2) Q(a), Q the upper tail of the normal distribution, in u = 1 - 8 / (a + 4).
const NORMAL_TAIL: [f32; 10] = [
    0.755_285_14,
    -0.607_896_57,
    0.387_136_9,
    -0.186_523_44,
    0.060_403_83,
    -0.007_525_274,
    -0.003_512_560_2,
    0.001_569_925_6,
    0.000_179_362_28,
    -0.000_131_968_29,
];

/// sin(2 pi u) / u in u^2 on |u| <= 1/4.
const SINE: [f32; 5] = [6.283_185_5, -41.341_68, 81.602_234, -76.574_99, 39.710_92];

/// Coefficients from the constant upward, by Horner's rule.
#[inline(always)]
fn polynomial<S: Simd, const N: usize>(s: S, x: S::V, coefficients: [f32; N]) -> S::V {
    let mut sum = s.splat(coefficients[N - 1]);
    for c in coefficients[..N - 1].iter().rev() {
        sum = s.mul_add(sum, x, s.splat(*c));
    }
    sum
}

/// (n, e^r - 1) where x = n ln 2 + r, n integral and |r| <= ln 2 / 2.
#[inline(always)]
fn reduce<S: Simd>(s: S, x: S::V) -> (S::V, S::V) {
    let n = s.round(s.mul(x, s.splat(LOG2_E)));
    let r = s.neg_mul_add(n, s.splat(LN_2_HIGH), x);
    let r = s.neg_mul_add(n, s.splat(LN_2_LOW), r);
    (n, s.mul_add(s.mul(r, r), polynomial(s, r, EXP), r))
}

/// e^x within 1.1 ULP; overflows to infinity, underflows gradually to 0, keeps NaN.
#[inline(always)]
pub(crate) fn exp<S: Simd>(s: S, x: S::V) -> S::V {
    // Beyond these bounds the result is infinity or 0 anyway. NaN is the second argument: kept.
    let x = s.max(s.splat(-104.0), s.min(s.splat(89.0), x));
    let (n, p) = reduce(s, x);
    // Two factors: 2^128 is no f32, and 2^-140 is no normal one.
    let half = s.round(s.mul(n, s.splat(0.5)));
    let scaled = s.mul(s.add(p, s.splat(1.0)), s.exp2_int(half));
    s.mul(scaled, s.exp2_int(s.sub(n, half)))
}

/// e^x - 1 for |x| <= 87 within 1.7 ULP, near 0 too; keeps NaN.
#[inline(always)]
pub(crate) fn exp_m1<S: Simd>(s: S, x: S::V) -> S::V {
    let (n, p) = reduce(s, x);
    let scale = s.exp2_int(n);
    s.mul_add(p, scale, s.sub(scale, s.splat(1.0)))
}

/// tanh x within 3 ULP, subnormals included; keeps NaN.
#[inline(always)]
pub(crate) fn tanh<S: Simd>(s: S, x: S::V) -> S::V {
    // tanh is 1 to the last bit from 9.02 on.
    let x = s.max(s.splat(-10.0), s.min(s.splat(10.0), x));
    let t = exp_m1(s, s.add(x, x));
    s.div(t, s.add(t, s.splat(2.0)))
}

/// ln(1 + f) + e ln 2 for 1 + f in [sqrt(1/2), sqrt(2)] and integral e.
#[inline(always)]
fn ln_sum<S: Simd>(s: S, f: S::V, e: S::V) -> S::V {
    let curve = s.mul_add(f, polynomial(s, f, LN), s.splat(-0.5));
    let low = s.mul_add(e, s.splat(LN_2_LOW), s.mul(s.mul(f, f), curve));
    s.mul_add(e, s.splat(LN_2_HIGH), s.add(f, low))
}

/// ln x within 1 ULP, subnormals included; minus infinity at 0, NaN below.
#[inline(always)]
pub(crate) fn ln<S: Simd>(s: S, x: S::V) -> S::V {
    let (zero, one) = (s.splat(0.0), s.splat(1.0));
    let subnormal = s.lt(x, s.splat(f32::MIN_POSITIVE));
    let normal = s.select(subnormal, s.mul(x, s.splat(8_388_608.0)), x);
    let (m, e) = s.split_exponent(normal);
    let e = s.sub(e, s.select(subnormal, s.splat(23.0), zero));
    let upper = s.lt(s.splat(SQRT_2), m);
    let m = s.select(upper, s.mul(m, s.splat(0.5)), m);
    let e = s.select(upper, s.add(e, one), e);
    let finite = ln_sum(s, s.sub(m, one), e);
    let infinite = s.eq(x, s.splat(f32::INFINITY));
    let edge = s.select(s.eq(x, zero), s.splat(f32::NEG_INFINITY), s.splat(f32::NAN));
    s.select(s.lt(zero, x), s.select(infinite, x, finite), edge)
}

/// ln(1 + e^-|x|), the bend of softplus; keeps NaN.
#[inline(always)]
pub(crate) fn bend<S: Simd>(s: S, x: S::V) -> S::V {
    let u = exp_neg_abs(s, x);
    // Above sqrt(2), 1 + u = 2 (1 + (u - 1) / 2).
    let upper = s.lt(s.splat(SQRT_2 - 1.0), u);
    let f = s.select(upper, s.mul_add(u, s.splat(0.5), s.splat(-0.5)), u);
    ln_sum(s, f, s.select(upper, s.splat(1.0), s.splat(0.0)))
}

/// e^-|x|
#[inline(always)]
fn exp_neg_abs<S: Simd>(s: S, x: S::V) -> S::V {
    exp(s, s.sub(s.splat(0.0), s.abs(x)))
}

/// ln(1 + e^x) within 2 ULP; keeps NaN.
#[inline(always)]
pub(crate) fn softplus<S: Simd>(s: S, x: S::V) -> S::V {
    s.add(s.max(s.splat(0.0), x), bend(s, x))
}

/// (1 / (1 + e^-x), 1 / (1 + e^x)): the sigmoid and its complement, each within 3 ULP, so
/// that neither loses digits as the other approaches 1; keeps NaN.
#[inline(always)]
pub(crate) fn sigmoid<S: Simd>(s: S, x: S::V) -> (S::V, S::V) {
    let e = exp_neg_abs(s, x);
    let large = s.div(s.splat(1.0), s.add(s.splat(1.0), e));
    let small = s.mul(e, large);
    let negative = s.lt(x, s.splat(0.0));
    (s.select(negative, small, large), s.select(negative, large, small))
}

/// (Φ(x), φ(x)): distribution (1 + erf(x / √2)) / 2 and density of the standard normal,
/// within 7 and 4 ULP; 80 where multiply-add rounds twice, far out in the tails. Keeps NaN.
#[inline(always)]
pub(crate) fn normal<S: Simd>(s: S, x: S::V) -> (S::V, S::V) {
    // The density is 0 to the last bit from 14.5 on.
    let a = s.min(s.splat(15.0), s.abs(x));
    let square = s.mul(a, a);
    // What rounding took from the square would be multiplied by e's exponent.
    let lost = s.mul_add(a, a, s.sub(s.splat(0.0), square));
    let e = exp(s, s.mul(square, s.splat(-0.5)));
    let e = s.mul(e, s.mul_add(lost, s.splat(-0.5), s.splat(1.0)));
    let inverse = s.div(s.splat(1.0), s.add(a, s.splat(4.0)));
    let u = s.neg_mul_add(s.splat(8.0), inverse, s.splat(1.0));
    let tail = s.mul(s.mul(polynomial(s, u, NORMAL_TAIL), inverse), e);
    let negative = s.lt(x, s.splat(0.0));
    let distribution = s.select(negative, tail, s.sub(s.splat(1.0), tail));
    (distribution, s.mul(e, s.splat(0.398_942_3)))
}

/// (cos(2 pi t), -sin(2 pi t)): a wave at t turns and its slope by the angle, each within 4 ULP; NaN for what is
/// not finite.
#[inline(always)]
pub(crate) fn wave<S: Simd>(s: S, t: S::V) -> (S::V, S::V) {
    // Whole turns are none. All differences here are exact but those that a rounding of cos near 1 hides.
    let r = s.sub(t, s.round(t));
    let a = s.abs(r);
    let (quarter, half) = (s.splat(0.25), s.splat(0.5));
    // cos(2 pi r) = sin(2 pi (1/4 - |r|)), and sin is the same at |r| and at 1/2 - |r|. NaN is the second argument.
    let cosine = sine(s, s.sub(quarter, a));
    let magnitude = sine(s, s.min(s.sub(half, a), a));
    let zero = s.splat(0.0);
    (cosine, s.select(s.lt(zero, r), s.sub(zero, magnitude), magnitude))
}

/// sin(2 pi u) for |u| <= 1/4.
#[inline(always)]
fn sine<S: Simd>(s: S, u: S::V) -> S::V {
    s.mul(u, polynomial(s, s.mul(u, u), SINE))
}

#[cfg(test)]
pub(crate) mod tests;

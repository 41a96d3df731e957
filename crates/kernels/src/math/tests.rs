//! Error bounds against `f64` over the whole range of `f32`, on every instruction set.

use super::*;
use crate::Isa;
use crate::simd::{Kernel, LANES, Row};

/// The bit patterns between two of a sweep; prime, so that all low bits occur.
const STRIDE: usize = 1009;

/// Bit patterns to either side of each threshold.
const DENSE: u32 = 2000;
/// Where the functions change their ways, and the ends of the kinds of numbers.
const THRESHOLDS: [f32; 24] = [
    0.0,
    0.25,
    0.5,
    0.75,
    1.25,
    f32::MIN_POSITIVE,
    f32::INFINITY,
    f32::NAN,
    1.0,
    SQRT_2,
    std::f32::consts::FRAC_1_SQRT_2,
    SQRT_2 - 1.0,
    std::f32::consts::LN_2,
    std::f32::consts::LN_2 / 2.0,
    0.881_373_6, // -ln(sqrt(2) - 1), where the bend of softplus changes its reduction
    9.01,
    10.0,
    15.0,
    87.336_54,
    88.722_84,
    88.029_69,
    89.0,
    103.278_93,
    104.0,
];

/// Every input of the sweep: strided patterns of both signs and the neighbourhoods.
fn inputs() -> Vec<Row> {
    let mut all: Vec<f32> = (0..=u32::MAX).step_by(STRIDE).map(f32::from_bits).collect();
    for threshold in THRESHOLDS {
        let centre = threshold.to_bits();
        for bits in centre.saturating_sub(DENSE)..=centre.saturating_add(DENSE) {
            all.extend([f32::from_bits(bits), -f32::from_bits(bits)]);
        }
    }
    all.resize(all.len().next_multiple_of(LANES), 0.0);
    all.as_chunks().0.to_vec()
}

#[derive(Clone, Copy, Debug)]
enum Function {
    Exp,
    Ln,
    Tanh,
    Sigmoid,
    Complement,
    Softplus,
    ExpM1,
    Distribution,
    Density,
    Wave,
    WaveSlope,
}

struct Evaluate<'a>(Function, &'a [Row]);

impl Kernel for Evaluate<'_> {
    type Output = Vec<Row>;
    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> Vec<Row> {
        let mut results = vec![[0.0; LANES]; self.1.len()];
        for (y, x) in results.iter_mut().zip(self.1) {
            let x = s.load(x);
            let value = match self.0 {
                Function::Exp => exp(s, x),
                Function::Ln => ln(s, x),
                Function::Tanh => tanh(s, x),
                Function::Sigmoid => sigmoid(s, x).0,
                Function::Complement => sigmoid(s, x).1,
                Function::Softplus => softplus(s, x),
                Function::ExpM1 => exp_m1(s, x),
                Function::Distribution => normal(s, x).0,
                Function::Density => normal(s, x).1,
                Function::Wave => wave(s, x).0,
                Function::WaveSlope => wave(s, x).1,
            };
            s.store(y, value);
        }
        results
    }
}

/// Distance in units in the last place of the `f32` at the true value; infinite where only one of
/// the two is NaN or infinite.
fn ulps(result: f32, truth: f64) -> f64 {
    if result.is_nan() || truth.is_nan() {
        return if result.is_nan() && truth.is_nan() { 0.0 } else { f64::INFINITY };
    }
    if result.is_infinite() {
        // The true value may be a little below what rounds to infinity.
        let overflows = truth.abs() > f64::from(f32::MAX) * (1.0 - 2f64.powi(-24));
        let right = overflows && truth.is_sign_positive() == result.is_sign_positive();
        return if right { 0.0 } else { f64::INFINITY };
    }
    // Numbers below 2^-126 have the unit of 2^-126; infinity is compared as 2^128.
    let truth = truth.clamp(-2f64.powi(128), 2f64.powi(128));
    let exponent = truth.abs().max(f64::from(f32::MIN_POSITIVE)).log2().floor();
    (f64::from(result) - truth).abs() / (exponent - 23.0).min(104.0).exp2()
}

/// A function, the inputs that it takes, and the truth.
struct Case {
    function: Function,
    keep: fn(f32) -> bool,
    truth: fn(f64) -> f64,
}

impl Case {
    fn everywhere(function: Function, truth: fn(f64) -> f64) -> Case {
        Case { function, keep: |_| true, truth }
    }

    /// Asserts bounds in ULP, where multiply-add rounds twice and where it rounds once, and that
    /// neither is a gift: some input comes within a third of it.
    fn assert_bounds(&self, portable: f64, fused: f64) {
        let function = self.function;
        let inputs = inputs();
        let truth = |x: &f32| if (self.keep)(*x) { (self.truth)(f64::from(*x)) } else { 0.0 };
        let truths: Vec<f64> = inputs.as_flattened().iter().map(truth).collect();
        for isa in Isa::available() {
            let results = isa.run(Evaluate(function, &inputs));
            let (mut worst, mut at) = (0.0, 0.0);
            let pairs = inputs.as_flattened().iter().zip(results.as_flattened());
            for ((x, y), truth) in pairs.zip(&truths) {
                let error = if (self.keep)(*x) { ulps(*y, *truth) } else { 0.0 };
                if error > worst {
                    (worst, at) = (error, *x);
                }
            }
            eprintln!("{function:?} on {isa}: {worst:.3} ULP at {at:e}");
            let bound = if isa.name() == "portable" { portable } else { fused };
            assert!(worst <= bound, "{function:?} on {isa}: {worst} ULP at {at:e}");
            assert!(worst > bound / 3.0, "{function:?} on {isa}: {worst} ULP only, not {bound}");
        }
    }
}

/// (Φ(x), φ(x)) by a series of positive terms and, for the tails, a continued fraction.
pub(crate) fn normal_reference(x: f64) -> (f64, f64) {
    let a = x.abs();
    let density = (-0.5 * a * a).exp() / std::f64::consts::TAU.sqrt();
    let tail = if a < 3.0 {
        let (mut term, mut sum, mut k) = (a, a, 1.0);
        while term > 1e-18 * sum {
            k += 2.0;
            term *= a * a / k;
            sum += term;
        }
        0.5 - density * sum
    } else if a > 40.0 {
        0.0
    } else {
        // NaN comes here too, and stays.
        density / (1..200).rev().fold(a, |fraction, k| a + f64::from(k) / fraction)
    };
    (if x < 0.0 { tail } else { 1.0 - tail }, density)
}

#[test]
fn normal_reference_is_right() {
    // To 16 digits, from tables.
    for (x, truth) in [
        (0.0, 0.5),
        (1.0, 0.841_344_746_068_542_9),
        (-2.0, 0.022_750_131_948_179_21),
        (-3.0, 0.001_349_898_031_630_094_6),
        (-5.0, 2.866_515_718_791_939e-7),
        (-10.0, 7.619_853_024_160_527e-24),
    ] {
        let (distribution, _) = normal_reference(x);
        assert!((distribution / truth - 1.0).abs() < 1e-12, "{x}: {distribution}");
    }
    let just_below = normal_reference(-3.0 + 1e-12).0;
    assert!((just_below / normal_reference(-3.0).0 - 1.0).abs() < 1e-11, "the two methods meet");
}

#[test]
fn exp_is_within_its_bound() {
    Case::everywhere(Function::Exp, f64::exp).assert_bounds(1.1, 1.1);
}

#[test]
fn exp_m1_is_within_its_bound() {
    let keep = |x: f32| x.is_nan() || x.abs() <= 87.0;
    Case { function: Function::ExpM1, keep, truth: f64::exp_m1 }.assert_bounds(1.7, 1.7);
}

#[test]
fn ln_is_within_its_bound() {
    Case::everywhere(Function::Ln, f64::ln).assert_bounds(1.0, 1.0);
}

#[test]
fn tanh_is_within_its_bound() {
    Case::everywhere(Function::Tanh, f64::tanh).assert_bounds(3.0, 3.0);
}

#[test]
fn sigmoid_is_within_its_bound() {
    Case::everywhere(Function::Sigmoid, |x| 1.0 / (1.0 + (-x).exp())).assert_bounds(3.0, 3.0);
    Case::everywhere(Function::Complement, |x| 1.0 / (1.0 + x.exp())).assert_bounds(3.0, 3.0);
}

#[test]
fn softplus_is_within_its_bound() {
    let truth = |x: f64| if x.is_nan() { x } else { x.max(0.0) + (-x.abs()).exp().ln_1p() };
    Case::everywhere(Function::Softplus, truth).assert_bounds(2.0, 2.0);
}

#[test]
fn normal_is_within_its_bound() {
    Case::everywhere(Function::Distribution, |x| normal_reference(x).0).assert_bounds(80.0, 7.0);
    Case::everywhere(Function::Density, |x| normal_reference(x).1).assert_bounds(80.0, 4.0);
}

#[test]
fn wave_is_within_its_bound() {
    // Of an angle that f64 has exactly: whole turns are taken away first, and cos near 0 is a sine.
    fn turns(t: f64) -> f64 {
        t - t.round()
    }
    fn cosine(t: f64) -> f64 {
        (std::f64::consts::TAU * (0.25 - turns(t).abs())).sin()
    }
    fn slope(t: f64) -> f64 {
        let r = turns(t);
        let near = if r.abs() <= 0.25 { r } else { (0.5 - r.abs()).copysign(r) };
        -(std::f64::consts::TAU * near).sin()
    }
    Case::everywhere(Function::Wave, cosine).assert_bounds(4.0, 4.0);
    Case::everywhere(Function::WaveSlope, slope).assert_bounds(4.0, 4.0);
}

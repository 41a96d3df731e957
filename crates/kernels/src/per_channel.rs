//! Functions of a value and of a learned number of its channel: scales, bias terms, parametric
//! activations.
//!
//! Samples are lanes, and the channels of a position are consecutive rows, so a matrix is a sequence
//! of positions whatever its panels are. Learned numbers are held sixteen channels a row.

use crate::activation::{Activation, apply};
use crate::isa::Isa;
use crate::panels::panels;
use crate::simd::{Kernel, Row, Simd};

/// y, a function of x and of the number a of its channel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Function {
    /// a x
    Scale,
    /// x + a
    Shift,
    /// x above 0, a x below: PReLU.
    LeakyRelu,
    /// (1 - a) x + a f(x): f, learned between not at all and more than at all.
    Blend(Activation),
}

/// y and its derivatives. What the caller drops is not computed.
trait Formula: Copy {
    /// (y, dy/dx, dy/da)
    fn at<S: Simd>(self, s: S, x: S::V, a: S::V) -> (S::V, S::V, S::V);
}

#[derive(Clone, Copy)]
struct Scale;

impl Formula for Scale {
    #[inline(always)]
    fn at<S: Simd>(self, s: S, x: S::V, a: S::V) -> (S::V, S::V, S::V) {
        (s.mul(a, x), a, x)
    }
}

#[derive(Clone, Copy)]
struct Shift;

impl Formula for Shift {
    #[inline(always)]
    fn at<S: Simd>(self, s: S, x: S::V, a: S::V) -> (S::V, S::V, S::V) {
        let one = s.splat(1.0);
        (s.add(x, a), one, one)
    }
}

#[derive(Clone, Copy)]
struct LeakyRelu;

impl Formula for LeakyRelu {
    #[inline(always)]
    fn at<S: Simd>(self, s: S, x: S::V, a: S::V) -> (S::V, S::V, S::V) {
        let zero = s.splat(0.0);
        // At 0 the slope is that of the negative side. NaN is the second argument: kept.
        let slope = s.select(s.lt(zero, x), s.splat(1.0), a);
        (s.mul(slope, x), slope, s.min(zero, x))
    }
}

#[derive(Clone, Copy)]
struct Blend(Activation);

impl Formula for Blend {
    #[inline(always)]
    fn at<S: Simd>(self, s: S, x: S::V, a: S::V) -> (S::V, S::V, S::V) {
        let one = s.splat(1.0);
        let (f, slope) = apply(s, self.0, x);
        let bend = s.sub(f, x);
        (s.mul_add(a, bend, x), s.mul_add(a, s.sub(slope, one), one), bend)
    }
}

/// Calls `$call` with the formula of `$function`, so that it is chosen outside the loop.
macro_rules! per_formula {
    ($function:expr, |$formula:ident| $call:expr) => {
        match $function {
            Function::Scale => per_formula!(@ $formula, Scale, $call),
            Function::Shift => per_formula!(@ $formula, Shift, $call),
            Function::LeakyRelu => per_formula!(@ $formula, LeakyRelu, $call),
            Function::Blend(activation) => per_formula!(@ $formula, Blend(activation), $call),
        }
    };
    (@ $formula:ident, $value:expr, $call:expr) => {{
        let $formula = $value;
        $call
    }};
}

fn check(channels: usize, learned: &[Row], x: &[Row]) {
    assert!(channels > 0 && x.len().is_multiple_of(channels), "positions of {channels} rows");
    assert_eq!(learned.len(), panels(channels), "sixteen channels a row");
}

/// Sets `y` to the function of `x`, both with `channels` rows a position.
///
/// # Panics
/// A slice does not fit.
pub fn forward(
    isa: Isa,
    function: Function,
    channels: usize,
    learned: &[Row],
    x: &[Row],
    y: &mut [Row],
) {
    check(channels, learned, x);
    assert_eq!(x.len(), y.len(), "a result per value");
    let learned = &learned.as_flattened()[..channels];
    isa.run(Forward { function, learned, x, y });
}

/// What the backward pass reads and writes.
pub struct Backward<'a> {
    /// What the function was taken of.
    pub x: &'a [Row],
    /// The error of what came of it.
    pub errors: &'a [Row],
    /// The error of `x`.
    pub input_errors: &'a mut [Row],
    /// Whether `input_errors` is added to, and not set.
    pub add: bool,
}

/// The error of x, from that of y.
///
/// # Panics
/// A slice does not fit.
pub fn backward(isa: Isa, function: Function, channels: usize, learned: &[Row], at: Backward<'_>) {
    check(channels, learned, at.x);
    assert_eq!(at.x.len(), at.errors.len(), "an error per result");
    assert_eq!(at.x.len(), at.input_errors.len(), "an error per value");
    let learned = &learned.as_flattened()[..channels];
    isa.run(BackwardKernel { function, learned, at });
}

/// Adds to row `c` of `sums` the gradient of the number of channel `c`, over the positions in order.
/// The lanes stay apart, for [`crate::elementwise::add_totals`] to fold.
///
/// # Panics
/// A slice does not fit.
pub fn gradient(isa: Isa, function: Function, x: &[Row], errors: &[Row], sums: &mut [Row]) {
    assert!(!sums.is_empty() && x.len().is_multiple_of(sums.len()), "a sum per channel");
    assert_eq!(x.len(), errors.len(), "an error per result");
    isa.run(Gradient { function, x, errors, sums });
}

struct Forward<'a> {
    function: Function,
    learned: &'a [f32],
    x: &'a [Row],
    y: &'a mut [Row],
}

impl Forward<'_> {
    #[inline(always)]
    fn sweep<S: Simd>(self, s: S, formula: impl Formula) {
        let channels = self.learned.len();
        let positions = self.x.chunks_exact(channels).zip(self.y.chunks_exact_mut(channels));
        for (x, y) in positions {
            for ((x, y), a) in x.iter().zip(y).zip(self.learned) {
                let (value, _, _) = formula.at(s, s.load(x), s.splat(*a));
                s.store(y, value);
            }
        }
    }
}

impl Kernel for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        per_formula!(self.function, |formula| self.sweep(s, formula))
    }
}

struct BackwardKernel<'a> {
    function: Function,
    learned: &'a [f32],
    at: Backward<'a>,
}

impl BackwardKernel<'_> {
    #[inline(always)]
    fn sweep<S: Simd>(self, s: S, formula: impl Formula) {
        let BackwardKernel { learned, at, .. } = self;
        let channels = learned.len();
        let ins = at.x.chunks_exact(channels).zip(at.errors.chunks_exact(channels));
        for ((x, errors), input_errors) in ins.zip(at.input_errors.chunks_exact_mut(channels)) {
            for (((x, error), input_error), a) in
                x.iter().zip(errors).zip(input_errors).zip(learned)
            {
                let (_, slope, _) = formula.at(s, s.load(x), s.splat(*a));
                let held = if at.add { s.load(input_error) } else { s.splat(0.0) };
                s.store(input_error, s.mul_add(s.load(error), slope, held));
            }
        }
    }
}

impl Kernel for BackwardKernel<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        per_formula!(self.function, |formula| self.sweep(s, formula))
    }
}

struct Gradient<'a> {
    function: Function,
    x: &'a [Row],
    errors: &'a [Row],
    sums: &'a mut [Row],
}

impl Gradient<'_> {
    #[inline(always)]
    fn sweep<S: Simd>(self, s: S, formula: impl Formula) {
        let channels = self.sums.len();
        for (x, errors) in self.x.chunks_exact(channels).zip(self.errors.chunks_exact(channels)) {
            for ((x, error), sum) in x.iter().zip(errors).zip(&mut *self.sums) {
                // No formula's derivative by its number depends on the number.
                let (_, _, derivative) = formula.at(s, s.load(x), s.splat(0.0));
                s.store(sum, s.mul_add(s.load(error), derivative, s.load(sum)));
            }
        }
    }
}

impl Kernel for Gradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        per_formula!(self.function, |formula| self.sweep(s, formula))
    }
}

#[cfg(test)]
mod tests;

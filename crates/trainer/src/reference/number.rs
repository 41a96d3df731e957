//! Numbers that formulas are written over: plain ones, and the variables of a tape.

use std::ops::{Add, Div, Mul, Neg, Sub};

/// A number that a formula can be written over.
pub(super) trait Number:
    Copy
    + From<f64>
    + Neg<Output = Self>
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
{
    /// What it is.
    fn value(self) -> f64;

    /// A function of it, by the function's value and slope here.
    fn through(self, value: f64, slope: f64) -> Self;

    fn exp(self) -> Self {
        let value = self.value().exp();
        self.through(value, value)
    }

    /// e^x - 1
    fn exp_m1(self) -> Self {
        self.through(self.value().exp_m1(), self.value().exp())
    }

    fn ln(self) -> Self {
        self.through(self.value().ln(), 1.0 / self.value())
    }

    /// ln(1 + x)
    fn ln_1p(self) -> Self {
        self.through(self.value().ln_1p(), 1.0 / (1.0 + self.value()))
    }

    fn sqrt(self) -> Self {
        let root = self.value().sqrt();
        self.through(root, 0.5 / root)
    }

    fn cos(self) -> Self {
        self.through(self.value().cos(), -self.value().sin())
    }

    fn tanh(self) -> Self {
        self.through(self.value().tanh(), self.value().cosh().powi(-2))
    }
}

impl Number for f64 {
    fn value(self) -> f64 {
        self
    }

    fn through(self, value: f64, _slope: f64) -> f64 {
        value
    }
}

/// The sum of some numbers, from the first to the last.
pub(super) fn sum<N: Number>(numbers: impl IntoIterator<Item = N>) -> N {
    numbers.into_iter().fold(N::from(0.0), |sum, number| sum + number)
}

/// On which side of its kinks (those of ReLU, or where another value becomes a window's largest) a formula was
/// taken. Differences between two places mean something where both are on the same side of all.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Kinks(Vec<bool>);

impl Kinks {
    /// Whether it is past a kink.
    pub(super) fn is_past(&mut self, is_past: bool) -> bool {
        self.0.push(is_past);
        is_past
    }
}

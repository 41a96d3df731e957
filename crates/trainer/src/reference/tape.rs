//! A tape: every operation on scalar variables in the order in which it was done. Read backward, it gives the
//! derivative of what came out by each variable.

use super::number::Number;
use std::cell::RefCell;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// Operations, from the first.
#[derive(Debug, Default)]
pub(super) struct Tape(RefCell<Vec<Operation>>);

/// A number that was made of at most two others: for each its place on the tape and the slope of this number
/// along it.
type Operation = [Option<(usize, f64)>; 2];

/// A number on a tape, or a constant.
#[derive(Debug, Clone, Copy)]
pub(super) struct Variable<'t> {
    value: f64,
    place: Option<(&'t Tape, usize)>,
}

/// Derivatives by every variable of a tape.
pub(super) struct Slopes {
    sums: Vec<f64>,
    magnitudes: Vec<f64>,
}

impl Tape {
    /// A variable that nothing before led to.
    pub(super) fn variable(&self, value: f64) -> Variable<'_> {
        self.record(value, [None; 2])
    }

    /// Variables, one for each of these numbers.
    pub(super) fn variables(&self, values: &[f64]) -> Vec<Variable<'_>> {
        values.iter().map(|&value| self.variable(value)).collect()
    }

    fn record(&self, value: f64, operation: Operation) -> Variable<'_> {
        let mut operations = self.0.borrow_mut();
        operations.push(operation);
        Variable { value, place: Some((self, operations.len() - 1)) }
    }

    /// The derivatives of the sum of some variables, each multiplied by a number.
    pub(super) fn slopes<'t>(
        &'t self,
        of: impl IntoIterator<Item = (Variable<'t>, f64)>,
    ) -> Slopes {
        let operations = self.0.borrow();
        let mut slopes =
            Slopes { sums: vec![0.0; operations.len()], magnitudes: vec![0.0; operations.len()] };
        for (variable, factor) in of {
            slopes.add(variable.place.map(|(_, place)| place), factor);
        }
        for (place, operation) in operations.iter().enumerate().rev() {
            for &(parent, slope) in operation.iter().flatten() {
                slopes.add(Some(parent), slopes.sums[place] * slope);
            }
        }
        slopes
    }
}

impl Slopes {
    fn add(&mut self, place: Option<usize>, term: f64) {
        if let Some(place) = place {
            self.sums[place] += term;
            self.magnitudes[place] += term.abs();
        }
    }

    /// The derivative by a variable, and the sum of the absolute values of its terms: what its rounding errors
    /// are to be compared with where the terms cancel each other.
    pub(super) fn by(&self, variable: Variable<'_>) -> (f64, f64) {
        let by = |(_, place): (&Tape, usize)| (self.sums[place], self.magnitudes[place]);
        variable.place.map_or((0.0, 0.0), by)
    }
}

impl<'t> Variable<'t> {
    fn with(self, other: Variable<'t>, value: f64, slopes: [f64; 2]) -> Variable<'t> {
        let parents = [(self, slopes[0]), (other, slopes[1])];
        let operation = parents.map(|(parent, slope)| Some((parent.place?.1, slope)));
        match self.place.or(other.place) {
            Some((tape, _)) => tape.record(value, operation),
            None => Variable::from(value),
        }
    }
}

impl Number for Variable<'_> {
    fn value(self) -> f64 {
        self.value
    }

    fn through(self, value: f64, slope: f64) -> Self {
        self.with(Variable::from(0.0), value, [slope, 0.0])
    }
}

impl From<f64> for Variable<'_> {
    fn from(value: f64) -> Self {
        Variable { value, place: None }
    }
}

impl Neg for Variable<'_> {
    type Output = Self;

    fn neg(self) -> Self {
        self.through(-self.value, -1.0)
    }
}

impl Add for Variable<'_> {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        self.with(other, self.value + other.value, [1.0, 1.0])
    }
}

impl Sub for Variable<'_> {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self.with(other, self.value - other.value, [1.0, -1.0])
    }
}

impl Mul for Variable<'_> {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        self.with(other, self.value * other.value, [other.value, self.value])
    }
}

impl Div for Variable<'_> {
    type Output = Self;

    fn div(self, other: Self) -> Self {
        let ratio = self.value / other.value;
        self.with(other, ratio, [1.0 / other.value, -ratio / other.value])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A formula with every operation.
    fn formula<N: Number>(x: N, y: N) -> N {
        let two = N::from(2.0);
        let first = (x * y - two / y).tanh() * (x + y).cos() + (x * x + y * y).sqrt();
        let second = (-x).exp() * (y + two).ln() - (x / two).exp_m1();
        first * second + (y * y).ln_1p() * first
    }

    #[test]
    fn slopes_match_differences_of_the_same_formula() {
        for (x, y) in [(0.3, 0.7), (-1.2, 2.5), (2.0, 0.1)] {
            let tape = Tape::default();
            let [a, b] = [x, y].map(|value| tape.variable(value));
            let result = formula(a, b);
            assert_eq!(result.value(), formula(x, y));
            let slopes = tape.slopes([(result, 3.0)]);
            let h = 1e-5;
            let by_x = (formula(x + h, y) - formula(x - h, y)) / (2.0 * h);
            let by_y = (formula(x, y + h) - formula(x, y - h)) / (2.0 * h);
            for (variable, difference) in [(a, by_x), (b, by_y)] {
                let (slope, _) = slopes.by(variable);
                let error = (slope - 3.0 * difference).abs();
                assert!(error < 1e-6 * slope.abs().max(1.0), "{x} {y}: {slope} {error:e}");
            }
        }
    }

    #[test]
    fn terms_that_cancel_keep_their_magnitude() {
        let tape = Tape::default();
        let x = tape.variable(5.0);
        let difference = x * Variable::from(4.0) - x * Variable::from(3.0);
        assert_eq!(tape.slopes([(difference, 1.0)]).by(x), (1.0, 7.0));
    }

    #[test]
    fn constants_leave_no_trace() {
        let tape = Tape::default();
        let x = tape.variable(2.0);
        let constant = Variable::from(3.0) * Variable::from(4.0);
        assert_eq!((constant.value(), tape.0.borrow().len()), (12.0, 1));
        let slopes = tape.slopes([(constant, 1.0), (x, 1.0)]);
        assert_eq!((slopes.by(constant), slopes.by(x)), ((0.0, 0.0), (1.0, 1.0)));
    }
}

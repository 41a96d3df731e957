//! Sums of outer products of columns: the gradient of weights that are used at several positions.
//!
//! Both operands have samples as lanes, so a sum over samples would have to cross lanes at every
//! position. It is put off instead: each weight has a row of sixteen sums, one a lane, and
//! [`fold`] adds them up once at the end.
//!
//! ```text
//! for each panel                                       (in the order of the samples)
//!     for each block of outputs and features           (registers)
//!         for each pair (error row, input row)
//!             for each output o, feature k: lanes[o][k] += errors[error + o] * inputs[input + k]
//! ```

// Indices of tiles read like the formula above.
#![allow(clippy::needless_range_loop)]

use crate::isa::Isa;
use crate::panels::{Panels, PanelsMut, panels};
use crate::simd::{Kernel, LANES, Row, Simd};

/// Pairs of a row of errors and a row of inputs, each some rows after the one before: the positions
/// of a row of an image, or the steps of a sequence.
#[derive(Debug, Clone, Copy)]
pub struct Pairs {
    /// The first row of errors, within each panel.
    pub error: usize,
    /// From one row of errors to the next.
    pub error_step: usize,
    /// The first row of inputs, within each panel.
    pub input: usize,
    /// From one row of inputs to the next.
    pub input_step: usize,
    /// How many pairs there are.
    pub count: usize,
}

/// Pairs once more for each line of an image: each line some rows after the one before.
#[derive(Clone, Copy)]
pub(crate) struct Lines {
    pub(crate) count: usize,
    pub(crate) error_step: usize,
    pub(crate) input_step: usize,
}

/// Adds to `lanes[o * features + k]`, for o < `outputs` and k < `features`, the products
/// `errors[e + o] * inputs[i + k]` for all pairs (e, i) in all panels; the lanes stay apart.
///
/// # Panics
/// If the numbers of panels differ, rows of a pair are beyond its panel, or `lanes` has another length.
pub fn add_outer(
    isa: Isa,
    errors: Panels<'_>,
    inputs: Panels<'_>,
    pairs: &[Pairs],
    outputs: usize,
    features: usize,
    lanes: &mut [Row],
) {
    assert_eq!(errors.panel_count(), inputs.panel_count(), "panels of errors and inputs");
    assert_eq!(lanes.len(), outputs * features, "a row of lanes for each weight");
    isa.run(Outer { errors, inputs, pairs, outputs, features, lanes });
}

/// Which index of a weight is a lane of the matrix that lanes are folded into.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fold {
    /// The feature: a matrix of `outputs` rows, as the weights of a dense layer.
    Features,
    /// The output: a matrix of `features` rows, as the weights of a convolution.
    Outputs,
}

/// Adds up the sixteen lanes of each row of `lanes`, in the order of [`Simd::sum`], and adds what
/// they come to to the gradient. `lanes` is as [`add_outer`] leaves it.
///
/// # Panics
/// If `lanes` and `gradient` have other sizes than `outputs` and `features` ask for.
pub fn fold(
    isa: Isa,
    lanes: &[Row],
    outputs: usize,
    features: usize,
    into: Fold,
    gradient: PanelsMut<'_>,
) {
    assert_eq!(lanes.len(), outputs * features, "a row of lanes for each weight");
    let (rows, cols, row_step, lane_step) = match into {
        Fold::Features => (outputs, features, features, 1),
        Fold::Outputs => (features, outputs, 1, features),
    };
    assert_eq!(gradient.row_count(), rows, "rows of the gradient");
    assert_eq!(gradient.panel_count(), panels(cols), "panels of the gradient");
    isa.run(Folding { lanes, cols, row_step, lane_step, gradient });
}

struct Outer<'a> {
    errors: Panels<'a>,
    inputs: Panels<'a>,
    pairs: &'a [Pairs],
    outputs: usize,
    features: usize,
    lanes: &'a mut [Row],
}

impl Kernel for Outer<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        for panel in 0..self.errors.panel_count() {
            let (errors, inputs) = (self.errors.panel(panel), self.inputs.panel(panel));
            for pairs in self.pairs {
                let size = [self.outputs, self.features];
                let lines = Lines { count: 1, error_step: 0, input_step: 0 };
                let (lanes, stride) = (&mut *self.lanes, self.features);
                add_products(simd, errors, inputs, (lines, *pairs), size, lanes, stride);
            }
        }
    }
}

/// Adds the products of all pairs of all lines of one panel; an output's rows of lanes are `stride` after those of
/// the output before.
#[inline(always)]
pub(crate) fn add_products<S: Simd>(
    simd: S,
    errors: &[Row],
    inputs: &[Row],
    (lines, pairs): (Lines, Pairs),
    [outputs, features]: [usize; 2],
    lanes: &mut [Row],
    stride: usize,
) {
    // As many sums as there are registers for, beside a row of operands.
    let most = match S::TILE_ROWS * S::TILE_PANELS {
        ..24 => 2,
        _ => 4,
    };
    let mut output = 0;
    while output < outputs {
        let left = outputs - output;
        let height = left.div_ceil(left.div_ceil(most));
        let at = (lines, Pairs { error: pairs.error + output, ..pairs });
        let lanes = &mut lanes[output * stride..];
        match height {
            4 if most >= 4 => {
                simd.vectorize(Products::<4> { errors, inputs, at, features, lanes, stride });
            }
            3 if most >= 3 => {
                simd.vectorize(Products::<3> { errors, inputs, at, features, lanes, stride });
            }
            2 => simd.vectorize(Products::<2> { errors, inputs, at, features, lanes, stride }),
            _ => simd.vectorize(Products::<1> { errors, inputs, at, features, lanes, stride }),
        }
        output += height;
    }
}

/// The products of `R` outputs: a function of its own for each `R`, since one of all would take
/// compilers too long.
struct Products<'a, const R: usize> {
    errors: &'a [Row],
    inputs: &'a [Row],
    at: (Lines, Pairs),
    features: usize,
    lanes: &'a mut [Row],
    stride: usize,
}

impl<const R: usize> Kernel for Products<'_, R> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Products { errors, inputs, at: (lines, pairs), features, lanes, stride } = self;
        let registers = S::TILE_ROWS * S::TILE_PANELS;
        let most = match registers {
            ..6 => 1,
            6..24 => 3,
            _ => 6,
        };
        let mut feature = 0;
        while feature < features {
            let left = features - feature;
            let width = left.div_ceil(left.div_ceil(most));
            let at = (lines, Pairs { input: pairs.input + feature, ..pairs });
            let lanes = &mut lanes[feature..];
            match width {
                6 if most >= 6 => block::<S, R, 6>(simd, errors, inputs, at, lanes, stride),
                5 if most >= 5 => block::<S, R, 5>(simd, errors, inputs, at, lanes, stride),
                4 if most >= 4 => block::<S, R, 4>(simd, errors, inputs, at, lanes, stride),
                3 if most >= 3 => block::<S, R, 3>(simd, errors, inputs, at, lanes, stride),
                2 if most >= 2 => block::<S, R, 2>(simd, errors, inputs, at, lanes, stride),
                _ => block::<S, R, 1>(simd, errors, inputs, at, lanes, stride),
            }
            feature += width;
        }
    }
}

/// `R` outputs by `F` features, in registers from the first pair to the last.
#[inline(always)]
fn block<S: Simd, const R: usize, const F: usize>(
    simd: S,
    errors: &[Row],
    inputs: &[Row],
    (lines, pairs): (Lines, Pairs),
    lanes: &mut [Row],
    stride: usize,
) {
    let mut sums = [[simd.splat(0.0); F]; R];
    for o in 0..R {
        let row: &[Row; F] = lanes[o * stride..].first_chunk().expect("F rows of lanes");
        for k in 0..F {
            sums[o][k] = simd.load(&row[k]);
        }
    }
    for line in 0..lines.count {
        let mut error = pairs.error + line * lines.error_step;
        let mut input = pairs.input + line * lines.input_step;
        for _ in 0..pairs.count {
            let e: &[Row; R] = errors[error..].first_chunk().expect("R rows of errors");
            let x: &[Row; F] = inputs[input..].first_chunk().expect("F rows of inputs");
            let mut ev = [simd.splat(0.0); R];
            for o in 0..R {
                ev[o] = simd.load(&e[o]);
            }
            for k in 0..F {
                let xv = simd.load(&x[k]);
                for o in 0..R {
                    sums[o][k] = simd.mul_add(ev[o], xv, sums[o][k]);
                }
            }
            error += pairs.error_step;
            input += pairs.input_step;
        }
    }
    for o in 0..R {
        let row: &mut [Row; F] = lanes[o * stride..].first_chunk_mut().expect("F rows of lanes");
        for k in 0..F {
            simd.store(&mut row[k], sums[o][k]);
        }
    }
}

struct Folding<'a> {
    lanes: &'a [Row],
    cols: usize,
    row_step: usize,
    lane_step: usize,
    gradient: PanelsMut<'a>,
}

impl Kernel for Folding<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        for panel in 0..self.gradient.panel_count() {
            let count = LANES.min(self.cols - panel * LANES);
            for (row, gradient) in self.gradient.panel_mut(panel).iter_mut().enumerate() {
                let first = row * self.row_step + panel * LANES * self.lane_step;
                let mut block = [[0.0; LANES]; LANES];
                for i in 0..count {
                    block[i] = self.lanes[first + i * self.lane_step];
                }
                let sums = totals(simd, &block);
                simd.store(gradient, simd.add(simd.load(gradient), sums));
            }
        }
    }
}

/// The sum of the lanes of each row, in the order of [`Simd::sum`].
#[inline(always)]
fn totals<S: Simd>(simd: S, rows: &[Row; LANES]) -> S::V {
    // Turned, the lanes of sixteen rows are rows, which are added up side by side.
    let mut lanes = [[0.0; LANES]; LANES];
    simd.transpose(rows, &mut lanes);
    sum_rows(simd, &lanes)
}

/// The sum of sixteen rows, halves first.
#[inline(always)]
pub(crate) fn sum_rows<S: Simd>(simd: S, rows: &[Row; LANES]) -> S::V {
    let mut sums = [simd.splat(0.0); LANES / 2];
    for i in 0..LANES / 2 {
        sums[i] = simd.add(simd.load(&rows[i]), simd.load(&rows[i + LANES / 2]));
    }
    let mut width = LANES / 4;
    while width > 0 {
        for i in 0..width {
            sums[i] = simd.add(sums[i], sums[i + width]);
        }
        width /= 2;
    }
    sums[0]
}

#[cfg(test)]
mod tests;

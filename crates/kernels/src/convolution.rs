//! Convolutions of images and signals, of any stride, dilation, padding and groups.
//!
//! Samples stay the lanes, as in every layer: a panel of an image has a row for each unit. So an output is
//! a sum over rows that stand where they stand, and no values are packed, padded or copied. The three products
//! of a layer are
//!
//! | product  | files                                 | sums over             |
//! | -------- | ------------------------------------- | --------------------- |
//! | forward  | `sweep.rs`, `reading.rs`              | taps and channels     |
//! | backward | `turned.rs`, `sweep.rs`, `reading.rs` | taps and outputs      |
//! | gradient | `products.rs`, or `gradient.rs`       | positions and samples |
//!
//! Backward is forward once more, from outputs to inputs, with weights that are turned for it. The gradient
//! is a matrix product of inputs and transposed errors, or, where an output sees so few inputs that transposing would
//! be most of the work, a sum of outer products whose samples stay apart until the end.

mod bands;
mod gradient;
mod products;
mod reading;
mod shape;
mod sweep;
mod taps;
mod turned;

pub use shape::{Convolution, Shape};

use crate::bias::accumulate_rows;
use crate::isa::Isa;
use crate::outer::{Fold, fold};
use crate::panels::{Panels, PanelsMut};
use crate::product::Finish;
use crate::simd::{LANES, Row};
use gradient::Gradient;
use products::Products;
use reading::{Depthwise, Grouped};
use sweep::{Side, Sweep};
use turned::{Turn, turned_features, turned_rows};

/// Features of a row of taps from which on the gradient is made of matrix products.
const LEAST_FEATURES: usize = 8;

/// Outputs: of each sample and position, bias + the sum of weights times inputs, finished.
///
/// # Panics
/// If a slice, or what `finish` holds, does not fit the convolution or the panels of `input`.
pub fn forward(
    isa: Isa,
    conv: &Convolution,
    weights: &[Row],
    bias: Option<&[Row]>,
    input: &[Row],
    output: &mut [Row],
    finish: Finish<'_>,
) {
    let from = Panels::new(input, conv.input_rows());
    let to = PanelsMut::new(output, conv.output_rows());
    assert_eq!(weights.len(), conv.weight_rows(), "rows of weights");
    assert_eq!(from.panel_count(), to.panel_count(), "panels of inputs and outputs");
    if let Some(bias) = bias {
        assert_eq!(bias.len(), conv.bias_rows(), "rows of bias terms");
    }
    if let Finish::ReluTrain(other) | Finish::Chain(other) = &finish {
        assert_eq!(other.row_count(), conv.output_rows(), "rows of outputs and what they finish");
        assert_eq!(other.panel_count(), to.panel_count(), "panels of outputs and what they finish");
    }
    let [inputs, outputs] = sides(conv);
    let sweep = Sweep {
        runs: [&conv.outputs[0], &conv.outputs[1]],
        kernel_width: conv.shape().kernel[1],
        weights: Panels::new(weights, conv.features()),
        bias,
        held: false,
        from_side: inputs,
        from,
        to_side: outputs,
        to,
        finish,
    };
    run(isa, conv, sweep);
}

/// The gradient of the inputs by that of the outputs, `error`: put into `into`, or added to what it holds.
///
/// What `scratch`, of [`scratch_rows`], holds does not matter, and is lost.
///
/// # Panics
/// If a slice does not fit the convolution or the panels of `error`.
pub fn backward(
    isa: Isa,
    conv: &Convolution,
    weights: &[Row],
    error: &[Row],
    into: &mut [Row],
    add: bool,
    scratch: &mut [Row],
) {
    let from = Panels::new(error, conv.output_rows());
    let to = PanelsMut::new(into, conv.input_rows());
    assert_eq!(weights.len(), conv.weight_rows(), "rows of weights");
    assert_eq!(from.panel_count(), to.panel_count(), "panels of errors and inputs");
    let turned = &mut scratch[..turned_rows(conv)];
    isa.run(Turn { conv, weights: Panels::new(weights, conv.features()), turned: &mut *turned });
    let [inputs, outputs] = sides(conv);
    let sweep = Sweep {
        runs: [&conv.inputs[0], &conv.inputs[1]],
        kernel_width: conv.shape().kernel[1],
        weights: Panels::new(turned, turned_features(conv)),
        bias: None,
        held: add,
        from_side: outputs,
        from,
        to_side: inputs,
        to,
        finish: Finish::Store,
    };
    run(isa, conv, sweep);
}

/// Rows that [`backward`] and [`gradient`] work in.
pub fn scratch_rows(conv: &Convolution) -> usize {
    let gradient = match by_products(conv) {
        true => products::scratch_rows(conv),
        false => (conv.features() + 1) * conv.shape().outputs,
    };
    gradient.max(turned_rows(conv))
}

/// Whether a row of taps sees inputs enough for the registers of a matrix product.
fn by_products(conv: &Convolution) -> bool {
    let shape = conv.shape();
    shape.groups == 1 && shape.kernel[1] * shape.channels >= LEAST_FEATURES
}

/// Adds to the gradients of the weights and of the bias terms the sum over all positions and samples.
///
/// Sums are taken in the order of the samples, by lanes, so the same panels in the same call give the
/// same bits. What `scratch` holds does not matter, and is lost.
///
/// # Panics
/// If a slice does not fit the convolution, or inputs and errors have different numbers of panels.
pub fn gradient(
    isa: Isa,
    conv: &Convolution,
    input: &[Row],
    error: &[Row],
    weight_gradient: &mut [Row],
    bias_gradient: Option<&mut [Row]>,
    scratch: &mut [Row],
) {
    let inputs = Panels::new(input, conv.input_rows());
    let errors = Panels::new(error, conv.output_rows());
    assert_eq!(inputs.panel_count(), errors.panel_count(), "panels of inputs and errors");
    assert_eq!(weight_gradient.len(), conv.weight_rows(), "rows of the gradient");
    let (features, outputs) = (conv.features(), conv.shape().outputs);
    if by_products(conv) {
        let gradient = PanelsMut::new(weight_gradient, features);
        let turned = &mut scratch[..products::scratch_rows(conv)];
        return isa.run(Products { conv, inputs, errors, gradient, bias_gradient, turned });
    }
    let (lanes, sums) = scratch[..(features + 1) * outputs].split_at_mut(features * outputs);
    lanes.fill([0.0; LANES]);
    isa.run(Gradient { conv, inputs, errors, lanes });
    let matrix = PanelsMut::new(weight_gradient, features);
    fold(isa, lanes, outputs, features, Fold::Outputs, matrix);
    if let Some(terms) = bias_gradient {
        // Positions follow each other in a panel, and panels each other: all are panels of outputs.
        sums.fill([0.0; LANES]);
        accumulate_rows(isa, Panels::new(error, outputs), sums);
        fold(isa, sums, outputs, 1, Fold::Outputs, PanelsMut::new(terms, 1));
    }
}

/// Sweeps, reading weights as the groups ask for.
fn run(isa: Isa, conv: &Convolution, sweep: Sweep<'_>) {
    match conv.is_depthwise() {
        true => sweep.run::<Depthwise>(isa),
        false => sweep.run::<Grouped>(isa),
    }
}

/// Its inputs and its outputs.
fn sides(conv: &Convolution) -> [Side; 2] {
    let shape = conv.shape();
    // Channels of a depthwise convolution are alike: each sees the one of its own number.
    let groups = if conv.is_depthwise() { 1 } else { shape.groups };
    [(shape.size, shape.channels), (shape.out, shape.outputs)].map(|(size, channels)| Side {
        width: size[1],
        channels,
        group: channels / groups,
    })
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod speed;

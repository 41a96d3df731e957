//! Dense: a = f(W x + b), then dropout while training.
//!
//! Its gradient is summed by the tasks of the second phase, tile by tile (`step/update.rs`).

use super::interface::{Backward, Forward, Layer};
use super::parameters::{Parameters, Shape};
use super::view::View;
use gristmill_kernels as kernels;
use gristmill_kernels::{Activation, DropoutKey, Finish, Panels, PanelsMut, Start};

/// One dense layer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dense {
    /// Inputs, outputs, bias or none.
    pub shape: Shape,
    /// The activation function f.
    pub activation: Activation,
    /// Share of the outputs that is dropped in each training step, in [0, 1).
    pub dropout: f32,
}

impl Layer for Dense {
    fn output(&self) -> View {
        View::flat(self.shape.outputs)
    }

    fn parameters(&self) -> Parameters<'_> {
        Parameters::Matrix(self.shape)
    }

    fn work(&self) -> usize {
        self.shape.outputs * (self.shape.inputs + usize::from(self.shape.bias))
    }

    fn has_slopes(&self) -> bool {
        self.activation != Activation::Identity || self.dropout > 0.0
    }

    fn forward(&self, at: Forward<'_>) {
        let Forward { isa, weights, output, slopes, masks, .. } = at;
        let input = at.inputs.get(0);
        let Shape { inputs, outputs, bias } = self.shape;
        // The commonest activation is applied while its sums are in registers.
        let relu = self.activation == Activation::Relu;
        for tile in weights.tiles {
            let start = match (tile.inputs.start, bias) {
                (0, true) => Start::Bias(&weights.arena[tile.bias.clone()]),
                (0, false) => Start::Zero,
                _ => Start::Held,
            };
            let finish = match (relu && tile.inputs.end == inputs, masks) {
                (false, _) => Finish::Store,
                (true, None) => Finish::Relu,
                (true, Some(_)) => {
                    let slopes = PanelsMut::new(slopes, outputs);
                    Finish::ReluTrain(slopes.rows(tile.outputs.clone()))
                }
            };
            kernels::multiply(
                isa,
                PanelsMut::new(output, outputs).rows(tile.outputs.clone()),
                Panels::new(&weights.arena[tile.weights.clone()], tile.outputs.len()),
                Panels::new(input, inputs).rows(tile.inputs.clone()),
                start,
                finish,
            );
        }
        let Some(masks) = masks else {
            if !relu {
                kernels::activation::forward(isa, self.activation, output);
            }
            return;
        };
        if !relu && self.has_slopes() {
            kernels::activation::forward_train(isa, self.activation, output, slopes);
        }
        if self.dropout > 0.0 {
            let key = DropoutKey(masks.seed);
            kernels::dropout(isa, key, self.dropout, masks.first, outputs, output, slopes);
        }
    }

    /// W' e, which the slopes of the layer before are multiplied by while it is in registers.
    fn backward(&self, mut at: Backward<'_>) {
        let Shape { inputs, outputs, .. } = self.shape;
        debug_assert_eq!(at.error.len(), kernels::panels(at.samples) * outputs);
        let Some(mut target) = at.upstream.target(0) else { return };
        let error = Panels::new(at.error, outputs);
        for tile in at.weights.tiles {
            let is_first = tile.outputs.start == 0 && !target.add;
            let start = if is_first { Start::Zero } else { Start::Held };
            let finish = match &mut target.slopes {
                Some(slopes) if tile.outputs.end == outputs => {
                    Finish::Chain(PanelsMut::new(slopes, inputs).rows(tile.inputs.clone()))
                }
                _ => Finish::Store,
            };
            kernels::transposed_multiply(
                at.isa,
                PanelsMut::new(target.rows, inputs).rows(tile.inputs.clone()),
                Panels::new(&at.weights.arena[tile.weights.clone()], tile.outputs.len()),
                error.rows(tile.outputs.clone()),
                start,
                finish,
            );
        }
    }
}

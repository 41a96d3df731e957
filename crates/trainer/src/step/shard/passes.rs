//! Forward and backward through the layers of a shard.

use super::{LayerSpace, RowContext, Shard};
use gristmill_kernels as kernels;
use gristmill_kernels::{Activation, DropoutKey, Finish, Panels, PanelsMut, Start, panels};

impl Shard {
    /// Sums and activations of each layer in turn; for training (with a seed for the masks of dropout)
    /// also slopes and transposed activations.
    pub(super) fn forward<S>(&mut self, context: &RowContext<'_, S>, dropout_seed: Option<u64>) {
        let isa = context.isa;
        let columns = self.columns();
        let samples = self.rows.len();
        let arena = context.network.weights();
        for (l, layer) in context.network.layers().iter().enumerate() {
            let (before, rest) = self.layers.split_at_mut(l);
            let LayerSpace { output, error, transposed } = &mut rest[0];
            let input = before.last().map_or(&self.features, |previous| &previous.output);
            let input = &input[..columns * layer.shape.inputs];
            let units = layer.shape.outputs;
            let output = &mut output[..columns * units];
            let slopes = match dropout_seed {
                Some(_) => &mut error[..columns * units],
                None => &mut [],
            };
            // The commonest activation is applied while its sums are in registers.
            let relu = layer.activation == Activation::Relu;
            for tile in context.network.layout().layer(l) {
                let start = match (tile.inputs.start, layer.shape.bias) {
                    (0, true) => Start::Bias(&arena[tile.bias.clone()]),
                    (0, false) => Start::Zero,
                    _ => Start::Held,
                };
                let finish = match (relu && tile.inputs.end == layer.shape.inputs, dropout_seed) {
                    (false, _) => Finish::Store,
                    (true, None) => Finish::Relu,
                    (true, Some(_)) => {
                        let slopes = PanelsMut::new(slopes, units);
                        Finish::ReluTrain(slopes.rows(tile.outputs.clone()))
                    }
                };
                kernels::multiply(
                    isa,
                    PanelsMut::new(output, units).rows(tile.outputs.clone()),
                    Panels::new(&arena[tile.weights.clone()], tile.outputs.len()),
                    Panels::new(input, layer.shape.inputs).rows(tile.inputs.clone()),
                    start,
                    finish,
                );
            }
            let Some(seed) = dropout_seed else {
                if !relu {
                    kernels::activation::forward(isa, layer.activation, output);
                }
                continue;
            };
            if !relu {
                kernels::activation::forward_train(isa, layer.activation, output, slopes);
            }
            if layer.dropout > 0.0 {
                let key = DropoutKey(seed ^ (l as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
                let first = self.first as u32;
                kernels::dropout(isa, key, layer.dropout, first, units, output, slopes);
            }
            if !transposed.is_empty() {
                let transposed = &mut transposed[..panels(units) * samples];
                kernels::gather::transpose_panels(isa, output, units, samples, transposed);
            }
        }
    }

    /// Errors of all layers but the last, whose error the loss has left.
    pub(super) fn backward<S>(&mut self, context: &RowContext<'_, S>) {
        let isa = context.isa;
        let columns = self.columns();
        let arena = context.network.weights();
        for l in (1..context.network.layers().len()).rev() {
            let shape = context.network.layers()[l].shape;
            let (before, rest) = self.layers.split_at_mut(l);
            let LayerSpace { output, error, .. } = &mut before[l - 1];
            let upstream = Panels::new(&rest[0].error[..columns * shape.outputs], shape.outputs);
            let output = &mut output[..columns * shape.inputs];
            let error = &mut error[..columns * shape.inputs];
            for tile in context.network.layout().layer(l) {
                let start = if tile.outputs.start == 0 { Start::Zero } else { Start::Held };
                let finish = if tile.outputs.end == shape.outputs {
                    Finish::Chain(PanelsMut::new(error, shape.inputs).rows(tile.inputs.clone()))
                } else {
                    Finish::Store
                };
                kernels::transposed_multiply(
                    isa,
                    PanelsMut::new(output, shape.inputs).rows(tile.inputs.clone()),
                    Panels::new(&arena[tile.weights.clone()], tile.outputs.len()),
                    upstream.rows(tile.outputs.clone()),
                    start,
                    finish,
                );
            }
        }
    }
}

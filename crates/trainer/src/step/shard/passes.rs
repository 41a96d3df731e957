//! Forward and backward through the layers of a shard.

use super::{RowContext, Shard, TrainingContext};
use crate::layer::interface::{Backward, Forward, Masks, Weights, WholeBatch};
use crate::network::Network;
use crate::network::segment::Settles;
use crate::network::workspace::{Inputs, Space, Upstream};
use gristmill_kernels as kernels;
use gristmill_kernels::panels;
use std::ops::Range;

/// The parameters of a node.
fn weights(network: &Network, node: usize) -> Weights<'_> {
    let (layout, arena) = (network.layout(), network.weights());
    Weights { arena, tiles: layout.layer(node), shared: &arena[layout.node_rows(node)] }
}

/// The first rows of a buffer; none where it is not in use.
fn used<T>(buffer: &mut [T], rows: usize) -> &mut [T] {
    let rows = rows.min(buffer.len());
    &mut buffer[..rows]
}

impl Shard {
    /// The values of some layers in turn; for training also slopes and transposed values.
    pub(super) fn forward<S>(
        &mut self,
        context: &RowContext<'_, S>,
        training: Option<&TrainingContext<'_>>,
        nodes: Range<usize>,
    ) {
        let columns = self.columns();
        let samples = self.rows.len();
        let network = context.network;
        let features = &self.features[..columns * network.inputs()];
        for i in nodes {
            let (node, wiring) = (&network.nodes()[i], &network.wiring()[i]);
            let (before, rest) = self.spaces.split_at_mut(i);
            let Space { units, output, error, transposed, kept, .. } = &mut rest[0];
            let output = &mut output[..columns * *units];
            let masks = training.map(|training| Masks {
                seed: training.dropout_seed ^ (i as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15),
                first: self.first as u32,
            });
            let slopes = if masks.is_some() && wiring.has_slopes { columns * *units } else { 0 };
            node.layer.as_layer().forward(Forward {
                isa: context.isa,
                samples,
                ends: self.ends.as_ref().and_then(|ends| ends.of(node.inputs[0])),
                weights: weights(network, i),
                inputs: Inputs { sources: &node.inputs, features, before, columns },
                output,
                slopes: used(error, slopes),
                kept: used(kept, columns * wiring.kept),
                scratch: &mut self.scratch,
                whole: training.map_or(&[], |training| &training.wholes[i]),
                masks,
            });
            if let Some(ends) = &self.ends {
                ends.cut(i, node.layer.output(), output);
            }
            if masks.is_some() && !transposed.is_empty() {
                let to = &mut transposed[..panels(*units) * samples];
                kernels::gather::transpose_panels(context.isa, output, *units, samples, to);
            }
        }
    }

    /// Its share of what a node needs of the whole minibatch before the node can run.
    pub(super) fn settle<S>(
        &mut self,
        context: &RowContext<'_, S>,
        training: &TrainingContext<'_>,
        settles: Settles,
    ) {
        let (Settles::Forward(node) | Settles::Backward(node)) = settles;
        let layer = context.network.nodes()[node].layer.as_layer().whole_batch();
        let layer = layer.expect("what is settled is shared");
        match settles {
            Settles::Forward(_) => self.share_forward(context, node, layer),
            Settles::Backward(_) => {
                self.finish_error(context, node);
                self.share_backward(context, training, node, layer);
            }
        }
    }

    /// Errors of what some layers take, from the last, and the gradient of their shared blocks.
    pub(super) fn backward<S>(
        &mut self,
        context: &RowContext<'_, S>,
        training: &TrainingContext<'_>,
        nodes: Range<usize>,
    ) {
        let network = context.network;
        for i in nodes.rev() {
            // The sums of one that shares something have been finished before its share.
            if !network.wiring()[i].waits {
                self.finish_error(context, i);
            }
            if network.wiring()[i].runs_backward {
                self.hand_back(context, training, i);
            }
        }
    }

    /// Multiplies the slopes of a node where its error was collected without them.
    fn finish_error<S>(&mut self, context: &RowContext<'_, S>, node: usize) {
        let columns = self.columns();
        let Space { units, error, sums, .. } = &mut self.spaces[node];
        if context.network.wiring()[node].has_sums {
            let rows = columns * *units;
            kernels::activation::chain(context.isa, &sums[..rows], &mut error[..rows]);
        }
    }

    /// Runs one layer backward.
    fn hand_back<S>(
        &mut self,
        context: &RowContext<'_, S>,
        training: &TrainingContext<'_>,
        i: usize,
    ) {
        let columns = self.columns();
        let network = context.network;
        let (node, wiring) = (&network.nodes()[i], &network.wiring()[i]);
        let (before, rest) = self.spaces.split_at_mut(i);
        let Space { units, output, error, kept, uses, .. } = &mut rest[0];
        let rows = columns * *units;
        if let Some(ends) = &self.ends {
            ends.cut(i, node.layer.output(), &mut error[..rows]);
        }
        node.layer.as_layer().backward(Backward {
            isa: context.isa,
            samples: self.rows.len(),
            ends: self.ends.as_ref().and_then(|ends| ends.of(node.inputs[0])),
            weights: weights(network, i),
            output: &output[..rows],
            error: &error[..rows],
            kept: used(kept, columns * wiring.kept),
            scratch: &mut self.scratch,
            whole: &training.wholes[i],
            share: &self.shares[i],
            gradient: &mut self.gradient[network.layout().node_shared(i)],
            uses,
            upstream: Upstream {
                sources: &node.inputs,
                deliveries: &wiring.deliveries,
                features: &self.features[..columns * network.inputs()],
                before,
                columns,
            },
        });
    }

    fn share_forward<S>(
        &mut self,
        context: &RowContext<'_, S>,
        node: usize,
        layer: &dyn WholeBatch,
    ) {
        let columns = self.columns();
        let network = context.network;
        let inputs = Inputs {
            sources: &network.nodes()[node].inputs,
            features: &self.features[..columns * network.inputs()],
            before: &self.spaces,
            columns,
        };
        let samples = self.rows.len();
        let share = &mut self.shares[node];
        layer.share_forward(context.isa, inputs.get(0), samples, &mut self.scratch, share);
    }

    fn share_backward<S>(
        &mut self,
        context: &RowContext<'_, S>,
        training: &TrainingContext<'_>,
        node: usize,
        layer: &dyn WholeBatch,
    ) {
        let columns = self.columns();
        let network = context.network;
        let inputs = Inputs {
            sources: &network.nodes()[node].inputs,
            features: &self.features[..columns * network.inputs()],
            before: &self.spaces,
            columns,
        };
        let space = &self.spaces[node];
        layer.share_backward(
            context.isa,
            inputs.get(0),
            &space.error[..columns * space.units],
            self.rows.len(),
            &training.wholes[node],
            &mut self.shares[node],
        );
    }
}

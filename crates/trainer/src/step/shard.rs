//! Phase one of a step, "rows": everything that one task does for its own rows of the minibatch.
//!
//! A shard gathers its rows, runs them forward, takes the loss and runs the errors backward, all in
//! its own workspace. It leaves behind, for phase two, each layer's input (transposed) and error.
//!
//! With samples as columns, per layer l, f its activation, * element-wise:
//!
//! ```text
//! z_l = W_l a_(l-1) + b_l        a_l = f(z_l)        s_l = f'(z_l)
//! e_L = dloss/da_L * s_L         e_l = (W_(l+1)' e_(l+1)) * s_l
//! ```

mod gather;
mod judge;
mod passes;

use crate::data::samples::Samples;
use crate::network::{Layer, Network};
use crate::objective::Objective;
use crate::preprocess::Preprocess;
use crate::step::profile::{Phase, Stopwatch};
use Purpose::{Measure, Train};
use gristmill_kernels::{Activation, Isa, LANES, Panels, Row, Rows, panels};

/// The workspace of a row task.
pub(crate) struct Shard {
    /// Most rows that it can hold; a multiple of [`LANES`].
    capacity: usize,
    /// Place of its first row in the minibatch; a multiple of [`LANES`].
    first: usize,
    /// Rows of the data set that it holds now, one per sample.
    rows: Vec<u64>,
    /// The features: samples x features.
    inputs: Rows,
    /// The features again: features x samples.
    features: Rows,
    layers: Vec<LayerSpace>,
    /// Numeric targets of one row, on their way to `targets`.
    target_row: Vec<f32>,
    /// Class numbers (1 x samples), or a number per output (outputs x samples).
    targets: Rows,
    /// Row weight times class weight, 0 beyond the rows in use: 1 x samples.
    weights: Rows,
    /// dloss/da: outputs x samples; empty where the last activation is the identity, whose slope of
    /// one need not be multiplied in, and where there is no backward pass.
    loss_gradient: Rows,
    /// Weighted loss: 1 x samples.
    losses: Rows,
    /// 1 where the class is right and else 0, or the squared error of numbers in their own unit, summed
    /// over the outputs; weighted: 1 x samples.
    scores: Rows,
    /// A row whose class does not exist: its data set is damaged.
    stray: Option<u64>,
}

/// What a workspace has room for, each for all that those before it do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Purpose {
    /// Rows forward.
    Predict,
    /// And their loss.
    Measure,
    /// And the errors backward.
    Train,
}

/// One layer's values.
struct LayerSpace {
    /// units x samples. Forward: z, then a. Backward: W' e of the next layer.
    output: Rows,
    /// units x samples. Forward: the slope f'(z). Backward: the error e.
    error: Rows,
    /// samples x units: the activations; empty in the last layer.
    transposed: Rows,
}

/// What a row task needs to know.
pub(crate) struct RowContext<'a, S> {
    pub(crate) isa: Isa,
    pub(crate) network: &'a Network,
    pub(crate) preprocess: &'a Preprocess,
    pub(crate) samples: &'a S,
}

/// What a row task needs to know besides, in training.
pub(crate) struct TrainingContext<'a> {
    pub(crate) objective: &'a Objective,
    /// Makes the dropout masks of this step differ from those of every other.
    pub(crate) dropout_seed: u64,
    pub(crate) stopwatch: &'a Stopwatch,
}

impl Shard {
    /// A workspace for up to `capacity` rows and for one purpose.
    pub(crate) fn new(network: &Network, capacity: usize, purpose: Purpose) -> Shard {
        debug_assert!(capacity.is_multiple_of(LANES));
        let columns = capacity / LANES;
        let from =
            |least: Purpose, rows: usize| Rows::zeroed(if purpose >= least { rows } else { 0 });
        let depth = network.layers().len();
        let linear = network.layers()[depth - 1].activation == Activation::Identity;
        let space = |(i, layer): (usize, &Layer)| {
            let units = layer.shape.outputs;
            let hidden = i + 1 < depth;
            LayerSpace {
                output: Rows::zeroed(columns * units),
                error: from(if hidden { Train } else { Measure }, columns * units),
                transposed: from(Train, if hidden { capacity * panels(units) } else { 0 }),
            }
        };
        Shard {
            capacity,
            first: 0,
            rows: Vec::with_capacity(capacity),
            inputs: Rows::zeroed(capacity * panels(network.inputs())),
            features: Rows::zeroed(columns * network.inputs()),
            layers: network.layers().iter().enumerate().map(space).collect(),
            target_row: vec![0.0; network.outputs()],
            targets: from(Measure, columns * network.outputs()),
            weights: from(Measure, columns),
            loss_gradient: from(Train, if linear { 0 } else { columns * network.outputs() }),
            losses: from(Measure, columns),
            scores: from(Train, columns),
            stray: None,
        }
    }

    /// Bytes that a row takes in a workspace for training.
    pub(crate) fn row_bytes(network: &Network) -> usize {
        let units: usize = network.layers().iter().map(|layer| layer.shape.outputs).sum();
        // The input as rows and as columns; of each layer the output, the error, and at most the output
        // as rows.
        size_of::<f32>() * (2 * network.inputs() + 3 * units)
    }

    /// Takes the rows of the data set for the next step, as many as fit; `first` is the place of the
    /// first of them in the minibatch.
    pub(crate) fn assign(&mut self, first: usize, rows: impl Iterator<Item = u64>) {
        debug_assert!(first.is_multiple_of(LANES));
        self.first = first;
        self.stray = None;
        self.rows.clear();
        self.rows.extend(rows.take(self.capacity));
    }

    /// Most rows that it can hold.
    pub(crate) fn capacity(&self) -> usize {
        self.capacity
    }

    /// The rows of the data set that it holds.
    pub(crate) fn rows(&self) -> &[u64] {
        &self.rows
    }

    /// A row of a class that does not exist, if it holds one.
    pub(crate) fn stray(&self) -> Option<u64> {
        self.stray
    }

    /// Weighted loss and weight of each panel of samples.
    pub(crate) fn losses(&self) -> impl Iterator<Item = (&Row, &Row)> {
        self.losses[..self.columns()].iter().zip(&self.weights[..self.columns()])
    }

    /// Weighted score of each panel of samples: whether the class is right, or the squared error.
    pub(crate) fn scores(&self) -> impl Iterator<Item = &Row> {
        self.scores[..self.columns()].iter()
    }

    /// The input of a layer, transposed: samples x inputs.
    pub(crate) fn layer_input(&self, layer: usize, inputs: usize) -> Panels<'_> {
        let data = if layer == 0 { &self.inputs } else { &self.layers[layer - 1].transposed };
        let samples = self.rows.len();
        Panels::new(&data[..panels(inputs) * samples], samples)
    }

    /// The error of a layer: units x samples.
    pub(crate) fn layer_error(&self, layer: usize, units: usize) -> Panels<'_> {
        Panels::new(&self.layers[layer].error[..self.columns() * units], units)
    }

    /// What the network puts out: outputs x samples.
    pub(crate) fn output_mut(&mut self, outputs: usize) -> &mut [Row] {
        let columns = self.columns();
        let last = self.layers.last_mut().expect("a network has a layer");
        &mut last.output[..columns * outputs]
    }

    /// Gathers the rows and runs them forward and backward; then phase two may run.
    pub(crate) fn train<S: Samples>(
        &mut self,
        context: &RowContext<'_, S>,
        training: &TrainingContext<'_>,
    ) {
        if self.rows.is_empty() {
            return;
        }
        let stopwatch = training.stopwatch;
        let mut since = stopwatch.start();
        self.gather(context);
        self.gather_targets(context, training.objective);
        stopwatch.lap(Phase::Gather, &mut since);
        self.forward(context, Some(training.dropout_seed));
        self.score(context, training.objective);
        self.loss(context, training.objective);
        stopwatch.lap(Phase::Forward, &mut since);
        self.backward(context);
        stopwatch.lap(Phase::Backward, &mut since);
    }

    /// Gathers the rows and runs them forward; [`output_mut`](Self::output_mut) then has the results.
    pub(crate) fn infer<S: Samples>(&mut self, context: &RowContext<'_, S>) {
        if self.rows.is_empty() {
            return;
        }
        self.gather(context);
        self.forward(context, None);
    }

    /// Gathers the rows, runs them forward and takes the loss, without touching the output.
    pub(crate) fn measure<S: Samples>(
        &mut self,
        context: &RowContext<'_, S>,
        objective: &Objective,
    ) {
        if self.rows.is_empty() {
            return;
        }
        self.gather(context);
        self.gather_targets(context, objective);
        self.forward(context, None);
        self.loss(context, objective);
    }

    /// Panels of samples in use.
    fn columns(&self) -> usize {
        panels(self.rows.len())
    }
}

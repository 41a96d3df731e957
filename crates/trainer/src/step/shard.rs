//! Phase one of a step, "rows": everything that one task does for its own rows of the minibatch.
//!
//! A shard gathers its rows, runs them forward, takes the loss and runs the errors backward, all in
//! its own workspace. It leaves behind, for phase two, each matrix's input (transposed) and error, and its
//! part of the gradient of shared blocks.
//!
//! With samples as columns, per dense layer l, f its activation, * element-wise:
//!
//! ```text
//! z_l = W_l a_(l-1) + b_l        a_l = f(z_l)        s_l = f'(z_l)
//! e_L = dloss/da_L * s_L         e_l = (W_(l+1)' e_(l+1)) * s_l
//! ```

mod ends;
mod gather;
mod judge;
mod mix;
mod passes;

use crate::data::samples::Samples;
use crate::layer::interface::Share;
use crate::layer::uses::Uses;
use crate::network::edges::Source;
use crate::network::segment::Segment;
use crate::network::workspace::Space;
use crate::network::{Network, Node};
use crate::objective::Objective;
use crate::preprocess::Preprocess;
use crate::step::profile::{Phase, Stopwatch};
use Purpose::{Measure, Train};
use ends::Ends;
use gristmill_kernels::{Isa, LANES, Panels, Row, Rows, panels};

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
    /// The rows as they are stored, where they are changed first.
    changed: Vec<u8>,
    /// Where samples end that are series of unequal length.
    ends: Option<Box<Ends>>,
    /// The values of each node.
    spaces: Vec<Space>,
    /// Its part of the gradient of all shared blocks.
    gradient: Rows,
    /// Working memory of one layer at a time.
    scratch: Rows,
    /// What it adds to what nodes need of the whole minibatch: for each node, the numbers of its share.
    shares: Vec<Vec<f64>>,
    /// Numeric targets of one row, on their way to `targets`.
    target_row: Vec<f32>,
    /// Class numbers (1 x samples), or a number per output (outputs x samples).
    targets: Rows,
    /// Whether classes are mixed, so that there is a number per output.
    has_mixed_classes: bool,
    /// Row weight times class weight, 0 beyond the rows in use: 1 x samples.
    weights: Rows,
    /// dloss/da: outputs x samples; empty where the last layer has no slopes, and where there is no
    /// backward pass.
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
    /// For each node what its shares came to.
    pub(crate) wholes: &'a [Rows],
}

impl Shard {
    /// A workspace for up to `capacity` rows and for one purpose.
    pub(crate) fn new(network: &Network, capacity: usize, purpose: Purpose) -> Shard {
        debug_assert!(capacity.is_multiple_of(LANES));
        let columns = capacity / LANES;
        let from =
            |least: Purpose, rows: usize| Rows::zeroed(if purpose >= least { rows } else { 0 });
        let last = network.nodes().len() - 1;
        let has_slopes = network.wiring()[last].has_slopes;
        let space = |(i, node): (usize, &Node)| {
            let (wiring, layer) = (&network.wiring()[i], node.layer.as_layer());
            let units = layer.output().units();
            let if_multiplied = if wiring.is_multiplied { capacity * panels(units) } else { 0 };
            Space {
                units,
                output: Rows::zeroed(columns * units),
                error: from(if i < last { Train } else { Measure }, columns * units),
                sums: from(Train, if wiring.has_sums { columns * units } else { 0 }),
                transposed: from(Train, if_multiplied),
                kept: Rows::zeroed(columns * wiring.kept),
                uses: Uses::default(),
            }
        };
        let share = |node: &Node| match node.layer.as_layer().whole_batch() {
            Some(layer) if purpose >= Train => vec![0.0; layer.share_len()],
            _ => Vec::new(),
        };
        let scratch = network.nodes().iter().map(|node| node.layer.as_layer().scratch(columns));
        Shard {
            capacity,
            first: 0,
            rows: Vec::with_capacity(capacity),
            inputs: Rows::zeroed(capacity * panels(network.inputs())),
            features: Rows::zeroed(columns * network.inputs()),
            ends: Ends::new(network),
            spaces: network.nodes().iter().enumerate().map(space).collect(),
            gradient: from(Train, network.layout().shared_rows()),
            scratch: Rows::zeroed(scratch.max().unwrap_or(0)),
            shares: network.nodes().iter().map(share).collect(),
            changed: Vec::new(),
            has_mixed_classes: false,
            target_row: vec![0.0; network.outputs()],
            targets: from(Measure, columns * network.outputs()),
            weights: from(Measure, columns),
            loss_gradient: from(Train, if has_slopes { columns * network.outputs() } else { 0 }),
            losses: from(Measure, columns),
            scores: from(Train, columns),
            stray: None,
        }
    }

    /// Bytes that a row takes in a workspace for training.
    pub(crate) fn row_bytes(network: &Network) -> usize {
        let values = |node: &Node| {
            let layer = node.layer.as_layer();
            // The output, the error, and at most the output as rows or the errors before the slopes.
            3 * layer.output().units() + layer.kept()
        };
        // The input as rows and as columns.
        let inputs = 2 * network.inputs();
        size_of::<f32>() * (inputs + network.nodes().iter().map(values).sum::<usize>())
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

    /// What a matrix multiplies, transposed: samples x inputs.
    pub(crate) fn matrix_input(&self, source: Source, inputs: usize) -> Panels<'_> {
        let data = match source {
            Source::Features => &self.inputs,
            Source::Node(node) => &self.spaces[node].transposed,
        };
        let samples = self.rows.len();
        Panels::new(&data[..panels(inputs) * samples], samples)
    }

    /// The error of a node: units x samples.
    pub(crate) fn node_error(&self, node: usize, units: usize) -> Panels<'_> {
        Panels::new(&self.spaces[node].error[..self.columns() * units], units)
    }

    /// The uses of a node's table; their errors are numbered through the shard.
    pub(crate) fn uses(&self, node: usize) -> &Uses {
        &self.spaces[node].uses
    }

    /// The errors of a node's table, `[samples][errors of a sample][width]`.
    pub(crate) fn table_errors(&self, node: usize) -> &[f32] {
        self.spaces[node].kept.as_flattened()
    }

    /// Its part of the gradient of all shared blocks.
    pub(crate) fn gradient(&self) -> &[Row] {
        &self.gradient
    }

    /// What the network puts out: outputs x samples.
    pub(crate) fn output_mut(&mut self, outputs: usize) -> &mut [Row] {
        let columns = self.columns();
        let last = self.spaces.last_mut().expect("a network has a layer");
        &mut last.output[..columns * outputs]
    }

    /// Runs its rows through one segment of a step; after the last one phase two may run.
    pub(crate) fn train<S: Samples>(
        &mut self,
        context: &RowContext<'_, S>,
        training: &TrainingContext<'_>,
        segment: &Segment,
    ) {
        if self.rows.is_empty() {
            return;
        }
        let stopwatch = training.stopwatch;
        let mut since = stopwatch.start();
        if segment.gathers {
            self.gather_rows(context);
            self.gather_targets(context, training.objective);
            self.mix(context, training.objective);
            self.turn_features(context);
            stopwatch.lap(Phase::Gather, &mut since);
        }
        self.forward(context, Some(training), segment.forward.clone());
        if segment.has_loss {
            self.score(context, training.objective);
            self.loss(context, training.objective);
            self.gradient.fill([0.0; LANES]);
        }
        stopwatch.lap(Phase::Forward, &mut since);
        self.backward(context, training, segment.backward.clone());
        if let Some(settles) = segment.settles {
            self.settle(context, training, settles);
        }
        stopwatch.lap(Phase::Backward, &mut since);
    }

    /// Its share of what a node needs of the whole minibatch.
    pub(crate) fn share(&self, node: usize) -> Share<'_> {
        Share { samples: self.rows.len(), numbers: &self.shares[node] }
    }

    /// Gathers the rows and runs them forward; [`output_mut`](Self::output_mut) then has the results.
    pub(crate) fn infer<S: Samples>(&mut self, context: &RowContext<'_, S>) {
        if self.rows.is_empty() {
            return;
        }
        self.gather(context);
        self.forward(context, None, 0..context.network.nodes().len());
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
        self.forward(context, None, 0..context.network.nodes().len());
        self.loss(context, objective);
    }

    /// Panels of samples in use.
    fn columns(&self) -> usize {
        panels(self.rows.len())
    }
}

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

use crate::data::samples::Samples;
use crate::network::{Layer, Network};
use crate::objective::{Objective, TargetKind};
use crate::preprocess::Preprocess;
use crate::step::profile::{Part, Stopwatch};
use Purpose::{Measure, Train};
use gristmill_io::Scale;
use gristmill_kernels as kernels;
use gristmill_kernels::{
    Activation, DropoutKey, Finish, Isa, LANES, Panels, PanelsMut, Row, Rows, Start, Targets,
    panels,
};

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

/// The rows of a shard, as the gather wants them.
struct ShardRows<'a, S> {
    samples: &'a S,
    rows: &'a [u64],
}

impl<S: Samples> kernels::RowSource for ShardRows<'_, S> {
    fn len(&self) -> usize {
        self.rows.len()
    }
    #[inline(always)]
    fn row(&self, i: usize) -> &[u8] {
        self.samples.row(self.rows[i])
    }
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

    /// Weighted score of each panel of samples: see the field.
    pub(crate) fn scores(&self) -> impl Iterator<Item = &Row> {
        self.scores[..self.columns()].iter()
    }

    /// The input of a layer of so many inputs: samples x inputs.
    pub(crate) fn layer_input(&self, layer: usize, inputs: usize) -> Panels<'_> {
        let data = if layer == 0 { &self.inputs } else { &self.layers[layer - 1].transposed };
        let samples = self.rows.len();
        Panels::new(&data[..panels(inputs) * samples], samples)
    }

    /// The error of a layer of so many units: units x samples.
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
        stopwatch.lap(Part::Gather, &mut since);
        self.forward(context, Some(training.dropout_seed));
        self.score(context, training.objective);
        self.loss(context, training.objective);
        stopwatch.lap(Part::Forward, &mut since);
        self.backward(context);
        stopwatch.lap(Part::Backward, &mut since);
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

    fn gather<S: Samples>(&mut self, context: &RowContext<'_, S>) {
        let width = context.network.inputs();
        let samples = self.rows.len();
        let columns = self.columns();
        let inputs = &mut self.inputs[..panels(width) * samples];
        kernels::gather::gather(
            context.isa,
            context.samples.element(),
            width,
            &ShardRows { samples: context.samples, rows: &self.rows },
            &context.preprocess.shift,
            &context.preprocess.scale,
            samples,
            inputs,
        );
        let features = &mut self.features[..columns * width];
        kernels::gather::transpose_panels(context.isa, inputs, samples, width, features);
    }

    fn gather_targets<S: Samples>(&mut self, context: &RowContext<'_, S>, objective: &Objective) {
        let outputs = context.network.outputs();
        let columns = self.columns();
        let classes = outputs.max(2);
        self.stray = None;
        self.weights[columns - 1] = [0.0; LANES];
        for (i, &row) in self.rows.iter().enumerate() {
            let (panel, lane) = (i / LANES, i % LANES);
            let mut weight = context.samples.weight(row);
            match objective.targets {
                TargetKind::Classes => {
                    let label = context.samples.label(row);
                    if label as usize >= classes {
                        self.stray.get_or_insert(row);
                    }
                    weight *= objective.class_weight(label);
                    self.targets[panel][lane] = label as f32;
                }
                TargetKind::Numbers => {
                    context.samples.targets(row, &mut self.target_row);
                    let column = &mut self.targets[panel * outputs..][..outputs];
                    let scales = &context.preprocess.targets;
                    for (k, (values, &y)) in column.iter_mut().zip(&self.target_row).enumerate() {
                        values[lane] = scales.get(k).map_or(y, |s| (y - s.mean) / s.deviation);
                    }
                }
            }
            self.weights[panel][lane] = weight;
        }
    }

    fn forward<S>(&mut self, context: &RowContext<'_, S>, dropout_seed: Option<u64>) {
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

    fn score<S>(&mut self, context: &RowContext<'_, S>, objective: &Objective) {
        let outputs = context.network.outputs();
        let last = self.layers.last().expect("a network has a layer");
        let logits = objective.loss.takes_logits();
        for panel in 0..self.columns() {
            let output = &last.output[panel * outputs..][..outputs];
            let score = match objective.targets {
                TargetKind::Classes => right(output, logits, &self.targets[panel]),
                TargetKind::Numbers => {
                    let targets = &self.targets[panel * outputs..][..outputs];
                    squared_error(output, targets, &context.preprocess.targets)
                }
            };
            let weighted = score.iter().zip(&self.weights[panel]).map(|(score, w)| score * w);
            for (out, score) in self.scores[panel].iter_mut().zip(weighted) {
                *out = score;
            }
        }
    }

    fn loss<S>(&mut self, context: &RowContext<'_, S>, objective: &Objective) {
        let columns = self.columns();
        let outputs = context.network.outputs();
        let LayerSpace { output, error, .. } =
            self.layers.last_mut().expect("a network has a layer");
        let targets = match objective.targets {
            TargetKind::Classes => Targets::Classes(&self.targets[..columns]),
            _ => Targets::Numbers(&self.targets[..columns * outputs]),
        };
        let output = &output[..columns * outputs];
        let error = &mut error[..columns * outputs];
        let weights = &self.weights[..columns];
        let losses = &mut self.losses[..columns];
        let (isa, loss) = (context.isa, objective.loss);
        if self.loss_gradient.is_empty() {
            kernels::loss::loss(isa, loss, output, outputs, targets, weights, error, losses);
        } else {
            let gradient = &mut self.loss_gradient[..columns * outputs];
            kernels::loss::loss(isa, loss, output, outputs, targets, weights, gradient, losses);
            kernels::activation::chain(isa, gradient, error);
        }
    }

    fn backward<S>(&mut self, context: &RowContext<'_, S>) {
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

/// 1 for each sample whose largest output is that of its class; a single output is of the second class
/// where its probability is above one half.
fn right(output: &[Row], logits: bool, classes: &Row) -> Row {
    let mut best = [if logits { 0.0 } else { 0.5 }; LANES];
    let mut class = [0.0; LANES];
    let first = if output.len() == 1 { 1.0 } else { 0.0 };
    if output.len() > 1 {
        best = [f32::NEG_INFINITY; LANES];
    }
    for (number, row) in output.iter().enumerate() {
        for lane in 0..LANES {
            let better = row[lane] > best[lane];
            best[lane] = if better { row[lane] } else { best[lane] };
            class[lane] = if better { first + number as f32 } else { class[lane] };
        }
    }
    std::array::from_fn(|lane| f32::from(class[lane] == classes[lane]))
}

/// For each sample, summed over its outputs.
fn squared_error(output: &[Row], targets: &[Row], scales: &[Scale]) -> Row {
    let mut sum = [0.0; LANES];
    for (k, (output, target)) in output.iter().zip(targets).enumerate() {
        let unit = scales.get(k).map_or(1.0, |scale| scale.deviation);
        for lane in 0..LANES {
            let error = unit * (output[lane] - target[lane]);
            sum[lane] += error * error;
        }
    }
    sum
}

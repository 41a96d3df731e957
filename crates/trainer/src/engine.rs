//! The training step: rows, then tiles, with two joins however deep the network is.
//!
//! No result depends on how many threads there are or on how the minibatch is cut into shards: a
//! sample's values are computed alone, and every sum over samples is taken by one task in the order
//! of the minibatch.

use crate::layout::{LayerValues, Parts};
use crate::network::Network;
use crate::objective::Objective;
use crate::pace::Pace;
use crate::preprocess::Preprocess;
use crate::profile::{Part, Profile, Stopwatch};
use crate::samples::Samples;
use crate::shard::{Purpose, RowContext, Shard, TrainingContext};
use crate::threads;
use crate::update::{self, OptimizerState};
use gristmill_kernels as kernels;
use gristmill_kernels::{
    Crew, Finish, Isa, LANES, Panels, PanelsMut, Rows, Start, Step, UpdateRule,
};
use std::time::{Duration, Instant};

/// Most samples in a shard: its activations share the second-level cache with a tile of weights.
const SHARD_ROWS: usize = 128;

/// Everything that a training step reads and writes.
pub struct Engine {
    isa: Isa,
    rule: UpdateRule,
    clip_norm: Option<f64>,
    /// The network in training.
    pub network: Network,
    /// What is done to features and numeric targets.
    pub preprocess: Preprocess,
    /// What is minimised.
    pub objective: Objective,
    /// What the optimiser keeps per weight.
    pub state: OptimizerState,
    shards: Vec<Shard>,
    /// Of the whole network; empty unless its norm is clipped.
    gradient: Rows,
    pace: Pace,
    /// Tasks of the second phase.
    parts: Parts,
    /// Most threads that a step runs on.
    threads: usize,
    stopwatch: Stopwatch,
}

/// What is particular to one step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepPlan {
    /// Learning rate, penalties and clipping; its `gradient_scale` is set by the engine.
    pub step: Step,
    /// Makes the dropout masks of the step.
    pub dropout_seed: u64,
}

/// What one minibatch came to.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct BatchLoss {
    /// Sum of weight times loss.
    pub loss: f64,
    /// Sum of weights.
    pub weight: f64,
    /// Weight of the samples whose class was predicted, or weighted sum of the squared errors of
    /// numbers in their own unit, over all outputs.
    pub score: f64,
    /// A row of a class that does not exist: the data set is damaged, and nothing was learned.
    pub stray: Option<u64>,
}

impl BatchLoss {
    /// The weighted mean; zero for no weight at all.
    pub fn mean(self) -> f64 {
        if self.weight > 0.0 { self.loss / self.weight } else { self.loss }
    }
}

/// How a minibatch is cut into shards.
fn shard_rows(batch: usize, threads: usize) -> usize {
    let share = batch.div_ceil(threads).max(1);
    let rounds = share.div_ceil(SHARD_ROWS);
    share.div_ceil(rounds).next_multiple_of(LANES)
}

impl Engine {
    /// An engine for minibatches of up to `batch` samples on the threads of the current pool.
    ///
    /// `clip_norm` limits the Euclidean norm of each step's gradient.
    pub fn new(
        isa: Isa,
        network: Network,
        preprocess: Preprocess,
        objective: Objective,
        rule: UpdateRule,
        clip_norm: Option<f64>,
        batch: usize,
    ) -> Engine {
        let threads = threads::useful();
        let pace = Pace::new(3 * batch * network.layout().parameters(), threads);
        let threads = if pace.is_ever_parallel() { threads } else { 1 };
        let capacity = shard_rows(batch, threads);
        let shards =
            (0..batch.div_ceil(capacity)).map(|_| Shard::new(&network, capacity, Purpose::Train));
        let rows = network.layout().rows();
        Engine {
            isa,
            rule,
            clip_norm,
            preprocess,
            objective,
            state: OptimizerState::new(rule, rows),
            shards: shards.collect(),
            gradient: Rows::zeroed(if clip_norm.is_some() { rows } else { 0 }),
            parts: network.layout().parts(threads),
            threads,
            pace,
            stopwatch: Stopwatch::default(),
            network,
        }
    }

    /// Members of the crew that its steps are worth.
    pub fn crew_size(&self) -> usize {
        self.threads
    }

    /// One step on `count` samples; `row(i)` is the data-set row of the i-th.
    pub fn step<S: Samples>(
        &mut self,
        crew: &mut Crew,
        samples: &S,
        count: usize,
        row: &(impl Fn(usize) -> u64 + Sync),
        plan: StepPlan,
    ) -> BatchLoss {
        let parallel = self.pace.next();
        crew.call_helpers(parallel);
        let began = self.stopwatch.start();
        let batch = self.rows_phase(crew, samples, count, row, plan.dropout_seed);
        if batch.stray.is_some() {
            return batch;
        }
        let gradient_scale = self.objective.gradient_scale(batch.weight);
        let step = Step { gradient_scale, ..plan.step };
        match self.clip_norm {
            None => self.update(crew, &step),
            Some(limit) => self.update_clipped(crew, step, limit),
        }
        self.stopwatch.finish(if parallel { self.threads } else { 1 }, began);
        batch
    }

    /// About how long a step on so many samples takes, from a short trial of the matrix product that
    /// most of it is.
    pub fn expected_seconds(&self, samples: u64) -> f64 {
        const EDGE: usize = 128;
        // The fastest of some, since whatever else runs can only make one slower.
        const TRIALS: usize = 20;
        let operand = Rows::zeroed(EDGE * EDGE / LANES);
        let mut sum = operand.clone();
        let mut fastest = Duration::MAX;
        for _ in 0..TRIALS {
            let began = Instant::now();
            let (a, b) = (Panels::new(&operand, EDGE), Panels::new(&operand, EDGE));
            let c = PanelsMut::new(&mut sum, EDGE);
            kernels::multiply(self.isa, c, a, b, Start::Zero, Finish::Store);
            fastest = fastest.min(began.elapsed());
        }
        let rate = (EDGE * EDGE * EDGE) as f64 / fastest.as_secs_f64().max(1e-9);
        let shapes = self.network.layout().shapes();
        let weights: usize = shapes.iter().map(|s| s.inputs * s.outputs).sum();
        // Forward, gradient, and the errors of all layers but the first; a fifth for all the rest.
        let work = (3 * weights - shapes[0].inputs * shapes[0].outputs) as f64;
        1.2 * samples as f64 * work / (rate * self.threads as f64)
    }

    /// Starts or stops measuring where the time of steps goes.
    pub fn profile(&mut self, on: bool) {
        self.stopwatch.switch(on);
    }

    /// Where the time of the steps since the last call went; all zero unless it is measured.
    pub fn take_profile(&mut self) -> Profile {
        self.stopwatch.take()
    }

    /// Loss and gradient on `count` samples, per layer as [`Network::layer_weights`] lays them out.
    pub fn gradient<S: Samples>(
        &mut self,
        samples: &S,
        count: usize,
        row: &(impl Fn(usize) -> u64 + Sync),
        dropout_seed: u64,
    ) -> (BatchLoss, Vec<LayerValues>) {
        let mut alone = Crew::new(1);
        let batch = self.rows_phase(&mut alone, samples, count, row, dropout_seed);
        let scale = self.objective.gradient_scale(batch.weight) as f32;
        self.gradient = Rows::zeroed(self.network.layout().rows());
        self.tiles_phase(&mut alone);
        self.gradient.as_flattened_mut().iter_mut().for_each(|g| *g *= scale);
        let layout = self.network.layout();
        let layers = 0..layout.shapes().len();
        (batch, layers.map(|layer| layout.read_weights(layer, &self.gradient)).collect())
    }

    /// Forward and backward for every row.
    fn rows_phase<S: Samples>(
        &mut self,
        crew: &mut Crew,
        samples: &S,
        count: usize,
        row: &(impl Fn(usize) -> u64 + Sync),
        dropout_seed: u64,
    ) -> BatchLoss {
        let rows = RowContext {
            isa: self.isa,
            network: &self.network,
            preprocess: &self.preprocess,
            samples,
        };
        let training = TrainingContext {
            objective: &self.objective,
            dropout_seed,
            stopwatch: &self.stopwatch,
        };
        crew.for_each(&mut self.shards, |i, shard| {
            let first = i * shard.capacity();
            shard.assign(first, (first..count).map(row));
            shard.train(&rows, &training);
        });
        self.batch_loss()
    }

    /// Sums with the lanes apart, in the order of the samples, and then over the lanes.
    fn batch_loss(&self) -> BatchLoss {
        let mut sums = [[0.0; LANES]; 3];
        for shard in &self.shards {
            for panels in shard.losses().zip(shard.scores()).map(|((l, w), s)| [l, w, s]) {
                for (sum, panel) in sums.iter_mut().zip(panels) {
                    sum.iter_mut().zip(panel).for_each(|(sum, &x)| *sum += f64::from(x));
                }
            }
        }
        let [loss, weight, score] = sums.map(|lanes| lanes.iter().sum());
        BatchLoss { loss, weight, score, stray: self.shards.iter().find_map(Shard::stray) }
    }

    fn update(&mut self, crew: &mut Crew, step: &Step) {
        let (isa, rule, shards, stopwatch) = (self.isa, self.rule, &self.shards, &self.stopwatch);
        let parts = &self.parts;
        let (layout, weights) = self.network.parts_mut();
        let [a, b] = &mut self.state.slots;
        crew.for_each_part(parts.bounds(), [weights, a, b], |part, [weights, a, b]| {
            let tile = parts.tile(part);
            update::train_tile(isa, rule, step, layout, shards, tile, weights, [a, b], stopwatch);
        });
    }

    /// The gradient of every tile, summed over the samples.
    fn tiles_phase(&mut self, crew: &mut Crew) {
        let (isa, shards, stopwatch, parts) =
            (self.isa, &self.shards, &self.stopwatch, &self.parts);
        let layout = self.network.layout();
        crew.for_each_part(parts.bounds(), [&mut self.gradient], |part, [gradient]| {
            let mut since = stopwatch.start();
            update::tile_gradient(isa, layout, shards, parts.tile(part), gradient);
            stopwatch.lap(Part::Tiles, &mut since);
        });
    }

    /// The whole gradient first, then its norm, then the update: one more join.
    fn update_clipped(&mut self, crew: &mut Crew, mut step: Step, limit: f64) {
        self.tiles_phase(crew);
        let squares = kernels::reduce::squared_norm(self.isa, &self.gradient);
        let norm = step.gradient_scale * squares.sqrt();
        if norm > limit {
            step.gradient_scale *= limit / norm;
        }
        let (isa, rule, stopwatch, parts) = (self.isa, self.rule, &self.stopwatch, &self.parts);
        let weights = self.network.weights_mut();
        let [a, b] = &mut self.state.slots;
        let arenas = [weights, a, b, &mut self.gradient];
        crew.for_each_part(parts.bounds(), arenas, |part, [weights, a, b, gradient]| {
            let mut since = stopwatch.start();
            let tile = parts.tile(part);
            update::update_tile(isa, rule, &step, tile, weights, [a, b], gradient);
            stopwatch.lap(Part::Update, &mut since);
        });
    }
}

//! The training step: rows, then tiles, with two joins a round however deep the network is.
//!
//! No result depends on how many threads there are or on how the minibatch is cut into shards: a
//! sample's values are computed alone, and every sum over samples is taken by one task in the order
//! of the minibatch.

use crate::data::samples::Samples;
use crate::layer::interface::WholeBatch;
use crate::network::layout::{Task, Tasks};
use crate::network::segment::Settles;
use crate::network::{Network, Node};
use crate::objective::Objective;
use crate::preprocess::Preprocess;
use crate::step::pace::Pace;
use crate::step::profile::{Phase, Profile, Stopwatch};
use crate::step::shard::{Purpose, RowContext, Shard, TrainingContext};
use crate::step::tables::TableGradient;
use crate::step::update::{self, OptimizerState};
use gristmill_kernels as kernels;
use gristmill_kernels::{
    Crew, Finish, FlushDenormals, Isa, LANES, Panels, PanelsMut, Row, Rows, Start, Step, UpdateRule,
};
use std::ops::Range;
use std::time::{Duration, Instant};

/// Most samples in a shard: its activations share the second-level cache with a tile of weights.
const SHARD_ROWS: usize = 128;

/// Bytes of shards that a thread computes in one round: about its share of the last-level cache. Larger
/// minibatches are computed in rounds.
const ROUND_BYTES: usize = 8 << 20;

/// Rounds pay where the values of the samples are at least this many times as large as the gradient, which
/// every round reads and writes.
const WORTH_ROUNDS: usize = 4;

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
    /// Workspaces for as many samples as are computed at once.
    shards: Vec<Shard>,
    /// For each node what the shares of the shards came to.
    wholes: Vec<Rows>,
    /// Room for the numbers of a share.
    totals: Vec<f64>,
    /// The gradients of the parts of tables.
    tables: Vec<TableGradient>,
    /// Where the update waits for the whole gradient.
    collected: Option<Collected>,
    pace: Pace,
    /// Tasks of the second phase.
    tasks: Tasks,
    /// Most threads that a step runs on.
    threads: usize,
    stopwatch: Stopwatch,
}

/// What an engine is made of.
pub struct Setup {
    /// Most threads that a step runs on.
    pub threads: usize,
    /// The instruction set of every kernel.
    pub isa: Isa,
    /// The network to train.
    pub network: Network,
    /// What is done to features and numeric targets.
    pub preprocess: Preprocess,
    /// What is minimised.
    pub objective: Objective,
    /// How weights follow their gradient.
    pub rule: UpdateRule,
    /// Limit on the Euclidean norm of each step's gradient.
    pub clip_norm: Option<f64>,
    /// Most samples in a minibatch.
    pub batch: usize,
}

/// The gradient of the whole network but of tables, as far as it has been summed over the samples.
struct Collected {
    /// Of each task, in their order.
    gradient: Rows,
    /// A row per bias term: its gradient with the lanes of the samples still apart.
    sums: Rows,
}

impl Collected {
    fn new(tasks: &Tasks) -> Collected {
        let rows = tasks.gradient_bounds().last().copied().unwrap_or(0);
        Collected { gradient: Rows::zeroed(rows), sums: Rows::zeroed(tasks.bias_terms()) }
    }
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
    /// A row of a class that does not exist: the data set is damaged, nothing was learned, and the other
    /// numbers mean nothing.
    pub stray: Option<u64>,
}

impl BatchLoss {
    /// The weighted mean; zero for no weight at all.
    pub fn mean(self) -> f64 {
        if self.weight > 0.0 { self.loss / self.weight } else { self.loss }
    }
}

/// Bytes of the values of a shard, where it sums gradients of its own: a share of the second-level cache.
const SHARD_BYTES: usize = 512 << 10;

/// How a minibatch is cut into shards: rows of each. Where shards sum gradients, the cut decides the order of
/// these sums, and so depends on nothing but network and minibatch.
fn shard_rows(network: &Network, batch: usize, threads: usize) -> usize {
    if network.has_shared() {
        let rows = SHARD_BYTES / Shard::row_bytes(network) / LANES * LANES;
        let most = rows.clamp(LANES, SHARD_ROWS);
        // At least four shards, so that a few threads have work.
        return most.min(batch.div_ceil(4)).next_multiple_of(LANES);
    }
    let share = batch.div_ceil(threads).max(1);
    let rounds = share.div_ceil(SHARD_ROWS);
    share.div_ceil(rounds).next_multiple_of(LANES)
}

/// How many of the shards of a minibatch are computed at once: all, unless their values would leave the
/// caches and the gradient is small beside them.
fn shards_per_round(network: &Network, shards: usize, rows: usize, threads: usize) -> usize {
    if network.segments().len() > 1 || network.has_tables() {
        return shards;
    }
    let shard = rows * Shard::row_bytes(network);
    let gradient = network.layout().rows() * size_of::<Row>();
    if shards * shard < WORTH_ROUNDS * gradient {
        return shards;
    }
    shards.min(threads * (ROUND_BYTES / shard).max(1))
}

impl Engine {
    /// An engine with the optimiser's state at its start.
    pub fn new(setup: Setup) -> Engine {
        let Setup { threads, isa, network, preprocess, objective, rule, clip_norm, batch } = setup;
        let pace = Pace::new(3 * batch * network.work(), threads);
        let threads = if pace.is_ever_parallel() { threads } else { 1 };
        let capacity = shard_rows(&network, batch, threads);
        let shards = batch.div_ceil(capacity);
        let at_once = shards_per_round(&network, shards, capacity, threads);
        let layout = network.layout();
        let tasks = layout.tasks(threads);
        let whole = |node: &Node| {
            let layer = node.layer.as_layer().whole_batch();
            Rows::zeroed(layer.map_or(0, WholeBatch::whole_rows))
        };
        let layers = network.nodes().iter().filter_map(|node| node.layer.as_layer().whole_batch());
        let totals = layers.map(WholeBatch::share_len);
        let collects = clip_norm.is_some() || at_once < shards;
        Engine {
            isa,
            rule,
            clip_norm,
            preprocess,
            objective,
            state: OptimizerState::new(rule, layout.rows()),
            shards: (0..at_once).map(|_| Shard::new(&network, capacity, Purpose::Train)).collect(),
            wholes: network.nodes().iter().map(whole).collect(),
            totals: vec![0.0; totals.max().unwrap_or(0)],
            tables: layout.tables().iter().cloned().map(TableGradient::new).collect(),
            collected: collects.then(|| Collected::new(&tasks)),
            tasks,
            threads,
            pace,
            stopwatch: Stopwatch::default(),
            network,
        }
    }

    /// Threads that its steps can use: the size of the crew to pass to [`step`](Self::step).
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
        crew.use_helpers(parallel);
        let trial = self.pace.trial().map(|_| Instant::now());
        let began = self.stopwatch.start();
        let batch = self.run_rounds(crew, samples, count, row, plan.dropout_seed);
        if batch.stray.is_some() {
            return batch;
        }
        self.sum_tables(crew);
        let gradient_scale = self.objective.gradient_scale(batch.weight);
        let step = Step { gradient_scale, ..plan.step };
        match &self.collected {
            None => self.update(crew, &step),
            Some(_) => self.update_collected(crew, step),
        }
        self.keep();
        self.stopwatch.finish(if parallel { self.threads } else { 1 }, began);
        if let (Some(trial), Some(began)) = (self.pace.trial(), trial) {
            trial.add(began.elapsed());
        }
        batch
    }

    /// Estimates how long steps on `samples` samples take, from a short trial of the matrix product, which
    /// is most of a step.
    pub fn expected_seconds(&self, samples: u64) -> f64 {
        const EDGE: usize = 128;
        // The fastest trial counts: other programs can only make one slower.
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
        // Forward, gradient, and the errors of all layers but the first; a fifth for all the rest.
        let first = self.network.nodes()[0].layer.work();
        let work = (3 * self.network.work() - first) as f64;
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

    /// Loss and gradient on `count` samples, for each node as [`Network::read`] gives its parameters.
    pub fn gradient<S: Samples>(
        &mut self,
        samples: &S,
        count: usize,
        row: &(impl Fn(usize) -> u64 + Sync),
        dropout_seed: u64,
    ) -> (BatchLoss, Vec<Vec<Vec<f32>>>) {
        let _mode = FlushDenormals::on_this_thread();
        let mut alone = Crew::new(1);
        let collected = Collected::new(&self.tasks);
        let before = self.collected.replace(collected);
        let batch = self.run_rounds(&mut alone, samples, count, row, dropout_seed);
        let collected = std::mem::replace(&mut self.collected, before);
        self.sum_tables(&mut alone);
        let gradient = collected.expect("it was put there").gradient;
        let mut gradient = self.in_layout(&gradient);
        let scale = self.objective.gradient_scale(batch.weight) as f32;
        gradient.as_flattened_mut().iter_mut().for_each(|g| *g *= scale);
        let nodes = 0..self.network.nodes().len();
        (batch, nodes.map(|node| self.network.read(node, &gradient)).collect())
    }

    /// Forward and backward for every row, as many at once as the shards hold; the gradient is
    /// collected, if it is at all.
    fn run_rounds<S: Samples>(
        &mut self,
        crew: &mut Crew,
        samples: &S,
        count: usize,
        row: &(impl Fn(usize) -> u64 + Sync),
        dropout_seed: u64,
    ) -> BatchLoss {
        let room = self.shards.len() * self.shards[0].capacity();
        assert!(count > 0, "a minibatch has samples");
        assert!(count <= room || self.collected.is_some(), "{count} samples are too many");
        let mut meter = BatchMeter::default();
        let mut start = Start::Zero;
        for first in (0..count).step_by(room) {
            self.rows_phase(crew, samples, first..count, row, dropout_seed);
            meter.add(&self.shards);
            if meter.stray.is_some() {
                break;
            }
            self.collect(crew, start);
            start = Start::Held;
        }
        meter.total()
    }

    /// Forward and backward for the first of these samples, as many as the shards hold.
    fn rows_phase<S: Samples>(
        &mut self,
        crew: &mut Crew,
        samples: &S,
        positions: Range<usize>,
        row: &(impl Fn(usize) -> u64 + Sync),
        dropout_seed: u64,
    ) {
        let rows = RowContext {
            isa: self.isa,
            network: &self.network,
            preprocess: &self.preprocess,
            samples,
        };
        for segment in self.network.segments() {
            let training = TrainingContext {
                objective: &self.objective,
                dropout_seed,
                stopwatch: &self.stopwatch,
                wholes: &self.wholes,
            };
            crew.for_each(&mut self.shards, |i, shard| {
                if segment.gathers {
                    let first = positions.start + i * shard.capacity();
                    shard.assign(first, (first..positions.end).map(row));
                }
                shard.train(&rows, &training, segment);
            });
            let Some(settles) = segment.settles else { continue };
            let (Settles::Forward(node) | Settles::Backward(node)) = settles;
            let layer = self.network.nodes()[node].layer.as_layer();
            let layer = layer.whole_batch().expect("what is settled is shared");
            let used = self.shards.iter().filter(|shard| !shard.rows().is_empty());
            let shares = &mut used.map(|shard| shard.share(node));
            let totals = &mut self.totals[..layer.share_len()];
            let whole = &mut self.wholes[node];
            match settles {
                Settles::Forward(_) => layer.settle_forward(shares, totals, whole),
                Settles::Backward(_) => layer.settle_backward(shares, totals, whole),
            }
        }
    }

    /// Lets layers keep what they need for predictions of what the minibatch came to.
    fn keep(&mut self) {
        if self.network.segments().len() == 1 {
            return;
        }
        let (nodes, layout, weights) = self.network.parts_mut();
        for (i, (node, whole)) in nodes.iter().zip(&self.wholes).enumerate() {
            if let Some(layer) = node.layer.as_layer().whole_batch() {
                layer.keep(whole, &mut weights[layout.node_rows(i)]);
            }
        }
    }

    /// Adds the gradient of every tile, summed over the samples in the shards.
    fn collect(&mut self, crew: &mut Crew, start: Start<'static>) {
        let Some(Collected { gradient, sums }) = &mut self.collected else { return };
        let (stopwatch, tasks) = (&self.stopwatch, &self.tasks);
        let (nodes, layout) = (self.network.nodes(), self.network.layout());
        let gradients = update::Gradients { isa: self.isa, nodes, layout, shards: &self.shards };
        let arenas =
            [(tasks.gradient_bounds(), &mut **gradient), (tasks.sum_bounds(), &mut **sums)];
        crew.for_each_part(arenas, |task, [gradient, sums]| {
            let mut since = stopwatch.start();
            gradients.compute(tasks.task(task), start, gradient, sums);
            stopwatch.lap(Phase::Tiles, &mut since);
        });
    }

    /// Sums the gradients of tables over the samples in the shards.
    fn sum_tables(&mut self, crew: &mut Crew) {
        let (isa, shards, stopwatch) = (self.isa, &self.shards, &self.stopwatch);
        if !self.tables.is_empty() {
            crew.for_each(&mut self.tables, |_, table| {
                let mut since = stopwatch.start();
                table.sum(isa, shards);
                stopwatch.lap(Phase::Tiles, &mut since);
            });
        }
    }

    /// The gradient of all parameters in the layout of the weights, from that of all but tables.
    fn in_layout(&self, collected: &[Row]) -> Rows {
        let mut gradient = Rows::zeroed(self.network.layout().rows());
        let bounds = self.tasks.bounds().windows(2).zip(self.tasks.gradient_bounds().windows(2));
        for (task, (to, from)) in bounds.enumerate() {
            let to = &mut gradient[to[0]..to[1]];
            match self.tasks.task(task) {
                Task::Table(part) => self.tables[part.index].scatter(to),
                _ => to.copy_from_slice(&collected[from[0]..from[1]]),
            }
        }
        gradient
    }

    /// Gradient and update of every tile, from the samples in the shards.
    fn update(&mut self, crew: &mut Crew, step: &Step) {
        let (isa, tasks) = (self.isa, &self.tasks);
        let (nodes, layout, weights) = self.network.parts_mut();
        let [a, b] = &mut self.state.slots;
        let arenas = [weights, a, b].map(|arena| (tasks.bounds(), arena));
        let training = update::TaskTraining {
            gradients: update::Gradients { isa, nodes, layout, shards: &self.shards },
            updates: update::Updates { isa, rule: self.rule, step, tables: &self.tables },
            stopwatch: &self.stopwatch,
        };
        crew.for_each_part(arenas, |task, [weights, a, b]| {
            training.run(tasks.task(task), weights, [a, b]);
        });
    }

    /// Update of every tile from the gradient that was collected, its norm limited.
    fn update_collected(&mut self, crew: &mut Crew, mut step: Step) {
        let Some(Collected { gradient, .. }) = &mut self.collected else { return };
        if let Some(limit) = self.clip_norm {
            let of_tables = self.tables.iter().map(|table| table.squared_norm(self.isa));
            let squares =
                kernels::reduce::squared_norm(self.isa, gradient) + of_tables.sum::<f64>();
            let norm = step.gradient_scale * squares.sqrt();
            if norm > limit {
                step.gradient_scale *= limit / norm;
            }
        }
        let (stopwatch, tasks) = (&self.stopwatch, &self.tasks);
        let updates =
            update::Updates { isa: self.isa, rule: self.rule, step: &step, tables: &self.tables };
        let weights = self.network.weights_mut();
        let [a, b] = &mut self.state.slots;
        let [weights, a, b] = [weights, a, b].map(|arena| (tasks.bounds(), arena));
        let arenas = [weights, a, b, (tasks.gradient_bounds(), gradient)];
        crew.for_each_part(arenas, |task, [weights, a, b, gradient]| {
            let mut since = stopwatch.start();
            updates.apply(tasks.task(task), weights, [a, b], gradient);
            stopwatch.lap(Phase::Update, &mut since);
        });
    }
}

/// Sums up losses with the lanes apart, in the order of the samples, and then over the lanes.
#[derive(Default)]
struct BatchMeter {
    /// Of losses, weights and scores.
    sums: [[f64; LANES]; 3],
    stray: Option<u64>,
}

impl BatchMeter {
    fn add(&mut self, shards: &[Shard]) {
        for shard in shards {
            self.stray = self.stray.or(shard.stray());
            let [losses, weights, scores] = &mut self.sums;
            for ((loss, weight), score) in shard.losses().zip(shard.scores()) {
                for lane in 0..LANES {
                    losses[lane] += f64::from(loss[lane]);
                    weights[lane] += f64::from(weight[lane]);
                    scores[lane] += f64::from(score[lane]);
                }
            }
        }
    }

    fn total(self) -> BatchLoss {
        let [loss, weight, score] = self.sums.map(kernels::sum_lanes);
        BatchLoss { loss, weight, score, stray: self.stray }
    }
}

#[cfg(test)]
mod tests;

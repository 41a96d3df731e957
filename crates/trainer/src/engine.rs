//! The training step: rows, then tiles, with two joins however deep the network is.
//!
//! No result depends on how many threads there are or on how the minibatch is cut into shards: a
//! sample's values are computed alone, and every sum over samples is taken by one task in the order
//! of the minibatch.

use crate::network::Network;
use crate::objective::Objective;
use crate::preprocess::Preprocess;
use crate::samples::Samples;
use crate::shard::{RowContext, Shard, TrainingContext};
use crate::update::{self, Arenas};
pub use crate::update::{OptimizerState, UpdatePlan};
use gristmill_kernels as kernels;
use gristmill_kernels::{Isa, LANES, Rows, UpdateRule};
use rayon::prelude::*;

/// Most samples in a shard: its activations share the second-level cache with a tile of weights.
const SHARD_ROWS: usize = 128;

/// Below this many multiply-adds a step runs on the calling thread: a join would cost more.
const PARALLEL_WORK: usize = 1 << 19;

/// Everything that a training step reads and writes.
pub struct Engine {
    pub isa: Isa,
    pub network: Network,
    pub preprocess: Preprocess,
    pub objective: Objective,
    pub state: OptimizerState,
    shards: Vec<Shard>,
    /// Of the whole network; empty unless the global norm is clipped.
    gradient: Rows,
    parallel: bool,
}

/// What one minibatch came to.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct BatchLoss {
    /// Sum of weight times loss.
    pub loss: f64,
    /// Sum of weights.
    pub weight: f64,
}

/// How a minibatch is cut into shards.
pub(crate) fn shard_rows(batch: usize, threads: usize) -> usize {
    let share = batch.div_ceil(threads).max(1);
    let rounds = share.div_ceil(SHARD_ROWS);
    share.div_ceil(rounds).next_multiple_of(LANES)
}

/// Whether a step of this network on so many samples is worth more than one thread.
pub(crate) fn worth_threads(network: &Network, batch: usize, threads: usize) -> bool {
    threads > 1 && batch > LANES && 3 * batch * network.layout().parameters() >= PARALLEL_WORK
}

impl Engine {
    /// An engine for minibatches of up to `batch` samples on the threads of the current pool.
    pub fn new(
        isa: Isa,
        network: Network,
        preprocess: Preprocess,
        objective: Objective,
        rule: UpdateRule,
        clips_norm: bool,
        batch: usize,
    ) -> Engine {
        let threads = rayon::current_num_threads();
        let parallel = worth_threads(&network, batch, threads);
        let capacity = shard_rows(batch, if parallel { threads } else { 1 });
        let shards = (0..batch.div_ceil(capacity)).map(|_| Shard::new(&network, capacity, true));
        let state = OptimizerState::new(rule, network.layout());
        let gradient = Rows::zeroed(if clips_norm { network.layout().rows() } else { 0 });
        Engine {
            isa,
            preprocess,
            objective,
            state,
            shards: shards.collect(),
            gradient,
            parallel,
            network,
        }
    }

    /// One step on `count` samples; `row(i)` is the data-set row of the i-th.
    ///
    /// `plan.step.gradient_scale` is set here, from the weights of the samples.
    pub fn step<S: Samples>(
        &mut self,
        samples: &S,
        count: usize,
        row: &(impl Fn(usize) -> u64 + Sync),
        dropout_seed: u64,
        mut plan: UpdatePlan,
        clip_norm: Option<f64>,
    ) -> BatchLoss {
        let rows = RowContext {
            isa: self.isa,
            network: &self.network,
            preprocess: &self.preprocess,
            samples,
        };
        let training = TrainingContext { objective: &self.objective, dropout_seed };
        let run = |(i, shard): (usize, &mut Shard)| {
            let first = (i * shard.capacity()).min(count);
            shard.assign(first, (first..count).map(row));
            shard.train(&rows, &training);
        };
        if self.parallel {
            self.shards.par_iter_mut().with_max_len(1).enumerate().for_each(run);
        } else {
            self.shards.iter_mut().enumerate().for_each(run);
        }
        let batch = self.batch_loss();
        plan.step.gradient_scale = self.objective.gradient_scale(batch.weight);
        match clip_norm {
            None => self.update(&plan),
            Some(limit) => self.update_clipped(plan, limit),
        }
        batch
    }

    /// Sums in the order of the samples.
    fn batch_loss(&self) -> BatchLoss {
        let mut total = BatchLoss::default();
        for (losses, weights) in self.shards.iter().flat_map(Shard::losses) {
            for (&loss, &weight) in losses.iter().zip(weights) {
                total.loss += f64::from(loss);
                total.weight += f64::from(weight);
            }
        }
        total
    }

    fn update(&mut self, plan: &UpdatePlan) {
        let (isa, shards) = (self.isa, &self.shards);
        let (layout, weights) = self.network.parts_mut();
        let [a, b] = &mut self.state.slots;
        let arenas = Arenas { weights, slots: [a, b], gradient: &mut [] };
        update::for_each_tile(&layout.tiles, arenas, self.parallel, &|tile, arenas| {
            update::train_tile(isa, plan, layout, shards, tile, arenas);
        });
    }

    /// The whole gradient first, then its norm, then the update: one more join.
    fn update_clipped(&mut self, mut plan: UpdatePlan, limit: f64) {
        let (isa, shards) = (self.isa, &self.shards);
        let (layout, weights) = self.network.parts_mut();
        let arenas =
            Arenas { weights: &mut [], slots: [&mut [], &mut []], gradient: &mut self.gradient };
        update::for_each_tile(&layout.tiles, arenas, self.parallel, &|tile, arenas| {
            update::tile_gradient(isa, layout, shards, tile, arenas.gradient);
        });
        let scale = f64::from(plan.step.gradient_scale);
        let norm = scale * kernels::reduce::squared_norm(isa, &self.gradient).sqrt();
        if norm > limit {
            plan.step.gradient_scale = scale * limit / norm;
        }
        let [a, b] = &mut self.state.slots;
        let arenas = Arenas { weights, slots: [a, b], gradient: &mut self.gradient };
        update::for_each_tile(&layout.tiles, arenas, self.parallel, &|tile, arenas| {
            update::update_tile(isa, &plan, tile, arenas.weights, arenas.slots, arenas.gradient);
        });
    }
}

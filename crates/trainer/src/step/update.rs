//! Phase two of a step, "tiles": the gradient of each tile of weights, or part of a shared block, and its
//! update.
//!
//! ```text
//! dloss/dW_l = e_l a_(l-1)'        dloss/db_l = e_l 1
//! ```
//!
//! The sum over samples is the inner dimension of the product, so a task that owns a tile needs no
//! one else's partial sums; it updates its weights while the gradient is still in its cache. Of shared
//! blocks each shard has summed its part, and the parts are added up in the order of the minibatch. What
//! needs the whole gradient first (clipping by the global norm, minibatches computed in rounds) keeps it
//! in an arena of its own.

use crate::layer::Role;
use crate::network::Node;
use crate::network::layout::{Layout, Run, Task, Tile};
use crate::step::profile::{Phase, Stopwatch};
use crate::step::scratch::grown;
use crate::step::shard::Shard;
use crate::step::tables::TableGradient;
use gristmill_kernels as kernels;
use gristmill_kernels::{
    Finish, Isa, LANES, Panels, PanelsMut, Row, Rows, Start, Step, UpdateRule,
};
use std::cell::RefCell;

/// The state that the optimiser keeps per weight, in the layout of the weights.
#[derive(Debug, Clone)]
pub struct OptimizerState {
    /// First and second moments, as far as the rule has them.
    pub slots: [Rows; 2],
}

impl OptimizerState {
    pub(crate) fn new(rule: UpdateRule, rows: usize) -> OptimizerState {
        let slot = |i| Rows::zeroed(if i < rule.slots() { rows } else { 0 });
        OptimizerState { slots: [slot(0), slot(1)] }
    }
}

/// Computes gradients, summed over the samples of the shards.
pub(crate) struct Gradients<'a> {
    pub(crate) isa: Isa,
    pub(crate) nodes: &'a [Node],
    pub(crate) layout: &'a Layout,
    pub(crate) shards: &'a [Shard],
}

impl Gradients<'_> {
    /// The gradient of what a task owns, into `gradient` (as the task's rows in the arena) and `sums` (a row
    /// per bias term).
    ///
    /// It starts at zero, or at what is held from samples before these.
    pub(crate) fn compute(
        &self,
        task: &Task,
        start: Start<'_>,
        gradient: &mut [Row],
        sums: &mut [Row],
    ) {
        match task {
            Task::Tile(tile) => self.of_tile(tile, start, gradient, sums),
            Task::Shared(run) => self.of_run(run, start, gradient),
            Task::Table(_) => {}
        }
    }

    fn of_tile(&self, tile: &Tile, mut start: Start<'_>, gradient: &mut [Row], sums: &mut [Row]) {
        let shape = self.layout.shape(tile.layer);
        let source = self.nodes[tile.layer].inputs[0];
        let height = tile.outputs.len();
        let (weights, bias) = gradient.split_at_mut(tile.weights.len());
        if let Start::Zero = start {
            sums.fill([0.0; LANES]);
        }
        for shard in self.shards.iter().filter(|shard| !shard.rows().is_empty()) {
            let error = shard.node_error(tile.layer, shape.outputs).rows(tile.outputs.clone());
            let input = shard.matrix_input(source, shape.inputs).panels(tile.input_panels());
            let gradient = PanelsMut::new(weights, height);
            kernels::multiply(self.isa, gradient, error, input, start, Finish::Store);
            if !bias.is_empty() {
                kernels::accumulate_rows(self.isa, error, sums);
            }
            start = Start::Held;
        }
        if !bias.is_empty() {
            kernels::total_lanes(self.isa, sums, bias);
        }
    }

    fn of_run(&self, run: &Run, start: Start<'_>, gradient: &mut [Row]) {
        if let Start::Zero = start {
            gradient.fill([0.0; LANES]);
        }
        for shard in self.shards.iter().filter(|shard| !shard.rows().is_empty()) {
            let part = Panels::new(&shard.gradient()[run.shared.clone()], run.shared.len());
            kernels::accumulate_rows(self.isa, part, gradient);
        }
    }
}

/// One optimiser step of what any task owns.
pub(crate) struct Updates<'a> {
    pub(crate) isa: Isa,
    pub(crate) rule: UpdateRule,
    pub(crate) step: &'a Step,
    /// The gradients of the parts of tables.
    pub(crate) tables: &'a [TableGradient],
}

impl Updates<'_> {
    /// Updates the parameters that a task owns and their optimiser state from their gradient.
    pub(crate) fn apply(
        &self,
        task: &Task,
        weights: &mut [Row],
        slots: [&mut [Row]; 2],
        gradient: &[Row],
    ) {
        let Updates { isa, rule, step, tables } = *self;
        let offset_step = Step { l1: 0.0, l2: 0.0, decay: 0.0, ..*step };
        let [s0, s1] = slots;
        match task {
            Task::Tile(tile) => {
                let matrix = tile.weights.len();
                let (w, b) = weights.split_at_mut(matrix);
                let (gw, gb) = gradient.split_at(matrix);
                let (s0w, s0b) = s0.split_at_mut(matrix.min(s0.len()));
                let (s1w, s1b) = s1.split_at_mut(matrix.min(s1.len()));
                kernels::optimizer::update(isa, rule, step, w, gw, s0w, s1w);
                if !b.is_empty() {
                    kernels::optimizer::update(isa, rule, &offset_step, b, gb, s0b, s1b);
                }
            }
            Task::Shared(run) => match run.role {
                Role::Weight => {
                    kernels::optimizer::update(isa, rule, step, weights, gradient, s0, s1)
                }
                Role::Offset => {
                    kernels::optimizer::update(isa, rule, &offset_step, weights, gradient, s0, s1)
                }
                Role::Statistic => {}
            },
            Task::Table(part) => {
                tables[part.index].apply(isa, rule, step, weights, [s0, s1]);
            }
        }
    }
}

/// Gradient and update in one go, the gradient never leaving the cache.
pub(crate) struct TaskTraining<'a> {
    pub(crate) gradients: Gradients<'a>,
    pub(crate) updates: Updates<'a>,
    pub(crate) stopwatch: &'a Stopwatch,
}

impl TaskTraining<'_> {
    pub(crate) fn run(&self, task: &Task, weights: &mut [Row], slots: [&mut [Row]; 2]) {
        let mut since = self.stopwatch.start();
        SCRATCH.with_borrow_mut(|buffer| {
            let rows = task.gradient_rows();
            let scratch = grown(buffer, rows + task.bias_terms());
            let (gradient, sums) = scratch.split_at_mut(rows);
            self.gradients.compute(task, Start::Zero, gradient, sums);
            self.stopwatch.lap(Phase::Tiles, &mut since);
            self.updates.apply(task, weights, slots, gradient);
            self.stopwatch.lap(Phase::Update, &mut since);
        });
    }
}

thread_local! {
    /// The gradient of the task at hand, and the sums on the way to that of its bias terms.
    static SCRATCH: RefCell<Rows> = RefCell::new(Rows::zeroed(0));
}

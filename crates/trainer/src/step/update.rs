//! Phase two of a step, "tiles": the gradient of each tile of weights and its update.
//!
//! ```text
//! dloss/dW_l = e_l a_(l-1)'        dloss/db_l = e_l 1
//! ```
//!
//! The sum over samples is the inner dimension of the product, so a task that owns a tile needs no
//! one else's partial sums; it updates its weights while the gradient is still in its cache. What
//! needs the whole gradient first (clipping by the global norm, minibatches computed in rounds) keeps it
//! in an arena of its own.

use crate::network::layout::{Layout, Tile};
use crate::step::profile::{Phase, Stopwatch};
use crate::step::shard::Shard;
use gristmill_kernels as kernels;
use gristmill_kernels::{Finish, Isa, LANES, PanelsMut, Row, Rows, Start, Step, UpdateRule};
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
    pub(crate) layout: &'a Layout,
    pub(crate) shards: &'a [Shard],
}

impl Gradients<'_> {
    /// The gradient of a tile, into `gradient` (weights, then bias terms, as the tile's rows in the
    /// arena) and `sums` (a row per bias term).
    ///
    /// It starts at zero, or at what is held from samples before these.
    pub(crate) fn compute(
        &self,
        tile: &Tile,
        mut start: Start<'_>,
        gradient: &mut [Row],
        sums: &mut [Row],
    ) {
        let shape = self.layout.shapes[tile.layer];
        let height = tile.outputs.len();
        let (weights, bias) = gradient.split_at_mut(tile.weights.len());
        if let Start::Zero = start {
            sums.fill([0.0; LANES]);
        }
        for shard in self.shards.iter().filter(|shard| !shard.rows().is_empty()) {
            let error = shard.layer_error(tile.layer, shape.outputs).rows(tile.outputs.clone());
            let input = shard.layer_input(tile.layer, shape.inputs).panels(tile.input_panels());
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
}

/// One optimiser step of any tile.
pub(crate) struct Updates<'a> {
    pub(crate) isa: Isa,
    pub(crate) rule: UpdateRule,
    pub(crate) step: &'a Step,
}

impl Updates<'_> {
    /// Updates the weights of a tile and its optimiser state from its gradient.
    pub(crate) fn apply(
        &self,
        tile: &Tile,
        weights: &mut [Row],
        slots: [&mut [Row]; 2],
        gradient: &[Row],
    ) {
        let Updates { isa, rule, step } = *self;
        let matrix = tile.weights.len();
        let (w, b) = weights.split_at_mut(matrix);
        let (gw, gb) = gradient.split_at(matrix);
        let [s0, s1] = slots;
        let (s0w, s0b) = s0.split_at_mut(matrix.min(s0.len()));
        let (s1w, s1b) = s1.split_at_mut(matrix.min(s1.len()));
        kernels::optimizer::update(isa, rule, step, w, gw, s0w, s1w);
        if !b.is_empty() {
            let step = Step { l1: 0.0, l2: 0.0, decay: 0.0, ..*step };
            kernels::optimizer::update(isa, rule, &step, b, gb, s0b, s1b);
        }
    }
}

/// Gradient and update of tiles in one go, the gradient never leaving the cache.
pub(crate) struct TileTraining<'a> {
    pub(crate) gradients: Gradients<'a>,
    pub(crate) updates: Updates<'a>,
    pub(crate) stopwatch: &'a Stopwatch,
}

impl TileTraining<'_> {
    pub(crate) fn run(&self, tile: &Tile, weights: &mut [Row], slots: [&mut [Row]; 2]) {
        let mut since = self.stopwatch.start();
        SCRATCH.with_borrow_mut(|buffer| {
            let scratch = grown(buffer, tile.rows().len() + tile.bias_terms());
            let (gradient, sums) = scratch.split_at_mut(tile.rows().len());
            self.gradients.compute(tile, Start::Zero, gradient, sums);
            self.stopwatch.lap(Phase::Tiles, &mut since);
            self.updates.apply(tile, weights, slots, gradient);
            self.stopwatch.lap(Phase::Update, &mut since);
        });
    }
}

thread_local! {
    /// The gradient of the tile at hand, and the sums on the way to that of its bias terms.
    static SCRATCH: RefCell<Rows> = RefCell::new(Rows::zeroed(0));
}

/// The first `rows` rows of a buffer that grows to the most that is ever asked of it.
fn grown(buffer: &mut Rows, rows: usize) -> &mut [Row] {
    if buffer.len() < rows {
        *buffer = Rows::zeroed(rows);
    }
    &mut buffer[..rows]
}

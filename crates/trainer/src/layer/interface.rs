//! What every kind of layer can do: one shard forward and backward.
//!
//! The values of a layer lie with samples as lanes: panel after panel of sixteen samples, in each panel a
//! [`Row`] per unit, units being numbered as a [`View`] numbers them. An error is the derivative of the loss
//! by a value, and lies as the values do.

use super::parameters::{Block, Parameters};
use super::uses::Uses;
use super::view::View;
use crate::network::layout::Tile;
use crate::network::workspace::{Inputs, Upstream};
use gristmill_kernels::{Isa, Row};
use std::ops::Range;

/// A layer with its shapes decided. Its parameters are elsewhere.
///
/// One virtual call is made per layer and shard, never per row.
pub(crate) trait Layer {
    /// How its values are arranged.
    fn output(&self) -> View;

    /// What it learns.
    fn parameters(&self) -> Parameters<'_>;

    /// Multiply-adds of a sample in the forward pass.
    fn work(&self) -> usize;

    /// Whether training leaves the slopes of its activation where its error will be: what it is given as
    /// its error is then already multiplied by them.
    fn has_slopes(&self) -> bool {
        false
    }

    /// Rows of a panel of samples that it keeps from the forward pass for the backward pass.
    fn kept(&self) -> usize {
        0
    }

    /// Rows of working memory while it runs on `columns` panels of samples.
    fn scratch(&self, _columns: usize) -> usize {
        0
    }

    /// What it needs of the whole minibatch, if it needs any.
    fn whole_batch(&self) -> Option<&dyn WholeBatch> {
        None
    }

    /// Computes its values from those of its inputs.
    fn forward(&self, at: Forward<'_>);

    /// Hands the error on to its inputs, and adds to the gradient of its shared parameters.
    fn backward(&self, at: Backward<'_>);

    /// The numbers of one of its shared blocks as files have them. As it stands here for blocks that lie
    /// sixteen numbers a row.
    fn read(&self, _block: usize, rows: &[Row], numbers: &mut [f32]) {
        numbers.copy_from_slice(&rows.as_flattened()[..numbers.len()]);
    }

    /// The reverse of [`read`](Self::read); what is padding stays zero.
    fn write(&self, _block: usize, numbers: &[f32], rows: &mut [Row]) {
        rows.as_flattened_mut()[..numbers.len()].copy_from_slice(numbers);
    }
}

/// A layer whose training needs the whole minibatch, before it can go forward and again before it can go
/// backward: each shard adds up its share, the shares are settled in the order of the minibatch, and all
/// shards see what they came to.
pub(crate) trait WholeBatch {
    /// Numbers of a share.
    fn share_len(&self) -> usize;

    /// Rows of what the shares come to, forward and backward.
    fn whole_rows(&self) -> usize;

    /// The share of a shard, of its input.
    fn share_forward(
        &self,
        isa: Isa,
        input: &[Row],
        samples: usize,
        scratch: &mut [Row],
        share: &mut [f64],
    );

    /// What all shares come to. `totals` is room for a share.
    fn settle_forward(&self, shares: Shares<'_, '_>, totals: &mut [f64], whole: &mut [Row]);

    /// The share of a shard, of its input and error.
    fn share_backward(
        &self,
        isa: Isa,
        input: &[Row],
        error: &[Row],
        samples: usize,
        whole: &[Row],
        share: &mut [f64],
    );

    /// What all shares come to. `totals` is room for a share.
    fn settle_backward(&self, shares: Shares<'_, '_>, totals: &mut [f64], whole: &mut [Row]);

    /// Keeps of a step what predictions will need, in the shared blocks of the layer.
    fn keep(&self, whole: &[Row], parameters: &mut [Row]);
}

/// What one shard adds to the whole.
pub(crate) struct Share<'a> {
    pub(crate) samples: usize,
    pub(crate) numbers: &'a [f64],
}

/// The shares of all shards, in the order of the minibatch.
pub(crate) type Shares<'i, 'a> = &'i mut dyn Iterator<Item = Share<'a>>;

/// The parameters of a layer in the arena of all.
#[derive(Clone, Copy)]
pub(crate) struct Weights<'a> {
    pub(crate) arena: &'a [Row],
    /// The tiles of its matrix, if it has one.
    pub(crate) tiles: &'a [Tile],
    /// The rows of its shared blocks, one after the other.
    pub(crate) shared: &'a [Row],
}

/// The sample that a shard begins with, and what makes the dropout masks of the step.
#[derive(Clone, Copy)]
pub(crate) struct Masks {
    /// Of the layer in this step.
    pub(crate) seed: u64,
    /// Place of the shard's first sample in the minibatch.
    pub(crate) first: u32,
}

/// All that a layer needs to run a shard forward.
pub(crate) struct Forward<'a> {
    pub(crate) isa: Isa,
    /// Samples of the shard; the last panel may be partly filled.
    pub(crate) samples: usize,
    /// Positions of its first input that belong to each sample, one row per panel, where samples are series of unequal
    /// length. What lies beyond is zero, and so will its own values be.
    pub(crate) ends: Option<&'a [Row]>,
    pub(crate) weights: Weights<'a>,
    pub(crate) inputs: Inputs<'a>,
    pub(crate) output: &'a mut [Row],
    /// For the slopes of its activation; empty unless it has some and trains.
    pub(crate) slopes: &'a mut [Row],
    pub(crate) kept: &'a mut [Row],
    pub(crate) scratch: &'a mut [Row],
    /// What the shares of the whole minibatch came to; empty but in training.
    pub(crate) whole: &'a [Row],
    /// Present in training.
    pub(crate) masks: Option<Masks>,
}

/// All that a layer needs to run a shard backward.
pub(crate) struct Backward<'a> {
    pub(crate) isa: Isa,
    /// Samples of the shard; the last panel may be partly filled.
    pub(crate) samples: usize,
    /// As in the forward pass; its errors beyond are zero.
    pub(crate) ends: Option<&'a [Row]>,
    pub(crate) weights: Weights<'a>,
    /// Its values; what they are is not known where it has slopes.
    pub(crate) output: &'a [Row],
    pub(crate) error: &'a [Row],
    pub(crate) kept: &'a mut [Row],
    pub(crate) scratch: &'a mut [Row],
    /// What the shares of the whole minibatch came to.
    pub(crate) whole: &'a [Row],
    /// Its own share of the backward pass.
    pub(crate) share: &'a [f64],
    /// Of its shared blocks: it adds to what is there.
    pub(crate) gradient: &'a mut [Row],
    /// Gets each use of a row of its table: the row, and the number of its error among those that the layer
    /// keeps, for each sample as many as [`Table::errors`](super::parameters::Table::errors) says.
    pub(crate) uses: &'a mut Uses,
    pub(crate) upstream: Upstream<'a>,
}

/// Where each of some blocks lies among the rows of them all.
pub(crate) fn block_rows(blocks: &[Block]) -> impl Iterator<Item = Range<usize>> + '_ {
    blocks.iter().scan(0, |end, block| {
        let start = *end;
        *end += block.rows;
        Some(start..*end)
    })
}

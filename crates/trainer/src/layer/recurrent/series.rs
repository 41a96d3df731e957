//! A recurrent layer's shapes, the order of its steps, and where its rows are; and the gradients of its matrices.

use crate::layer::View;
use crate::layer::interface::block_rows;
use crate::layer::parameters::{Block, Role};
use gristmill_kernels::outer::{Fold, Pairs, add_outer, fold};
use gristmill_kernels::{Isa, LANES, Panels, PanelsMut, Row, accumulate_rows, elementwise, panels};
use std::ops::Range;

/// Which cell steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cell {
    /// Three gates, and a hidden product of its own for the third.
    Gru,
    /// Four gates and a cell state.
    Lstm,
}

/// A recurrent layer.
#[derive(Debug, Clone, PartialEq)]
pub struct Recurrent {
    /// Which cell steps.
    pub cell: Cell,
    /// Steps of a series.
    pub steps: usize,
    /// Channels of a step.
    pub channels: usize,
    /// Units of its state.
    pub units: usize,
    /// Whether it begins at the last step.
    pub is_reversed: bool,
    /// Whether it gives the state after each step, and not that after the last one alone.
    pub gives_all: bool,
    pub(super) blocks: Vec<Block>,
}

/// Rows a panel of the matrices that a shard's buffers hold.
pub(super) struct Heights {
    pub(super) gates: usize,
    /// Of what the cell keeps besides: hidden products of GRU, cell states of LSTM.
    pub(super) extra: usize,
    pub(super) states: usize,
}

impl Cell {
    pub(super) fn gates(self) -> usize {
        match self {
            Cell::Gru => 3,
            Cell::Lstm => 4,
        }
    }
}

impl Recurrent {
    /// A layer over series arranged so.
    pub fn new(cell: Cell, input: View, units: usize, is_reversed: bool, gives_all: bool) -> Self {
        let (channels, sums) = (input.channels, cell.gates() * units);
        let matrix = |name, inputs| Block {
            name,
            shape: vec![sums, inputs],
            rows: sums * panels(inputs),
            role: Role::Weight,
        };
        let bias = |name, length| Block {
            name,
            shape: vec![length],
            rows: panels(length),
            role: Role::Offset,
        };
        let mut blocks = vec![
            matrix("input_weight", channels),
            matrix("hidden_weight", units),
            bias("bias", sums),
        ];
        if cell == Cell::Gru {
            blocks.push(bias("hidden_bias", units));
        }
        let steps = input.positions();
        Recurrent { cell, steps, channels, units, is_reversed, gives_all, blocks }
    }

    pub(super) fn sums(&self) -> usize {
        self.cell.gates() * self.units
    }

    /// The steps in the order in which it goes through them.
    pub(super) fn order(&self) -> impl DoubleEndedIterator<Item = usize> + use<> {
        let (last, is_reversed) = (self.steps - 1, self.is_reversed);
        (0..self.steps).map(move |step| if is_reversed { last - step } else { step })
    }

    /// The step before one, in its order.
    pub(super) fn before(&self, step: usize) -> Option<usize> {
        match self.is_reversed {
            false => step.checked_sub(1),
            true => Some(step + 1).filter(|&step| step < self.steps),
        }
    }

    pub(super) fn heights(&self) -> Heights {
        let states = self.steps * self.units;
        Heights { gates: self.steps * self.sums(), extra: states, states }
    }

    /// Its kept rows as gates, what the cell keeps besides, and states.
    pub(super) fn split<'k>(&self, kept: &'k mut [Row], columns: usize) -> [&'k mut [Row]; 3] {
        let Heights { gates, extra, states } = self.heights();
        let (first, rest) = kept.split_at_mut(columns * gates);
        let (second, rest) = rest.split_at_mut(columns * extra);
        [first, second, &mut rest[..columns * states]]
    }

    /// The rows of a block among those of all.
    pub(super) fn block(&self, block: usize) -> Range<usize> {
        block_rows(&self.blocks).nth(block).expect("one of its blocks")
    }

    /// The rows of a step in a matrix of all steps.
    pub(super) fn step(&self, step: usize, height: usize) -> Range<usize> {
        step * height..(step + 1) * height
    }
}

/// The steps that a hidden matrix, or some rows of it, connects: pairs of a step and the one before.
pub(super) fn hidden_pairs(layer: &Recurrent, height: usize) -> Pairs {
    let (first_error, first_state) = if layer.is_reversed { (0, 1) } else { (1, 0) };
    Pairs {
        error: first_error * height,
        error_step: height,
        input: first_state * layer.units,
        input_step: layer.units,
        count: layer.steps - 1,
    }
}

/// Adds the sum of outer products to some rows of the gradient of a matrix of `height` rows.
#[allow(clippy::too_many_arguments)]
pub(super) fn add_matrix(
    isa: Isa,
    errors: Panels<'_>,
    inputs: Panels<'_>,
    pairs: Pairs,
    rows: Range<usize>,
    features: usize,
    lanes: &mut [Row],
    gradient: &mut [Row],
    height: usize,
) {
    let lanes = &mut lanes[..rows.len() * features];
    lanes.fill([0.0; LANES]);
    let outputs = rows.len();
    add_outer(isa, errors, inputs, &[pairs], outputs, features, lanes);
    let gradient = PanelsMut::new(gradient, height).rows(rows);
    fold(isa, lanes, outputs, features, Fold::Features, gradient);
}

/// Adds the sums over steps and samples of rows of errors to the gradient of bias terms.
pub(super) fn add_bias(
    isa: Isa,
    errors: &[Row],
    units: usize,
    sums: &mut [Row],
    gradient: &mut [Row],
) {
    let sums = &mut sums[..units];
    sums.fill([0.0; LANES]);
    accumulate_rows(isa, Panels::new(errors, units), sums);
    elementwise::add_totals(isa, sums, gradient);
}

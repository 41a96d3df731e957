//! Recurrent layers: GRU and LSTM over the steps of a series, as PyTorch defines them, but with one bias where
//! two would be added up.
//!
//! ```text
//! forward   gates_t = W x_t + b, then the cell adds U h_(t-1) and steps from h_(t-1) to h_t
//! backward  from the last step: the cell gives the errors e_t of its sums; the state's error gets U' e_t
//!           dW = sum_t e_t x_t'        dU = sum_t e_t h_(t-1)'        dx_t = W' e_t
//! ```

mod gru;
mod lstm;
mod settings;

pub use settings::{GruConfig, LstmConfig};

use super::View;
use super::interface::{Backward, Forward, Layer, block_rows};
use super::parameters::{Block, Parameters, Role};
use gristmill_kernels::outer::{Fold, Pairs, add_outer, fold};
use gristmill_kernels::{
    self as kernels, Finish, Isa, LANES, Panels, PanelsMut, Row, Start, accumulate_rows,
    elementwise, panels,
};
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
    blocks: Vec<Block>,
}

/// What a shard's buffers hold, each a matrix of so many rows a panel.
struct Heights {
    gates: usize,
    /// Of what the cell keeps besides: hidden products of GRU, cell states of LSTM.
    extra: usize,
    states: usize,
}

impl Cell {
    fn gates(self) -> usize {
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

    fn sums(&self) -> usize {
        self.cell.gates() * self.units
    }

    /// The steps in the order in which it goes through them.
    fn order(&self) -> impl DoubleEndedIterator<Item = usize> + use<> {
        let (last, is_reversed) = (self.steps - 1, self.is_reversed);
        (0..self.steps).map(move |step| if is_reversed { last - step } else { step })
    }

    /// The step before one, in its order.
    fn before(&self, step: usize) -> Option<usize> {
        match self.is_reversed {
            false => step.checked_sub(1),
            true => Some(step + 1).filter(|&step| step < self.steps),
        }
    }

    fn heights(&self) -> Heights {
        let states = self.steps * self.units;
        Heights { gates: self.steps * self.sums(), extra: states, states }
    }

    /// Its kept rows as gates, what the cell keeps besides, and states.
    fn split<'k>(&self, kept: &'k mut [Row], columns: usize) -> [&'k mut [Row]; 3] {
        let Heights { gates, extra, states } = self.heights();
        let (first, rest) = kept.split_at_mut(columns * gates);
        let (second, rest) = rest.split_at_mut(columns * extra);
        [first, second, &mut rest[..columns * states]]
    }

    /// The rows of a block among those of all.
    fn block(&self, block: usize) -> Range<usize> {
        block_rows(&self.blocks).nth(block).expect("one of its blocks")
    }

    /// The rows of a step in a matrix of all steps.
    fn step(&self, step: usize, height: usize) -> Range<usize> {
        step * height..(step + 1) * height
    }
}

/// The steps that a hidden matrix, or some rows of it, connects: pairs of a step and the one before.
fn hidden_pairs(layer: &Recurrent, height: usize) -> Pairs {
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
fn add_matrix(
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
fn add_bias(isa: Isa, errors: &[Row], units: usize, sums: &mut [Row], gradient: &mut [Row]) {
    let sums = &mut sums[..units];
    sums.fill([0.0; LANES]);
    accumulate_rows(isa, Panels::new(errors, units), sums);
    elementwise::add_totals(isa, sums, gradient);
}

impl Layer for Recurrent {
    fn output(&self) -> View {
        let width = if self.gives_all { self.steps } else { 1 };
        View { height: 1, width, channels: self.units }
    }

    fn parameters(&self) -> Parameters<'_> {
        Parameters::Shared(&self.blocks)
    }

    fn work(&self) -> usize {
        self.steps * self.sums() * (self.channels + self.units)
    }

    fn kept(&self) -> usize {
        let Heights { gates, extra, states } = self.heights();
        gates + extra + states
    }

    /// The state and the cell state, or their errors; and a row of lanes for each weight of a matrix.
    fn scratch(&self, columns: usize) -> usize {
        2 * columns * self.units + self.sums() * self.channels.max(self.units)
    }

    fn forward(&self, at: Forward<'_>) {
        let (isa, sums) = (at.isa, self.sums());
        let columns = at.output.len() / self.output().units();
        let input = Panels::new(at.inputs.get(0), self.steps * self.channels);
        let [weights, hidden, bias] = [0, 1, 2].map(|block| &at.weights.shared[self.block(block)]);
        let [gates, extra, states] = self.split(at.kept, columns);
        for step in 0..self.steps {
            kernels::multiply(
                isa,
                PanelsMut::new(gates, self.steps * sums).rows(self.step(step, sums)),
                Panels::new(weights, sums),
                input.rows(self.step(step, self.channels)),
                Start::Bias(bias),
                Finish::Store,
            );
        }
        let (state, rest) = at.scratch.split_at_mut(columns * self.units);
        state.fill([0.0; LANES]);
        match self.cell {
            Cell::Gru => {
                let hidden_bias = &at.weights.shared[self.block(3)];
                gru::forward(self, isa, hidden, hidden_bias, [gates, extra, states], state);
            }
            Cell::Lstm => {
                let cell = &mut rest[..columns * self.units];
                cell.fill([0.0; LANES]);
                lstm::forward(self, isa, hidden, [gates, extra, states], state, cell);
            }
        }
        match self.gives_all {
            true => at.output.copy_from_slice(states),
            false => at.output.copy_from_slice(state),
        }
    }

    fn backward(&self, mut at: Backward<'_>) {
        let (isa, sums) = (at.isa, self.sums());
        let columns = at.error.len() / self.output().units();
        let hidden = &at.weights.shared[self.block(1)];
        let kept = self.split(at.kept, columns);
        let (state_errors, rest) = at.scratch.split_at_mut(columns * self.units);
        let (cell_errors, lanes) = rest.split_at_mut(columns * self.units);
        match self.gives_all {
            true => state_errors.fill([0.0; LANES]),
            false => state_errors.copy_from_slice(at.error),
        }
        let output_errors = self.gives_all.then_some(at.error);
        let [gates, extra, states] = kept;
        match self.cell {
            Cell::Gru => {
                let kept = [&mut *gates, &mut *extra, &mut *states];
                gru::backward(self, isa, hidden, kept, output_errors, state_errors);
                gru::add_gradient(self, isa, [gates, extra, states], lanes, at.gradient);
            }
            Cell::Lstm => {
                cell_errors.fill([0.0; LANES]);
                let kept = [&mut *gates, &mut *extra];
                lstm::backward(self, isa, hidden, kept, output_errors, state_errors, cell_errors);
                lstm::add_gradient(self, isa, [gates, states], lanes, at.gradient);
            }
        }
        let errors = Panels::new(gates, self.steps * sums);
        let input = Panels::new(at.upstream.input(0), self.steps * self.channels);
        let pairs = Pairs {
            error: 0,
            error_step: sums,
            input: 0,
            input_step: self.channels,
            count: self.steps,
        };
        let gradient = &mut at.gradient[self.block(0)];
        add_matrix(isa, errors, input, pairs, 0..sums, self.channels, lanes, gradient, sums);
        add_bias(isa, gates, sums, lanes, &mut at.gradient[self.block(2)]);
        let Some(target) = at.upstream.target(0) else { return };
        for step in 0..self.steps {
            let into = PanelsMut::new(target.rows, self.steps * self.channels);
            kernels::transposed_multiply(
                isa,
                into.rows(self.step(step, self.channels)),
                Panels::new(&at.weights.shared[self.block(0)], sums),
                errors.rows(self.step(step, sums)),
                if target.add { Start::Held } else { Start::Zero },
                Finish::Store,
            );
        }
    }

    fn read(&self, block: usize, rows: &[Row], numbers: &mut [f32]) {
        let Some(&inputs) = self.blocks[block].shape.get(1) else {
            return numbers.copy_from_slice(&rows.as_flattened()[..numbers.len()]);
        };
        for (o, numbers) in numbers.chunks_exact_mut(inputs).enumerate() {
            for (i, number) in numbers.iter_mut().enumerate() {
                *number = rows[i / LANES * self.sums() + o][i % LANES];
            }
        }
    }

    fn write(&self, block: usize, numbers: &[f32], rows: &mut [Row]) {
        let Some(&inputs) = self.blocks[block].shape.get(1) else {
            return rows.as_flattened_mut()[..numbers.len()].copy_from_slice(numbers);
        };
        for (o, numbers) in numbers.chunks_exact(inputs).enumerate() {
            for (i, number) in numbers.iter().enumerate() {
                rows[i / LANES * self.sums() + o][i % LANES] = *number;
            }
        }
    }
}

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
mod series;
mod settings;

pub use series::{Cell, Recurrent};
pub use settings::{GruConfig, LstmConfig};

use super::View;
use super::interface::{Backward, Forward, Layer};
use super::parameters::Parameters;
use gristmill_kernels::outer::Pairs;
use gristmill_kernels::{self as kernels, Finish, LANES, Panels, PanelsMut, Row, Start};
use series::{Heights, add_bias, add_matrix};

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
                gru::forward(
                    self,
                    isa,
                    at.ends,
                    hidden,
                    hidden_bias,
                    [gates, extra, states],
                    state,
                );
            }
            Cell::Lstm => {
                let cell = &mut rest[..columns * self.units];
                cell.fill([0.0; LANES]);
                lstm::forward(self, isa, at.ends, hidden, [gates, extra, states], state, cell);
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
                gru::backward(self, isa, at.ends, hidden, kept, output_errors, state_errors);
                gru::add_gradient(self, isa, [gates, extra, states], lanes, at.gradient);
            }
            Cell::Lstm => {
                cell_errors.fill([0.0; LANES]);
                let kept = [&mut *gates, &mut *extra];
                let errors = [state_errors, cell_errors];
                lstm::backward(self, isa, at.ends, hidden, kept, output_errors, errors);
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

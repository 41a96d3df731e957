//! GRU and LSTM, as PyTorch's documentation writes them, from a state of zeros:
//!
//! ```text
//! r = s(W_r x + U_r h + b_r)    z = s(W_z x + U_z h + b_z)    n = tanh(W_n x + b_n + r (U_n h + c))
//! h' = (1 - z) n + z h
//!
//! i, f, o = s(W x + U h + b), one each    g = tanh(W_g x + U_g h + b_g)
//! c' = f c + i g                          h' = o tanh(c')
//! ```

use super::formula::{At, Formula};
use super::functions::sigmoid;
use super::number::{Number, sum};
use crate::layer::Recurrent;
use crate::layer::recurrent::Cell;

impl Formula for Recurrent {
    fn values<N: Number>(&self, at: At<'_, N>) -> Vec<Vec<N>> {
        let parameters = at.parameters;
        at.each_to_its_end(|series, end, _| {
            let mut order: Vec<usize> = (0..end.unwrap_or(self.steps)).collect();
            if self.is_reversed {
                order.reverse();
            }
            let mut state = vec![N::from(0.0); self.units];
            let mut cell = state.clone();
            let mut states = vec![state.clone(); self.steps];
            for step in order {
                let input = &series[step * self.channels..][..self.channels];
                state = match self.cell {
                    Cell::Gru => gru(parameters, input, &state),
                    Cell::Lstm => lstm(parameters, input, &state, &mut cell),
                };
                states[step] = state.clone();
            }
            if self.gives_all { states.concat() } else { state }
        })
    }
}

/// One element of the product of a matrix and a vector.
fn product<N: Number>(matrix: &[N], row: usize, vector: &[N]) -> N {
    let row = &matrix[row * vector.len()..][..vector.len()];
    sum(row.iter().zip(vector).map(|(&weight, &x)| weight * x))
}

/// The state after a step.
fn gru<N: Number>(parameters: &[Vec<N>], input: &[N], state: &[N]) -> Vec<N> {
    let [weights, hidden, bias, hidden_bias] = parameters else {
        unreachable!("a GRU has four tensors")
    };
    let units = state.len();
    let unit = |unit: usize| {
        let of_input = |gate: usize| {
            let row = gate * units + unit;
            product(weights, row, input) + bias[row]
        };
        let of_state = |gate: usize| product(hidden, gate * units + unit, state);
        let reset = sigmoid(of_input(0) + of_state(0));
        let keep = sigmoid(of_input(1) + of_state(1));
        let new = (of_input(2) + reset * (of_state(2) + hidden_bias[unit])).tanh();
        (N::from(1.0) - keep) * new + keep * state[unit]
    };
    (0..units).map(unit).collect()
}

/// The state after a step, which the cell state takes as well.
fn lstm<N: Number>(parameters: &[Vec<N>], input: &[N], state: &[N], cell: &mut [N]) -> Vec<N> {
    let [weights, hidden, bias] = parameters else { unreachable!("an LSTM has three tensors") };
    let units = state.len();
    let unit = |(unit, cell): (usize, &mut N)| {
        let gate = |gate: usize| {
            let row = gate * units + unit;
            product(weights, row, input) + product(hidden, row, state) + bias[row]
        };
        let (take, keep, new) = (sigmoid(gate(0)), sigmoid(gate(1)), gate(2).tanh());
        *cell = keep * *cell + take * new;
        sigmoid(gate(3)) * cell.tanh()
    };
    cell.iter_mut().enumerate().map(unit).collect()
}

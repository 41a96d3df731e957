//! The steps of an LSTM, and the gradient of its hidden weights.

use super::series::{Recurrent, add_matrix, hidden_pairs};
use gristmill_kernels::recurrent::{Time, lstm};
use gristmill_kernels::{
    Finish, Isa, Panels, PanelsMut, Row, Start, multiply, transposed_multiply,
};

/// From the sums of the input, in `kept`'s first matrix, to the cell states and states.
pub(super) fn forward(
    layer: &Recurrent,
    isa: Isa,
    lengths: Option<&[Row]>,
    hidden: &[Row],
    [gates, cells, states]: [&mut [Row]; 3],
    state: &mut [Row],
    cell: &mut [Row],
) {
    let (units, sums, steps) = (layer.units, layer.sums(), layer.steps);
    for step in layer.order() {
        let (of_gates, own) = (layer.step(step, sums), layer.step(step, units));
        let held = PanelsMut::new(gates, steps * sums).rows(of_gates.clone());
        let before = Panels::new(state, units);
        multiply(isa, held, Panels::new(hidden, sums), before, Start::Held, Finish::Store);
        lstm::forward(
            isa,
            lstm::Forward {
                gates: PanelsMut::new(gates, steps * sums).rows(of_gates),
                cell: PanelsMut::new(cell, units),
                cell_output: PanelsMut::new(cells, steps * units).rows(own.clone()),
                state: PanelsMut::new(state, units),
                output: PanelsMut::new(states, steps * units).rows(own),
                time: Time { step, lengths },
            },
        );
    }
}

/// From the errors of the states to those of the sums, in place of the gates.
pub(super) fn backward(
    layer: &Recurrent,
    isa: Isa,
    lengths: Option<&[Row]>,
    hidden: &[Row],
    [gates, cells]: [&mut [Row]; 2],
    output_errors: Option<&[Row]>,
    [state_errors, cell_errors]: [&mut [Row]; 2],
) {
    let (units, sums, steps) = (layer.units, layer.sums(), layer.steps);
    let all = |rows| Panels::new(rows, steps * units);
    for step in layer.order().rev() {
        let (of_gates, own) = (layer.step(step, sums), layer.step(step, units));
        let before = layer.before(step);
        lstm::backward(
            isa,
            lstm::Backward {
                gates: PanelsMut::new(gates, steps * sums).rows(of_gates.clone()),
                cell: all(cells).rows(own.clone()),
                previous_cell: before.map(|before| all(cells).rows(layer.step(before, units))),
                output_errors: output_errors.map(|errors| all(errors).rows(own)),
                cell_errors: PanelsMut::new(cell_errors, units),
                state_errors: PanelsMut::new(state_errors, units),
                time: Time { step, lengths },
            },
        );
        if before.is_some() {
            let errors = Panels::new(gates, steps * sums).rows(of_gates);
            let (into, hidden) = (PanelsMut::new(state_errors, units), Panels::new(hidden, sums));
            transposed_multiply(isa, into, hidden, errors, Start::Held, Finish::Store);
        }
    }
}

/// Adds to the gradient of the hidden weights.
pub(super) fn add_gradient(
    layer: &Recurrent,
    isa: Isa,
    [gates, states]: [&mut [Row]; 2],
    lanes: &mut [Row],
    gradient: &mut [Row],
) {
    let (units, sums, steps) = (layer.units, layer.sums(), layer.steps);
    let (errors, states) = (Panels::new(gates, steps * sums), Panels::new(states, steps * units));
    let weights = &mut gradient[layer.block(1)];
    let pairs = hidden_pairs(layer, sums);
    add_matrix(isa, errors, states, pairs, 0..sums, units, lanes, weights, sums);
}

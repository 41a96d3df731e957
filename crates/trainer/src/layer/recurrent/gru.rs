//! The steps of a GRU, and the gradient of its hidden weights.

use super::series::{Recurrent, add_bias, add_matrix, hidden_pairs};
use gristmill_kernels::recurrent::{Time, gru};
use gristmill_kernels::{
    Finish, Isa, Panels, PanelsMut, Row, Start, multiply, transposed_multiply,
};

/// From the sums of the input, in `kept`'s first matrix, to the states.
pub(super) fn forward(
    layer: &Recurrent,
    isa: Isa,
    lengths: Option<&[Row]>,
    hidden: &[Row],
    hidden_bias: &[Row],
    [gates, products, states]: [&mut [Row]; 3],
    state: &mut [Row],
) {
    let (units, sums, steps) = (layer.units, layer.sums(), layer.steps);
    let hidden = Panels::new(hidden, sums);
    for step in layer.order() {
        let (at, own) = (step * sums, layer.step(step, units));
        let before = Panels::new(state, units);
        let gated = PanelsMut::new(gates, steps * sums).rows(at..at + 2 * units);
        multiply(isa, gated, hidden.rows(0..2 * units), before, Start::Held, Finish::Store);
        let product = PanelsMut::new(products, steps * units).rows(own.clone());
        let bias = Start::Bias(hidden_bias);
        multiply(isa, product, hidden.rows(2 * units..sums), before, bias, Finish::Store);
        gru::forward(
            isa,
            gru::Forward {
                gates: PanelsMut::new(gates, steps * sums).rows(at..at + sums),
                product: Panels::new(products, steps * units).rows(own.clone()),
                state: PanelsMut::new(state, units),
                output: PanelsMut::new(states, steps * units).rows(own),
                time: Time { step, lengths },
            },
        );
    }
}

/// From the errors of the states to those of the sums, in place of the gates and products.
pub(super) fn backward(
    layer: &Recurrent,
    isa: Isa,
    lengths: Option<&[Row]>,
    hidden: &[Row],
    [gates, products, states]: [&mut [Row]; 3],
    output_errors: Option<&[Row]>,
    state_errors: &mut [Row],
) {
    let (units, sums, steps) = (layer.units, layer.sums(), layer.steps);
    let hidden = Panels::new(hidden, sums);
    let height = steps * units;
    for step in layer.order().rev() {
        let (at, own) = (step * sums, layer.step(step, units));
        let before = layer.before(step);
        gru::backward(
            isa,
            gru::Backward {
                gates: PanelsMut::new(gates, steps * sums).rows(at..at + sums),
                product: PanelsMut::new(products, height).rows(own.clone()),
                previous: before
                    .map(|before| Panels::new(states, height).rows(layer.step(before, units))),
                output_errors: output_errors
                    .map(|errors| Panels::new(errors, height).rows(own.clone())),
                state_errors: PanelsMut::new(state_errors, units),
                time: Time { step, lengths },
            },
        );
        if before.is_none() {
            continue;
        }
        let parts = [
            (0..2 * units, Panels::new(gates, steps * sums).rows(at..at + 2 * units)),
            (2 * units..sums, Panels::new(products, height).rows(own)),
        ];
        for (rows, errors) in parts {
            let into = PanelsMut::new(state_errors, units);
            transposed_multiply(isa, into, hidden.rows(rows), errors, Start::Held, Finish::Store);
        }
    }
}

/// Adds to the gradient of the hidden weights and bias.
pub(super) fn add_gradient(
    layer: &Recurrent,
    isa: Isa,
    [gates, products, states]: [&mut [Row]; 3],
    lanes: &mut [Row],
    gradient: &mut [Row],
) {
    let (units, sums, steps) = (layer.units, layer.sums(), layer.steps);
    let states = Panels::new(states, steps * units);
    let weights = &mut gradient[layer.block(1)];
    let parts = [
        (Panels::new(gates, steps * sums), hidden_pairs(layer, sums), 0..2 * units),
        (Panels::new(products, steps * units), hidden_pairs(layer, units), 2 * units..sums),
    ];
    for (errors, pairs, rows) in parts {
        add_matrix(isa, errors, states, pairs, rows, units, lanes, weights, sums);
    }
    add_bias(isa, products, units, lanes, &mut gradient[layer.block(3)]);
}

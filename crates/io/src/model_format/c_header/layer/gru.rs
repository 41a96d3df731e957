//! Gated recurrent units: r, z and n of each step, from a state of zeros.

use super::body::Body;
use crate::model::{Gru, View};

const TEMPLATE: &str = "
    float state[units], next[units];
    for (int i = 0; i < units; i++) state[i] = 0.0f;
    for (int t = 0; t < steps; t++) {
        const int step = STEP;
        const float *at = x + step * channels;
        for (int i = 0; i < units; i++) {
            float sums[3], products[3];
            for (int gate = 0; gate < 3; gate++) {
                const int row = gate * units + i;
                sums[gate] = bias[row];
                products[gate] = 0.0f;
                for (int c = 0; c < channels; c++) sums[gate] += input_weight[row * channels + c] * at[c];
                for (int j = 0; j < units; j++) products[gate] += hidden_weight[row * units + j] * state[j];
            }
            const float reset = 1.0f / (1.0f + expf(-(sums[0] + products[0])));
            const float keep = 1.0f / (1.0f + expf(-(sums[1] + products[1])));
            const float new_state = tanhf(sums[2] + reset * (products[2] + hidden_bias[i]));
            next[i] = (1.0f - keep) * new_state + keep * state[i];
        }
        for (int i = 0; i < units; i++) OUTPUT = state[i] = next[i];
    }
";

pub(super) fn body(gru: &Gru, input: View) -> Body {
    let sizes = [("steps", input.width), ("channels", gru.channels), ("units", gru.units)];
    Body::new(TEMPLATE, &sizes)
        .with("STEP", if gru.reversed { "steps - 1 - t" } else { "t" })
        .with("OUTPUT", if gru.all { "y[step * units + i]" } else { "y[i]" })
}

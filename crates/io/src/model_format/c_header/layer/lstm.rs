//! Long short-term memory: i, f, g and o of each step, from states of zeros.

use super::body::Body;
use crate::model::{Lstm, View};

const TEMPLATE: &str = "
    float state[units], next[units], cell[units];
    for (int i = 0; i < units; i++) state[i] = cell[i] = 0.0f;
    for (int t = 0; t < steps; t++) {
        const int step = STEP;
        const float *at = x + step * channels;
        for (int i = 0; i < units; i++) {
            float sums[4];
            for (int gate = 0; gate < 4; gate++) {
                const int row = gate * units + i;
                sums[gate] = bias[row];
                for (int c = 0; c < channels; c++) sums[gate] += input_weight[row * channels + c] * at[c];
                for (int j = 0; j < units; j++) sums[gate] += hidden_weight[row * units + j] * state[j];
            }
            const float take = 1.0f / (1.0f + expf(-sums[0]));
            const float keep = 1.0f / (1.0f + expf(-sums[1]));
            cell[i] = keep * cell[i] + take * tanhf(sums[2]);
            next[i] = tanhf(cell[i]) / (1.0f + expf(-sums[3]));
        }
        for (int i = 0; i < units; i++) OUTPUT = state[i] = next[i];
    }
";

pub(super) fn body(lstm: &Lstm, input: View) -> Body {
    let sizes = [("steps", input.width), ("channels", lstm.channels), ("units", lstm.units)];
    Body::new(TEMPLATE, &sizes)
        .with("STEP", if lstm.reversed { "steps - 1 - t" } else { "t" })
        .with("OUTPUT", if lstm.all { "y[step * units + i]" } else { "y[i]" })
}

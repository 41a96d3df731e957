//! Numbers as functions that bend at the edges of bins.

use super::body::Body;
use crate::model::{PiecewiseLinear, View};

const TEMPLATE: &str = "
    for (int i = 0; i < numbers; i++, y += size) {
        const int c = i % channels;
        for (int j = 0; j < size; j++) y[j] = bias[c * size + j] + slope[c * size + j] * x[i];
        for (int t = 0; t < bins; t++) {
            const float *edge = edges + c * (bins + 1) + t;
            float code = edge[1] > edge[0] ? (x[i] - edge[0]) / (edge[1] - edge[0]) : 0.0f;
            if (t > 0 && code < 0.0f) code = 0.0f;
            if (t + 1 < bins && code > 1.0f) code = 1.0f;
            for (int j = 0; j < size; j++) y[j] += weight[(c * bins + t) * size + j] * code;
        }
    }
";

pub(super) fn body(layer: &PiecewiseLinear, input: View) -> Body {
    let PiecewiseLinear { channels, size, bins } = *layer;
    let numbers = input.units();
    Body::new(
        TEMPLATE,
        &[("numbers", numbers), ("channels", channels), ("size", size), ("bins", bins)],
    )
}

//! Layer norm over the channels of each position.

use super::body::Body;
use crate::model::{LayerNorm, View};

const TEMPLATE: &str = "
    for (int i = 0; i < positions; i++, x += channels, y += channels) {
        float mean = 0.0f, variance = 0.0f;
        for (int c = 0; c < channels; c++) mean += x[c] / channels;
        for (int c = 0; c < channels; c++) variance += (x[c] - mean) * (x[c] - mean) / channels;
        const float deviation = sqrtf(variance + EPSILON);
        for (int c = 0; c < channels; c++) y[c] = (x[c] - mean) / deviation * gain[c] + bias[c];
    }
";

pub(super) fn body(norm: &LayerNorm, view: View) -> Body {
    let sizes = [("positions", view.height * view.width), ("channels", norm.channels)];
    Body::new(TEMPLATE, &sizes).with_number("EPSILON", norm.epsilon as f32)
}

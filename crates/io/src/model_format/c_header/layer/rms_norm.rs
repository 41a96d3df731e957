//! RMS norm over the channels of each position.

use super::body::Body;
use crate::model::{RmsNorm, View};

const TEMPLATE: &str = "
    for (int i = 0; i < positions; i++, x += channels, y += channels) {
        float squares = 0.0f;
        for (int c = 0; c < channels; c++) squares += x[c] * x[c] / channels;
        const float deviation = sqrtf(squares + EPSILON);
        for (int c = 0; c < channels; c++) y[c] = x[c] / deviation * gain[c];
    }
";

pub(super) fn body(norm: &RmsNorm, view: View) -> Body {
    let sizes = [("positions", view.height * view.width), ("channels", norm.channels)];
    Body::new(TEMPLATE, &sizes).with_number("EPSILON", norm.epsilon as f32)
}

//! Batch norm by the statistics of the training.

use super::body::Body;
use crate::model::{BatchNorm, View};

const TEMPLATE: &str = "
    for (int i = 0; i < positions; i++)
    for (int c = 0; c < channels; c++) {
        const float centred = x[i * channels + c] - mean[c];
        y[i * channels + c] = centred / sqrtf(variance[c] + EPSILON) * gain[c] + bias[c];
    }
";

pub(super) fn body(norm: &BatchNorm, view: View) -> Body {
    let sizes = [("positions", view.height * view.width), ("channels", norm.channels)];
    Body::new(TEMPLATE, &sizes).with_number("EPSILON", norm.epsilon as f32)
}

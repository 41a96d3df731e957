//! Dense layers.

use super::body::Body;
use crate::model::Dense;

const TEMPLATE: &str = "
    for (int i = 0; i < outputs; i++) {
        const float *row = weight + (long)i * inputs;
        float sum = BIAS;
        for (int j = 0; j < inputs; j++) sum += row[j] * x[j];
        y[i] = ACTIVATION(sum);
    }
";

pub(super) fn body(dense: &Dense) -> Body {
    let sizes = [("inputs", dense.inputs as usize), ("outputs", dense.outputs as usize)];
    let bias = if dense.bias.is_some() { "bias[i]" } else { "0.0f" };
    Body::new(TEMPLATE, &sizes).with("BIAS", bias).with_activation(dense.activation)
}

//! Functions of each value.

use super::body::Body;
use crate::model::{Activation, View};
use crate::model_format::c_header::text::literal;

/// A function of `x`; nothing for that which leaves it as it is.
pub(super) fn value(activation: Activation) -> Option<String> {
    Some(match activation {
        Activation::Identity => return None,
        Activation::Sigmoid => "1.0f / (1.0f + expf(-x))".to_owned(),
        Activation::Tanh => "tanhf(x)".to_owned(),
        Activation::Relu => "x > 0.0f ? x : 0.0f".to_owned(),
        Activation::LeakyRelu { slope } => format!("x > 0.0f ? x : {} * x", literal(slope)),
        Activation::Elu { alpha } => format!("x > 0.0f ? x : {} * expm1f(x)", literal(alpha)),
        Activation::Gelu => "0.5f * x * erfcf(-0.707106781f * x)".to_owned(),
        Activation::Silu => "x / (1.0f + expf(-x))".to_owned(),
        Activation::Softplus => "(x > 0.0f ? x : 0.0f) + log1pf(expf(-fabsf(x)))".to_owned(),
    })
}

pub(super) fn body(function: Activation, view: View) -> Body {
    let template = "    for (int i = 0; i < units; i++) y[i] = ACTIVATION(x[i]);\n";
    Body::new(template, &[("units", view.units())]).with_activation(function)
}

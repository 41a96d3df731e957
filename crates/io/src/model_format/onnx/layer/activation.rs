//! Functions of each value.

use super::site::Site;
use crate::model::Activation;
use crate::model_format::onnx::graph::{Graph, float};
use crate::model_format::onnx::value::Value;

/// Appends a function of each of `sums`.
pub(super) fn write(graph: &mut Graph, function: Activation, sums: Value, site: &Site) -> Value {
    let (input, output) = (sums.name.as_str(), site.output());
    let mut node = |operator, attributes| graph.node(operator, &[input], &output, attributes);
    let name = match function {
        Activation::Identity => input.to_owned(),
        Activation::Sigmoid => node("Sigmoid", vec![]),
        Activation::Tanh => node("Tanh", vec![]),
        Activation::Relu => node("Relu", vec![]),
        Activation::LeakyRelu { slope } => node("LeakyRelu", vec![float("alpha", slope)]),
        Activation::Elu { alpha } => node("Elu", vec![float("alpha", alpha)]),
        Activation::Gelu => node("Gelu", vec![]),
        Activation::Softplus => node("Softplus", vec![]),
        Activation::Silu => {
            // It has an operator of its own only from version 24 on.
            let gate = graph.node("Sigmoid", &[input], &site.part("gate"), vec![]);
            graph.node("Mul", &[input, &gate], &output, vec![])
        }
    };
    site.unchanged(name, sums.form)
}

//! The middle of the graph: standardised features through dense layers, written.

use super::graph::{Graph, float, integer};
use crate::model::Model;
use crate::model_format::activation::Activation;
use crate::model_format::tensors;

/// Appends standardisation and layers that take the values called `features`, and returns the name
/// of the last layer's values.
///
/// # Errors
/// An activation is not known.
pub(super) fn write(graph: &mut Graph, model: &Model, features: String) -> Result<String, String> {
    for (name, tensor) in tensors::of_model(model) {
        if !name.starts_with("outputs.") {
            graph.numbers(&name, &tensor);
        }
    }
    let centred = graph.node("Sub", &[&features, "inputs.mean"], "/inputs/centred", vec![]);
    let mut values = graph.node("Div", &[&centred, "inputs.deviation"], "/inputs", vec![]);
    for (index, layer) in model.layers.iter().enumerate() {
        let (weight, bias) = (format!("layers.{index}.weight"), format!("layers.{index}.bias"));
        let mut inputs = vec![values.as_str(), &weight];
        if layer.bias.is_some() {
            inputs.push(&bias);
        }
        let sums = format!("/layers.{index}/sums");
        let sums = graph.node("Gemm", &inputs, &sums, vec![integer("transB", 1)]);
        values = activate(graph, Activation::of(&layer.activation)?, sums, index);
    }
    Ok(values)
}

fn activate(graph: &mut Graph, activation: Activation, sums: String, index: usize) -> String {
    let output = format!("/layers.{index}");
    let mut node = |operator, attributes| graph.node(operator, &[&sums], &output, attributes);
    match activation {
        Activation::Identity => sums,
        Activation::Sigmoid => node("Sigmoid", vec![]),
        Activation::Tanh => node("Tanh", vec![]),
        Activation::Relu => node("Relu", vec![]),
        Activation::LeakyRelu(slope) => node("LeakyRelu", vec![float("alpha", slope)]),
        Activation::Elu(alpha) => node("Elu", vec![float("alpha", alpha)]),
        Activation::Gelu => node("Gelu", vec![]),
        Activation::Softplus => node("Softplus", vec![]),
        Activation::Silu => {
            // It has an operator of its own only from version 24 on.
            let gate = format!("/layers.{index}/gate");
            let gate = graph.node("Sigmoid", &[&sums], &gate, vec![]);
            graph.node("Mul", &[&sums, &gate], &output, vec![])
        }
    }
}

//! The middle of the graph: standardised features through dense layers, written.

use super::graph::{Graph, float, integer};
use crate::model::{Activation, Model};

/// Appends standardisation and layers that take the values called `features`, and returns the name
/// of the last layer's values.
///
/// # Errors
/// The network is no chain of dense layers.
pub(super) fn write(graph: &mut Graph, model: &Model, features: String) -> Result<String, String> {
    let tensors = model.tensors();
    for tensor in tensors.iter().filter(|tensor| !tensor.info.name.starts_with("outputs.")) {
        graph.numbers(tensor);
    }
    let centred = graph.node("Sub", &[&features, "inputs.mean"], "/inputs/centred", vec![]);
    let mut values = graph.node("Div", &[&centred, "inputs.deviation"], "/inputs", vec![]);
    for (name, layer) in model.chain()? {
        let (weight, bias) = (format!("{name}.weight"), format!("{name}.bias"));
        let mut inputs = vec![values.as_str(), &weight];
        if layer.bias.is_some() {
            inputs.push(&bias);
        }
        let sums =
            graph.node("Gemm", &inputs, &format!("/{name}/sums"), vec![integer("transB", 1)]);
        values = activate(graph, layer.activation, sums, name);
    }
    Ok(values)
}

fn activate(graph: &mut Graph, activation: Activation, sums: String, name: &str) -> String {
    let output = format!("/{name}");
    let mut node = |operator, attributes| graph.node(operator, &[&sums], &output, attributes);
    match activation {
        Activation::Identity => sums,
        Activation::Sigmoid => node("Sigmoid", vec![]),
        Activation::Tanh => node("Tanh", vec![]),
        Activation::Relu => node("Relu", vec![]),
        Activation::LeakyRelu { slope } => node("LeakyRelu", vec![float("alpha", slope)]),
        Activation::Elu { alpha } => node("Elu", vec![float("alpha", alpha)]),
        Activation::Gelu => node("Gelu", vec![]),
        Activation::Softplus => node("Softplus", vec![]),
        Activation::Silu => {
            // It has an operator of its own only from version 24 on.
            let gate = format!("/{name}/gate");
            let gate = graph.node("Sigmoid", &[&sums], &gate, vec![]);
            graph.node("Mul", &[&sums, &gate], &output, vec![])
        }
    }
}

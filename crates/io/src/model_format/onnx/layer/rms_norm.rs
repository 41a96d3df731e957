//! RMS norm: x / sqrt(mean of x^2 over the channels of each position + epsilon), times the gain.
//! It has an operator of its own only from version 23 on.

use super::site::Site;
use crate::model::RmsNorm;
use crate::model_format::onnx::graph::Graph;
use crate::model_format::onnx::value::Value;
use crate::tensor::Tensor;

pub(super) fn write(graph: &mut Graph, norm: &RmsNorm, site: &Site) -> Value {
    let form = site.input().form_with_channels_last();
    let data = site.input().in_form(graph, form);
    let (axes, epsilon) = (site.part("axes"), site.part("epsilon"));
    graph.positions(&axes, &[form.channel_axis()]);
    graph.numbers(&Tensor::vector(epsilon.as_str(), vec![norm.epsilon as f32]));
    let mut node =
        |operator, inputs: [&str; 2], part| graph.node(operator, &inputs, &site.part(part), vec![]);
    let squares = node("Mul", [&data, &data], "squares");
    let mean = node("ReduceMean", [&squares, &axes], "mean");
    let sum = node("Add", [&mean, &epsilon], "sum");
    let root = graph.node("Sqrt", &[&sum], &site.part("root"), vec![]);
    let scaled = graph.node("Div", &[&data, &root], &site.part("scaled"), vec![]);
    let name = graph.node("Mul", &[&scaled, &site.tensor("gain")], &site.output(), vec![]);
    site.unchanged(name, form)
}

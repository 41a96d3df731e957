//! The smooth clip: `Clip`, `Div`, `Mul`, `Add`, `Sqrt`, `Div`.

use super::site::Site;
use crate::model_format::onnx::graph::Graph;
use crate::model_format::onnx::value::Value;
use crate::tensor::Tensor;

/// From here on the result is 3 to the last bit, and squares are still numbers.
const FAR: f32 = 1e9;

pub(super) fn write(graph: &mut Graph, site: &Site) -> Value {
    let input = site.input();
    let part = |part: &str| site.part(part);
    for (name, number) in [("least", -FAR), ("most", FAR)] {
        graph.numbers(&Tensor::new(part(name), [], vec![number]));
    }
    for (name, number) in [("three", 3.0), ("one", 1.0)] {
        graph.numbers(&Tensor::vector(part(name), vec![number]));
    }
    let inputs = [input.name.as_str(), &part("least"), &part("most")];
    let x = graph.node("Clip", &inputs, &part("near"), vec![]);
    let third = graph.node("Div", &[&x, &part("three")], &part("third"), vec![]);
    let square = graph.node("Mul", &[&third, &third], &part("square"), vec![]);
    let sum = graph.node("Add", &[&square, &part("one")], &part("sum"), vec![]);
    let root = graph.node("Sqrt", &[&sum], &part("root"), vec![]);
    let name = graph.node("Div", &[&x, &root], &site.output(), vec![]);
    site.unchanged(name, input.form)
}

//! Numbers as functions that bend at the edges of bins: codes by `Sub`, `Mul`, `Max` and `Min`, and a `MatMul` for each
//! channel.

use super::site::Site;
use crate::model::{PiecewiseLinear, With};
use crate::model_format::onnx::graph::{Graph, integer};
use crate::model_format::onnx::value::{Form, Value};
use crate::tensor::Tensor;

pub(super) fn write(graph: &mut Graph, layer: &With<PiecewiseLinear>, site: &Site) -> Value {
    let PiecewiseLinear { channels, bins, .. } = layer.attributes;
    let part = |part: &str| site.part(part);
    let view = site.input().view;
    let data = site.input().in_form(graph, Form::Flat);
    // N x positions x channels x 1 x 1
    let numbers =
        graph.reshape(&data, &part("numbers"), &[view.height * view.width, channels, 1, 1]);
    constants_of_bins(graph, &layer.tensors[0], bins, site);
    graph.positions(&part("second"), &[1]);
    let axis = vec![integer("axis", 1)];
    let inputs = [site.tensor("edges"), part("bins")];
    let inputs = inputs.each_ref().map(String::as_str);
    let starts = graph.node("Gather", &inputs, &part("starts"), axis);
    let start = graph.node("Unsqueeze", &[&starts, &part("second")], &part("start"), vec![]);
    let [slope, bias] = ["slope", "bias"].map(|name| {
        graph.node("Unsqueeze", &[&site.tensor(name), &part("second")], &part(name), vec![])
    });
    let weight = site.tensor("weight");
    let mut node = |operator: &str, inputs: &[&str], name: &str| {
        graph.node(operator, inputs, &part(name), vec![])
    };
    let above = node("Sub", &[&numbers, &start], "above");
    let scaled = node("Mul", &[&above, &part("factor")], "scaled");
    let limited = node("Min", &[&scaled, &part("most")], "limited");
    let codes = node("Max", &[&limited, &part("least")], "codes");
    let bent = node("MatMul", &[&codes, &weight], "bent");
    let straight = node("Mul", &[&numbers, &slope], "straight");
    let values = node("Sum", &[&straight, &bias, &bent], "values");
    let name = graph.reshape(&values, &site.output(), &[site.view.units()]);
    site.unchanged(name, Form::Flat)
}

/// What codes a number in each bin: the places of the edges where bins begin, 1 / width (0 where a bin has none), and the
/// limits.
fn constants_of_bins(graph: &mut Graph, edges: &[f32], bins: usize, site: &Site) {
    let factor = |bin: &[f32]| {
        let width = bin[1] - bin[0];
        if width > 0.0 { 1.0 / width } else { 0.0 }
    };
    let of_channel = |edges: &[f32]| edges.windows(2).map(factor).collect::<Vec<_>>();
    let factors: Vec<f32> = edges.chunks_exact(bins + 1).flat_map(of_channel).collect();
    let mut least = vec![0.0; bins];
    let mut most = vec![1.0; bins];
    (least[0], most[bins - 1]) = (f32::NEG_INFINITY, f32::INFINITY);
    graph.positions(&site.part("bins"), &(0..bins).collect::<Vec<_>>());
    graph.numbers(&Tensor::new(site.part("factor"), [factors.len() / bins, 1, bins], factors));
    graph.numbers(&Tensor::vector(site.part("least"), least));
    graph.numbers(&Tensor::vector(site.part("most"), most));
}

//! Numbers with mixtures of waves of them: `Mul`, `Add` and `Cos`, and a `MatMul` for each channel.

use super::site::Site;
use crate::model::Periodic;
use crate::model_format::onnx::graph::{Graph, integer};
use crate::model_format::onnx::value::{Form, Value};
use crate::tensor::Tensor;
use std::f32::consts::TAU;

pub(super) fn write(graph: &mut Graph, periodic: &Periodic, site: &Site) -> Value {
    let part = |part: &str| site.part(part);
    let view = site.input().view;
    let data = site.input().in_form(graph, Form::Flat);
    // N x positions x channels x 1 x 1
    let sizes = [view.height * view.width, periodic.channels, 1, 1];
    let numbers = graph.reshape(&data, &part("numbers"), &sizes);
    graph.positions(&part("second"), &[1]);
    graph.numbers(&Tensor::vector(part("turn"), vec![TAU]));
    let [frequency, phase, bias] = ["frequency", "phase", "bias"].map(|name| {
        let inputs = [site.tensor(name), part("second")];
        let inputs = inputs.each_ref().map(String::as_str);
        graph.node("Unsqueeze", &inputs, &part(name), vec![])
    });
    let mut node = |operator: &str, inputs: [&str; 2], name: &str| {
        graph.node(operator, &inputs, &part(name), vec![])
    };
    let turns = node("Mul", [&numbers, &frequency], "turns");
    let angles = node("Mul", [&turns, &part("turn")], "angles");
    let angles = node("Add", [&angles, &phase], "shifted");
    let waves = graph.node("Cos", &[&angles], &part("waves"), vec![]);
    let weight = site.tensor("weight");
    let sums = graph.node("MatMul", &[&waves, &weight], &part("sums"), vec![]);
    let mixtures = graph.node("Add", &[&sums, &bias], &part("mixtures"), vec![]);
    let axis = vec![integer("axis", -1)];
    let values = graph.node("Concat", &[&numbers, &mixtures], &part("values"), axis);
    let name = graph.reshape(&values, &site.output(), &[site.view.units()]);
    site.unchanged(name, Form::Flat)
}

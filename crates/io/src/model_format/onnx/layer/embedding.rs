//! Embeddings: `Gather` of the rows of the table, and zeros in place of those of no category.

use super::site::Site;
use crate::model::{Combine, Embedding};
use crate::model_format::onnx::graph::{Graph, integer};
use crate::model_format::onnx::proto::{FLOAT, INT64};
use crate::model_format::onnx::value::{Form, Value};
use crate::tensor::Tensor;

pub(super) fn write(graph: &mut Graph, embedding: &Embedding, site: &Site) -> Value {
    let data = site.input().in_form(graph, Form::Flat);
    let columns = &embedding.columns;
    let part = |part: &str| site.part(part);
    let units = Vec::from_iter(columns.iter().map(|column| column.unit));
    let firsts = Vec::from_iter(columns.iter().map(|column| column.first as usize));
    let counts = Vec::from_iter(columns.iter().map(|column| column.categories as f32));
    graph.positions(&part("units"), &units);
    graph.positions(&part("firsts"), &firsts);
    graph.positions(&part("last"), &[2]);
    graph.numbers(&Tensor::vector(part("counts"), counts));
    graph.numbers(&Tensor::vector(part("zero"), vec![0.0]));

    // N x columns: what is looked up, and whether it is the number of a category.
    let taken = take(graph, &data, &part("units"), &part("taken"));
    let node = |graph: &mut Graph, operator: &str, inputs: &[&str], name: &str| {
        graph.node(operator, inputs, &part(name), vec![])
    };
    let cast = |graph: &mut Graph, input: &str, to: i32, name: &str| {
        graph.node("Cast", &[input], &part(name), vec![integer("to", i64::from(to))])
    };
    let is_positive = node(graph, "GreaterOrEqual", &[&taken, &part("zero")], "is_positive");
    let is_below = node(graph, "Less", &[&taken, &part("counts")], "is_below");
    let is_known = node(graph, "And", &[&is_positive, &is_below], "is_known");
    let safe = node(graph, "Where", &[&is_known, &taken, &part("zero")], "safe");
    let whole = cast(graph, &safe, INT64, "whole");
    let rows = node(graph, "Add", &[&whole, &part("firsts")], "rows");

    // N x columns x size.
    let axis = vec![integer("axis", 0)];
    let found = graph.node("Gather", &[&site.tensor("weight"), &rows], &part("found"), axis);
    let known = cast(graph, &is_known, FLOAT, "known");
    let known = node(graph, "Unsqueeze", &[&known, &part("last")], "each_known");
    let vectors = node(graph, "Mul", &[&found, &known], "vectors");

    let width = columns.len() * embedding.size;
    let combined = match embedding.combine {
        Combine::Concat => graph.reshape(&vectors, &part("side_by_side"), &[width]),
        Combine::Sum => total(graph, &vectors, site, "sum"),
        Combine::Mean => {
            graph.numbers(&Tensor::vector(part("one"), vec![1.0]));
            let sum = total(graph, &vectors, site, "sum");
            let count = total(graph, &known, site, "count");
            let count = node(graph, "Max", &[&count, &part("one")], "divisor");
            node(graph, "Div", &[&sum, &count], "mean")
        }
    };
    let inputs = site.input().view.units();
    let numbers = Vec::from_iter((0..inputs).filter(|unit| !units.contains(unit)));
    let name = match numbers.as_slice() {
        [] => combined,
        numbers => {
            graph.positions(&part("numbers"), numbers);
            let numbers = take(graph, &data, &part("numbers"), &part("handed_on"));
            let axis = vec![integer("axis", 1)];
            graph.node("Concat", &[&numbers, &combined], &site.output(), axis)
        }
    };
    site.unchanged(name, Form::Flat)
}

/// Some of the columns of `data`.
fn take(graph: &mut Graph, data: &str, columns: &str, output: &str) -> String {
    graph.node("Gather", &[data, columns], output, vec![integer("axis", 1)])
}

/// The sum over columns.
fn total(graph: &mut Graph, values: &str, site: &Site, name: &str) -> String {
    let axis = site.part(&format!("{name}/axis"));
    graph.positions(&axis, &[1]);
    let attributes = vec![integer("keepdims", 0)];
    graph.node("ReduceSum", &[values, &axis], &site.part(name), attributes)
}

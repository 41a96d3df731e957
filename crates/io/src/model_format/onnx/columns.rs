//! The beginning of the graph: from raw columns to features in their order.
//!
//! Numeric columns come side by side in one tensor, text columns each as a tensor of one column, since
//! a tensor has one type. Missing numbers are filled in, text becomes one feature per category.

use super::graph::{Graph, integer, strings};
use super::proto::{FLOAT, STRING};
use crate::model::Node;
use crate::schema::{Encoding, InputKind};
use crate::tensor::Tensor;

/// Appends what makes the features of a network of these nodes, and returns their name.
pub(super) fn write(graph: &mut Graph, encoding: &Encoding, nodes: &[&str]) -> String {
    let mut fills = Vec::new();
    // Positions of the numbers among the features, and of the first feature of each text.
    let (mut numbers, mut texts) = (Vec::new(), Vec::new());
    let mut feature = 0;
    for input in &encoding.inputs {
        match &input.kind {
            InputKind::Number { fill } => {
                numbers.push(feature);
                fills.push(fill.unwrap_or(f32::NAN));
            }
            // Refused before: see `network`.
            InputKind::Index { .. } => {}
            InputKind::OneHot { categories } => texts.push((&input.name, categories, feature)),
        }
        feature += input.features();
    }
    let mut parts = Vec::new();
    if !numbers.is_empty() {
        let name = if texts.is_empty() { "input" } else { "numbers" };
        graph.input(name, FLOAT, numbers.len());
        parts.push(filled(graph, name, fills));
    }
    let mut positions = numbers;
    for (index, (name, categories, feature)) in texts.into_iter().enumerate() {
        let input = free_name(graph, name, nodes);
        graph.input(&input, STRING, 1);
        // An unknown category is an error there as it is here.
        let attributes = vec![strings("cats_strings", categories), integer("zeros", 0)];
        let coded = format!("/columns/text.{index}/coded");
        let coded = graph.node("OneHotEncoder", &[&input], &coded, attributes);
        let flat = format!("/columns/text.{index}");
        parts.push(graph.node("Flatten", &[&coded], &flat, vec![integer("axis", 1)]));
        positions.extend(feature..feature + categories.len());
    }
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let joined = match parts.as_slice() {
        [part] => (*part).to_owned(),
        parts => graph.node("Concat", parts, "/columns/joined", vec![integer("axis", 1)]),
    };
    if positions.is_sorted() {
        return joined;
    }
    let mut order = vec![0; positions.len()];
    positions.iter().enumerate().for_each(|(place, &feature)| order[feature] = place);
    graph.positions("/columns/order", &order);
    graph.node("Gather", &[&joined, "/columns/order"], "/columns", vec![integer("axis", 1)])
}

/// The name of a text column, or one made of it where the graph has that name already.
fn free_name(graph: &Graph, name: &str, nodes: &[&str]) -> String {
    const OTHERS: [&str; 6] = ["", "numbers", "input", "probabilities", "label", "values"];
    // What names of values and constants within the graph begin with, "layers." in files of version 1.
    const WITHIN: [&str; 4] = ["/", "layers.", "inputs.", "outputs."];
    let mut free = name.to_owned();
    while OTHERS.contains(&free.as_str())
        || WITHIN.iter().any(|start| free.starts_with(start))
        || free.split_once('.').is_some_and(|(node, _)| nodes.contains(&node))
        || graph.inputs.iter().any(|input| input.name == free)
    {
        free.insert_str(0, "column ");
    }
    free
}

/// Puts something in the place of NaN, where there is something to put.
fn filled(graph: &mut Graph, numbers: &str, fills: Vec<f32>) -> String {
    if fills.iter().all(|fill| fill.is_nan()) {
        return numbers.to_owned();
    }
    graph.numbers(&Tensor::new("/columns/fill", [1, fills.len()], fills));
    let missing = graph.node("IsNaN", &[numbers], "/columns/missing", vec![]);
    graph.node("Where", &[&missing, "/columns/fill", numbers], "/columns/filled", vec![])
}

/// The names of nodes; the constants of each begin with its name and a point.
pub(super) fn node_names(nodes: &[Node]) -> Vec<&str> {
    nodes.iter().map(|node| node.name.as_str()).collect()
}

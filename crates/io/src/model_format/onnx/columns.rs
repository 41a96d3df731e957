//! The beginning of the graph: from raw columns to features in their order.
//!
//! Numeric columns come side by side in one tensor, text columns each as a tensor of one column, since
//! a tensor has one type. Missing numbers are filled in, text becomes one feature per category or the index of its category.

use super::graph::{Graph, float, floats, integer, strings};
use super::proto::{FLOAT, STRING};
use crate::model::Node;
use crate::schema::{Encoding, InputKind, Vocabulary};
use crate::tensor::Tensor;

/// Appends what makes the features of a network of these nodes, and returns their name.
pub(super) fn write(graph: &mut Graph, encoding: &Encoding, nodes: &[&str]) -> String {
    let mut fills = Vec::new();
    // Numeric columns with the positions of their features; those that are codes with the number of these as well.
    let (mut numbers, mut codes) = (Vec::new(), Vec::new());
    // Text columns with the position of the first feature of each.
    let mut texts = Vec::new();
    let mut feature = 0;
    for input in &encoding.inputs {
        match &input.kind {
            InputKind::Number { fill } => {
                numbers.push((fills.len(), feature));
                fills.push(fill.unwrap_or(f32::NAN));
            }
            InputKind::Index { vocabulary: Vocabulary::Codes(count) } => {
                codes.push((fills.len(), feature, *count as f32));
                fills.push(f32::NAN);
            }
            InputKind::Text(words) => {
                let places = 0..words.length as usize;
                codes.extend(places.map(|i| (fills.len() + i, feature + i, words.buckets as f32)));
                fills.resize(fills.len() + words.length as usize, f32::NAN);
            }
            InputKind::Index { vocabulary: Vocabulary::Names(_) } | InputKind::OneHot { .. } => {
                texts.push((input, feature));
            }
        }
        feature += input.features();
    }
    let (mut parts, mut positions) = (Vec::new(), Vec::new());
    if !fills.is_empty() {
        let name = if texts.is_empty() { "input" } else { "numbers" };
        graph.input(name, FLOAT, fills.len());
        let values = filled(graph, name, fills);
        match codes.is_empty() {
            true => parts.push(values),
            false => {
                let columns = Vec::from_iter(numbers.iter().map(|(column, _)| *column));
                parts.extend(
                    (!columns.is_empty()).then(|| taken(graph, &values, "plain", &columns)),
                );
                parts.push(known(graph, &values, &codes));
            }
        }
        positions.extend(numbers.iter().map(|(_, feature)| *feature));
        positions.extend(codes.iter().map(|(_, feature, _)| *feature));
    }
    for (index, (input, feature)) in texts.into_iter().enumerate() {
        let name = free_name(graph, &input.name, nodes);
        graph.input(&name, STRING, 1);
        parts.push(encoded(graph, &name, &input.kind, &format!("/columns/text.{index}")));
        positions.extend(feature..feature + input.features());
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

/// Appends what makes the features called `output` of a text column.
fn encoded(graph: &mut Graph, name: &str, kind: &InputKind, output: &str) -> String {
    match kind {
        InputKind::Index { vocabulary: Vocabulary::Names(names) } => {
            let attributes = vec![
                strings("keys_strings", names),
                floats("values_floats", (0..names.len()).map(|index| index as f32).collect()),
                // Unknown names have the index after the last.
                float("default_float", names.len() as f32),
            ];
            graph.node("LabelEncoder", &[name], output, attributes)
        }
        InputKind::OneHot { categories } => {
            // An unknown category is an error there as it is here.
            let attributes = vec![strings("cats_strings", categories), integer("zeros", 0)];
            let coded = format!("{output}/coded");
            let coded = graph.node("OneHotEncoder", &[name], &coded, attributes);
            graph.node("Flatten", &[&coded], output, vec![integer("axis", 1)])
        }
        InputKind::Number { .. } | InputKind::Index { .. } | InputKind::Text(_) => name.to_owned(),
    }
}

/// Some of the numeric columns.
fn taken(graph: &mut Graph, numbers: &str, name: &str, columns: &[usize]) -> String {
    let places = format!("/columns/{name}/places");
    graph.positions(&places, columns);
    let output = format!("/columns/{name}");
    graph.node("Gather", &[numbers, &places], &output, vec![integer("axis", 1)])
}

/// Columns of codes: all that is no whole number from 0 to below their number becomes that number.
fn known(graph: &mut Graph, numbers: &str, codes: &[(usize, usize, f32)]) -> String {
    let columns = Vec::from_iter(codes.iter().map(|(column, ..)| *column));
    let values = taken(graph, numbers, "codes", &columns);
    let counts = Vec::from_iter(codes.iter().map(|(.., count)| *count));
    graph.numbers(&Tensor::new("/columns/codes/counts", [1, counts.len()], counts));
    graph.numbers(&Tensor::vector("/columns/codes/zero", vec![0.0]));
    let counts = "/columns/codes/counts";
    let mut node = |operator, inputs: &[&str], name: &str| {
        graph.node(operator, inputs, &format!("/columns/codes/{name}"), vec![])
    };
    let whole = node("Floor", &[&values], "floor");
    let is_whole = node("Equal", &[&values, &whole], "is_whole");
    let is_positive = node("GreaterOrEqual", &[&values, "/columns/codes/zero"], "is_positive");
    let is_below = node("Less", &[&values, counts], "is_below");
    let is_within = node("And", &[&is_positive, &is_below], "is_within");
    let is_known = node("And", &[&is_within, &is_whole], "is_known");
    node("Where", &[&is_known, &values, counts], "known")
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

//! The whole graph of a model: columns, standardisation, layers, predictions.

use super::columns::{self, node_names};
use super::graph::Graph;
use super::layer::{self, Site};
use super::predictions;
use super::value::{Form, Value};
use crate::model::{FEATURES, Model, View};
use std::collections::HashMap;

/// The graph of a model.
///
/// # Errors
/// Names the node of the network that operators cannot express.
pub(super) fn graph(model: &Model) -> Result<Graph, String> {
    let mut graph = Graph::default();
    let features = columns::write(&mut graph, &model.columns(), &node_names(&model.nodes));
    for tensor in model.tensors().iter().filter(|tensor| !tensor.info.name.starts_with("outputs."))
    {
        graph.numbers(tensor);
    }
    let features = standardised(&mut graph, &features, model.inputs.len());
    let mut last = features.clone();
    let mut values = HashMap::from([(FEATURES, features)]);
    for (node, view) in model.nodes.iter().zip(model.views()?) {
        let inputs: Vec<Value> =
            node.inputs.iter().map(|name| values[name.as_str()].clone()).collect();
        let site = Site { name: &node.name, inputs: &inputs, view };
        last = layer::write(&mut graph, &node.layer, &site)
            .map_err(|reason| format!("the node \"{}\" {reason}", node.name))?;
        values.insert(&node.name, last.clone());
    }
    let outputs = last.in_form(&mut graph, Form::Flat);
    predictions::write(&mut graph, model, outputs, last.view.units());
    Ok(graph)
}

fn standardised(graph: &mut Graph, features: &str, count: usize) -> Value {
    let centred = graph.node("Sub", &[features, "inputs.mean"], "/inputs/centred", vec![]);
    let name = graph.node("Div", &[&centred, "inputs.deviation"], "/inputs", vec![]);
    Value { owner: name.clone(), name, form: Form::Flat, view: View::flat(count) }
}

//! Where the values of each layer lie: buffers on the stack, used again once nothing takes their values.

use crate::model::{Layer, Model, View};
use std::collections::HashMap;

/// What a layer reads or writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// The standardised features.
    Inputs,
    /// A buffer.
    Buffer(usize),
}

impl Place {
    /// The name of its array.
    pub(super) fn name(self) -> String {
        match self {
            Place::Inputs => "inputs".to_owned(),
            Place::Buffer(buffer) => format!("buffer{buffer}"),
        }
    }
}

/// A layer that computes something.
pub(super) struct Step<'a> {
    pub(super) name: &'a str,
    pub(super) layer: &'a Layer,
    /// How what it takes is arranged.
    pub(super) inputs: Vec<View>,
    /// How what it gives is arranged.
    pub(super) view: View,
    pub(super) from: Vec<Place>,
    pub(super) to: Place,
}

/// The layers in their order, and the buffers that they need.
pub(super) struct Plan<'a> {
    pub(super) steps: Vec<Step<'a>>,
    /// How many numbers each buffer holds.
    pub(super) buffers: Vec<usize>,
    /// Where the network's values are in the end.
    pub(super) last: Place,
}

impl Plan<'_> {
    /// How many numbers the layers need on the stack beside the inputs.
    pub(super) fn numbers(&self) -> usize {
        let states = self.steps.iter().map(|step| match step.layer {
            Layer::Gru(layer) => 2 * layer.attributes.units,
            Layer::Lstm(layer) => 3 * layer.attributes.units,
            // Queries, keys and shares.
            Layer::Attention(layer) => {
                step.view.height * step.view.width * (2 * layer.attributes.channels + 1)
            }
            _ => 0,
        });
        self.buffers.iter().sum::<usize>() + states.max().unwrap_or(0)
    }
}

/// Whether a layer gives what it takes: values are numbered position by position, whatever their shape.
fn is_nothing(layer: &Layer) -> bool {
    matches!(layer, Layer::Dropout(_) | Layer::Flatten(_) | Layer::Reshape(_))
}

/// Whether rows may end before their last step.
fn takes_series(layer: &Layer) -> bool {
    matches!(layer, Layer::Reshape(layer) if layer.attributes.padded)
}

/// Plans the layers of a model.
///
/// # Errors
/// The nodes do not fit together.
pub(super) fn plan(model: &Model) -> Result<Plan<'_>, String> {
    let nodes = &model.nodes;
    let views = model.views()?;
    if let Some(node) = nodes.iter().find(|node| takes_series(&node.layer)) {
        return Err(format!(
            "the node \"{}\" takes series of unequal length, which are not written as C",
            node.name
        ));
    }
    let indexes: HashMap<&str, usize> =
        nodes.iter().enumerate().map(|(index, node)| (node.name.as_str(), index)).collect();
    // The node that computes the values of each, or none for those that are the features.
    let mut origins: Vec<Option<usize>> = Vec::with_capacity(nodes.len());
    for (index, node) in nodes.iter().enumerate() {
        let before = indexes.get(node.inputs[0].as_str());
        origins.push(match is_nothing(&node.layer) {
            true => before.and_then(|&before| origins[before]),
            false => Some(index),
        });
    }
    let origin = |input: &str| indexes.get(input).and_then(|&index| origins[index]);
    // After which node the values of each are not needed.
    let mut last_use = vec![0; nodes.len()];
    for (index, node) in nodes.iter().enumerate() {
        for input in node.inputs.iter().filter_map(|input| origin(input)) {
            last_use[input] = index;
        }
    }
    let end = origins.last().copied().flatten();
    if let Some(end) = end {
        last_use[end] = nodes.len();
    }
    let (mut buffers, mut holds): (Vec<usize>, Vec<usize>) = (Vec::new(), Vec::new());
    let mut places = vec![Place::Inputs; nodes.len()];
    let mut steps = Vec::new();
    for (index, node) in nodes.iter().enumerate().filter(|(_, node)| !is_nothing(&node.layer)) {
        let units = views[index].units();
        // A buffer whose values no node from this one on takes.
        let free = holds.iter().position(|&node| last_use[node] < index);
        let buffer = free.unwrap_or_else(|| {
            buffers.push(0);
            holds.push(index);
            buffers.len() - 1
        });
        (buffers[buffer], holds[buffer]) = (buffers[buffer].max(units), index);
        places[index] = Place::Buffer(buffer);
        let of = |input: &String| origin(input).map_or(Place::Inputs, |node| places[node]);
        let flat = View::flat(model.inputs.len());
        let view = |input: &String| indexes.get(input.as_str()).map_or(flat, |&node| views[node]);
        steps.push(Step {
            name: &node.name,
            layer: &node.layer,
            inputs: node.inputs.iter().map(view).collect(),
            view: views[index],
            from: node.inputs.iter().map(of).collect(),
            to: places[index],
        });
    }
    let last = end.map_or(Place::Inputs, |node| places[node]);
    Ok(Plan { steps, buffers, last })
}

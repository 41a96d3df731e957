//! The nodes of a network in order, and what follows from who takes whose values.

use super::edges::{Delivery, Source, Way};
use crate::layer::{Kind, Parameters, View};
use gristmill_kernels::embedding::Column;

/// A layer in its place in a network.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// What it is called in files.
    pub name: String,
    /// What it takes: features, and nodes before it.
    pub inputs: Vec<Source>,
    /// What it computes.
    pub layer: Kind,
}

/// What a shard needs to know of a node besides: asked of the layer once, since a step of a small network has
/// no time to ask again.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Wiring {
    /// Whether training leaves its slopes where its error will be.
    pub(crate) has_slopes: bool,
    /// Rows of a panel of samples that it keeps.
    pub(crate) kept: usize,
    /// Whether it waits for the whole minibatch.
    pub(crate) waits: bool,
    /// Whether it runs backward: some of its parameters are learned by shards, or somebody wants an error of it.
    pub(crate) runs_backward: bool,
    /// For each of its inputs where the error goes; `None` where nobody wants it.
    pub(crate) deliveries: Vec<Option<Delivery>>,
    /// Whether a matrix multiplies its values.
    pub(crate) is_multiplied: bool,
    /// Whether its error is collected in sums before its slopes are multiplied.
    pub(crate) has_sums: bool,
}

/// Wires up nodes each of which takes only what comes before it.
pub(crate) fn wire(nodes: &[Node]) -> Vec<Wiring> {
    let mut wiring: Vec<Wiring> = nodes
        .iter()
        .map(|node| {
            let layer = node.layer.as_layer();
            Wiring {
                has_slopes: layer.has_slopes(),
                kept: layer.kept(),
                waits: layer.whole_batch().is_some(),
                runs_backward: match layer.parameters() {
                    Parameters::None | Parameters::Matrix(_) => false,
                    Parameters::Table(_) => true,
                    Parameters::Shared(blocks) => !blocks.is_empty(),
                },
                deliveries: vec![None; node.inputs.len()],
                is_multiplied: false,
                has_sums: false,
            }
        })
        .collect();
    let mut receivers = vec![0usize; nodes.len()];
    for source in nodes.iter().flat_map(|node| &node.inputs) {
        if let Source::Node(node) = source {
            receivers[*node] += 1;
        }
    }
    let learns = learning(nodes);
    // The last receiver is the first to hand an error back.
    let mut is_begun = vec![false; nodes.len()];
    for (i, node) in nodes.iter().enumerate().rev() {
        let is_matrix = matches!(node.layer.parameters(), Parameters::Matrix(_));
        for (input, source) in node.inputs.iter().enumerate() {
            let Source::Node(to) = *source else { continue };
            wiring[to].is_multiplied |= is_matrix;
            if !learns[to] {
                continue;
            }
            let way = match wiring[to].has_slopes {
                false => Way::Error,
                true if receivers[to] == 1 && is_matrix => Way::Slopes,
                true => Way::Sums,
            };
            wiring[to].has_sums |= way == Way::Sums;
            let add = std::mem::replace(&mut is_begun[to], true);
            wiring[i].deliveries[input] = Some(Delivery { to, add, way });
            wiring[i].runs_backward = true;
        }
    }
    wiring
}

/// Whether a node, or one whose values it depends on, learns from its error.
fn learning(nodes: &[Node]) -> Vec<bool> {
    let mut learns: Vec<bool> = Vec::with_capacity(nodes.len());
    for node in nodes {
        let own = node.layer.parameters().learned() > 0;
        let before = |source: &Source| matches!(source, Source::Node(node) if learns[*node]);
        learns.push(own || node.inputs.iter().any(before));
    }
    learns
}

/// Features that are numbers of categories, which embeddings among these nodes look up.
pub(crate) fn looked_up<'n>(
    nodes: impl IntoIterator<Item = &'n Node>,
) -> impl Iterator<Item = Column> {
    let columns = nodes.into_iter().filter_map(|node| match &node.layer {
        Kind::Embedding(layer) if node.inputs == [Source::Features] => Some(layer.columns()),
        _ => None,
    });
    columns.flatten().copied()
}

impl Node {
    /// How one of its inputs is arranged.
    pub fn input(nodes: &[Node], features: View, source: Source) -> View {
        match source {
            Source::Features => features,
            Source::Node(node) => nodes[node].layer.output(),
        }
    }
}

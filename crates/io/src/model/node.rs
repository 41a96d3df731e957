//! Nodes: the layers of a network with their names, each naming what it takes.

use super::layer::Layer;
use crate::tensor::{Tensor, TensorInfo};
use std::collections::BTreeMap;

/// What the first nodes take: the encoded and standardised features of a row.
pub const FEATURES: &str = "features";

/// Names that no node has: they stand for what goes in and comes out, and before the scales of these.
pub(super) const RESERVED: [&str; 3] = [FEATURES, "inputs", "outputs"];

/// A layer in its place in a network.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Letters, digits, `_` and `-`; unique within the network.
    pub name: String,
    /// The nodes before it whose values it takes, or [`FEATURES`].
    pub inputs: Vec<String>,
    /// What it computes.
    pub layer: Layer,
}

impl Node {
    /// Layers each of which takes what the one before gives, called by their kind and number: `dense1`,
    /// `dense2`, ...
    pub fn chain(layers: impl IntoIterator<Item = Layer>) -> Vec<Node> {
        let mut nodes: Vec<Node> = Vec::new();
        let mut numbers = BTreeMap::new();
        for layer in layers {
            let kind = layer.kind();
            let number = numbers.entry(kind).and_modify(|number| *number += 1).or_insert(1);
            let before = nodes.last().map_or(FEATURES, |node| node.name.as_str());
            let inputs = vec![before.to_owned()];
            nodes.push(Node { name: format!("{kind}{number}"), inputs, layer });
        }
        nodes
    }

    /// Its tensors under their names in files: `dense1.weight`.
    pub fn tensors(&self) -> impl Iterator<Item = Tensor<'_>> {
        self.layer.tensors().into_iter().map(|tensor| {
            let info = TensorInfo { name: self.tensor_name(&tensor.info.name), ..tensor.info };
            Tensor { info, ..tensor }
        })
    }

    /// What a part of it is called in files.
    pub fn tensor_name(&self, part: &str) -> String {
        tensor_name(&self.name, part)
    }
}

pub(super) fn tensor_name(node: &str, part: &str) -> String {
    format!("{node}.{part}")
}

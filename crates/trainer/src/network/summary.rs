//! What the layers of a planned network come to: shapes, parameters, work and memory.

use super::edges::Source;
use crate::config::{LayerPlan, TrainingPlan};
use crate::layer::View;

/// One layer.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerSummary {
    /// What it is called.
    pub name: String,
    /// The name of its kind.
    pub kind: &'static str,
    /// The layers whose values it takes.
    pub from: Vec<String>,
    /// How its values are arranged.
    pub shape: View,
    /// Numbers that it learns.
    pub parameters: usize,
    /// Multiply-adds of a row in the forward pass.
    pub multiply_adds: usize,
    /// Bytes of a row in training: values, errors, and what it keeps for the backward pass.
    pub row_bytes: usize,
}

/// Of each layer of a plan.
pub fn summary(plan: &TrainingPlan) -> Vec<LayerSummary> {
    let kinds = plan.config.network.layers.iter().map(|layer| layer.kind.name());
    let kinds = kinds.chain(std::iter::repeat("dense"));
    let name = |source: &Source| match *source {
        Source::Features => "features".to_owned(),
        Source::Node(node) => plan.layers[node].node.name.clone(),
    };
    let layer = |(LayerPlan { node, .. }, kind): (&LayerPlan, &'static str)| {
        let layer = node.layer.as_layer();
        LayerSummary {
            name: node.name.clone(),
            kind,
            from: node.inputs.iter().map(name).collect(),
            shape: layer.output(),
            parameters: layer.parameters().learned(),
            multiply_adds: layer.work(),
            row_bytes: size_of::<f32>() * (2 * layer.output().units() + layer.kept()),
        }
    };
    plan.layers.iter().zip(kinds).map(layer).collect()
}

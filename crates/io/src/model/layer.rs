//! The kinds of layers that a node may be. What one kind is made of stays in its own file.

mod dense;

pub use dense::Dense;

use crate::tensor::Tensor;
use serde_json::Value;

/// What a node computes.
#[derive(Debug, Clone, PartialEq)]
pub enum Layer {
    /// A matrix, a bias and an activation.
    Dense(Dense),
}

impl Layer {
    /// The name of its kind in descriptions.
    pub fn kind(&self) -> &'static str {
        match self {
            Layer::Dense(_) => dense::KIND,
        }
    }

    /// All that it is but its tensors, as JSON.
    ///
    /// # Errors
    /// A number is not finite.
    pub(super) fn attributes(&self) -> Result<Value, String> {
        match self {
            Layer::Dense(dense) => dense.attributes(),
        }
    }

    /// Its tensors by their names within the node.
    pub fn tensors(&self) -> Vec<Tensor<'_>> {
        match self {
            Layer::Dense(dense) => dense.tensors(),
        }
    }

    /// The layer of this kind, with the tensors that `take` gives by their names within the node.
    ///
    /// # Errors
    /// The kind or an attribute is not known, or a tensor is missing or of another shape.
    pub(super) fn read(
        kind: &str,
        attributes: Value,
        take: &mut dyn FnMut(&str) -> Result<Tensor<'static>, String>,
    ) -> Result<Layer, String> {
        match kind {
            dense::KIND => Dense::read(attributes, take).map(Layer::Dense),
            _ => Err(format!(
                "is of the kind \"{kind}\", which this program does not know; it knows {}",
                dense::KIND
            )),
        }
    }

    /// How many values it gives of inputs of these widths.
    ///
    /// # Errors
    /// It does not take such inputs, or its own parts do not fit together.
    pub(super) fn width(&self, inputs: &[usize]) -> Result<usize, String> {
        match self {
            Layer::Dense(dense) => dense.width(inputs),
        }
    }
}

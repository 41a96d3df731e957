//! Where a layer stands in the graph.

use crate::model::View;
use crate::model_format::onnx::value::{Form, Value};

/// Beginnings of names that the graph has for other than layers.
const TAKEN: [&str; 2] = ["columns", "predictions"];

/// What a layer is called, what it takes and how its values are arranged.
pub(in crate::model_format::onnx) struct Site<'a> {
    /// The node's name.
    pub(in crate::model_format::onnx) name: &'a str,
    /// What it takes.
    pub(in crate::model_format::onnx) inputs: &'a [Value],
    /// How what it gives is arranged.
    pub(in crate::model_format::onnx) view: View,
}

impl Site<'_> {
    /// The first input. The network was validated: there is one.
    pub(super) fn input(&self) -> &Value {
        &self.inputs[0]
    }

    /// The name of the layer's values.
    pub(super) fn output(&self) -> String {
        // No node's name begins with a point.
        let point = if TAKEN.contains(&self.name) { "." } else { "" };
        format!("/{point}{}", self.name)
    }

    /// The name of something that the layer computes on its way.
    pub(super) fn part(&self, part: &str) -> String {
        format!("{}/{part}", self.output())
    }

    /// The name of a constant that is one of the layer's tensors.
    pub(super) fn tensor(&self, part: &str) -> String {
        format!("{}.{part}", self.name)
    }

    /// The layer's values, which the graph calls `name`.
    pub(super) fn unchanged(&self, name: String, form: Form) -> Value {
        Value { name, form, view: self.view, owner: self.output() }
    }
}

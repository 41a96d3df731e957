//! Layer norm: `LayerNormalization` over the channels of each position.

use super::site::Site;
use crate::model::LayerNorm;
use crate::model_format::onnx::graph::{Graph, float, integer};
use crate::model_format::onnx::value::Value;

pub(super) fn write(graph: &mut Graph, norm: &LayerNorm, site: &Site) -> Value {
    let form = site.input().form_with_channels_last();
    let data = site.input().in_form(graph, form);
    let inputs = [data.as_str(), &site.tensor("gain"), &site.tensor("bias")];
    let attributes = vec![integer("axis", -1), float("epsilon", norm.epsilon as f32)];
    let name = graph.node("LayerNormalization", &inputs, &site.output(), attributes);
    site.unchanged(name, form)
}

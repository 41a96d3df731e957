//! ReLU with a slope for each channel: `PRelu`.

use super::site::Site;
use crate::model_format::onnx::graph::Graph;
use crate::model_format::onnx::value::Value;

pub(super) fn write(graph: &mut Graph, site: &Site) -> Value {
    let form = site.input().form_with_channels_last();
    let data = site.input().in_form(graph, form);
    let name = graph.node("PRelu", &[&data, &site.tensor("slope")], &site.output(), vec![]);
    site.unchanged(name, form)
}

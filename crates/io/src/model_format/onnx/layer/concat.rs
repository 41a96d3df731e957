//! Channels of several inputs side by side: `Concat`.

use super::site::Site;
use crate::model_format::onnx::graph::{Graph, integer};
use crate::model_format::onnx::value::Value;

pub(super) fn write(graph: &mut Graph, site: &Site) -> Value {
    let form = site.input().form_with_channels();
    let parts: Vec<String> = site.inputs.iter().map(|input| input.in_form(graph, form)).collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let axis = integer("axis", form.channel_axis() as i64);
    let name = graph.node("Concat", &parts, &site.output(), vec![axis]);
    site.unchanged(name, form)
}

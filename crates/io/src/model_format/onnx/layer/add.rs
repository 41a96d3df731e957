//! Sums of several inputs: `Sum`, which adds in their order.

use super::site::Site;
use crate::model_format::onnx::graph::Graph;
use crate::model_format::onnx::value::Value;

pub(super) fn write(graph: &mut Graph, site: &Site) -> Value {
    let form = site.input().form;
    let terms: Vec<String> = site.inputs.iter().map(|input| input.in_form(graph, form)).collect();
    let terms: Vec<&str> = terms.iter().map(String::as_str).collect();
    let name = graph.node("Sum", &terms, &site.output(), vec![]);
    site.unchanged(name, form)
}

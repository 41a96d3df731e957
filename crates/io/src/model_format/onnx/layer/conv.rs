//! Convolutions: `Conv` of two dimensions, a series being one high, then the activation.

use super::site::Site;
use super::{activation, window};
use crate::model::Conv;
use crate::model_format::onnx::graph::{Graph, integer, integers};
use crate::model_format::onnx::value::{Form, Value};

pub(super) fn write(graph: &mut Graph, conv: &Conv, site: &Site) -> Result<Value, String> {
    let mut attributes = window::attributes(&conv.window, site.input().view)?;
    attributes.push(integers("dilations", &conv.window.dilation));
    attributes.push(integer("group", conv.groups as i64));
    let image = site.input().in_form(graph, Form::Channels);
    let (weight, bias) = (site.tensor("weight"), site.tensor("bias"));
    let mut inputs = vec![image.as_str(), &weight];
    inputs.extend(conv.bias.then_some(bias.as_str()));
    let sums = graph.node("Conv", &inputs, &site.part("sums"), attributes);
    Ok(activation::write(graph, conv.activation, site.unchanged(sums, Form::Channels), site))
}

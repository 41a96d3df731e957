//! Batch norm by the statistics of the training: `BatchNormalization`.

use super::site::Site;
use crate::model::BatchNorm;
use crate::model_format::onnx::graph::{Graph, float};
use crate::model_format::onnx::value::{Form, Value};

pub(super) fn write(graph: &mut Graph, norm: &BatchNorm, site: &Site) -> Value {
    // The operator takes channels as the second dimension, of two or of four.
    let form = match site.input().form_with_channels() {
        Form::Flat => Form::Flat,
        _ => Form::Channels,
    };
    let data = site.input().in_form(graph, form);
    let tensors = ["gain", "bias", "mean", "variance"].map(|part| site.tensor(part));
    let mut inputs = vec![data.as_str()];
    inputs.extend(tensors.iter().map(String::as_str));
    let epsilon = float("epsilon", norm.epsilon as f32);
    let name = graph.node("BatchNormalization", &inputs, &site.output(), vec![epsilon]);
    site.unchanged(name, form)
}

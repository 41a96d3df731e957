//! Dense layers: `Gemm`, then the activation.

use super::activation;
use super::site::Site;
use crate::model::Dense;
use crate::model_format::onnx::graph::{Graph, integer};
use crate::model_format::onnx::value::{Form, Value};

pub(super) fn write(graph: &mut Graph, dense: &Dense, site: &Site) -> Value {
    let data = site.input().in_form(graph, Form::Flat);
    let (weight, bias) = (site.tensor("weight"), site.tensor("bias"));
    let mut inputs = vec![data.as_str(), &weight];
    inputs.extend(dense.bias.is_some().then_some(bias.as_str()));
    let sums = graph.node("Gemm", &inputs, &site.part("sums"), vec![integer("transB", 1)]);
    activation::write(graph, dense.activation, site.unchanged(sums, Form::Flat), site)
}

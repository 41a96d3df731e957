//! Learned positions: `Add` of a vector to each.

use super::site::Site;
use crate::model::Positions;
use crate::model_format::onnx::graph::Graph;
use crate::model_format::onnx::value::{Form, Value};

pub(super) fn write(graph: &mut Graph, learned: &Positions, site: &Site) -> Value {
    let Positions { positions, channels } = *learned;
    let data = site.input().in_form(graph, Form::Flat);
    let data = graph.reshape(&data, &site.part("vectors"), &[positions, channels]);
    let sums = graph.node("Add", &[&data, &site.tensor("position")], &site.part("sums"), vec![]);
    let name = graph.reshape(&sums, &site.output(), &[positions * channels]);
    site.unchanged(name, Form::Flat)
}

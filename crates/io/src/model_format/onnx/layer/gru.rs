//! Gated recurrent units: `GRU`, whose reset is applied to the product of the state, as ours is.

use super::recurrent::Recurrent;
use super::site::Site;
use crate::model::Gru;
use crate::model_format::onnx::graph::{Graph, integer};
use crate::model_format::onnx::value::Value;
use crate::tensor::Tensor;

pub(super) fn write(graph: &mut Graph, gru: &Gru, site: &Site) -> Value {
    let &Gru { units, reversed, all, .. } = gru;
    // Ours are r, z, n; ONNX's z, r, h.
    let gates = &[1, 0, 2];
    let attributes = vec![integer("linear_before_reset", 1)];
    let layer = Recurrent { operator: "GRU", units, reversed, all, gates, attributes };
    layer.write(graph, site, |graph| {
        let zeros = site.part("zeros");
        graph.numbers(&Tensor::vector(zeros.as_str(), vec![0.0; 2 * units]));
        vec![zeros, site.tensor("hidden_bias")]
    })
}

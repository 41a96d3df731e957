//! Long short-term memory: `LSTM`.

use super::recurrent::Recurrent;
use super::site::Site;
use crate::model::Lstm;
use crate::model_format::onnx::graph::Graph;
use crate::model_format::onnx::value::Value;
use crate::tensor::Tensor;

pub(super) fn write(graph: &mut Graph, lstm: &Lstm, site: &Site) -> Value {
    let &Lstm { units, reversed, all, .. } = lstm;
    // Ours are i, f, g, o; ONNX's i, o, f, c.
    let gates = &[0, 3, 1, 2];
    let layer = Recurrent { operator: "LSTM", units, reversed, all, gates, attributes: vec![] };
    layer.write(graph, site, |graph| {
        let zeros = site.part("zeros");
        graph.numbers(&Tensor::vector(zeros.as_str(), vec![0.0; 4 * units]));
        vec![zeros]
    })
}

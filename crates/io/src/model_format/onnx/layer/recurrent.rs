//! What GRU and LSTM have in common: a node that is fed with steps, and constants whose gates are in ONNX's order.
//!
//! The tensors stay in the file as the model has them. What arranges them for the operator is part of the graph,
//! which onnxruntime computes once when it loads it.

use super::site::Site;
use crate::model_format::onnx::graph::{Graph, integer, text};
use crate::model_format::onnx::proto::AttributeProto;
use crate::model_format::onnx::value::{Form, Value};

/// A recurrent layer of `units` units.
pub(super) struct Recurrent<'a> {
    pub(super) operator: &'a str,
    pub(super) units: usize,
    pub(super) reversed: bool,
    pub(super) all: bool,
    /// Which of our gates is ONNX's first, second, ...
    pub(super) gates: &'a [usize],
    /// The operator's attributes beyond those that both have.
    pub(super) attributes: Vec<AttributeProto>,
}

impl Recurrent<'_> {
    /// Appends the layer. ONNX has a bias of the input's product for each gate and one of the state's;
    /// `state_biases` makes the latter, in ONNX's order.
    pub(super) fn write(
        self,
        graph: &mut Graph,
        site: &Site,
        state_biases: impl FnOnce(&mut Graph) -> Vec<String>,
    ) -> Value {
        let units = self.units;
        let rows: Vec<usize> =
            self.gates.iter().flat_map(|gate| gate * units..(gate + 1) * units).collect();
        let (gates, first, second) = (site.part("gates"), site.part("first"), site.part("second"));
        graph.positions(&gates, &rows);
        graph.positions(&first, &[0]);
        let mut ordered = |tensor: &str| {
            let output = site.part(&format!("{tensor}/ordered"));
            graph.node("Gather", &[&site.tensor(tensor), &gates], &output, vec![integer("axis", 0)])
        };
        let [weight, hidden, bias] = ["input_weight", "hidden_weight", "bias"].map(&mut ordered);
        let mut biases = vec![bias];
        biases.extend(state_biases(graph));
        let biases: Vec<&str> = biases.iter().map(String::as_str).collect();
        let joined = site.part("biases/joined");
        let biases = graph.node("Concat", &biases, &joined, vec![integer("axis", 0)]);
        // The operator's dimension of directions, of which there is one.
        let mut of_one = |input: &str, part: &str| {
            graph.node("Unsqueeze", &[input, &first], &site.part(part), vec![])
        };
        let weight = of_one(&weight, "input_weight");
        let hidden = of_one(&hidden, "hidden_weight");
        let biases = of_one(&biases, "biases");
        let steps = site.input().in_form(graph, Form::Steps);
        let direction = if self.reversed { "reverse" } else { "forward" };
        let mut attributes =
            vec![integer("hidden_size", units as i64), text("direction", direction)];
        attributes.extend(self.attributes);
        let inputs = [steps.as_str(), &weight, &hidden, &biases];
        let states = site.part("states");
        if self.all {
            // steps x directions x N x units
            graph.node_with_outputs(self.operator, &inputs, &[&states], attributes);
            graph.positions(&second, &[1]);
            let name = graph.node("Squeeze", &[&states, &second], &site.output(), vec![]);
            site.unchanged(name, Form::Steps)
        } else {
            // The second output is the state after the last step: directions x N x units.
            graph.node_with_outputs(self.operator, &inputs, &["", &states], attributes);
            let name = graph.node("Squeeze", &[&states, &first], &site.output(), vec![]);
            site.unchanged(name, Form::Flat)
        }
    }
}

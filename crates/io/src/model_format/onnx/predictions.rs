//! The end of the graph: from the last layer's values to probabilities and a class, or to numbers in
//! the unit of the targets.

use super::graph::{Graph, integer};
use super::proto::{FLOAT, STRING};
use crate::model::{Model, OutputKind};
use crate::schema::Target;
use crate::tensor::Tensor;

/// Appends what makes predictions of the `width` values called `last`.
pub(super) fn write(graph: &mut Graph, model: &Model, last: String, width: usize) {
    match &model.encoding.target {
        Target::Classes { names, .. } => classes(graph, model.output, names, width, last),
        Target::Numbers { .. } | Target::None => {
            match model.output {
                OutputKind::Values => values(graph, model, &last),
                kind => transform(graph, kind, &last, "values"),
            };
            graph.output("values", FLOAT, Some(width));
        }
    }
}

/// Undoes the standardisation of the targets.
fn values(graph: &mut Graph, model: &Model, last: &str) -> String {
    let scales = model.outputs.iter();
    let means = scales.clone().map(|scale| scale.mean);
    graph.numbers(&Tensor::vector("outputs.mean", Vec::from_iter(means)));
    let deviations = scales.map(|scale| scale.deviation);
    graph.numbers(&Tensor::vector("outputs.deviation", Vec::from_iter(deviations)));
    let scaled = graph.node("Mul", &[last, "outputs.deviation"], "/predictions/scaled", vec![]);
    graph.node("Add", &[&scaled, "outputs.mean"], "values", vec![])
}

fn classes(graph: &mut Graph, kind: OutputKind, names: &[String], width: usize, last: String) {
    let probabilities = "probabilities";
    if width == 1 && names.len() == 2 {
        // A single logit gives the probability of the second class.
        let second = transform(graph, kind, &last, "/predictions/second");
        graph.numbers(&Tensor::vector("/predictions/one", vec![1.0]));
        let inputs = ["/predictions/one", second.as_str()];
        let first = graph.node("Sub", &inputs, "/predictions/first", vec![]);
        graph.node("Concat", &[&first, &second], probabilities, vec![integer("axis", 1)]);
    } else {
        transform(graph, kind, &last, probabilities);
    }
    graph.texts("/predictions/names", names);
    let attributes = vec![integer("axis", 1), integer("keepdims", 0)];
    let class = graph.node("ArgMax", &[probabilities], "/predictions/class", attributes);
    graph.node("Gather", &["/predictions/names", &class], "label", vec![integer("axis", 0)]);
    graph.output(probabilities, FLOAT, Some(names.len()));
    graph.output("label", STRING, None);
}

fn transform(graph: &mut Graph, kind: OutputKind, last: &str, output: &str) -> String {
    match kind {
        OutputKind::Softmax => graph.node("Softmax", &[last], output, vec![integer("axis", 1)]),
        OutputKind::Sigmoid => graph.node("Sigmoid", &[last], output, vec![]),
        OutputKind::Values => graph.node("Identity", &[last], output, vec![]),
    }
}

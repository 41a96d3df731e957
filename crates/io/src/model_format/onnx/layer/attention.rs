//! Attention: products of queries and keys, `Softmax` over the positions that are attended to, and the product with
//! values.
//!
//! Queries, keys and values are of the dimensions 1 x N x heads x positions x width.

use super::site::Site;
use crate::model::Attention;
use crate::model_format::onnx::graph::{Graph, integer, integers};
use crate::model_format::onnx::value::{Form, Value};
use crate::tensor::Tensor;

pub(super) fn write(graph: &mut Graph, attention: &Attention, site: &Site) -> Value {
    let &Attention { channels, heads, causal, rotary } = attention;
    let (positions, width) = (site.view.height * site.view.width, attention.width());
    let part = |part: &str| site.part(part);
    let data = site.input().in_form(graph, Form::Flat);
    let parts = graph.reshape(&data, &part("parts"), &[positions, 3, heads, width]);
    let order = vec![integers("perm", &[2, 0, 3, 1, 4])];
    let parts = graph.node("Transpose", &[&parts], &part("heads"), order);
    let [mut query, mut key, value] = ["query", "key", "value"].map(&part);
    let attributes = vec![integer("axis", 0), integer("num_outputs", 3)];
    graph.node_with_outputs("Split", &[&parts], &[&query, &key, &value], attributes);
    if rotary {
        constants_of_turns(graph, attention, positions, site);
        query = turned(graph, &query, site, "query");
        key = turned(graph, &key, site, "key");
    }
    let order = vec![integers("perm", &[0, 1, 2, 4, 3])];
    let key = graph.node("Transpose", &[&key], &part("key/transposed"), order);
    let products = graph.node("MatMul", &[&query, &key], &part("products"), vec![]);
    graph.numbers(&Tensor::vector(part("root"), vec![(width as f32).sqrt()]));
    let mut scores = graph.node("Div", &[&products, &part("root")], &part("scores"), vec![]);
    if causal {
        let at = |index: usize| match index % positions > index / positions {
            true => f32::NEG_INFINITY,
            false => 0.0,
        };
        let mask: Vec<f32> = (0..positions * positions).map(at).collect();
        graph.numbers(&Tensor::new(part("mask"), [positions, positions], mask));
        scores = graph.node("Add", &[&scores, &part("mask")], &part("seen"), vec![]);
    }
    let shares = graph.node("Softmax", &[&scores], &part("shares"), vec![integer("axis", -1)]);
    let sums = graph.node("MatMul", &[&shares, &value], &part("sums"), vec![]);
    // N x positions x heads x width x 1, which is flat position by position.
    let order = vec![integers("perm", &[1, 3, 2, 4, 0])];
    let sums = graph.node("Transpose", &[&sums], &part("side_by_side"), order);
    let name = graph.reshape(&sums, &site.output(), &[positions * channels]);
    site.unchanged(name, Form::Flat)
}

/// What turns units: the unit that each is paired with, the cosine, and the sine with the sign that it has there.
fn constants_of_turns(graph: &mut Graph, attention: &Attention, positions: usize, site: &Site) {
    let width = attention.width();
    let half = width / 2;
    let [cosine, sine] = attention.turns(positions);
    let units = |position: usize| (0..width).map(move |unit| (unit, position * half + unit % half));
    let cosines: Vec<f32> = (0..positions).flat_map(units).map(|(_, pair)| cosine[pair]).collect();
    let signed = |(unit, pair): (usize, usize)| if unit < half { -sine[pair] } else { sine[pair] };
    let sines: Vec<f32> = (0..positions).flat_map(units).map(signed).collect();
    let partners: Vec<usize> = (0..width).map(|unit| (unit + half) % width).collect();
    graph.positions(&site.part("partners"), &partners);
    graph.numbers(&Tensor::new(site.part("cosine"), [positions, width], cosines));
    graph.numbers(&Tensor::new(site.part("sine"), [positions, width], sines));
}

/// Queries or keys, turned by their positions.
fn turned(graph: &mut Graph, input: &str, site: &Site, name: &str) -> String {
    let part = |part: &str| site.part(&format!("{name}/{part}"));
    let constant = |name: &str| site.part(name);
    let axis = vec![integer("axis", -1)];
    let partners = graph.node("Gather", &[input, &constant("partners")], &part("partners"), axis);
    let own = graph.node("Mul", &[input, &constant("cosine")], &part("own"), vec![]);
    let other = graph.node("Mul", &[&partners, &constant("sine")], &part("other"), vec![]);
    graph.node("Add", &[&own, &other], &part("turned"), vec![])
}

//! Pooling: `MaxPool` and `AveragePool`, or their global kin where one window sees all.

use super::site::Site;
use super::window;
use crate::model::{Pool, PoolFunction, Window};
use crate::model_format::onnx::graph::Graph;
use crate::model_format::onnx::value::{Form, Value};

pub(super) fn write(graph: &mut Graph, pool: &Pool, site: &Site) -> Result<Value, String> {
    let input = site.input();
    let Window { size, padding, output, .. } = pool.window;
    let sees_all =
        size == [input.view.height, input.view.width] && padding == [0; 2] && output == [1; 2];
    let operator = match (pool.function, sees_all) {
        (PoolFunction::Max, true) => "GlobalMaxPool",
        (PoolFunction::Average, true) => "GlobalAveragePool",
        (PoolFunction::Max, false) => "MaxPool",
        // What is beyond the input does not count, unless an attribute says so.
        (PoolFunction::Average, false) => "AveragePool",
    };
    let attributes = match sees_all {
        true => Vec::new(),
        false => window::attributes(&pool.window, input.view)?,
    };
    let image = input.in_form(graph, Form::Channels);
    let name = graph.node(operator, &[&image], &site.output(), attributes);
    Ok(site.unchanged(name, Form::Channels))
}

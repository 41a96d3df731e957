//! What each kind of layer is in operators: a file a kind.

mod activation;
mod add;
mod attention;
mod batch_norm;
mod concat;
mod conv;
mod dense;
mod embedding;
mod gru;
mod layer_norm;
mod lstm;
mod periodic;
mod piecewise;
mod pool;
mod positions;
mod prelu;
mod recurrent;
mod rms_norm;
mod scale;
mod site;
mod smooth_clip;
mod window;

pub(super) use site::Site;

use super::graph::Graph;
use super::value::{Form, Value};
use crate::model::Layer;

/// Appends what a layer computes, and returns its values.
///
/// # Errors
/// Operators cannot express it: says what.
pub(super) fn write(graph: &mut Graph, layer: &Layer, site: &Site) -> Result<Value, String> {
    Ok(match layer {
        Layer::Dense(layer) => dense::write(graph, layer, site),
        Layer::Embedding(layer) => embedding::write(graph, &layer.attributes, site),
        Layer::Attention(layer) => attention::write(graph, &layer.attributes, site),
        Layer::Positions(layer) => positions::write(graph, &layer.attributes, site),
        Layer::Conv(layer) => conv::write(graph, &layer.attributes, site)?,
        Layer::Pool(layer) => pool::write(graph, &layer.attributes, site)?,
        Layer::BatchNorm(layer) => batch_norm::write(graph, &layer.attributes, site),
        Layer::LayerNorm(layer) => layer_norm::write(graph, &layer.attributes, site),
        Layer::RmsNorm(layer) => rms_norm::write(graph, &layer.attributes, site),
        Layer::Gru(layer) => gru::write(graph, &layer.attributes, site),
        Layer::Lstm(layer) => lstm::write(graph, &layer.attributes, site),
        Layer::Scale(_) => scale::write(graph, site),
        Layer::Prelu(_) => prelu::write(graph, site),
        Layer::SmoothClip(_) => smooth_clip::write(graph, site),
        Layer::Periodic(layer) => periodic::write(graph, &layer.attributes, site),
        Layer::PiecewiseLinear(layer) => piecewise::write(graph, layer, site),
        Layer::Activate(layer) => {
            activation::write(graph, layer.attributes.function, site.input().clone(), site)
        }
        Layer::Add(_) => add::write(graph, site),
        Layer::Concat(_) => concat::write(graph, site),
        // A trained network drops nothing.
        Layer::Dropout(_) => site.unchanged(site.input().name.clone(), site.input().form),
        Layer::Reshape(layer) if layer.attributes.padded => {
            return Err("takes series of unequal length, which are not written as ONNX".to_owned());
        }
        // The values are the same in their flat form, whatever they are called.
        Layer::Flatten(_) | Layer::Reshape(_) => {
            site.unchanged(site.input().in_form(graph, Form::Flat), Form::Flat)
        }
    })
}

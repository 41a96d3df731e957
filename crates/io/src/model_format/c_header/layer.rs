//! Each layer as a C function of its own, with its tensors within it: a file a kind.
//!
//! A kind is a body of plain loops over the sizes, which are constants above it. It reads `x` (`x0`, `x1`, ... where
//! there are several inputs), writes `y`, and finds its tensors under their names.

mod activation;
mod add;
mod attention;
mod batch_norm;
mod body;
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
mod rms_norm;
mod scale;
mod smooth_clip;

use super::plan::Step;
use super::text::{array, whole_array};
use crate::model::Layer;
use body::Body;

/// The name of the function of a step.
pub(super) fn name(index: usize) -> String {
    format!("gristmill_layer_{index}")
}

/// The function of a step.
///
/// # Errors
/// The layer is of a kind that is not written in C: says so.
pub(super) fn function(index: usize, step: &Step) -> Result<String, String> {
    let body = body(step)?;
    let name = name(index);
    let mut code = String::new();
    let call = format!("gristmill_activation_{index}");
    if let Some(value) = activation::value(body.activation) {
        code += &format!("static inline float {call}(float x) {{\n    return {value};\n}}\n\n");
    }
    let inputs = match step.inputs.len() {
        1 => "const float *x, ".to_owned(),
        count => (0..count).map(|input| format!("const float *x{input}, ")).collect(),
    };
    let (node, kind) = (step.name, step.layer.kind());
    code += &format!("/* {node}: {kind} */\nstatic inline void {name}({inputs}float *y) {{\n");
    let tensors = step.layer.tensors().into_iter();
    let mut arrays = Vec::from_iter(tensors.map(|tensor| array(&tensor.info.name, &tensor.values)));
    arrays.extend(body.arrays.iter().map(|(name, numbers)| whole_array(name, numbers)));
    arrays.extend(body.numbers.iter().map(|(name, numbers)| array(name, numbers)));
    for line in arrays.iter().flat_map(|array| array.lines()) {
        code += &format!("    {line}\n");
    }
    if !body.sizes.is_empty() {
        let sizes = body.sizes.iter().map(|(name, size)| format!("{name} = {size}"));
        code += &format!("    enum {{ {} }};\n", Vec::from_iter(sizes).join(", "));
    }
    code += &body.code(&call);
    code += "}\n\n";
    Ok(code)
}

fn body(step: &Step) -> Result<Body, String> {
    let (input, view) = (step.inputs[0], step.view);
    Ok(match step.layer {
        Layer::Dense(layer) => dense::body(layer),
        Layer::Embedding(layer) => embedding::body(&layer.attributes, input),
        Layer::Attention(layer) => attention::body(&layer.attributes, view),
        Layer::Positions(_) => positions::body(view),
        Layer::Conv(layer) => conv::body(&layer.attributes, input),
        Layer::Pool(layer) => pool::body(&layer.attributes, input),
        Layer::BatchNorm(layer) => batch_norm::body(&layer.attributes, view),
        Layer::LayerNorm(layer) => layer_norm::body(&layer.attributes, view),
        Layer::RmsNorm(layer) => rms_norm::body(&layer.attributes, view),
        Layer::Gru(layer) => gru::body(&layer.attributes, input),
        Layer::Lstm(layer) => lstm::body(&layer.attributes, input),
        Layer::Scale(_) => scale::body(view),
        Layer::Prelu(_) => prelu::body(view),
        Layer::SmoothClip(_) => smooth_clip::body(view),
        Layer::Periodic(layer) => periodic::body(&layer.attributes, input),
        Layer::PiecewiseLinear(layer) => piecewise::body(&layer.attributes, input),
        Layer::Activate(layer) => activation::body(layer.attributes.function, view),
        Layer::Add(_) => add::body(step.inputs.len(), view),
        Layer::Concat(_) => concat::body(&step.inputs, view),
        Layer::Dropout(_) | Layer::Flatten(_) | Layer::Reshape(_) => {
            return Err(format!("the node \"{}\" computes nothing", step.name));
        }
    })
}

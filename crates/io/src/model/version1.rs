//! Version 1 of model files and of descriptions, read as what they are now. Networks were chains of dense
//! layers: tensors had no names in files of ours and the numbers of their layers in others, and the loss
//! was one of the notes, without its parameter.

use super::activation::{self, Activation};
use super::assembly::{self, Tensors};
use super::description::{Description, EncodingWire, NodeDescription, OutputWire};
use super::layer::{Dense, Layer};
use super::loss::Loss;
use super::node::{FEATURES, Node, tensor_name};
use super::trained::{Model, Scale};
use crate::error::{Error, Result};
use crate::schema::Encoding;
use crate::tensor_file::TensorFile;
use crate::wire;
use serde::Deserialize;
use serde_json::json;
use std::path::Path;

#[derive(Deserialize)]
struct ModelWire {
    encoding: wire::EncodingWire,
    inputs: Vec<ScaleWire>,
    outputs: Vec<ScaleWire>,
    layers: Vec<LayerWire>,
    output: OutputWire,
    training: Vec<(String, String)>,
}

#[derive(Deserialize)]
struct ScaleWire {
    mean: f32,
    deviation: f32,
}

#[derive(Deserialize)]
struct LayerWire {
    inputs: u32,
    outputs: u32,
    activation: ActivationWire,
    has_bias: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ActivationWire {
    name: String,
    parameter: Option<f32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DescriptionWire {
    version: u32,
    output: OutputWire,
    activations: Vec<ActivationWire>,
    encoding: Option<EncodingWire>,
    #[serde(default)]
    training: Vec<(String, String)>,
}

/// The model in a file of version 1.
pub(super) fn load(path: &Path, mut file: TensorFile) -> Result<Model> {
    let wire: ModelWire = file.content_of_version_1()?;
    let mut numbers = file.numbers()?.into_iter();
    let mut next = || numbers.next().ok_or_else(|| Error::damaged(path, "it lacks tensors"));
    let mut layers = Vec::with_capacity(wire.layers.len());
    for LayerWire { inputs, outputs, activation, has_bias } in wire.layers {
        let activation = Activation::named(&activation.name, activation.parameter);
        layers.push(Layer::Dense(Dense {
            inputs,
            outputs,
            activation: activation.map_err(|reason| Error::damaged(path, reason))?,
            weights: next()?,
            bias: if has_bias { Some(next()?) } else { None },
        }));
    }
    if numbers.next().is_some() {
        return Err(Error::damaged(path, "it has more tensors than its layers need"));
    }
    let scales = |wires: Vec<ScaleWire>| {
        let scale = |ScaleWire { mean, deviation }| Scale { mean, deviation };
        wires.into_iter().map(scale).collect()
    };
    Ok(Model {
        encoding: wire.encoding.into(),
        series: None,
        inputs: scales(wire.inputs),
        outputs: scales(wire.outputs),
        nodes: Node::chain(layers),
        output: wire.output.into(),
        loss: noted_loss(&wire.training),
        training: wire.training,
    })
}

/// The description of version 1, and its tensors `layers.0.weight` under the names that they have now.
pub(super) fn description(
    text: &str,
    tensors: &mut Tensors,
) -> std::result::Result<Description, String> {
    let wire: DescriptionWire = serde_json::from_str(text).map_err(|error| error.to_string())?;
    if wire.activations.is_empty() {
        return Err("it has no activations, one per layer".to_owned());
    }
    let mut nodes: Vec<NodeDescription> = Vec::with_capacity(wire.activations.len());
    let names: Vec<String> = (1..=wire.activations.len()).map(|n| format!("dense{n}")).collect();
    for (index, (name, ActivationWire { name: kind, parameter })) in
        names.iter().zip(wire.activations).enumerate()
    {
        let activation = Activation::named(&kind, parameter)?;
        let has_bias = tensors.contains_key(&layer_tensor(index, "bias"));
        let before = nodes.last().map_or(FEATURES, |node| node.name.as_str());
        nodes.push(NodeDescription {
            kind: "dense".to_owned(),
            inputs: vec![before.to_owned()],
            attributes: json!({ "activation": activation::ActivationWire::from(activation), "bias": has_bias }),
            name: name.clone(),
        });
    }
    rename_layers(tensors, names.iter().map(String::as_str));
    Ok(Description {
        version: wire.version,
        encoding: wire.encoding.map(Encoding::try_from).transpose()?,
        series: None,
        nodes,
        output: wire.output.into(),
        loss: noted_loss(&wire.training),
        training: wire.training,
    })
}

/// Gives the tensors `layers.0.weight`, `layers.0.bias`, ... the names of nodes: `dense1.weight`.
fn rename_layers<'n>(tensors: &mut Tensors, nodes: impl Iterator<Item = &'n str>) {
    for (index, node) in nodes.enumerate() {
        for part in ["weight", "bias"] {
            if let Some(tensor) = tensors.remove(&layer_tensor(index, part)) {
                assembly::insert(tensors, tensor_name(node, part), tensor);
            }
        }
    }
}

/// What a part of a layer was called.
fn layer_tensor(index: usize, part: &str) -> String {
    format!("layers.{index}.{part}")
}

fn noted_loss(training: &[(String, String)]) -> Option<Loss> {
    let (_, name) = training.iter().find(|(name, _)| name == "loss")?;
    Loss::named(name, None).ok()
}

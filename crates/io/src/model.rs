//! Model files: a trained network with everything needed to predict from raw rows.

use crate::error::{Error, Result};
use crate::frame;
use crate::kind::FileKind;
use crate::schema::{Encoding, Target};
use crate::wire::EncodingWire;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// A trained dense network.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// How raw columns become features, and what is predicted.
    pub encoding: Encoding,
    /// Standardisation of each feature: `(x - mean) / deviation`.
    pub inputs: Vec<Scale>,
    /// Standardisation undone for each numeric target: `z * deviation + mean`; empty for classes.
    pub outputs: Vec<Scale>,
    /// The layers from input to output.
    pub layers: Vec<DenseLayer>,
    /// What is done to the last layer's values to get predictions.
    pub output: OutputKind,
    /// How it was trained, as names and values to show.
    pub training: Vec<(String, String)>,
}

/// An affine scale.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Scale {
    /// What becomes 0.
    pub mean: f32,
    /// What becomes 1 after the mean was subtracted; positive.
    pub deviation: f32,
}

/// `activation(weights * x + bias)`.
#[derive(Debug, Clone, PartialEq)]
pub struct DenseLayer {
    /// Length of `x`.
    pub inputs: u32,
    /// Number of units.
    pub outputs: u32,
    /// Applied to each unit's sum.
    pub activation: ActivationSpec,
    /// Row-major, `outputs` rows of `inputs`.
    pub weights: Vec<f32>,
    /// One per unit, if the layer has a bias.
    pub bias: Option<Vec<f32>>,
}

/// An activation by name, as in the configuration of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ActivationSpec {
    /// For instance `relu`.
    pub name: String,
    /// Slope or alpha of those that have one.
    pub parameter: Option<f32>,
}

/// How the last layer's values become predictions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum OutputKind {
    /// Logits of the classes: softmax gives probabilities.
    Softmax,
    /// Logits: the sigmoid of each is a probability.
    Sigmoid,
    /// The values themselves, after undoing the standardisation of the targets.
    Values,
}

#[derive(Serialize, Deserialize)]
struct ModelWire {
    encoding: EncodingWire,
    inputs: Vec<Scale>,
    outputs: Vec<Scale>,
    layers: Vec<LayerWire>,
    output: OutputKind,
    training: Vec<(String, String)>,
}

#[derive(Serialize, Deserialize)]
struct LayerWire {
    inputs: u32,
    outputs: u32,
    activation: ActivationSpec,
    has_bias: bool,
}

impl Model {
    /// Reads a model and checks every byte of it and that its parts fit together.
    ///
    /// # Errors
    /// The file cannot be read or is no model, is of another version, cut off or damaged.
    pub fn load(path: &Path) -> Result<Model> {
        let (wire, tensors): (ModelWire, _) = frame::load(path, FileKind::Model)?;
        let mut tensors = tensors.into_iter();
        let mut next = || tensors.next().ok_or_else(|| Error::damaged(path, "it lacks tensors"));
        let mut layers = Vec::with_capacity(wire.layers.len());
        for layer in wire.layers {
            layers.push(DenseLayer {
                inputs: layer.inputs,
                outputs: layer.outputs,
                activation: layer.activation,
                weights: next()?,
                bias: if layer.has_bias { Some(next()?) } else { None },
            });
        }
        if tensors.next().is_some() {
            return Err(Error::damaged(path, "it has more tensors than its layers need"));
        }
        let model = Model {
            encoding: wire.encoding.into(),
            inputs: wire.inputs,
            outputs: wire.outputs,
            layers,
            output: wire.output,
            training: wire.training,
        };
        model.validate().map_err(|reason| Error::damaged(path, reason))?;
        Ok(model)
    }

    /// Writes the model; the file appears under its name when it is complete.
    ///
    /// # Errors
    /// The model's parts do not fit together, or the file cannot be written; nothing is left then.
    pub fn save(&self, path: &Path) -> Result<()> {
        self.validate().map_err(|reason| {
            Error::Invalid(format!("cannot write the model {}: {reason}", path.display()))
        })?;
        let layers = self.layers.iter().map(|layer| LayerWire {
            inputs: layer.inputs,
            outputs: layer.outputs,
            activation: layer.activation.clone(),
            has_bias: layer.bias.is_some(),
        });
        let wire = ModelWire {
            encoding: (&self.encoding).into(),
            inputs: self.inputs.clone(),
            outputs: self.outputs.clone(),
            layers: layers.collect(),
            output: self.output,
            training: self.training.clone(),
        };
        let tensors: Vec<&[f32]> = self
            .layers
            .iter()
            .flat_map(|layer| [Some(&layer.weights), layer.bias.as_ref()])
            .flatten()
            .map(Vec::as_slice)
            .collect();
        frame::save(path, FileKind::Model, &wire, &tensors)
    }

    /// Checks that shapes fit together and that the output fits the target.
    ///
    /// # Errors
    /// Says which part does not fit.
    pub fn validate(&self) -> std::result::Result<(), String> {
        let features = self.encoding.features();
        if self.inputs.len() != features {
            return Err(format!("{} input scales for {features} features", self.inputs.len()));
        }
        let mut width = features;
        for (index, layer) in self.layers.iter().enumerate() {
            let (inputs, outputs) = (layer.inputs as usize, layer.outputs as usize);
            if inputs != width {
                return Err(format!("layer {index} takes {inputs} values but gets {width}"));
            }
            if outputs == 0 || inputs.checked_mul(outputs) != Some(layer.weights.len()) {
                let found = layer.weights.len();
                return Err(format!("layer {index} ({inputs} to {outputs}) has {found} weights"));
            }
            if layer.bias.as_ref().is_some_and(|bias| bias.len() != outputs) {
                return Err(format!("layer {index} has not one bias per unit"));
            }
            width = outputs;
        }
        if self.layers.is_empty() {
            return Err("it has no layers".to_owned());
        }
        let (fits, scales) = match &self.encoding.target {
            Target::Classes { names, .. } => {
                (width == names.len() || (width == 1 && names.len() == 2), 0)
            }
            Target::Numbers { columns } => {
                (width == columns.len() && self.output != OutputKind::Softmax, columns.len())
            }
            Target::None => (false, 0),
        };
        if !fits {
            return Err(format!("its {width} outputs do not fit its target"));
        }
        if self.outputs.len() != scales {
            return Err(format!(
                "{} output scales for {scales} numeric targets",
                self.outputs.len()
            ));
        }
        let usable = |s: &Scale| s.mean.is_finite() && s.deviation.is_finite() && s.deviation > 0.0;
        if !self.inputs.iter().chain(&self.outputs).all(usable) {
            return Err("a scale is not finite and positive".to_owned());
        }
        Ok(())
    }
}

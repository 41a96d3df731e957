//! Dense layers: `activation(weights * x + bias)`.

use crate::model::activation::{Activation, ActivationWire};
use crate::tensor::Tensor;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The kind's name in descriptions.
pub(super) const KIND: &str = "dense";

/// `activation(weights * x + bias)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Dense {
    /// Length of `x`.
    pub inputs: u32,
    /// Number of units.
    pub outputs: u32,
    /// Applied to each unit's sum.
    pub activation: Activation,
    /// Row by row: `outputs` rows of `inputs`.
    pub weights: Vec<f32>,
    /// One per unit, if the layer has a bias.
    pub bias: Option<Vec<f32>>,
}

/// What of a dense layer is no tensor. Its widths are those of the tensor `weight`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Attributes {
    activation: ActivationWire,
    bias: bool,
}

impl Dense {
    pub(super) fn attributes(&self) -> Result<Value, String> {
        let attributes =
            Attributes { activation: self.activation.into(), bias: self.bias.is_some() };
        serde_json::to_value(attributes).map_err(|error| error.to_string())
    }

    /// `weight`, outputs x inputs, and `bias`.
    pub(super) fn tensors(&self) -> Vec<Tensor<'_>> {
        let shape = [self.outputs as usize, self.inputs as usize];
        let mut tensors = vec![Tensor::new("weight", shape, self.weights.as_slice())];
        tensors.extend(self.bias.as_ref().map(|bias| Tensor::vector("bias", bias.as_slice())));
        tensors
    }

    pub(super) fn read(
        attributes: Value,
        take: &mut dyn FnMut(&str) -> Result<Tensor<'static>, String>,
    ) -> Result<Dense, String> {
        let Attributes { activation, bias: has_bias } =
            serde_json::from_value(attributes).map_err(|error| error.to_string())?;
        let activation = activation.try_into()?;
        let weight = take("weight")?;
        let &[outputs, inputs] = weight.info.shape.as_slice() else {
            let shape = weight.info.shape;
            return Err(format!("its weight has the shape {shape:?}, expected [outputs, inputs]"));
        };
        let bias = if has_bias { Some(take("bias")?) } else { None };
        if let Some(found) = bias.as_ref().map(|bias| &bias.info.shape)
            && *found != [outputs]
        {
            return Err(format!("its bias has the shape {found:?}, expected [{outputs}]"));
        }
        let width = |size| u32::try_from(size).map_err(|_| "is too wide".to_owned());
        Ok(Dense {
            inputs: width(inputs)?,
            outputs: width(outputs)?,
            activation,
            weights: weight.values.into_owned(),
            bias: bias.map(|bias| bias.values.into_owned()),
        })
    }

    /// How many values it gives, if it takes such inputs.
    pub(super) fn width(&self, inputs: &[usize]) -> Result<usize, String> {
        let &[given] = inputs else {
            return Err(format!("takes {} inputs, expected one", inputs.len()));
        };
        let (takes, outputs) = (self.inputs as usize, self.outputs as usize);
        if takes != given {
            return Err(format!("takes {takes} values but gets {given}"));
        }
        if outputs == 0 || takes.checked_mul(outputs) != Some(self.weights.len()) {
            let found = self.weights.len();
            return Err(format!("({takes} to {outputs}) has {found} weights"));
        }
        if self.bias.as_ref().is_some_and(|bias| bias.len() != outputs) {
            return Err("has not one bias per unit".to_owned());
        }
        Ok(outputs)
    }
}

//! The activations that a model may have, and how they are spelt in descriptions.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The function that a layer applies to each of its sums.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "ActivationWire", into = "ActivationWire")]
pub enum Activation {
    /// z
    Identity,
    /// 1 / (1 + e^-z)
    Sigmoid,
    /// tanh z
    Tanh,
    /// max(0, z)
    Relu,
    /// z above 0, `slope` z below.
    LeakyRelu {
        /// The factor of negative z.
        slope: f32,
    },
    /// z above 0, `alpha` (e^z - 1) below.
    Elu {
        /// Minus the limit at minus infinity.
        alpha: f32,
    },
    /// z Φ(z), Φ the normal distribution function, by the error function itself.
    Gelu,
    /// z / (1 + e^-z)
    Silu,
    /// ln(1 + e^z)
    Softplus,
}

impl Activation {
    /// Its name in files.
    pub fn name(self) -> &'static str {
        match self {
            Activation::Identity => "identity",
            Activation::Sigmoid => "sigmoid",
            Activation::Tanh => "tanh",
            Activation::Relu => "relu",
            Activation::LeakyRelu { .. } => "leaky-relu",
            Activation::Elu { .. } => "elu",
            Activation::Gelu => "gelu",
            Activation::Silu => "silu",
            Activation::Softplus => "softplus",
        }
    }

    /// The parameter of those that have one.
    pub fn parameter(self) -> Option<f32> {
        match self {
            Activation::LeakyRelu { slope } => Some(slope),
            Activation::Elu { alpha } => Some(alpha),
            _ => None,
        }
    }

    /// The activation of this name. Left out, the slope of leaky ReLU is 0.01 and the alpha of ELU 1.
    ///
    /// # Errors
    /// There is none of this name, it has no parameter, or the parameter is not finite.
    pub(crate) fn named(name: &str, parameter: Option<f32>) -> Result<Activation, String> {
        if let Some(number) = parameter.filter(|number| !number.is_finite()) {
            return Err(format!("the parameter of the activation \"{name}\" is {number}"));
        }
        let activation = match name {
            "identity" => Activation::Identity,
            "sigmoid" => Activation::Sigmoid,
            "tanh" => Activation::Tanh,
            "relu" => Activation::Relu,
            "leaky-relu" => Activation::LeakyRelu { slope: parameter.unwrap_or(0.01) },
            "elu" => Activation::Elu { alpha: parameter.unwrap_or(1.0) },
            "gelu" => Activation::Gelu,
            "silu" => Activation::Silu,
            "softplus" => Activation::Softplus,
            _ => {
                return Err(format!(
                    "the activation \"{name}\" is not known; there are identity, sigmoid, tanh, relu, \
                     leaky-relu, elu, gelu, silu and softplus"
                ));
            }
        };
        match (parameter, activation.parameter()) {
            (Some(_), None) => Err(format!("the activation \"{name}\" has no parameter")),
            _ => Ok(activation),
        }
    }
}

/// As a configuration spells it: `relu`, `elu(0.5)`.
impl fmt::Display for Activation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.parameter() {
            Some(parameter) => write!(f, "{}({parameter})", self.name()),
            None => f.write_str(self.name()),
        }
    }
}

/// An activation in a description: `{"kind": "leaky-relu", "slope": 0.01}`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ActivationWire {
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    slope: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alpha: Option<f64>,
}

impl From<Activation> for ActivationWire {
    fn from(activation: Activation) -> Self {
        let (slope, alpha) = match activation {
            Activation::LeakyRelu { slope } => (Some(f64::from(slope)), None),
            Activation::Elu { alpha } => (None, Some(f64::from(alpha))),
            _ => (None, None),
        };
        ActivationWire { kind: activation.name().to_owned(), slope, alpha }
    }
}

impl TryFrom<ActivationWire> for Activation {
    type Error = String;

    fn try_from(wire: ActivationWire) -> Result<Self, String> {
        let ActivationWire { kind, slope, alpha } = wire;
        let (own, other, foreign) = match kind.as_str() {
            "elu" => (alpha, slope, "slope"),
            _ => (slope, alpha, "alpha"),
        };
        match other {
            Some(_) => Err(format!("the activation \"{kind}\" has no {foreign}")),
            None => Activation::named(&kind, own.map(|number| number as f32)),
        }
    }
}

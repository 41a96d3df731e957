//! The activations that formats with code or operators of their own can spell, by their names in
//! model files. How each format spells them stays in its own file.

use crate::model::ActivationSpec;

/// An activation, with its parameter where it has one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Activation {
    Identity,
    Sigmoid,
    Tanh,
    Relu,
    /// By the slope below 0.
    LeakyRelu(f32),
    /// By the negated limit at minus infinity.
    Elu(f32),
    /// x Φ(x), with the error function itself.
    Gelu,
    Silu,
    Softplus,
}

impl Activation {
    /// What a model's specification stands for.
    ///
    /// # Errors
    /// Names an activation that is not known.
    pub(super) fn of(spec: &ActivationSpec) -> Result<Activation, String> {
        Ok(match spec.name.as_str() {
            "identity" => Activation::Identity,
            "sigmoid" => Activation::Sigmoid,
            "tanh" => Activation::Tanh,
            "relu" => Activation::Relu,
            "leaky-relu" => Activation::LeakyRelu(spec.parameter.unwrap_or(0.01)),
            "elu" => Activation::Elu(spec.parameter.unwrap_or(1.0)),
            "gelu" => Activation::Gelu,
            "silu" => Activation::Silu,
            "softplus" => Activation::Softplus,
            other => return Err(format!("the activation \"{other}\" is not known")),
        })
    }

    /// The specification in a model.
    pub(super) fn spec(self) -> ActivationSpec {
        let (name, parameter) = match self {
            Activation::Identity => ("identity", None),
            Activation::Sigmoid => ("sigmoid", None),
            Activation::Tanh => ("tanh", None),
            Activation::Relu => ("relu", None),
            Activation::LeakyRelu(slope) => ("leaky-relu", Some(slope)),
            Activation::Elu(alpha) => ("elu", Some(alpha)),
            Activation::Gelu => ("gelu", None),
            Activation::Silu => ("silu", None),
            Activation::Softplus => ("softplus", None),
        };
        ActivationSpec { name: name.to_owned(), parameter }
    }
}

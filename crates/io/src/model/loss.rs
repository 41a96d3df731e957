//! The losses that a model may have been trained with, and how they are spelt in descriptions.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What training minimised.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Loss {
    /// The mean of the squared errors.
    MeanSquared,
    /// Half the sum of the squared errors.
    HalfSumSquares,
    /// The mean of the absolute errors.
    MeanAbsolute,
    /// Squared for small errors, absolute beyond.
    Huber {
        /// Where it turns from squared to absolute; `None` in files of version 1, which did not store it.
        delta: Option<f32>,
    },
    /// Of a logit per target or of two classes.
    BinaryCrossEntropy,
    /// Of a logit per class.
    SoftmaxCrossEntropy,
}

impl Loss {
    /// Its name in files.
    pub fn name(self) -> &'static str {
        match self {
            Loss::MeanSquared => "mean-squared",
            Loss::HalfSumSquares => "half-sum-squares",
            Loss::MeanAbsolute => "mean-absolute",
            Loss::Huber { .. } => "huber",
            Loss::BinaryCrossEntropy => "binary-cross-entropy",
            Loss::SoftmaxCrossEntropy => "softmax-cross-entropy",
        }
    }

    /// The loss of this name; `delta` is that of Huber.
    ///
    /// # Errors
    /// There is none of this name, or it does not have such a delta.
    pub(super) fn named(name: &str, delta: Option<f32>) -> Result<Loss, String> {
        let loss = match name {
            "mean-squared" => Loss::MeanSquared,
            "half-sum-squares" => Loss::HalfSumSquares,
            "mean-absolute" => Loss::MeanAbsolute,
            "huber" => Loss::Huber { delta },
            "binary-cross-entropy" => Loss::BinaryCrossEntropy,
            "softmax-cross-entropy" => Loss::SoftmaxCrossEntropy,
            _ => {
                return Err(format!(
                    "the loss \"{name}\" is not known; there are mean-squared, half-sum-squares, \
                     mean-absolute, huber, binary-cross-entropy and softmax-cross-entropy"
                ));
            }
        };
        match (loss, delta) {
            (Loss::Huber { .. }, Some(delta)) if !(delta.is_finite() && delta > 0.0) => Err(
                format!("the delta of the loss \"huber\" is {delta}, expected a positive number"),
            ),
            (Loss::Huber { .. }, _) | (_, None) => Ok(loss),
            (_, Some(_)) => Err(format!("the loss \"{name}\" has no delta")),
        }
    }
}

/// With its parameter, to be read by people: `huber (delta 0.1)`.
impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Loss::Huber { delta: Some(delta) } => write!(f, "huber (delta {delta})"),
            Loss::Huber { delta: None } => f.write_str("huber (delta not stored)"),
            other => f.write_str(other.name()),
        }
    }
}

/// A loss in a description: `{"kind": "huber", "delta": 0.1}`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LossWire {
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    delta: Option<f64>,
}

impl From<Loss> for LossWire {
    fn from(loss: Loss) -> Self {
        let delta = match loss {
            Loss::Huber { delta } => delta.map(f64::from),
            _ => None,
        };
        LossWire { kind: loss.name().to_owned(), delta }
    }
}

impl TryFrom<LossWire> for Loss {
    type Error = String;

    fn try_from(wire: LossWire) -> Result<Self, String> {
        Loss::named(&wire.kind, wire.delta.map(|delta| delta as f32))
    }
}

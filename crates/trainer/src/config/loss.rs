//! The `[loss]` section: what is minimised.

use super::error::{ConfigError, require};
use super::shape::TargetShape;
use crate::names::named;
use gristmill_kernels::Loss;
use serde::{Deserialize, Serialize};

named! {
    /// A loss by name.
    pub enum LossKind {
        /// Cross-entropy for classes (binary for two), the mean squared error for numbers.
        Auto = "auto",
        /// The mean of the squared errors.
        MeanSquared = "mean-squared",
        /// Half the sum of the squared errors, summed over the batch as well.
        HalfSumSquares = "half-sum-squares",
        /// The mean of the absolute errors.
        MeanAbsolute = "mean-absolute",
        /// Squared for errors up to `delta`, absolute beyond.
        Huber = "huber",
        /// One logit for two classes.
        BinaryCrossEntropy = "binary-cross-entropy",
        /// A logit per class.
        SoftmaxCrossEntropy = "softmax-cross-entropy",
    }
}

/// The `[loss]` section.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LossConfig {
    /// Which loss; default `auto`.
    pub kind: LossKind,
    /// Where `huber` turns from squared to absolute; default 1.
    pub delta: Option<f64>,
}

impl Default for LossConfig {
    fn default() -> Self {
        LossConfig { kind: LossKind::Auto, delta: None }
    }
}

impl LossConfig {
    /// The loss for this target, and this section with nothing left open.
    pub(super) fn resolve(
        &self,
        target: TargetShape<'_>,
    ) -> Result<(LossConfig, Loss), ConfigError> {
        let kind = match (self.kind, target) {
            (LossKind::Auto, TargetShape::Numbers(_)) => LossKind::MeanSquared,
            (LossKind::Auto, TargetShape::Classes([_, _])) => LossKind::BinaryCrossEntropy,
            (LossKind::Auto, TargetShape::Classes(_)) => LossKind::SoftmaxCrossEntropy,
            (kind, _) => kind,
        };
        let wrong = |expected: &str| Err(ConfigError::value("loss.kind", kind, expected));
        let logits = matches!(kind, LossKind::BinaryCrossEntropy | LossKind::SoftmaxCrossEntropy);
        match target {
            TargetShape::Numbers(_) if logits => {
                return wrong(
                    "the target is numbers; use mean-squared, half-sum-squares, mean-absolute or \
                     huber, or import the target as classes",
                );
            }
            TargetShape::Classes(_) if !logits => {
                return wrong(
                    "the target is classes; use binary-cross-entropy or softmax-cross-entropy, or \
                     import the target as numbers",
                );
            }
            TargetShape::Classes([] | [_]) => {
                return wrong("the data has fewer; to classify takes at least 2 classes");
            }
            TargetShape::Classes([_, _, _, ..]) if kind == LossKind::BinaryCrossEntropy => {
                return wrong(
                    "it is for 2 classes and the data has more; use softmax-cross-entropy",
                );
            }
            _ => {}
        }
        self.complete(kind)
    }

    /// The loss of this kind, and this section with nothing left open.
    pub(super) fn complete(&self, kind: LossKind) -> Result<(LossConfig, Loss), ConfigError> {
        let mut complete = LossConfig { kind, delta: self.delta };
        let loss = match kind {
            LossKind::Auto | LossKind::MeanSquared => Loss::MeanSquared,
            LossKind::HalfSumSquares => Loss::HalfSumSquares,
            LossKind::MeanAbsolute => Loss::MeanAbsolute,
            LossKind::Huber => {
                let delta = *complete.delta.get_or_insert(1.0);
                require("loss.delta", delta, delta > 0.0, "a positive number")?;
                return Ok((complete, Loss::Huber { delta: delta as f32 }));
            }
            LossKind::BinaryCrossEntropy => Loss::BinaryCrossEntropy,
            LossKind::SoftmaxCrossEntropy => Loss::SoftmaxCrossEntropy,
        };
        match self.delta {
            Some(delta) => Err(ConfigError::value(
                "loss.delta",
                delta,
                format!("{kind} has none; leave it out, or use huber"),
            )),
            None => Ok((complete, loss)),
        }
    }
}

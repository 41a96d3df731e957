//! The `[loss]` section: what is minimised.

use crate::names::named;
use serde::{Deserialize, Serialize};

named! {
    /// A loss by name.
    pub enum LossKind {
        /// Cross-entropy for classes (binary for two), the mean squared error for numbers.
        Auto = "auto",
        /// The mean of the squared errors.
        MeanSquared = "mean_squared",
        /// Half the sum of the squared errors, summed over the batch as well.
        HalfSumSquares = "half_sum_squares",
        /// The mean of the absolute errors.
        MeanAbsolute = "mean_absolute",
        /// Squared for errors up to `delta`, absolute beyond.
        Huber = "huber",
        /// One logit for two classes.
        BinaryCrossEntropy = "binary_cross_entropy",
        /// A logit per class.
        SoftmaxCrossEntropy = "softmax_cross_entropy",
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

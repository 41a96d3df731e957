//! The `[optimizer]` section: how parameters follow their gradient.

use crate::names::named;
use serde::{Deserialize, Serialize};

named! {
    /// An optimiser by name.
    pub enum OptimizerKind {
        /// Plain gradient descent on minibatches.
        Sgd = "sgd",
        /// SGD with a velocity (Polyak).
        Momentum = "momentum",
        /// SGD with a velocity that looks ahead (Nesterov).
        Nesterov = "nesterov",
        /// Divides by a running mean of squares.
        Rmsprop = "rmsprop",
        /// Divides by the sum of all squares so far.
        Adagrad = "adagrad",
        /// Velocity and running mean of squares, both corrected for their start.
        Adam = "adam",
        /// Adam with weight decay apart from the gradient.
        Adamw = "adamw",
    }
}

/// The `[optimizer]` section.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OptimizerConfig {
    /// Which optimiser; default `adam`.
    pub kind: OptimizerKind,
    /// Default 0.001; 0.01 for sgd, momentum, nesterov and adagrad.
    pub learning_rate: Option<f64>,
    /// momentum, nesterov: how much of the velocity is kept; default 0.9.
    pub momentum: Option<f64>,
    /// adam, adamw: how much of the mean of gradients is kept; default 0.9.
    pub beta1: Option<f64>,
    /// adam, adamw: how much of the mean of squares is kept; default 0.999.
    pub beta2: Option<f64>,
    /// rmsprop: how much of the mean of squares is kept; default 0.99.
    pub decay: Option<f64>,
    /// rmsprop, adagrad, adam, adamw: added to the divisor; default 1e-8.
    pub epsilon: Option<f64>,
    /// Weight of the sum of absolute weights in the loss; default 0.
    pub l1: f64,
    /// Weight of half the sum of squared weights in the loss; default 0.
    pub l2: f64,
    /// adamw: fraction of the weights removed per step, times the learning rate; default 0.01.
    pub weight_decay: Option<f64>,
    /// Limit on the absolute value of every gradient element; none if left out.
    pub clip_value: Option<f64>,
    /// Limit on the Euclidean norm of the whole gradient; none if left out.
    pub clip_norm: Option<f64>,
}

impl Default for OptimizerConfig {
    fn default() -> Self {
        OptimizerConfig {
            kind: OptimizerKind::Adam,
            learning_rate: None,
            momentum: None,
            beta1: None,
            beta2: None,
            decay: None,
            epsilon: None,
            l1: 0.0,
            l2: 0.0,
            weight_decay: None,
            clip_value: None,
            clip_norm: None,
        }
    }
}

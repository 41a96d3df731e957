//! The `[optimizer]` section: how parameters follow their gradient.

use super::error::{ConfigError, check_options};
use crate::names::named;
use gristmill_kernels::UpdateRule;
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

/// How parameters follow their gradient, decided in every point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OptimizerPlan {
    /// The rule and its parameters.
    pub rule: UpdateRule,
    /// Positive; times the schedule's factor.
    pub learning_rate: f64,
    /// Weight of the sum of absolute weights.
    pub l1: f64,
    /// Weight of half the sum of squared weights.
    pub l2: f64,
    /// Decay apart from the gradient; 0 but for adamw.
    pub weight_decay: f64,
    /// Limit on every gradient element.
    pub clip_value: Option<f64>,
    /// Limit on the norm of the whole gradient.
    pub clip_norm: Option<f64>,
}

impl OptimizerConfig {
    /// The optimiser, and this section with nothing left open.
    pub(super) fn resolve(&self) -> Result<(OptimizerConfig, OptimizerPlan), ConfigError> {
        use OptimizerKind::*;
        let mut complete = self.clone();
        let OptimizerConfig { learning_rate, momentum, beta1, beta2, decay, epsilon, .. } =
            &mut complete;
        let mut epsilon = || *epsilon.get_or_insert(1e-8);
        let rule = match self.kind {
            Sgd => UpdateRule::Sgd,
            Momentum | Nesterov => UpdateRule::Momentum {
                beta: *momentum.get_or_insert(0.9),
                nesterov: self.kind == Nesterov,
            },
            Rmsprop => UpdateRule::RmsProp { rho: *decay.get_or_insert(0.99), epsilon: epsilon() },
            Adagrad => UpdateRule::Adagrad { epsilon: epsilon() },
            Adam | Adamw => UpdateRule::Adam {
                beta1: *beta1.get_or_insert(0.9),
                beta2: *beta2.get_or_insert(0.999),
                epsilon: epsilon(),
            },
        };
        let learning_rate = *learning_rate.get_or_insert(match self.kind {
            Sgd | Momentum | Nesterov | Adagrad => 0.01,
            Rmsprop | Adam | Adamw => 0.001,
        });
        let weight_decay = match self.kind {
            Adamw => *complete.weight_decay.get_or_insert(0.01),
            _ => 0.0,
        };

        if let Some(decay) = self.weight_decay.filter(|_| self.kind != Adamw) {
            let expected = format!(
                "{} has none; use adamw, or l2 in its place, which goes into the gradient",
                self.kind
            );
            return Err(ConfigError::value("optimizer.weight_decay", decay, expected));
        }
        let every = &[Sgd, Momentum, Nesterov, Rmsprop, Adagrad, Adam, Adamw][..];
        let divided = &[Rmsprop, Adagrad, Adam, Adamw][..];
        let positive = |x: f64| x > 0.0;
        let fraction = |x: f64| (0.0..1.0).contains(&x);
        let not_negative = |x: f64| x >= 0.0;
        check_options(
            "optimizer",
            self.kind,
            &[
                ("learning_rate", Some(learning_rate), every, positive, "a positive number"),
                ("momentum", complete.momentum, &[Momentum, Nesterov], fraction, "0 to below 1"),
                ("beta1", complete.beta1, &[Adam, Adamw], fraction, "0 to below 1"),
                ("beta2", complete.beta2, &[Adam, Adamw], fraction, "0 to below 1"),
                ("decay", complete.decay, &[Rmsprop], fraction, "0 to below 1"),
                ("epsilon", complete.epsilon, divided, positive, "a positive number"),
                ("l1", Some(self.l1), every, not_negative, "at least 0"),
                ("l2", Some(self.l2), every, not_negative, "at least 0"),
                ("weight_decay", complete.weight_decay, &[Adamw], not_negative, "at least 0"),
                ("clip_value", self.clip_value, every, positive, "a positive number"),
                ("clip_norm", self.clip_norm, every, positive, "a positive number"),
            ],
        )?;
        let plan = OptimizerPlan {
            rule,
            learning_rate,
            l1: self.l1,
            l2: self.l2,
            weight_decay,
            clip_value: self.clip_value,
            clip_norm: self.clip_norm,
        };
        Ok((complete, plan))
    }
}

//! A training run as its user describes it: every option, its default, and its TOML form.
//!
//! Each section stands in a file of its own under `config/`. [`RunConfig::resolve`] decides
//! what is left out and gives the [`TrainingPlan`] that the trainer follows. Nothing here touches data or trains.

mod assign;
mod byte_size;
mod class_weights;
mod data;
mod loss;
mod network;
mod optimizer;
mod plan;
mod schedule;
mod training;

pub use crate::names::UnknownName;
pub use byte_size::ByteSize;
pub use class_weights::ClassWeights;
pub use data::DataConfig;
pub use loss::{LossConfig, LossKind};
pub use network::{InitKind, LayerConfig, LayerPlan, NetworkConfig, OutputConfig};
pub use optimizer::{OptimizerConfig, OptimizerKind, OptimizerPlan};
pub use plan::TrainingPlan;
pub use schedule::{ScheduleConfig, ScheduleKind};
pub use training::{
    CheckpointConfig, EarlyStoppingConfig, OnNan, Shuffle, TrainingConfig, ValidationConfig,
};

use serde::{Deserialize, Serialize};
use std::fmt;

/// Every option of a training run.
///
/// A key that is an `Option` may be left out; its default then depends on the other options or on
/// the data, and [`resolve`](Self::resolve) decides it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RunConfig {
    /// Decides the start weights, the validation split, the order of rows and the dropout.
    pub seed: u32,
    /// The rows to learn from.
    pub data: DataConfig,
    /// The layers and how they start.
    pub network: NetworkConfig,
    /// What is minimised.
    pub loss: LossConfig,
    /// How parameters follow their gradient.
    pub optimizer: OptimizerConfig,
    /// How the learning rate changes during the run.
    pub schedule: ScheduleConfig,
    /// Batches, epochs, threads, and how rows are weighed and scaled.
    pub training: TrainingConfig,
    /// Where the rows come from that are measured but not learned.
    pub validation: ValidationConfig,
    /// When to stop before the last epoch.
    pub early_stopping: EarlyStoppingConfig,
    /// How often the run is saved.
    pub checkpoint: CheckpointConfig,
}

/// What a configuration is resolved against: the shape of the data.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DataShape<'a> {
    /// Features of a row; at least 1.
    pub features: usize,
    /// What is to be predicted.
    pub target: TargetShape<'a>,
}

/// What a row's target is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TargetShape<'a> {
    /// One of these classes, by index; at least 2.
    Classes(&'a [String]),
    /// This many numbers; at least 1.
    Numbers(usize),
}

/// The comment that [`RunConfig::to_toml`] writes above each section.
const SECTION_COMMENTS: &[(&str, &str)] = &[
    (
        "[data]",
        "path: the data set to learn from; paths are relative to the directory of this file",
    ),
    (
        "[network]",
        "Layers. `hidden` lists widths; `[[network.layers]]` describes hidden layers one by one\n\
         # instead (units, activation, bias, dropout, init, init_scale, weights, biases), and\n\
         # [network.output] takes the same keys except units and dropout.\n\
         # activation: identity, sigmoid, tanh, relu, leaky-relu(SLOPE), elu(ALPHA), gelu, silu, softplus\n\
         # init: auto, uniform, normal, xavier, he, lecun, zeros",
    ),
    (
        "[loss]",
        "kind: auto, mean-squared, half-sum-squares, mean-absolute, huber (with delta),\n\
         # binary-cross-entropy, softmax-cross-entropy",
    ),
    (
        "[optimizer]",
        "kind: sgd, momentum, nesterov, rmsprop, adagrad, adam, adamw.\n\
         # Off unless given: clip_value, clip_norm",
    ),
    (
        "[schedule]",
        "kind: constant, step, exponential, cosine, one-cycle, plateau; warmup and every are in epochs",
    ),
    (
        "[training]",
        "threads = 0 takes every core. shuffle: auto, full, window, none. on_nan: stop, rollback.\n\
         # class_weights: \"none\", \"balanced\", or a table such as { spam = 2.0, ham = 1.0 }",
    ),
    (
        "[validation]",
        "split: the fraction of the rows that is held out; or file: a data set to validate on",
    ),
    (
        "[early_stopping]",
        "patience: epochs without improvement before the run stops; 0 never stops early",
    ),
    ("[checkpoint]", "0 turns a trigger off; keep: how many checkpoints stay on disk"),
];

impl RunConfig {
    /// Reads TOML; every key may be left out.
    ///
    /// # Errors
    /// Text that is no TOML, an unknown key or name, or a value of the wrong type, with its line.
    pub fn from_toml(text: &str) -> Result<RunConfig, ConfigError> {
        toml::from_str(text).map_err(|error| ConfigError::Syntax(error.to_string()))
    }

    /// Writes TOML that [`from_toml`](Self::from_toml) reads back as an equal configuration.
    ///
    /// Every value is spelled out, with a comment per section. Keys that are still undecided can
    /// only be left out, so write that of a [`TrainingPlan`], in which they are decided.
    pub fn to_toml(&self) -> String {
        let plain = toml::to_string(self).expect("every field has a TOML form");
        let mut commented = String::with_capacity(plain.len() + 2048);
        for line in plain.lines() {
            if let Some((_, comment)) = SECTION_COMMENTS.iter().find(|(header, _)| *header == line)
            {
                commented += &format!("# {comment}\n");
            }
            commented += line;
            commented.push('\n');
        }
        commented
    }
}

/// Why a configuration cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The text is not the TOML of a configuration; the message says where and why.
    #[error("the configuration cannot be read: {0}")]
    Syntax(String),
    /// A key has a value that it may not have, by itself or together with another.
    #[error("`{key}` is {value}: {expected}")]
    Value {
        /// The key, as in `optimizer.learning_rate`.
        key: String,
        /// The value that it has.
        value: String,
        /// What is allowed, or what to do.
        expected: String,
    },
}

impl ConfigError {
    fn value(
        key: impl Into<String>,
        value: impl fmt::Display,
        expected: impl Into<String>,
    ) -> ConfigError {
        ConfigError::Value { key: key.into(), value: value.to_string(), expected: expected.into() }
    }
}

/// An error that says what was `expected`, unless the number is finite and it `holds`.
fn require(key: &str, value: f64, holds: bool, expected: &str) -> Result<(), ConfigError> {
    if holds && value.is_finite() {
        Ok(())
    } else {
        Err(ConfigError::value(key, value, format!("expected {expected}")))
    }
}

/// Key, value if given, the kinds that use it, what must hold, and how to say that.
type NumberOption<'a, K> = (&'a str, Option<f64>, &'a [K], fn(f64) -> bool, &'a str);

/// Checks the options of a section whose `kind` decides which of them have a meaning.
fn check_options<K: Copy + PartialEq + fmt::Display>(
    section: &str,
    kind: K,
    options: &[NumberOption<'_, K>],
) -> Result<(), ConfigError> {
    for &(key, value, used_by, holds, expected) in options {
        let Some(value) = value else { continue };
        let key = format!("{section}.{key}");
        if !used_by.contains(&kind) {
            let kinds: Vec<_> = used_by.iter().map(K::to_string).collect();
            let expected =
                format!("{kind} does not use it, only {}; leave it out", kinds.join(", "));
            return Err(ConfigError::value(key, value, expected));
        }
        require(&key, value, holds(value), expected)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn toml_reads_back_as_it_was_written() {
        let text = r#"
            seed = 7
            [network]
            activation = "leaky-relu(0.2)"
            [[network.layers]]
            units = 3
            weights = [[1.0, 2.0], [3.0, 4.0], [5.5, -6.25]]
            [[network.layers]]
            units = 2
            dropout = 0.5
            [network.output]
            bias = false
            [loss]
            kind = "huber"
            delta = 0.001
            [training]
            class_weights = { "a b" = 2.0, c = 1.5 }
            [validation]
            file = "held out.grist"
            [early_stopping]
            metric = "roc_auc"
        "#;
        let config = RunConfig::from_toml(text).unwrap();
        assert_eq!(config.network.layers.len(), 2);
        assert_eq!(RunConfig::from_toml(&config.to_toml()).unwrap(), config);
        let default = RunConfig::default();
        assert_eq!(RunConfig::from_toml(&default.to_toml()).unwrap(), default);
        assert_eq!(RunConfig::from_toml("").unwrap(), default);
    }
}

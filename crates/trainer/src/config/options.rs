//! Every option of a run, and its TOML form.

use super::data::DataConfig;
use super::error::ConfigError;
use super::loss::LossConfig;
use super::network::NetworkConfig;
use super::optimizer::OptimizerConfig;
use super::schedule::ScheduleConfig;
use super::training::{CheckpointConfig, EarlyStoppingConfig, TrainingConfig, ValidationConfig};
use serde::{Deserialize, Serialize};

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

/// The comment that [`RunConfig::to_toml`] writes above each section.
const SECTION_COMMENTS: &[(&str, &str)] = &[
    (
        "[data]",
        "path: the data set to learn from; paths are relative to the directory of this file",
    ),
    (
        "[data.augment]",
        "shift, crop and cutout in pixels; flip turns every second image left to right; mixup mixes rows",
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
    /// only be left out, so write that of a [`TrainingPlan`](super::TrainingPlan), in which they are decided.
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

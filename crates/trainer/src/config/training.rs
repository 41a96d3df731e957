//! The sections about the course of a run: training, validation, early stopping, checkpoints.

use super::byte_size::ByteSize;
use super::class_weights::ClassWeights;
use super::error::{ConfigError, require};
use super::shape::TargetShape;
use crate::metrics::Metric;
use crate::names::named;
use gristmill_kernels::{Activation, Loss};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

named! {
    /// In which order an epoch visits the rows.
    pub enum Shuffle {
        /// `full` where the data set fits in memory, else `window`.
        Auto = "auto",
        /// Any row at any place.
        Full = "full",
        /// Blocks at any place, rows mixed within windows of blocks: disk reads stay large.
        Window = "window",
        /// As they are stored.
        None = "none",
    }
}

named! {
    /// What is done when training comes to what are no numbers.
    pub enum OnNan {
        /// It ends with an error.
        Stop = "stop",
        /// It goes back to the beginning of the epoch and on with half the learning rate, ten times at most.
        Rollback = "rollback",
    }
}

/// The `[training]` section.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrainingConfig {
    /// Rows per step; default 128.
    pub batch_size: usize,
    /// How often every row is visited; default 20.
    pub epochs: u32,
    /// Threads; 0, the default, takes every core. The result does not depend on it.
    pub threads: usize,
    /// In which order an epoch visits the rows.
    pub shuffle: Shuffle,
    /// Memory for rows, as `2G` or `512M`; decides whether `auto` means `full` or `window`, and how
    /// large windows are. By default what the machine has.
    pub memory: Option<ByteSize>,
    /// Rows of a block and blocks of a window, for `window`, both or neither; by default they follow from
    /// `memory`.
    pub block_rows: Option<u64>,
    /// See `block_rows`.
    pub window_blocks: Option<u64>,
    /// With what instruction set the run was started; written, never read from a user's file.
    pub instruction_set: Option<String>,
    /// Whether features are scaled to mean 0 and deviation 1; default true.
    pub standardize_inputs: bool,
    /// Whether numeric targets are; default true, but false for `half-sum-squares` or where the
    /// output activation is bounded.
    pub standardize_targets: Option<bool>,
    /// How much a row counts by its class.
    pub class_weights: ClassWeights,
    /// What is done when training comes to what are no numbers; default `stop`. `rollback` takes as much
    /// memory again as the weights and the state of the optimiser.
    pub on_nan: OnNan,
}

impl Default for TrainingConfig {
    fn default() -> Self {
        TrainingConfig {
            batch_size: 128,
            epochs: 20,
            threads: 0,
            shuffle: Shuffle::Auto,
            memory: None,
            block_rows: None,
            window_blocks: None,
            instruction_set: None,
            standardize_inputs: true,
            standardize_targets: None,
            class_weights: ClassWeights::None,
            on_nan: OnNan::Stop,
        }
    }
}

/// The `[validation]` section.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ValidationConfig {
    /// Fraction of the rows held out, 0 to below 1; default 0, none. Not together with `file`.
    pub split: f64,
    /// Whether the held-out rows have the same share of every class; default true.
    pub stratified: bool,
    /// A data set to validate on.
    pub file: Option<PathBuf>,
}

impl Default for ValidationConfig {
    fn default() -> Self {
        ValidationConfig { split: 0.0, stratified: true, file: None }
    }
}

/// The `[early_stopping]` section.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EarlyStoppingConfig {
    /// Epochs without improvement before the run stops; default 0, never.
    pub patience: u32,
    /// What is watched on the validation rows; default the loss, which without such rows is that of
    /// training.
    pub metric: Metric,
    /// By how much it must improve to count; default 0.
    pub min_delta: f64,
    /// Whether the parameters of the best epoch are kept at the end; default true.
    pub restore_best: bool,
}

impl Default for EarlyStoppingConfig {
    fn default() -> Self {
        EarlyStoppingConfig {
            patience: 0,
            metric: Metric::Loss,
            min_delta: 0.0,
            restore_best: true,
        }
    }
}

/// The `[checkpoint]` section.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CheckpointConfig {
    /// Epochs from one save to the next; default 1, 0 never.
    pub every_epochs: u32,
    /// Largest share of the time that saving after epochs may take, above 0; default 0.1. A checkpoint
    /// that would come too soon after the last is left out, but for that of the last epoch.
    pub max_share: f64,
    /// Seconds after which a run is also saved within an epoch; default 300, 0 never.
    pub every_seconds: u32,
    /// How many of the newest checkpoints stay on disk; at least 1, default 3.
    pub keep: usize,
}

impl Default for CheckpointConfig {
    fn default() -> Self {
        CheckpointConfig { every_epochs: 1, max_share: 0.1, every_seconds: 300, keep: 3 }
    }
}

impl TrainingConfig {
    /// Checks what does not depend on the data.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.batch_size == 0 {
            return Err(ConfigError::value("training.batch_size", 0, "expected at least 1"));
        }
        if self.epochs == 0 {
            return Err(ConfigError::value("training.epochs", 0, "expected at least 1"));
        }
        if self.block_rows == Some(0) {
            return Err(ConfigError::value("training.block_rows", 0, "expected at least 1"));
        }
        if self.window_blocks == Some(0) {
            return Err(ConfigError::value("training.window_blocks", 0, "expected at least 1"));
        }
        match (self.block_rows, self.window_blocks) {
            (Some(rows), None) => {
                let expected = "expected training.window_blocks beside it";
                return Err(ConfigError::value("training.block_rows", rows, expected));
            }
            (None, Some(blocks)) => {
                let expected = "expected training.block_rows beside it";
                return Err(ConfigError::value("training.window_blocks", blocks, expected));
            }
            _ => {}
        }
        self.class_weights.check()
    }

    /// Checks that the section fits the data, and decides whether targets are standardised.
    pub(super) fn resolve(
        &self,
        target: TargetShape<'_>,
        loss: Loss,
        output: Activation,
    ) -> Result<bool, ConfigError> {
        self.class_weights.check_classes(target)?;
        let wrong =
            |expected| Err(ConfigError::value("training.standardize_targets", true, expected));
        let unbounded = matches!(output, Activation::Identity | Activation::LeakyRelu { .. });
        match (self.standardize_targets, target) {
            (Some(true), TargetShape::Classes(_)) => {
                wrong("only targets that are numbers are standardised".to_owned())
            }
            (Some(true), TargetShape::Numbers(_)) if !unbounded => wrong(format!(
                "{} cannot reach every standardised target; use the identity as output activation",
                output.name()
            )),
            (Some(chosen), _) => Ok(chosen),
            (None, TargetShape::Classes(_)) => Ok(false),
            (None, TargetShape::Numbers(_)) => Ok(unbounded && loss != Loss::HalfSumSquares),
        }
    }
}

impl ValidationConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let split = self.split;
        require("validation.split", split, (0.0..1.0).contains(&split), "0 to below 1")?;
        if split > 0.0 && self.file.is_some() {
            let expected = "there is a validation.file as well; leave one of them out";
            return Err(ConfigError::value("validation.split", split, expected));
        }
        Ok(())
    }
}

impl EarlyStoppingConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let delta = self.min_delta;
        require("early_stopping.min_delta", delta, delta >= 0.0, "at least 0")
    }

    /// Only what is measured can be watched.
    pub(super) fn check_metric(&self, target: TargetShape<'_>) -> Result<(), ConfigError> {
        let measured = match target {
            TargetShape::Classes(_) => Metric::OF_CLASSES,
            TargetShape::Numbers(_) => Metric::OF_NUMBERS,
        };
        if !measured.contains(&self.metric) {
            let names: Vec<_> = measured.iter().map(|metric| metric.name()).collect();
            let expected = format!("for this target, expected one of {}", names.join(", "));
            return Err(ConfigError::value("early_stopping.metric", self.metric, expected));
        }
        Ok(())
    }

    /// Without rows to validate on, the loss is all that can be watched.
    ///
    /// # Errors
    /// Something else is to be watched.
    pub fn check_validation(&self, validates: bool) -> Result<(), ConfigError> {
        if validates || self.patience == 0 || self.metric == Metric::Loss {
            return Ok(());
        }
        let expected = "it needs validation data: give --validation or --validation-split";
        Err(ConfigError::value("early_stopping.metric", self.metric, expected))
    }
}

impl CheckpointConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.keep == 0 {
            return Err(ConfigError::value("checkpoint.keep", 0, "expected at least 1"));
        }
        let share = self.max_share;
        require("checkpoint.max_share", share, share > 0.0 && share <= 1.0, "above 0, at most 1")?;
        Ok(())
    }
}

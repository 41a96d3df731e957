//! The sections about the course of a run: training, validation, early stopping, checkpoints.

use super::class_weights::ClassWeights;
use crate::metrics::Metric;
use crate::names::named;
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
    /// Whether features are scaled to mean 0 and deviation 1; default true.
    pub standardize_inputs: bool,
    /// Whether numeric targets are; default true, but false for `half_sum_squares` or where the
    /// output activation is bounded.
    pub standardize_targets: Option<bool>,
    /// How much a row counts by its class.
    pub class_weights: ClassWeights,
}

impl Default for TrainingConfig {
    fn default() -> Self {
        TrainingConfig {
            batch_size: 128,
            epochs: 20,
            threads: 0,
            shuffle: Shuffle::Auto,
            standardize_inputs: true,
            standardize_targets: None,
            class_weights: ClassWeights::None,
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
    /// What is watched, on the validation rows where there are any; default the loss.
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CheckpointConfig {
    /// Save after every so many epochs; default 1, 0 never.
    pub every_epochs: u32,
    /// Save also within an epoch after so many seconds; default 300, 0 never.
    pub every_seconds: u32,
    /// How many of the newest checkpoints stay on disk; at least 1, default 3.
    pub keep: usize,
}

impl Default for CheckpointConfig {
    fn default() -> Self {
        CheckpointConfig { every_epochs: 1, every_seconds: 300, keep: 3 }
    }
}

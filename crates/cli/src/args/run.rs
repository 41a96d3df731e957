//! The options of a run beside its network.

use super::count;
use clap::Args;
use gristmill_trainer::config::{
    ByteSize, ClassWeights, ConfigError, OptimizerConfig, OptimizerKind, RunConfig, ScheduleConfig,
    ScheduleKind, Shuffle,
};

/// What overrides a configuration. The defaults named here are those of an empty one.
#[derive(Args)]
#[command(next_help_heading = "Training")]
pub(crate) struct RunArgs {
    /// sgd, momentum, nesterov, rmsprop, adagrad, adam or adamw [default: adam]
    #[arg(long, value_name = "NAME")]
    optimizer: Option<OptimizerKind>,
    /// Step size [default: 0.001; 0.01 for sgd, momentum, nesterov and adagrad]
    #[arg(long, value_name = "F")]
    learning_rate: Option<f64>,
    /// How the learning rate changes: constant, step, exponential, cosine, one-cycle or plateau
    /// [default: constant]
    #[arg(long, value_name = "NAME")]
    schedule: Option<ScheduleKind>,
    /// Epochs over which the learning rate rises to its start [default: 0]
    #[arg(long, value_name = "EPOCHS")]
    warmup: Option<f64>,
    /// Weight of half the sum of squared weights in the loss [default: 0]
    #[arg(long, value_name = "F")]
    l2: Option<f64>,
    /// Limit on the norm of the gradient [default: none]
    #[arg(long, value_name = "F")]
    clip_norm: Option<f64>,
    /// Rows per step [default: 128]
    #[arg(long, value_name = "N", value_parser = count::<usize>)]
    batch_size: Option<usize>,
    /// Give each class the same weight in all
    #[arg(long)]
    balanced: bool,
    /// Order of the rows: auto, full, window or none [default: auto]
    #[arg(long, value_name = "MODE")]
    shuffle: Option<Shuffle>,
    /// Memory for rows, as 2G or 512M: picks full or window shuffling and the size of windows
    /// [default: what the machine has]
    #[arg(long, value_name = "SIZE")]
    memory: Option<ByteSize>,
    /// Share of the rows that is held out to validate on [default: 0]
    #[arg(long, value_name = "SHARE", conflicts_with = "validation")]
    validation_split: Option<f64>,
    /// Stop after so many epochs without improvement, and keep the best [default: never]
    #[arg(long, value_name = "EPOCHS", value_parser = count::<u32>)]
    patience: Option<u32>,
    /// Number that all that is random follows from [default: 0]
    #[arg(long, value_name = "N", value_parser = count::<u32>)]
    seed: Option<u32>,
    /// Any other option of a configuration, as in optimizer.beta1=0.8; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
}

impl RunArgs {
    /// The configuration with what was given in its place.
    pub(crate) fn apply(self, config: RunConfig) -> Result<RunConfig, ConfigError> {
        let mut config = config.assign(&self.set)?;
        let RunConfig { optimizer, schedule, training, validation, .. } = &mut config;
        // Another kind takes its own defaults in place of those that were spelled out for the last.
        if let Some(kind) = self.optimizer.filter(|kind| *kind != optimizer.kind) {
            let OptimizerConfig { l1, l2, clip_value, clip_norm, .. } = *optimizer;
            *optimizer =
                OptimizerConfig { kind, l1, l2, clip_value, clip_norm, ..Default::default() };
        }
        if let Some(kind) = self.schedule.filter(|kind| *kind != schedule.kind) {
            *schedule = ScheduleConfig { kind, warmup: schedule.warmup, ..Default::default() };
        }
        optimizer.learning_rate = self.learning_rate.or(optimizer.learning_rate);
        optimizer.l2 = self.l2.unwrap_or(optimizer.l2);
        optimizer.clip_norm = self.clip_norm.or(optimizer.clip_norm);
        schedule.warmup = self.warmup.unwrap_or(schedule.warmup);
        training.batch_size = self.batch_size.unwrap_or(training.batch_size);
        training.shuffle = self.shuffle.unwrap_or(training.shuffle);
        training.memory = self.memory.or(training.memory);
        if self.balanced {
            training.class_weights = ClassWeights::Balanced;
        }
        if let Some(split) = self.validation_split {
            validation.split = split;
            validation.file = None;
        }
        config.early_stopping.patience = self.patience.unwrap_or(config.early_stopping.patience);
        config.seed = self.seed.unwrap_or(config.seed);
        Ok(config)
    }
}

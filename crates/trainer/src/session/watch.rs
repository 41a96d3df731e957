//! Those who follow a run: its observer, and whoever keeps its checkpoints.

use crate::error::TrainError;
use crate::observer::Observer;
use gristmill_io::{Checkpoint, TensorStream};
use std::time::{Duration, Instant};

/// A checkpoint of a run whose tensors are read out of the run while they are saved.
pub type CheckpointView<'a> = Checkpoint<TensorStream<'a>>;

/// Is handed a checkpoint whenever one is due.
pub type Save<'a> = dyn FnMut(&CheckpointView<'_>) -> Result<(), TrainError> + Send + 'a;

/// Those who follow a run.
pub(super) struct Watch<'a, 's> {
    pub(super) observer: &'a mut dyn Observer,
    save: &'a mut Save<'s>,
    /// When the last checkpoint had been saved, and how long that took.
    pub(super) saved: Instant,
    cost: Duration,
}

impl<'a, 's> Watch<'a, 's> {
    pub(super) fn new(observer: &'a mut dyn Observer, save: &'a mut Save<'s>) -> Watch<'a, 's> {
        Watch { observer, save, saved: Instant::now(), cost: Duration::ZERO }
    }

    pub(super) fn save(&mut self, checkpoint: &CheckpointView<'_>) -> Result<(), TrainError> {
        let began = Instant::now();
        (self.save)(checkpoint)?;
        self.saved = Instant::now();
        self.cost = self.saved - began;
        Ok(())
    }

    /// Whether saving now takes no more than this share of the time since before the last save.
    pub(super) fn is_save_cheap(&self, share: f64) -> bool {
        let since = (self.saved.elapsed() + self.cost).as_secs_f64();
        share >= 1.0 || self.cost.as_secs_f64() <= share * since
    }
}

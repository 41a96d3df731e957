//! What a run tells while it goes on, and how its listener can end it.

use crate::metrics::Metric;

/// Whether a run goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Control {
    /// Go on.
    Continue,
    /// Save and end after this step.
    Stop,
}

/// What an epoch is about to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EpochStart {
    /// Number of the epoch, from 1.
    pub epoch: u32,
    /// Epochs of the run.
    pub epochs: u32,
    /// Steps of the epoch.
    pub steps: u64,
    /// Steps of the epoch that were already done before a resume.
    pub done: u64,
}

/// What a step did.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepReport {
    /// Number of the epoch, from 1.
    pub epoch: u32,
    /// Number of the step in its epoch, from 1.
    pub step: u64,
    /// Steps of the epoch.
    pub steps: u64,
    /// Rows of the step.
    pub rows: usize,
    /// Loss of the batch, before the update.
    pub loss: f64,
    /// Learning rate of the update.
    pub learning_rate: f64,
}

/// What an epoch came to.
#[derive(Debug, Clone, PartialEq)]
pub struct EpochReport {
    /// Number of the epoch, from 1.
    pub epoch: u32,
    /// Epochs of the run.
    pub epochs: u32,
    /// Learning rate of the last step.
    pub learning_rate: f64,
    /// Mean loss of the batches, each measured before its update.
    pub train_loss: f64,
    /// Metrics of the training rows, as far as they are measured.
    pub train: Vec<(Metric, f64)>,
    /// Metrics of the validation rows; empty where there are none.
    pub validation: Vec<(Metric, f64)>,
    /// Seconds that the epoch took, with validation.
    pub seconds: f64,
    /// Training rows per second, without validation.
    pub samples_per_second: f64,
}

/// Follows a run. Every method has a default that does nothing; `()` follows in silence.
pub trait Observer: Send {
    /// An epoch begins or, after a resume, goes on.
    fn epoch_begin(&mut self, _start: &EpochStart) {}

    /// A step is done. Called at every step, from a thread of the run: be quick.
    fn step(&mut self, _report: &StepReport) -> Control {
        Control::Continue
    }

    /// An epoch is done and validated.
    fn epoch_end(&mut self, _report: &EpochReport) {}

    /// Something that the user should know but that does not end the run.
    fn warn(&mut self, _message: &str) {}
}

impl Observer for () {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_never_stops_a_run() {
        let report =
            StepReport { epoch: 1, step: 1, steps: 1, rows: 1, loss: f64::NAN, learning_rate: 0.1 };
        assert_eq!(().step(&report), Control::Continue);
    }
}

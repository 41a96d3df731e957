//! How a run ended, and what set its speed.

use crate::step::profile::Profile;
use std::time::Duration;

/// Why a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// All epochs are done.
    Finished,
    /// It no longer improved.
    EarlyStopped,
    /// The observer asked for it.
    Interrupted,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome {
    /// What ended it.
    pub reason: Reason,
    /// Epochs completed.
    pub epochs: u32,
    /// The epoch whose weights the model has, where it is not the last.
    pub restored: Option<u32>,
    /// How long it took.
    pub seconds: Duration,
    /// How much of that time steps and validation waited for rows to be read from the disk: measured where
    /// rows are read ahead, and a lower bound where pages are read when they are touched.
    pub waited_for_data: Duration,
    /// Where the time of the steps went; all zero where they are too short to be measured.
    pub profile: Profile,
}

/// What set the speed of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// The arithmetic of the steps.
    Compute,
    /// Reading rows from the disk.
    Disk,
    /// Finding rows in memory.
    Memory,
}

impl Outcome {
    /// What set the speed of the run.
    pub fn limit(&self) -> Limit {
        let share = |part: Duration, whole: Duration| part.as_secs_f64() / whole.as_secs_f64();
        if share(self.waited_for_data, self.seconds) > 0.1 {
            Limit::Disk
        } else if share(self.profile.gather, self.profile.total()) > 0.4 {
            Limit::Memory
        } else {
            Limit::Compute
        }
    }
}

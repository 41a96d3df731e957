//! Why training could not begin or go on.

use crate::config::ConfigError;
use crate::data::samples::Samples;
use gristmill_kernels::UnknownIsa;

/// Why training could not begin or go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// An option that cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A file that cannot be read or written.
    #[error(transparent)]
    Io(#[from] gristmill_io::Error),
    /// An instruction set that is not there.
    #[error(transparent)]
    Isa(#[from] UnknownIsa),
    /// A model that this program cannot run.
    #[error("{0}")]
    Model(String),
    /// Data that cannot be learned from.
    #[error("{0}")]
    Data(String),
    /// Threads that the system refuses to start.
    #[error("{0}; allow more of them (ulimit -u) or more memory (ulimit -v)")]
    Threads(String),
    /// More memory than the system gives.
    #[error("{what} takes {bytes} bytes of memory, which the system does not give: {advice}")]
    Memory {
        /// What it is for.
        what: String,
        /// How much was asked for.
        bytes: u128,
        /// How to need less.
        advice: &'static str,
    },
    /// A checkpoint of another network, another run or other data.
    #[error("the checkpoint does not fit: {0}")]
    Checkpoint(String),
    /// The data set of a run is no longer the one that it was trained on.
    #[error("{name} has changed since the checkpoint was saved: {change}")]
    DataChanged {
        /// The data set.
        name: String,
        /// What is different.
        change: String,
    },
    /// Training has come to what are no numbers, or to a network that is of no use.
    #[error(
        "{what} at step {step} of epoch {epoch}: {}",
        culprit.clone().unwrap_or_else(|| format!(
            "lower the learning rate (it is {learning_rate}), or clip the gradient"
        ))
    )]
    Diverged {
        /// What was found.
        what: String,
        /// Epoch, from 1.
        epoch: u32,
        /// Step in the epoch, from 1.
        step: u64,
        /// A row of the data that is to blame, and what to do about it; else it is the learning rate.
        culprit: Option<String>,
        /// The learning rate of the step.
        learning_rate: f64,
    },
}

impl TrainError {
    /// A row of a data set has a class that the data set does not name.
    pub(crate) fn stray<S: Samples>(samples: &S, row: u64) -> TrainError {
        TrainError::Data(format!(
            "{}: row {} has a class that does not exist: the data set is damaged, import it again",
            samples.name(),
            samples.target_row(row) + 1
        ))
    }
}

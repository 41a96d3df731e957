//! Why a run cannot be started, resumed or saved.

use super::files::CONFIG;
use crate::config::ConfigError;
use crate::error::TrainError;
use std::io;
use std::path::{Path, PathBuf};

/// Why a run cannot be started, resumed or saved.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// A new run would overwrite one.
    #[error("{} already holds a run: resume that one, or choose another directory", .0.display())]
    Exists(PathBuf),
    /// The directory holds something else.
    #[error("{} is not empty: choose another directory for the run", .0.display())]
    NotEmpty(PathBuf),
    /// There is nothing to resume.
    #[error("{} holds no run: there is no {CONFIG} in it", .0.display())]
    NoRun(PathBuf),
    /// Another process has the directory.
    #[error("{} is in use: another process trains there", .0.display())]
    Locked(PathBuf),
    /// The configuration cannot be used.
    #[error("{}: {source}", .path.display())]
    Config {
        /// The configuration file.
        path: PathBuf,
        /// What is wrong with it.
        source: ConfigError,
    },
    /// The training itself failed.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] gristmill_io::Error),
}

impl RunError {
    pub(super) fn io<'a>(
        action: &'static str,
        path: &'a Path,
    ) -> impl Fn(io::Error) -> RunError + 'a {
        move |source| {
            RunError::File(gristmill_io::Error::Io { action, path: path.to_owned(), source })
        }
    }
}

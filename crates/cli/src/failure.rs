//! Why a command ended before its end, and the exit code that says so.

use gristmill_trainer::TrainError;
use gristmill_trainer::config::ConfigError;
use gristmill_trainer::run::RunError;
use std::fmt::Display;
use std::io;
use std::path::Path;

/// Exit code of a program that was interrupted.
pub(crate) const INTERRUPTED: u8 = 130;

/// Why a command ended before its end.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It could not be done; the text says what, where, and what to do.
    Error(String),
    /// The command line asks for what there is not; the text says what there is.
    Usage(String),
    /// Standard output was closed: its reader had enough.
    OutputClosed,
    /// The user interrupted; the text says what became of it.
    Interrupted(String),
}

impl Failure {
    /// A failure with this text.
    pub(crate) fn new(text: impl Into<String>) -> Failure {
        Failure::Error(text.into())
    }

    /// A mistake in the command line.
    pub(crate) fn usage(text: impl Into<String>) -> Failure {
        Failure::Usage(text.into())
    }

    /// For `map_err`: "cannot {action} {path}: reason".
    pub(crate) fn io(action: &str, path: &Path) -> impl Fn(io::Error) -> Failure {
        let what = format!("cannot {action} {}", path.display());
        move |error| Failure::Error(format!("{what}: {error}"))
    }

    /// For `map_err`: the text of the error, after the file that it is about.
    pub(crate) fn at<E: Display>(path: &Path) -> impl Fn(E) -> Failure {
        let path = path.display().to_string();
        move |error| Failure::Error(format!("{path}: {error}"))
    }

    /// A failed write to standard output.
    pub(crate) fn standard_output(error: io::Error) -> Failure {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::OutputClosed,
            _ => Failure::Error(format!("cannot write to standard output: {error}")),
        }
    }

    /// What the user is told, if anything.
    pub(crate) fn message(&self) -> Option<String> {
        match self {
            Failure::Error(text) | Failure::Usage(text) => Some(format!("error: {text}")),
            Failure::OutputClosed => None,
            Failure::Interrupted(text) => Some(text.clone()),
        }
    }

    /// What the shell is told.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Failure::Error(_) => 1,
            Failure::Usage(_) => 2,
            Failure::OutputClosed => 0,
            Failure::Interrupted(_) => INTERRUPTED,
        }
    }
}

impl From<gristmill_io::Error> for Failure {
    fn from(error: gristmill_io::Error) -> Failure {
        match error {
            gristmill_io::Error::Interrupted => {
                Failure::Interrupted("interrupted; nothing was written".to_owned())
            }
            gristmill_io::Error::Options(text) => Failure::Usage(text),
            error => Failure::Error(error.to_string()),
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Failure {
        Failure::Usage(error.to_string())
    }
}

impl From<TrainError> for Failure {
    fn from(error: TrainError) -> Failure {
        match error {
            TrainError::Config(error) => error.into(),
            error => Failure::Error(error.to_string()),
        }
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Failure {
        match error {
            RunError::Train(error) => error.into(),
            error => Failure::Error(error.to_string()),
        }
    }
}

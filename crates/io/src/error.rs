//! The one error type of this crate. Every variant names the file; its text says what to do.

use crate::kind::FileKind;
use crate::shown::{shown, shown_lines, shown_path};
use std::fmt;
use std::path::{Path, PathBuf};

/// What every fallible function of this crate returns.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a file could not be read, written or understood.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused.
    #[error("cannot {action} {}: {}", shown_path(.path), shown_lines(&.source.to_string()))]
    Io {
        /// What was tried, as in "cannot {action} FILE".
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The file is something else than what was asked for.
    #[error("{} is not a gristmill {expected}{}", shown_path(.path), .found.map_or(String::new(), |k| format!(" but a {k}")))]
    WrongKind {
        /// The file.
        path: PathBuf,
        /// What was asked for.
        expected: FileKind,
        /// What it is, where that is known.
        found: Option<FileKind>,
    },
    /// The file was written by another version of this program.
    #[error("{} has format version {found}, this program reads {}: use the program that wrote it, or make the file anew", shown_path(.path), versions(*.supported))]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The latest version understood here.
        supported: u32,
    },
    /// The bytes of one of our own files are not what was written.
    #[error("{} is damaged: {}", shown_path(.path), shown_lines(.reason))]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Which check failed and where.
        reason: String,
    },
    /// Someone changed the file while it was in use.
    #[error("{} was changed while it was in use: {reason}; bring back what was there, or start anew with what is there now", shown_path(.path))]
    Changed {
        /// The file.
        path: PathBuf,
        /// What is different.
        reason: String,
    },
    /// A source has something in it that cannot be used.
    #[error("{}{place}: {}", shown_path(.path), shown_lines(.reason))]
    Input {
        /// The source.
        path: PathBuf,
        /// Where in it.
        place: Place,
        /// What was found, what was expected and what to do.
        reason: String,
    },
    /// Whoever follows the progress asked to stop.
    #[error("interrupted")]
    Interrupted,
    /// An option that nothing knows, or a value that it cannot have.
    #[error("{}", shown_lines(.0))]
    Options(String),
    /// Values that contradict each other or what is in the files.
    #[error("{}", shown_lines(.0))]
    Invalid(String),
}

fn versions(latest: u32) -> String {
    if latest == 1 { "version 1".to_owned() } else { format!("versions 1 to {latest}") }
}

impl Error {
    /// For `map_err` on an I/O result: "cannot {action} {path}: ...".
    pub(crate) fn io<'a>(
        action: &'static str,
        path: &'a Path,
    ) -> impl Fn(std::io::Error) -> Error + 'a {
        move |source| Error::Io { action, path: path.to_owned(), source }
    }

    pub(crate) fn damaged(path: &Path, reason: impl Into<String>) -> Error {
        Error::Damaged { path: path.to_owned(), reason: reason.into() }
    }

    pub(crate) fn changed(path: &Path, reason: impl Into<String>) -> Error {
        Error::Changed { path: path.to_owned(), reason: reason.into() }
    }

    pub(crate) fn input(path: &Path, place: Place, reason: impl Into<String>) -> Error {
        Error::Input { path: path.to_owned(), place, reason: reason.into() }
    }
}

/// Where in a source: its parts are shown where they are known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// Line of a text file or row of a binary one, counted from 1.
    pub row: Option<RowNumber>,
    /// The column's name.
    pub column: Option<String>,
}

/// A row as its source's editor would count it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowNumber {
    /// Line of a text file, from 1, the header included.
    Line(u64),
    /// Row of a binary file, from 1.
    Row(u64),
}

impl Place {
    /// The whole file.
    pub const FILE: Place = Place { row: None, column: None };

    /// A line or row.
    pub fn row(row: RowNumber) -> Place {
        Place { row: Some(row), column: None }
    }

    /// A line or row, and a column.
    pub fn cell(row: RowNumber, column: &str) -> Place {
        Place { row: Some(row), column: Some(column.to_owned()) }
    }

    /// A whole column.
    pub fn column(column: &str) -> Place {
        Place { row: None, column: Some(column.to_owned()) }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.row {
            Some(RowNumber::Line(n)) => write!(f, ", line {n}")?,
            Some(RowNumber::Row(n)) => write!(f, ", row {n}")?,
            None => {}
        }
        match &self.column {
            Some(name) => write!(f, ", column \"{}\"", shown(name)),
            None => Ok(()),
        }
    }
}

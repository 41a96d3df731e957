//! Importing: any readable tables in, one `.grist` data set out.

use crate::dtype::Dtype;
use crate::error::{Error, Result};
use crate::schema::Encoding;
use std::path::{Path, PathBuf};

/// What is predicted: a class or numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// A class per row.
    Classify,
    /// One or more numbers per row.
    Regress,
}

/// What to do about missing values of input columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Missing {
    /// Stop with an error that names the first.
    #[default]
    Error,
    /// Put the column's mean in place of a number; make missing text a category of its own.
    Mean,
}

/// How sources are to be read. The default asks for nothing in particular: all is found out.
#[derive(Debug, Clone, Default)]
pub struct ImportOptions {
    /// Name of the format; else it is recognised by content, then by extension.
    pub format: Option<String>,
    /// Whether the first record is a header; else it is recognised.
    pub header: Option<bool>,
    /// Target columns. None given: a column named `target`, `label`, `class` or `y`, else the last.
    pub target: Vec<String>,
    /// What is predicted. Not given: a class if the single target column is text, or has at most
    /// 100 different whole numbers that each occur twice on average; else numbers.
    pub task: Option<Task>,
    /// The column that holds the weight of each row.
    pub weights: Option<String>,
    /// Columns to leave out.
    pub drop: Vec<String>,
    /// What to do about missing input values.
    pub missing: Missing,
    /// How to store features; else the narrowest type that loses nothing.
    pub dtype: Option<Dtype>,
}

/// Where the encoding of columns as features comes from.
#[derive(Debug, Clone)]
pub enum Plan<'a> {
    /// It is learned from the sources themselves.
    Learn(ImportOptions),
    /// It is given, as a model's: columns are matched by name, others are ignored.
    Fixed {
        /// The encoding.
        encoding: &'a Encoding,
        /// Whether the target is to be read; else the data set has none and the column may be absent.
        with_target: bool,
        /// Only `format`, `header`, `weights` and `dtype` matter.
        options: ImportOptions,
    },
}

/// What an import made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportSummary {
    /// Rows written.
    pub rows: u64,
    /// Features per row.
    pub features: usize,
    /// How they are stored.
    pub dtype: Dtype,
    /// Missing values that were filled in.
    pub filled: u64,
}

/// Is told how far an import is. `()` does nothing.
pub trait ImportProgress: Sync {
    /// Before the first byte: how many will be read, all passes together.
    fn begin(&self, total_bytes: u64) {
        let _ = total_bytes;
    }

    /// Now and then: how many bytes were read and rows written so far.
    fn advance(&self, bytes_done: u64, rows_done: u64) {
        let _ = (bytes_done, rows_done);
    }
}

impl ImportProgress for () {}

/// Imports `sources`, one after the other, as the data set `output`.
///
/// # Errors
/// A source cannot be read or has something in it that cannot be used, or `output` cannot be written;
/// `output` is then as it was before.
pub fn import(
    sources: &[PathBuf],
    output: &Path,
    plan: &Plan,
    progress: &dyn ImportProgress,
) -> Result<ImportSummary> {
    let _ = (sources, output, plan, progress);
    Err(Error::Invalid("import is not yet wired to the formats".to_owned()))
}

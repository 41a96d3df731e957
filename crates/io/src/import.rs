//! Importing: any readable tables in, one `.grist` data set out.
//!
//! An encoding is given or learned in a first pass (`learn`); then rows are encoded by it (`encode`)
//! and written. Both passes run on all cores and hold a bounded number of chunks (`pipeline`).

mod columns;
mod encode;
mod learn;
mod memory;
mod pipeline;
mod preview;

use crate::choice::FormatChoice;
use crate::dtype::Dtype;
use crate::error::{Error, Place, Result};
use crate::format::{self, ReadOptions, Table};
use crate::schema::{Encoding, Target};
use crate::source::{Source, expand};
use crate::writer::{DatasetWriter, Layout};
use encode::Encoder;
use memory::Budget;
pub use preview::preview;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

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
    /// The format; else it is recognised by content, then by extension.
    pub format: FormatChoice,
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
    /// Most bytes of memory that the process may come to use, at least [`ImportOptions::LEAST_MEMORY`];
    /// else a few MiB for each thread. Does not count what a single record may need beyond 1 MiB.
    pub memory: Option<u64>,
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

/// Is told how far an import, or another operation on a data set, is. `()` does nothing.
pub trait ImportProgress: Sync {
    /// Before the first byte: how many will be read, all passes together.
    fn begin(&self, total_bytes: u64) {
        let _ = total_bytes;
    }

    /// Now and then: how many bytes were read and rows written so far.
    fn advance(&self, bytes_done: u64, rows_done: u64) {
        let _ = (bytes_done, rows_done);
    }

    /// Whether to stop: the operation then ends soon with [`Error::Interrupted`] and leaves nothing.
    fn is_interrupted(&self) -> bool {
        false
    }
}

impl ImportProgress for () {}

/// Tells how far it is; the error is that of an interruption.
pub(crate) fn advance(progress: &dyn ImportProgress, bytes: u64, rows: u64) -> Result<()> {
    progress.advance(bytes, rows);
    match progress.is_interrupted() {
        true => Err(Error::Interrupted),
        false => Ok(()),
    }
}

/// Imports `sources`, one after the other, as the data set `output`. A source that is no file but a
/// pattern, such as `part-*.csv`, stands for the files that match it, in the order of their names.
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
    // An interruption also ends plugins: what they fail with then is not the cause.
    import_all(sources, output, plan, progress).map_err(|error| match progress.is_interrupted() {
        true => Error::Interrupted,
        false => error,
    })
}

fn import_all(
    sources: &[PathBuf],
    output: &Path,
    plan: &Plan,
    progress: &dyn ImportProgress,
) -> Result<ImportSummary> {
    if sources.is_empty() {
        return Err(Error::Invalid("no source is given".to_owned()));
    }
    let (options, learns) = match plan {
        Plan::Learn(options) => (options, true),
        Plan::Fixed { options, .. } => (options, false),
    };
    let known = match plan {
        Plan::Learn(_) => Vec::new(),
        Plan::Fixed { encoding, .. } => encoding.inputs.iter().map(|i| i.name.clone()).collect(),
    };
    let sources = expand(sources)?;
    let budget = Budget::of(options.memory)?;
    let input = Input::new(&sources, options, known, budget, progress);
    progress.begin(input.length()? * if learns { 2 } else { 1 });
    let encoding = match plan {
        Plan::Learn(options) => learn::learn(&input, options)?,
        Plan::Fixed { encoding, with_target, .. } => {
            let target = if *with_target { encoding.target.clone() } else { Target::None };
            Encoding { inputs: encoding.inputs.clone(), target }
        }
    };
    let weights = options.weights.as_deref();
    let layout =
        Layout { encoding: encoding.clone(), dtype: options.dtype, weighted: weights.is_some() };
    let mut writer = DatasetWriter::create(output, layout)?;
    writer.limit_memory(budget.writer_bytes());
    input.for_each_table(|mut table, path| {
        let before = writer.rows();
        let encoder = Encoder::new(&table, path, &encoding, weights)?;
        let bytes = budget.chunk_bytes(&table, encoding.features());
        pipeline::run(
            &mut table,
            encoder.wanted(),
            bytes,
            |batch| encoder.encode(batch),
            |rows| {
                writer.push(&rows)?;
                input.advance(writer.rows())
            },
        )?;
        if writer.rows() == before {
            return Err(Error::input(path, Place::FILE, "has no rows"));
        }
        Ok(())
    })?;
    writer.finish()
}

/// The sources of an import, which are opened anew for every pass.
struct Input<'a> {
    sources: Vec<Source>,
    options: &'a ImportOptions,
    known: Vec<String>,
    budget: Budget,
    bytes_read: Arc<AtomicU64>,
    progress: &'a dyn ImportProgress,
}

impl<'a> Input<'a> {
    fn new(
        paths: &[PathBuf],
        options: &'a ImportOptions,
        known: Vec<String>,
        budget: Budget,
        progress: &'a dyn ImportProgress,
    ) -> Input<'a> {
        let bytes_read = Arc::default();
        let sources = paths.iter().map(|path| Source::new(path, &bytes_read)).collect();
        Input { sources, options, known, budget, bytes_read, progress }
    }

    /// Bytes of all sources together.
    fn length(&self) -> Result<u64> {
        self.sources.iter().map(Source::length).sum()
    }

    fn advance(&self, rows: u64) -> Result<()> {
        advance(self.progress, self.bytes_read.load(Ordering::Relaxed), rows)
    }

    /// Opens one table after the other, each with the path that errors about it name. A table without a
    /// header has the column names of the first one, if it has as many columns.
    fn for_each_table(&self, mut each: impl FnMut(Table, &Path) -> Result<()>) -> Result<()> {
        let mut read = ReadOptions { header: self.options.header, known: self.known.clone() };
        let mut first: Option<Vec<format::Column>> = None;
        let mut rest = &self.sources[..];
        while let Some(source) = rest.first() {
            let mut table = format::open(rest, &self.options.format, &read)?;
            columns::check_names(&table, source.path())?;
            let first = first.get_or_insert_with(|| table.columns.clone());
            if self.known.is_empty() {
                read.known = first.iter().map(|column| column.name.clone()).collect();
            }
            if !table.named && table.columns.len() == first.len() {
                for (column, first) in table.columns.iter_mut().zip(first) {
                    column.name.clone_from(&first.name);
                }
            }
            rest = &rest[table.sources..];
            each(table, source.path())?;
        }
        Ok(())
    }
}

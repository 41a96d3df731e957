//! A data set as the table that an exporter writes.

use crate::dataset::Dataset;
use crate::dtype::Dtype;
use crate::error::{Error, Place, Result};
use crate::format::raw_columns::RawColumns;
use crate::format::table::{Chunk, Column, Decoder, Wanted};
use crate::format::values::Batch;
use crate::progress::{ImportProgress, advance};
use crate::schema::{InputKind, Target, Vocabulary};
use rayon::prelude::*;
use std::io::{self, Write};
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

/// Values in a batch of rows.
const BATCH_VALUES: usize = 1 << 20;
/// Rows in a batch, for narrow data.
const BATCH_ROWS: usize = 1 << 16;
/// Bytes that a value counts for.
const VALUE: u64 = 4;

/// Writes a table. What it writes is complete when it returns.
pub type Exporter = fn(&Exported, &mut (dyn Write + Send)) -> Result<()>;

/// A data set as a table to be written.
pub struct Exported<'a> {
    dataset: &'a Dataset,
    raw: RawColumns<&'a Dataset>,
    columns: Vec<Column>,
    output: &'a Path,
    file_name: &'a str,
    progress: &'a dyn ImportProgress,
    /// Values written, of all columns together.
    done: AtomicU64,
}

impl<'a> Exported<'a> {
    pub(super) fn new(
        dataset: &'a Dataset,
        output: &'a Path,
        file_name: &'a str,
        progress: &'a dyn ImportProgress,
    ) -> Exported<'a> {
        let (columns, raw) = RawColumns::of(dataset);
        progress.begin(dataset.rows() * columns.len() as u64 * VALUE);
        Exported { dataset, raw, columns, output, file_name, progress, done: AtomicU64::new(0) }
    }

    /// The file's name in lower case, without the ending of a compression.
    pub fn file_name(&self) -> &str {
        self.file_name
    }

    /// Number of rows.
    pub fn rows(&self) -> u64 {
        self.dataset.rows()
    }

    /// All columns: inputs, targets, weights.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The columns of inputs that are no targets as well.
    pub fn inputs(&self) -> Range<usize> {
        let encoding = self.dataset.encoding();
        0..encoding.inputs.len() - encoding.kept_targets().len()
    }

    /// The columns of targets.
    pub fn targets(&self) -> Range<usize> {
        let start = self.inputs().end;
        start..self.columns.len() - usize::from(self.dataset.has_weights())
    }

    /// The column of weights.
    pub fn weights(&self) -> Option<usize> {
        self.dataset.has_weights().then(|| self.columns.len() - 1)
    }

    /// The narrowest type known to hold a column of numbers.
    pub fn dtype(&self, column: usize) -> Dtype {
        match self.input(column) {
            // A number that is not known is written as missing, which bytes are not.
            Some(InputKind::Index { .. } | InputKind::Text(_)) | None => Dtype::F32,
            Some(InputKind::Number { .. } | InputKind::OneHot { .. }) => self.dataset.dtype(),
        }
    }

    /// What a column is that is an input alone.
    fn input(&self, column: usize) -> Option<&InputKind> {
        let inputs = &self.dataset.encoding().inputs[self.inputs()];
        inputs.get(column).map(|input| &input.kind)
    }

    /// The different texts of a column; none for numbers.
    pub fn texts(&self, column: usize) -> &[String] {
        match (self.input(column), &self.dataset.encoding().target) {
            (Some(InputKind::OneHot { categories }), _) => categories,
            (Some(InputKind::Index { vocabulary: Vocabulary::Names(names) }), _) => names,
            (None, Target::Classes { names, .. }) if self.targets().contains(&column) => names,
            _ => &[],
        }
    }

    /// Gives the rows of some columns in batches to `encode`, on all cores, and what comes of them to `sink`,
    /// in order.
    ///
    /// # Errors
    /// Those of `encode` and `sink`, and of a damaged data set.
    pub fn for_each_batch<T: Send>(
        &self,
        columns: Range<usize>,
        encode: impl Fn(&Batch) -> Result<T> + Sync,
        mut sink: impl FnMut(T) -> Result<()>,
    ) -> Result<()> {
        let wanted: Vec<Wanted> =
            columns.map(|column| Wanted::new(column, self.columns[column].kind)).collect();
        let batch_rows = (BATCH_VALUES / self.dataset.features()).clamp(1, BATCH_ROWS);
        let starts: Vec<u64> = (0..self.rows()).step_by(batch_rows).collect();
        for starts in starts.chunks(2 * rayon::current_num_threads()) {
            let encode = |start: &u64| -> Result<(T, u64)> {
                let rows = (self.rows() - start).min(batch_rows as u64);
                let mut chunk = Chunk::records(Vec::new(), start + 1, rows as usize);
                Ok((encode(&self.raw.decode(&mut chunk, &wanted)?)?, rows))
            };
            let encoded: Vec<Result<(T, u64)>> = starts.par_iter().map(encode).collect();
            for batch in encoded {
                let (batch, rows) = batch?;
                sink(batch)?;
                let values = rows * wanted.len() as u64;
                let done = self.done.fetch_add(values, Ordering::Relaxed) + values;
                advance(self.progress, done * VALUE, done / self.columns.len() as u64)?;
            }
        }
        Ok(())
    }

    /// The file to be written.
    pub fn output(&self) -> &Path {
        self.output
    }

    /// For `map_err` on what is written.
    pub fn failed(&self) -> impl Fn(io::Error) -> Error {
        Error::io("write", self.output)
    }

    /// An error about a column that cannot be written.
    pub fn refuse(&self, column: usize, reason: &str) -> Error {
        let place = Place::column(&self.columns[column].name);
        Error::input(self.dataset.path(), place, reason)
    }
}

/// Appends a number as the shortest text that reads back to the bit.
pub(crate) fn write_number(out: &mut Vec<u8>, number: f32) {
    let size = number.abs();
    let written = if size == 0.0 || (1e-5..1e16).contains(&size) {
        write!(out, "{number}")
    } else {
        write!(out, "{number:e}")
    };
    debug_assert!(written.is_ok(), "writing to memory does not fail");
}

//! A table of Arrow's record batches, wherever they come from.

use crate::error::{Error, Place, Result};
use crate::format::columnar::{self, Decoded};
use crate::format::table::{Chunk, Chunks, Column, Table, Wanted};
use crate::format::values::Values;
use crate::source::Source;
use arrow_array::RecordBatch;
use arrow_schema::Schema;
use rayon::prelude::*;

/// Bytes of a value in a chunk.
const VALUE: usize = 4;

/// Record batches of one schema, in order.
pub(crate) trait Batches: Send {
    fn schema(&self) -> &Schema;

    /// The next batch, of the columns at ascending positions; `None` at the end. Its first row is `first`.
    fn next_batch(&mut self, projection: &[usize], first: u64) -> Result<Option<RecordBatch>>;
}

/// The batches of a source as a table.
pub(crate) fn table(source: &Source, batches: Box<dyn Batches>) -> Result<Table> {
    let path = source.path();
    let columns = columnar::columns(batches.schema());
    if columns.is_empty() {
        return Err(Error::input(path, Place::FILE, "has no columns"));
    }
    Ok(Table {
        hints: columnar::hints(batches.schema(), &columns),
        likely_targets: columnar::likely_targets(batches.schema(), &columns),
        named: true,
        sources: 1,
        record_bytes: VALUE * columns.len(),
        decoder: Box::new(Decoded { path: path.to_owned() }),
        chunks: Box::new(BatchChunks {
            source: source.clone(),
            batches,
            columns: columns.clone(),
            wanted: Vec::new(),
            projection: Vec::new(),
            batch: None,
            next: 0,
        }),
        columns,
    })
}

struct BatchChunks {
    source: Source,
    batches: Box<dyn Batches>,
    columns: Vec<Column>,
    wanted: Vec<Wanted>,
    /// The columns wanted, ascending, each once.
    projection: Vec<usize>,
    /// What is left of the batch read last.
    batch: Option<RecordBatch>,
    next: u64,
}

impl Chunks for BatchChunks {
    fn select(&mut self, wanted: &[Wanted]) -> Result<()> {
        columnar::check_wanted(self.source.path(), self.batches.schema(), wanted)?;
        self.wanted = wanted.to_vec();
        self.projection = wanted.iter().map(|wanted| wanted.column).collect();
        self.projection.sort_unstable();
        self.projection.dedup();
        Ok(())
    }

    fn next_chunk(&mut self, bytes: usize) -> Result<Option<Chunk>> {
        let first = self.next + 1;
        let batch = loop {
            match self.batch.take() {
                Some(batch) if batch.num_rows() > 0 => break batch,
                _ => {}
            }
            match self.batches.next_batch(&self.projection, first)? {
                Some(batch) => self.batch = Some(batch),
                None => return Ok(None),
            }
        };
        let rows = (bytes / (VALUE * self.columns.len())).clamp(1, batch.num_rows());
        let part = batch.slice(0, rows);
        self.batch = Some(batch.slice(rows, batch.num_rows() - rows));
        let decode = |wanted: &Wanted| {
            let column = self.projection.binary_search(&wanted.column).unwrap_or_default();
            let name = &self.columns[wanted.column].name;
            columnar::values(self.source.path(), name, first, part.column(column), wanted.kind)
        };
        let columns = self.wanted.par_iter().map(decode).collect::<Result<Vec<Values>>>()?;
        self.next += rows as u64;
        Ok(Some(Chunk { bytes: Vec::new(), columns, first, rows }))
    }
}

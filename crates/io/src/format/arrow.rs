//! Arrow IPC: streams, and files (Feather version 2), which are a stream between two magics. A file is
//! mapped and its columns used where they lie; a stream may be compressed as a whole too.

mod message;
mod write;

use super::columnar::{self, Decoded};
use super::{Chunk, Chunks, Column, Format, ReadOptions, Table, Values, Wanted, customary_target};
use crate::error::{Error, Place, Result, RowNumber};
use crate::export::Exporter;
use crate::source::Source;
use arrow_array::RecordBatch;
use message::Messages;
use rayon::prelude::*;

/// The format.
pub(super) struct Arrow;

/// Bytes of a value in a chunk.
const VALUE: usize = 4;

impl Format for Arrow {
    fn name(&self) -> &'static str {
        "arrow"
    }

    fn description(&self) -> &'static str {
        "Apache Arrow IPC files and streams, Feather version 2"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["arrow", "feather", "ipc", "arrows"]
    }

    fn is_mine(&self, head: &[u8]) -> bool {
        head.starts_with(message::FILE_MAGIC) || message::begins_stream(head)
    }

    fn open(&self, sources: &[Source], _: &ReadOptions) -> Result<Table> {
        let source = &sources[0];
        let path = source.path();
        let refuse = |reason: String| Error::input(path, Place::FILE, reason);
        let messages = Messages::open(source)?;
        let columns = columnar::columns(messages.schema());
        if columns.is_empty() {
            return Err(refuse("has no columns".to_owned()));
        }
        Ok(Table {
            likely_target: customary_target(&columns),
            named: true,
            sources: 1,
            record_bytes: VALUE * columns.len(),
            chunks: Box::new(ArrowChunks {
                source: source.clone(),
                messages,
                columns: columns.clone(),
                wanted: Vec::new(),
                projection: Vec::new(),
                batch: None,
                next: 0,
            }),
            decoder: Box::new(Decoded { path: path.to_owned() }),
            columns,
        })
    }

    fn exporter(&self) -> Option<Exporter> {
        Some(write::export)
    }
}

struct ArrowChunks {
    source: Source,
    messages: Messages,
    columns: Vec<Column>,
    wanted: Vec<Wanted>,
    /// The columns wanted, ascending, each once.
    projection: Vec<usize>,
    /// What is left of the batch read last.
    batch: Option<RecordBatch>,
    next: u64,
}

impl Chunks for ArrowChunks {
    fn select(&mut self, wanted: &[Wanted]) -> Result<()> {
        columnar::check_wanted(self.source.path(), self.messages.schema(), wanted)?;
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
            let next = self.messages.next_batch(&self.projection).map_err(|reason| {
                Error::input(self.source.path(), Place::row(RowNumber::Row(first)), reason)
            })?;
            match next {
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

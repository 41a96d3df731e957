//! Parquet. Only the columns wanted are read, each by a reader of its own, all at the same time: a row
//! group may be larger than memory, but of every column there is no more than a page of it decoded.

mod write;

use super::caught::caught;
use super::columnar::{self, Decoded};
use super::interface::{Format, ReadOptions};
use super::mapped;
use super::table::{Chunk, Chunks, Column, Table, Wanted};
use super::values::Values;
use crate::error::{Error, Place, Result, RowNumber};
use crate::export::table::Exporter;
use crate::source::Source;
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader,
    ParquetRecordBatchReaderBuilder,
};
use rayon::prelude::*;
use std::fmt::Display;

/// The format.
pub(super) struct Parquet;

const MAGIC: &[u8] = b"PAR1";
/// Bytes of a value in a chunk.
const VALUE: usize = 4;

impl Format for Parquet {
    fn name(&self) -> &'static str {
        "parquet"
    }

    fn description(&self) -> &'static str {
        "Apache Parquet"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["parquet", "pq"]
    }

    fn is_mine(&self, head: &[u8]) -> bool {
        head.starts_with(MAGIC)
    }

    fn is_stream(&self) -> bool {
        false
    }

    fn open(&self, sources: &[Source], _: &ReadOptions) -> Result<Table> {
        let source = &sources[0];
        let path = source.path();
        let bytes = mapped::map(source)?;
        let refuse = |reason: String| Error::input(path, Place::FILE, reason);
        let load = || ArrowReaderMetadata::load(&bytes, ArrowReaderOptions::new());
        let metadata = sound(load).map_err(|e| refuse(format!("is no sound Parquet file: {e}")))?;
        let columns = columnar::columns(metadata.schema());
        let rows = u64::try_from(metadata.metadata().file_metadata().num_rows())
            .map_err(|_| refuse("claims a negative number of rows".to_owned()))?;
        if columns.is_empty() {
            return Err(refuse("has no columns".to_owned()));
        }
        Ok(Table {
            hints: columnar::hints(metadata.schema(), &columns),
            likely_targets: columnar::likely_targets(metadata.schema(), &columns),
            named: true,
            sources: 1,
            record_bytes: VALUE * columns.len(),
            chunks: Box::new(ParquetChunks {
                source: source.clone(),
                bytes,
                metadata,
                columns: columns.clone(),
                readers: Vec::new(),
                wanted: Vec::new(),
                rows,
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

struct ParquetChunks {
    source: Source,
    bytes: Bytes,
    metadata: ArrowReaderMetadata,
    columns: Vec<Column>,
    wanted: Vec<Wanted>,
    /// One per column wanted, made for the first chunk.
    readers: Vec<ParquetRecordBatchReader>,
    rows: u64,
    next: u64,
}

impl Chunks for ParquetChunks {
    fn select(&mut self, wanted: &[Wanted]) -> Result<()> {
        columnar::check_wanted(self.source.path(), self.metadata.schema(), wanted)?;
        self.wanted = wanted.to_vec();
        Ok(())
    }

    fn next_chunk(&mut self, bytes: usize) -> Result<Option<Chunk>> {
        if self.next == self.rows {
            return Ok(None);
        }
        if self.readers.is_empty() {
            let rows = (bytes / (VALUE * self.columns.len())).max(1);
            let reader = |wanted: &Wanted| self.reader(wanted.column, rows);
            self.readers = self.wanted.iter().map(reader).collect::<Result<_>>()?;
        }
        let (source, columns, first) = (&self.source, &self.columns, self.next + 1);
        let decoded = self.readers.par_iter_mut().zip(&self.wanted).map(|(reader, wanted)| {
            column(source, &columns[wanted.column].name, first, reader, *wanted)
        });
        let decoded = decoded.collect::<Result<Vec<Values>>>()?;
        let rows = decoded.first().map_or(0, Values::len);
        self.next += rows as u64;
        if rows == 0 || self.next > self.rows {
            let reason = format!("the data end here, but {} rows are promised", self.rows);
            let place = Place::row(RowNumber::Row(first));
            return Err(Error::input(self.source.path(), place, reason));
        }
        // Progress is by rows: which bytes they lie in is not known.
        let share = u128::from(self.bytes.len() as u64) * rows as u128 / u128::from(self.rows);
        self.source.count(share as u64);
        Ok(Some(Chunk { bytes: Vec::new(), columns: decoded, first, rows }))
    }
}

impl ParquetChunks {
    /// Reads one column, so many rows at a time.
    fn reader(&self, column: usize, rows: usize) -> Result<ParquetRecordBatchReader> {
        let mask = ProjectionMask::roots(self.metadata.parquet_schema(), [column]);
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(
            self.bytes.clone(),
            self.metadata.clone(),
        );
        let build = || builder.with_projection(mask).with_batch_size(rows).build();
        sound(build).map_err(|error| {
            let place = Place::column(&self.columns[column].name);
            Error::input(self.source.path(), place, format!("cannot be read: {error}"))
        })
    }
}

/// The next rows of a column; none at its end.
fn column(
    source: &Source,
    name: &str,
    first: u64,
    reader: &mut ParquetRecordBatchReader,
    wanted: Wanted,
) -> Result<Values> {
    let batch = sound(|| reader.next().transpose()).map_err(|error| {
        let place = Place::cell(RowNumber::Row(first), name);
        Error::input(source.path(), place, format!("cannot be read: {error}"))
    })?;
    let Some(batch) = batch else { return Ok(Values::new(wanted.kind)) };
    columnar::values(source.path(), name, first, batch.column(0), wanted.kind)
}

/// Reads what may be damaged; the error says why it cannot be read.
fn sound<T, E: Display>(
    read: impl FnOnce() -> std::result::Result<T, E>,
) -> std::result::Result<T, String> {
    caught(read)?.map_err(|error| error.to_string())
}

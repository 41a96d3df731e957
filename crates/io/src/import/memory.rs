//! How much of a source is in memory at a time, so that an import keeps to the memory it was given.

use super::options::ImportOptions;
use super::pipeline;
use crate::error::{Error, Result};
use crate::format::table::Table;

/// Most bytes of a chunk of the source...
const CHUNK_BYTES: usize = 1 << 19;
/// ... and about as many values as the features of a chunk may become.
const CHUNK_VALUES: usize = 1 << 20;
/// What a process needs before it has read anything, and what its threads' allocators keep.
const BASE: u64 = 16 << 20;
/// A chunk of text takes up to this many times its bytes: as text, columns, rows and stored features.
const GROWTH: u64 = 12;

/// The memory of an import, divided among its parts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Budget {
    /// Bytes of a chunk, where a value of a feature takes about as much.
    chunk: usize,
    writer: usize,
}

impl Budget {
    pub(super) fn of(memory: Option<u64>) -> Result<Budget> {
        let Some(memory) = memory else {
            return Ok(Budget { chunk: CHUNK_BYTES, writer: usize::MAX });
        };
        if memory < ImportOptions::LEAST_MEMORY {
            return Err(Error::Options(format!(
                "{memory} bytes of memory are too few to import in: allow at least {} MiB",
                ImportOptions::LEAST_MEMORY >> 20
            )));
        }
        let free = memory - BASE;
        // One half each, for the chunks in flight and for the writer's blocks.
        let chunks = pipeline::chunks_in_flight() as u64;
        let chunk = (free / 2 / (chunks * GROWTH)).clamp(1 << 12, CHUNK_BYTES as u64) as usize;
        Ok(Budget { chunk, writer: (free / 2) as usize })
    }

    /// Bytes of a chunk whose rows become `features` features each: wide one-hot columns must not become
    /// gigabytes at once.
    pub(super) fn chunk_bytes(self, table: &Table, features: usize) -> usize {
        let values = CHUNK_VALUES.min(self.chunk);
        let rows = (values / features).max(1);
        rows.saturating_mul(table.record_bytes).min(self.chunk)
    }

    /// Bytes of a chunk of which few columns are decoded.
    pub(super) fn sparse_chunk_bytes(self) -> usize {
        self.chunk
    }

    /// Bytes of the rows that the writer gathers before it writes them.
    pub(super) fn writer_bytes(self) -> usize {
        self.writer
    }
}

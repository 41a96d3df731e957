//! Arrow IPC: streams, and files (Feather version 2), which are a stream between two magics. A file is
//! mapped and its columns used where they lie; a stream may be compressed as a whole too.

mod batches;
mod message;
mod write;

pub(crate) use batches::{Batches, table};
pub(crate) use message::Messages;

use super::interface::{Format, ReadOptions};
use super::table::Table;
use crate::error::{Error, Place, Result, RowNumber};
use crate::export::table::Exporter;
use crate::source::Source;
use arrow_array::RecordBatch;
use arrow_schema::Schema;

/// The format.
pub(super) struct Arrow;

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
        let messages = Messages::open(source)?;
        table(source, Box::new(FileBatches { source: source.clone(), messages }))
    }

    fn exporter(&self) -> Option<Exporter> {
        Some(write::export)
    }
}

/// The batches of a file.
struct FileBatches {
    source: Source,
    messages: Messages,
}

impl Batches for FileBatches {
    fn schema(&self) -> &Schema {
        self.messages.schema()
    }

    fn next_batch(&mut self, projection: &[usize], first: u64) -> Result<Option<RecordBatch>> {
        self.messages.next_batch(projection).map_err(|reason| {
            Error::input(self.source.path(), Place::row(RowNumber::Row(first)), reason)
        })
    }
}

//! Our own data sets as a source: the raw columns are recovered from the stored features, so that a data
//! set can be encoded again as another model wants it.

use super::interface::{Format, ReadOptions};
use super::raw_columns::RawColumns;
use super::table::{Chunk, Chunks, Hints, Table};
use crate::dataset::Dataset;
use crate::error::Result;
use crate::frame::MAGIC;
use crate::schema::{InputColumn, InputKind};
use crate::source::Source;
use std::sync::Arc;

/// The format.
pub(super) struct Grist;

impl Format for Grist {
    fn name(&self) -> &'static str {
        "grist"
    }

    fn description(&self) -> &'static str {
        "gristmill's own data sets"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["grist"]
    }

    fn is_mine(&self, head: &[u8]) -> bool {
        head.starts_with(&MAGIC)
    }

    fn is_stream(&self) -> bool {
        false
    }

    fn open(&self, sources: &[Source], _: &ReadOptions) -> Result<Table> {
        let source = &sources[0];
        let dataset = Arc::new(Dataset::open(source.path())?);
        dataset.verify()?;
        let (columns, raw) = RawColumns::of(Arc::clone(&dataset));
        let encoding = dataset.encoding();
        let keeps_targets = !encoding.kept_targets().is_empty();
        let inputs = encoding.inputs.len() - encoding.kept_targets().len();
        let targets = encoding.target.columns().len();
        let weights = dataset.has_weights().then(|| columns.len() - 1);
        let is_index = |input: &InputColumn| matches!(input.kind, InputKind::Index { .. });
        let indices = (0..inputs).filter(|&i| is_index(&encoding.inputs[i])).collect();
        let view = dataset.view().map(|view| (0..inputs, view));
        let record_bytes = dataset.features() * dataset.dtype().size();
        let chunks =
            GristChunks { source: source.clone(), rows: dataset.rows(), next: 0, record_bytes };
        Ok(Table {
            columns,
            named: true,
            hints: Hints {
                weights,
                indices,
                keeps_targets,
                is_ragged: dataset.is_ragged(),
                view,
                ..Hints::default()
            },
            likely_targets: (inputs..inputs + targets).collect(),
            sources: 1,
            record_bytes,
            chunks: Box::new(chunks),
            decoder: Box::new(raw),
        })
    }
}

struct GristChunks {
    source: Source,
    rows: u64,
    next: u64,
    record_bytes: usize,
}

impl Chunks for GristChunks {
    fn next_chunk(&mut self, bytes: usize) -> Result<Option<Chunk>> {
        let left = self.rows - self.next;
        if left == 0 {
            return Ok(None);
        }
        let rows = ((bytes / self.record_bytes).max(1) as u64).min(left);
        let first = self.next + 1;
        self.next += rows;
        self.source.count(rows * self.record_bytes as u64);
        Ok(Some(Chunk::records(Vec::new(), first, rows as usize)))
    }
}

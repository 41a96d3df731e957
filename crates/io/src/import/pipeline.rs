//! Reading a table on all cores: chunks are cut in order, decoded and worked on in parallel, and what comes
//! of them is taken in order again. A bounded number of chunks is in memory at a time.

use crate::error::Result;
use crate::format::table::{Chunk, Chunks, Decoder, Table, Wanted};
use crate::format::values::Batch;
use memchr::memchr_iter;
use rayon::prelude::*;

/// Chunks read, being worked on, or being taken, at a time.
pub(super) fn chunks_in_flight() -> usize {
    3 * round()
}

/// Chunks that are worked on together.
fn round() -> usize {
    4 * rayon::current_num_threads()
}

/// A chunk of text that was decoded, to be decoded once more.
pub(super) struct Again<'a> {
    decoder: &'a dyn Decoder,
    chunk: &'a Chunk,
}

impl Again<'_> {
    /// The columns `wanted` of the records before line `end`, counted from the first of the chunk.
    pub(super) fn decode(&self, wanted: &[Wanted], end: Option<u32>) -> Result<Batch> {
        let bytes = &self.chunk.bytes;
        let end = match end {
            Some(0) => 0,
            Some(line) => {
                memchr_iter(b'\n', bytes).nth(line as usize - 1).map_or(bytes.len(), |at| at + 1)
            }
            None => bytes.len(),
        };
        let mut part = Chunk::records(bytes[..end].to_vec(), self.chunk.first, 0);
        self.decoder.decode(&mut part, wanted)
    }
}

/// Runs `work` on every batch of a table and gives the results to `sink` in order, while the next
/// batches are worked on. Of several errors the one that comes first in the table is returned.
pub(super) fn run<T: Send>(
    table: &mut Table,
    wanted: &[Wanted],
    chunk_bytes: usize,
    work: impl Fn(&Batch, &Again) -> Result<T> + Sync,
    mut sink: impl FnMut(T) -> Result<()> + Send,
) -> Result<()> {
    let Table { chunks, decoder, .. } = table;
    let (chunks, decoder) = (&mut **chunks, &**decoder);
    chunks.select(wanted)?;
    let count = round();
    let mut ready = read(chunks, count, chunk_bytes);
    let mut done: Vec<Result<T>> = Vec::new();
    while !(ready.is_empty() && done.is_empty()) {
        let is_broken = ready.last().is_some_and(Result::is_err);
        let decode = || -> Vec<Result<T>> {
            let results = ready.into_par_iter().map(|chunk| {
                let mut chunk = chunk?;
                let batch = decoder.decode(&mut chunk, wanted)?;
                work(&batch, &Again { decoder, chunk: &chunk })
            });
            results.collect()
        };
        let take = || -> Result<Vec<Result<Chunk>>> {
            for result in done {
                sink(result?)?;
            }
            // What follows an error is not to be relied on.
            let count = if is_broken { 0 } else { count };
            Ok(read(chunks, count, chunk_bytes))
        };
        let (decoded, next) = rayon::join(decode, take);
        ready = next?;
        done = decoded;
    }
    Ok(())
}

/// The next chunks; an error stands in the place of the chunk that could not be read.
fn read(chunks: &mut dyn Chunks, count: usize, bytes: usize) -> Vec<Result<Chunk>> {
    let mut read = Vec::with_capacity(count);
    while read.len() < count {
        match chunks.next_chunk(bytes) {
            Ok(Some(chunk)) => read.push(Ok(chunk)),
            Ok(None) => break,
            Err(error) => {
                read.push(Err(error));
                break;
            }
        }
    }
    read
}

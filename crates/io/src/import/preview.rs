//! Looking at the first rows of tables without importing them.

use super::options::ImportOptions;
use crate::error::Result;
use crate::format;
use crate::format::table::Wanted;
use crate::format::values::ColumnKind;
use crate::progress::ImportProgress;
use crate::source::{Source, expand};
use crate::subset::check_shown;
use std::path::PathBuf;
use std::sync::Arc;

/// Most bytes of a source that are read at once for a few rows.
const CHUNK_BYTES: usize = 1 << 20;

/// The first rows of tables that follow one another, as texts: the names of the columns, and for each row its
/// values. Tables end where one has other columns. Of the options, those of how tables are read matter; of
/// the progress, its notes.
///
/// # Errors
/// A source that is looked at cannot be read, or has something in it that cannot be understood.
pub fn preview(
    sources: &[PathBuf],
    options: &ImportOptions,
    rows: usize,
    progress: &dyn ImportProgress,
) -> Result<(Vec<String>, Vec<Vec<String>>)> {
    let reading = Arc::default();
    let sources: Vec<Source> =
        expand(sources)?.iter().map(|path| Source::new(path, &reading)).collect();
    let mut read = options.reading(Vec::new());
    let (mut names, mut found) = (Vec::new(), Vec::new());
    let mut rest = &sources[..];
    while !rest.is_empty() && (found.len() < rows || names.is_empty()) {
        let mut table = format::open(rest, &options.format, &read)?;
        for note in table.decoder.notes().iter().filter(|note| note.codes.is_none()) {
            progress.note(&format!("{}: {}", rest[0].path().display(), note.text));
        }
        let wanted: Vec<Wanted> =
            (0..table.columns.len()).map(|column| Wanted::new(column, ColumnKind::Text)).collect();
        let of_table: Vec<String> = table.columns.iter().map(|c| c.name.clone()).collect();
        if names.is_empty() {
            names = of_table;
            read.known.clone_from(&names);
        } else if names != of_table {
            break;
        }
        table.chunks.select(&wanted)?;
        let bytes = rows.saturating_mul(table.record_bytes).clamp(1, CHUNK_BYTES);
        while found.len() < rows
            && let Some(mut chunk) = table.chunks.next_chunk(bytes)?
        {
            let batch = table.decoder.decode(&mut chunk, &wanted)?;
            let count = batch.rows.len().min(rows - found.len());
            let start = found.len();
            check_shown((start + count) as u64, names.len())?;
            found.resize(start + count, Vec::with_capacity(names.len()));
            for values in &batch.columns {
                for (row, text) in found[start..].iter_mut().zip(values.texts()) {
                    row.push(text.to_owned());
                }
            }
        }
        rest = &rest[table.sources..];
    }
    Ok((names, found))
}

//! What is done to the bytes of a fuzzer: they are read to their end as a file of a format. Any error
//! will do that names the file; a panic, a hang or a flood of memory is found.

#![forbid(unsafe_code)]

use gristmill_io::format::{ColumnKind, ReadOptions, Table, Wanted};
use gristmill_io::{Error, FORMATS, MODEL_FORMATS, Source};
use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;
use tempfile::TempDir;

/// Tables of more columns than this are opened and not read: naming them takes all the time.
const MOST_COLUMNS: usize = 4096;

static DIRECTORY: LazyLock<TempDir> = LazyLock::new(|| {
    let memory = tempfile::tempdir_in("/dev/shm");
    memory.or_else(|_| tempfile::tempdir()).expect("there is a place for temporary files")
});

/// Reads a table of this format, in small chunks, every column both as numbers and as text.
pub fn data(format: &str, bytes: &[u8]) {
    let path = DIRECTORY.path().join("file");
    fs::write(&path, bytes).expect("there is memory for a file");
    let format = FORMATS.iter().find(|known| known.name() == format).expect("a format that is read");
    let names_file = |error: Error| assert!(error.to_string().contains(&shown(&path)), "{error}");
    for kind in [ColumnKind::Number, ColumnKind::Text] {
        let sources = [Source::at(&path)];
        let read = format.open(&sources, &ReadOptions::default()).and_then(|t| read(t, kind));
        read.unwrap_or_else(names_file);
    }
}

fn shown(path: &PathBuf) -> String {
    path.display().to_string()
}

fn read(mut table: Table, kind: ColumnKind) -> gristmill_io::Result<()> {
    let columns = table.columns.len();
    if columns > MOST_COLUMNS {
        return Ok(());
    }
    let wanted: Vec<Wanted> = (0..columns).map(|column| Wanted::new(column, kind)).collect();
    table.chunks.select(&wanted)?;
    while let Some(mut chunk) = table.chunks.next_chunk(256)? {
        let batch = table.decoder.decode(&mut chunk, &wanted)?;
        for values in &batch.columns {
            assert_eq!(values.len(), batch.rows.len(), "columns are as long as rows are many");
        }
    }
    Ok(())
}

/// Reads a model of this format; one that is read is written again.
pub fn model(format: &str, bytes: &[u8]) {
    let format =
        MODEL_FORMATS.iter().find(|known| known.name() == format).expect("a format of models");
    let read = format.reader().expect("a format that is read");
    if let Ok(model) = read(bytes)
        && model.validate().is_ok()
        && !model.inputs.is_empty()
        && let Ok(written) = format.write(&model)
    {
        let back = read(&written).expect("what is written is read");
        let again = format.write(&back).expect("what was read is written");
        assert!(again == written, "a model comes back as it was");
    }
}

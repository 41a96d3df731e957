//! Reading and writing small files of text.

use super::error::RunError;
use gristmill_io::{AtomicFile, open};
use std::io::{Read, Write};
use std::path::Path;

/// Reads a small file, which must be a regular one: nobody may ever write to a pipe.
pub(super) fn read(path: &Path) -> Result<String, RunError> {
    let mut text = String::new();
    open(path)?.read_to_string(&mut text).map_err(RunError::io("read", path))?;
    Ok(text)
}

/// Writes a small file as a whole or not at all.
pub(super) fn write(path: &Path, text: &str) -> Result<(), RunError> {
    let mut file = AtomicFile::create(path)?;
    file.write_all(text.as_bytes()).map_err(RunError::io("write", path))?;
    Ok(file.commit()?)
}

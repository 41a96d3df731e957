//! Writing a small file.

use super::error::RunError;
use gristmill_io::AtomicFile;
use std::io::Write;
use std::path::Path;

/// Writes a small file as a whole or not at all.
pub(super) fn write(path: &Path, text: &str) -> Result<(), RunError> {
    let mut file = AtomicFile::create(path)?;
    file.write_all(text.as_bytes()).map_err(RunError::io("write", path))?;
    Ok(file.commit()?)
}

//! How long operations on data sets tell how far they are, and how they are interrupted.

use crate::error::{Error, Result};

/// Is told how far an import, or another operation on a data set, is. `()` does nothing.
pub trait ImportProgress: Sync {
    /// Before the first byte: how many will be read, all passes together.
    fn begin(&self, total_bytes: u64) {
        let _ = total_bytes;
    }

    /// Now and then: how many bytes were read and rows written so far.
    fn advance(&self, bytes_done: u64, rows_done: u64) {
        let _ = (bytes_done, rows_done);
    }

    /// What was guessed or lost and a user should know: a line, once.
    fn note(&self, line: &str) {
        let _ = line;
    }

    /// Whether to stop: the operation then ends soon with [`Error::Interrupted`] and leaves nothing.
    fn is_interrupted(&self) -> bool {
        false
    }
}

impl ImportProgress for () {}

/// Tells how far it is; the error is that of an interruption.
pub(crate) fn advance(progress: &dyn ImportProgress, bytes: u64, rows: u64) -> Result<()> {
    progress.advance(bytes, rows);
    match progress.is_interrupted() {
        true => Err(Error::Interrupted),
        false => Ok(()),
    }
}

//! What a format answers: is this file mine, what are its columns, and how are tables written in it. Which formats
//! there are is the registry's, `format.rs`.

use super::decimal::Decimal;
use super::table::Table;
use crate::error::Result;
use crate::export::table::Exporter;
use crate::source::Source;

/// Bytes of a file that a format is shown to recognise it.
pub(crate) const HEAD: u64 = 4096;

/// A format that data sets can be imported from.
pub trait Format: Sync {
    /// Name as in `--format`.
    fn name(&self) -> &'static str;

    /// What it is, in a line.
    fn description(&self) -> &'static str;

    /// Endings of file names, lower case, without the dot and without that of a compression.
    fn extensions(&self) -> &'static [&'static str];

    /// Whether a file that begins with `head`, decompressed, is of this format.
    fn is_mine(&self, head: &[u8]) -> bool;

    /// Whether no other file begins as one that [`is_mine`](Format::is_mine): the ending of its name is then of no
    /// account.
    fn is_certain(&self) -> bool {
        true
    }

    /// Whether a file says which of its columns are texts, and what they are called: else texts that look like
    /// numbers are read back as numbers, and names as values, unless the user says what they are.
    fn keeps_types(&self) -> bool {
        true
    }

    /// Whether it is found out of each file if it begins with the names of columns, and how numbers are written: a user
    /// may say so.
    fn is_loose(&self) -> bool {
        false
    }

    /// Whether files are read and written from the first byte to the last, so that they may be compressed
    /// as a whole.
    fn is_stream(&self) -> bool {
        true
    }

    /// Opens the first of `sources`, together with those after it that belong to it.
    ///
    /// # Errors
    /// The file cannot be read or is not of this format.
    fn open(&self, sources: &[Source], options: &ReadOptions) -> Result<Table>;

    /// How tables are written in this format, if they are.
    fn exporter(&self) -> Option<Exporter> {
        None
    }
}

/// What a user may say about how a source is read.
#[derive(Debug, Clone, Default)]
pub struct ReadOptions {
    /// Whether the first record is a header; `None` to find out.
    pub header: Option<bool>,
    /// How numbers are written in text; `None` to find out.
    pub decimal: Option<Decimal>,
    /// Texts that stand for a missing value, beside those of [`is_missing`](super::is_missing).
    pub na: Vec<String>,
    /// The most steps of a series; longer ones are cut.
    pub max_length: Option<usize>,
    /// Columns that will be asked for, as far as they are known before: those of a model's encoding or
    /// of the table before. A sparse format has them even where no record names them.
    pub known: Vec<String>,
}

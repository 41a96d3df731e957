//! A table as a format gives it: its columns, and its records in two steps so that reading runs on all cores.
//! [`Chunks`] cuts the source into chunks of whole records, in order and cheaply; a [`Decoder`] turns any chunk into
//! columns of `values`.

use super::values::{Batch, ColumnKind, Values};
use crate::error::Result;

/// An open source.
pub struct Table {
    /// The columns in file order.
    pub columns: Vec<Column>,
    /// Whether the column names are the source's own.
    pub named: bool,
    /// The columns that are the targets if the user names none.
    pub likely_targets: Vec<usize>,
    /// How many of the sources given this table takes up; the others are tables of their own.
    pub sources: usize,
    /// Bytes of a record, on average.
    pub record_bytes: usize,
    /// The records in order.
    pub chunks: Box<dyn Chunks>,
    /// What is in them.
    pub decoder: Box<dyn Decoder>,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name, or `f0`, `f1`, ... by position.
    pub name: String,
    /// What its values are, as far as the first records show.
    pub kind: ColumnKind,
}

/// Cuts a source into chunks of whole records.
pub trait Chunks: Send {
    /// Is told before the first chunk which columns will be decoded, so that no others need be read.
    ///
    /// # Errors
    /// The source cannot be read.
    fn select(&mut self, wanted: &[Wanted]) -> Result<()> {
        let _ = wanted;
        Ok(())
    }

    /// The next chunk, of about `bytes` bytes; `None` at the end.
    ///
    /// # Errors
    /// The source cannot be read, or ends where it must not.
    fn next_chunk(&mut self, bytes: usize) -> Result<Option<Chunk>>;
}

/// Whole records: as they are in the source, or decoded where the source is not made of records.
#[derive(Debug)]
pub struct Chunk {
    /// The records; empty if the format needs no bytes.
    pub bytes: Vec<u8>,
    /// The columns selected, if the format decodes while it reads; else empty.
    pub columns: Vec<Values>,
    /// Line or row of the first, from 1.
    pub first: u64,
    /// How many there are, where the format knows without decoding.
    pub rows: usize,
}

impl Chunk {
    /// Records as they are in the source.
    pub fn records(bytes: Vec<u8>, first: u64, rows: usize) -> Chunk {
        Chunk { bytes, columns: Vec::new(), first, rows }
    }
}

/// Turns chunks into columns.
pub trait Decoder: Send + Sync {
    /// The columns `wanted`, in that order, of a chunk.
    ///
    /// # Errors
    /// A record is malformed, or a value is not of the kind wanted: the error names file, row and column.
    fn decode(&self, chunk: Chunk, wanted: &[Wanted]) -> Result<Batch>;

    /// Whether columns were taken for numbers or texts by their values: the source does not say.
    fn guesses_kinds(&self) -> bool {
        false
    }

    /// Whether a value such as `007` shows that a column has codes, which are texts: nothing that is known of the
    /// column says otherwise.
    fn may_have_codes(&self, column: usize) -> bool {
        let _ = column;
        false
    }

    /// What was guessed or left out and a user should know.
    fn notes(&self) -> &[Note] {
        &[]
    }
}

/// What a user should know of how a table is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The column that is taken for codes, which matters if it becomes an input and no one says that it has texts;
    /// `None` if the note matters in any case.
    pub codes: Option<usize>,
    /// A line, with the option that says otherwise.
    pub text: String,
}

/// A column to decode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// Its position in the table.
    pub column: usize,
    /// As what; any column can be had as text.
    pub kind: ColumnKind,
    /// Whether a code such as `007` is refused as a number: no one says that the column has numbers, so such a value
    /// shows that it has texts.
    pub refuses_codes: bool,
}

impl Wanted {
    /// A column as values of this kind, however numbers are written.
    pub fn new(column: usize, kind: ColumnKind) -> Wanted {
        Wanted { column, kind, refuses_codes: false }
    }
}

/// What a target is called by custom, in the order in which they are looked for.
pub(crate) const CUSTOMARY_TARGETS: [&str; 4] = ["target", "label", "class", "y"];

/// The target by custom: the column named `target`, `label`, `class` or `y`, else the last one that is no index.
pub(crate) fn customary_targets(columns: &[Column]) -> Vec<usize> {
    customary_targets_among(columns, |column| is_index(&column.name))
}

/// The same, where `is_index` tells which columns number the rows.
pub(crate) fn customary_targets_among(
    columns: &[Column],
    is_index: impl Fn(&Column) -> bool,
) -> Vec<usize> {
    let named = |name: &&str| columns.iter().position(|c| c.name.eq_ignore_ascii_case(name));
    let last = || columns.iter().rposition(|column| !is_index(column));
    CUSTOMARY_TARGETS.iter().find_map(named).or_else(last).into_iter().collect()
}

/// Whether a column has a name that pandas gives to the numbers of rows: `__index_level_0__` in Parquet and Arrow,
/// `Unnamed: 0` where a CSV file with a nameless index was read and written again.
pub(crate) fn is_index(name: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let level = name.strip_prefix("__index_level_").and_then(|rest| rest.strip_suffix("__"));
    level.or_else(|| name.strip_prefix("Unnamed: ")).is_some_and(is_number)
}

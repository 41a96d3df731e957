//! A table as a format gives it: its columns, and its records in two steps so that reading runs on all cores.
//! [`Chunks`] cuts the source into chunks of whole records, in order and cheaply; a [`Decoder`] turns any chunk into
//! columns of `values`.

use super::values::{Batch, ColumnKind, Values};
use crate::error::Result;
use crate::model::View;
use std::ops::Range;

/// An open source.
pub struct Table {
    /// The columns in file order.
    pub columns: Vec<Column>,
    /// Whether the column names are the source's own.
    pub named: bool,
    /// The columns that are the targets if the user names none.
    pub likely_targets: Vec<usize>,
    /// What else the source says of its columns.
    pub hints: Hints,
    /// How many of the sources given this table takes up; the others are tables of their own.
    pub sources: usize,
    /// Bytes of a record, on average.
    pub record_bytes: usize,
    /// The records in order.
    pub chunks: Box<dyn Chunks>,
    /// What is in them.
    pub decoder: Box<dyn Decoder>,
}

/// What a source says of its columns, which holds unless a user says otherwise.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hints {
    /// The columns that number the rows and are no inputs.
    pub row_numbers: Vec<usize>,
    /// The column that holds the weights of the rows.
    pub weights: Option<usize>,
    /// The names of columns that were left out, since there is nothing in them.
    pub left_out: Vec<String>,
    /// The columns that become indices of categories.
    pub indices: Vec<usize>,
    /// Whether targets are inputs too.
    pub keeps_targets: bool,
    /// Whether what is arranged so are series that may end before their last step.
    pub is_ragged: bool,
    /// Columns that are arranged as an image or a series, if they are all the inputs.
    pub view: Option<(Range<usize>, View)>,
}

impl Hints {
    /// The columns that are series which may end before their last step.
    pub(crate) fn series(&self) -> Range<usize> {
        let columns =
            self.view.as_ref().filter(|_| self.is_ragged).map(|(columns, _)| columns.clone());
        columns.unwrap_or_default()
    }
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
    /// The columns `wanted`, in that order, of a chunk. What is decoded already is taken out of it, and its bytes stay.
    ///
    /// # Errors
    /// A record is malformed, or a value is not of the kind wanted: the error names file, row and column.
    fn decode(&self, chunk: &mut Chunk, wanted: &[Wanted]) -> Result<Batch>;

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

/// Whether a column has a name that pandas gives to the numbers of rows (`__index_level_0__` in Parquet and Arrow) or
/// to a nameless column, which these are in a CSV file that was read and written again (`Unnamed: 0`).
pub(crate) fn is_index(name: &str) -> bool {
    is_level(name) || nameless(name).is_some()
}

fn is_level(name: &str) -> bool {
    let level = name.strip_prefix("__index_level_").and_then(|rest| rest.strip_suffix("__"));
    level.is_some_and(|level| level.parse::<u16>().is_ok())
}

/// The position at which pandas found a column without a name. Where there were several, it appends a number.
fn nameless(name: &str) -> Option<u16> {
    let position = name.strip_prefix("Unnamed: ")?;
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    position.split('.').all(is_number).then(|| position.split('.').next()?.parse().ok())?
}

/// Which of the columns of these names are an index of pandas, so that they number the rows. A nameless column is one
/// if it stood first or after others such.
pub(crate) fn index_columns<'a>(names: impl Iterator<Item = &'a str> + Clone) -> Vec<usize> {
    let mut positions: Vec<u16> = names.clone().filter_map(nameless).collect();
    positions.sort_unstable();
    positions.dedup();
    let run = (0u16..).zip(&positions).take_while(|(place, position)| place == *position).count();
    let is_first = |name| nameless(name).is_some_and(|position| usize::from(position) < run);
    let columns = names.enumerate().filter(|(_, name)| is_level(name) || is_first(name));
    columns.map(|(column, _)| column).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_of_pandas_is_told_by_its_name() {
        let index = |names: &[&str]| index_columns(names.iter().copied());
        assert_eq!(index(&["x", "__index_level_0__", "__index_level_1__"]), [1, 2]);
        assert_eq!(index(&["Unnamed: 0.1", "Unnamed: 0", "x"]), [0, 1]);
        assert_eq!(index(&["Unnamed: 1", "Unnamed: 0", "x", "Unnamed: 3"]), [0, 1]);
        assert_eq!(index(&["x", "Unnamed: 1", "y"]), [0; 0], "a column of data without a name");
        assert_eq!(index(&["Unnamed: x", "Unnamed: ", "__index_level___", "index"]), [0; 0]);
    }
}

//! Reading the records of a text whose columns are known.

use super::record::{After, Field, Malformed, blank_line, field};
use crate::error::{Error, Place, Result, RowNumber};
use crate::format::decimal::Decimal;
use crate::format::number::{Number, number, short_number};
use crate::format::table::{Chunk, Column, Decoder, Note, Wanted};
use crate::format::text::{Cell, refuse_zero_bytes, shortened, slots};
use crate::format::values::{Batch, ColumnKind, RowNumbers, Values, is_code};
use memchr::{memchr, memchr_iter, memchr2, memrchr_iter};
use std::path::{Path, PathBuf};

/// Where at most one in `SPARSE` columns is wanted, the others are skipped rather than cut.
const SPARSE: usize = 4;

/// Turns records into columns.
pub(super) struct CsvDecoder {
    path: PathBuf,
    separator: u8,
    /// Fields of a record: one for each name, and one more if lines end in a separator.
    pub(super) fields: usize,
    names: Vec<String>,
    kinds: Vec<ColumnKind>,
    /// How the numbers of each column are written...
    decimals: Vec<Decimal>,
    /// ... and whether it is with a point in all of them.
    has_points: bool,
    /// Whether a value such as 007 shows that a column has codes.
    pub(super) may_have_codes: Vec<bool>,
    pub(super) notes: Vec<Note>,
}

impl CsvDecoder {
    /// Knows nothing of the columns yet.
    pub(super) fn new(path: &Path, separator: u8) -> CsvDecoder {
        CsvDecoder {
            path: path.to_owned(),
            separator,
            fields: 0,
            names: Vec::new(),
            kinds: Vec::new(),
            decimals: Vec::new(),
            has_points: true,
            may_have_codes: Vec::new(),
            notes: Vec::new(),
        }
    }

    pub(super) fn set_columns(
        &mut self,
        names: Vec<String>,
        kinds: Vec<ColumnKind>,
        decimals: Vec<Decimal>,
    ) {
        self.has_points = decimals.iter().all(|decimal| *decimal == Decimal::Point);
        (self.names, self.kinds, self.decimals) = (names, kinds, decimals);
    }

    pub(super) fn columns(&self) -> Vec<Column> {
        let column =
            |(name, kind): (&String, &ColumnKind)| Column { name: name.clone(), kind: *kind };
        self.names.iter().zip(&self.kinds).map(column).collect()
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn separator(&self) -> u8 {
        self.separator
    }

    /// Length of an empty line at the start of `text`, if it is no record. Of a single column it is one whose
    /// value is missing.
    pub(super) fn blank_line(&self, text: &[u8]) -> Option<usize> {
        if self.fields > 1 { blank_line(text) } else { None }
    }

    #[cold]
    pub(super) fn wrong_count(&self, found: usize, line: u64) -> Error {
        let reason = format!("expected {} fields, found {found}", self.fields);
        Error::input(&self.path, Place::row(RowNumber::Line(line)), reason)
    }

    /// Appends a field that is wanted.
    #[inline]
    fn push(&self, field: Field, line: u64, wanted: &Wanted, values: &mut Values) -> Result<()> {
        let column = wanted.column;
        if let (Values::Numbers(numbers), false) = (&mut *values, field.quoted)
            && self.has_points
            && !is_code(field.bytes)
            && let Number::Value(value) = number(field.bytes)
        {
            numbers.push(value);
            return Ok(());
        }
        // Blanks, quotes and commas are rare in numbers: they are dealt with when it is none as it is.
        let (cell, value) = (self.cell(line, column), field.value());
        let is_number = matches!(values, Values::Numbers(_));
        if !is_number
            && (self.kinds[column] == ColumnKind::Text || memchr2(b',', b'.', &value).is_none())
        {
            return cell.push(&value, values);
        }
        let refuses_codes = is_number && wanted.refuses_codes && self.may_have_codes[column];
        match self.decimals[column].plain(value.trim_ascii()) {
            Some(plain) if refuses_codes && is_code(&plain) => Err(cell.code(&plain)),
            Some(plain) => cell.push(&plain, values),
            None if is_number => Err(cell.no_number(&value)),
            None => cell.push(&value, values),
        }
    }

    #[cold]
    pub(super) fn malformed(&self, malformed: Malformed, line: u64) -> Error {
        let reason = match malformed {
            Malformed::Unclosed => "a quote is opened and never closed",
            Malformed::TextAfterQuote => {
                "text follows a closing quote: quotes within quotes must be doubled"
            }
        };
        Error::input(&self.path, Place::row(RowNumber::Line(line)), reason)
    }

    fn cell(&self, line: u64, column: usize) -> Cell<'_> {
        Cell { path: &self.path, line, column: self.names.get(column).map(String::as_str) }
    }
}

impl Decoder for CsvDecoder {
    fn decode(&self, chunk: &mut Chunk, wanted: &[Wanted]) -> Result<Batch> {
        let text = &chunk.bytes[..];
        refuse_zero_bytes(&self.path, chunk)?;
        if SPARSE * wanted.len() <= self.fields && memchr(b'"', text).is_none() {
            return self.decode_sparsely(chunk, wanted);
        }
        let slots = slots(wanted, self.names.len());
        let first = memchr(b'\n', text).map_or(text.len(), |end| end + 1);
        // A little more than there are if all are as long as the first.
        let rows = text.len() / first.max(1) * 17 / 16 + 1;
        let mut columns: Vec<Values> =
            wanted.iter().map(|w| Values::with_capacity(w.kind, rows)).collect();
        let mut lines = Vec::with_capacity(rows);
        let (mut at, mut line) = (0, 0);
        while at < text.len() {
            if let Some(blank) = self.blank_line(&text[at..]) {
                at += blank;
                line += 1;
                continue;
            }
            lines.push(line);
            let number = chunk.first + u64::from(line);
            line += 1 + self.row(text, &mut at, number, (wanted, &slots), &mut columns)?;
        }
        Ok(Batch { rows: RowNumbers::Lines(chunk.first, lines), columns })
    }

    fn guesses_kinds(&self) -> bool {
        true
    }

    fn may_have_codes(&self, column: usize) -> bool {
        self.may_have_codes[column]
    }

    fn notes(&self) -> &[Note] {
        &self.notes
    }
}

impl CsvDecoder {
    /// Reads the record at `at`, whose first line is `line`, into the columns that have a slot. Returns
    /// how many line ends are in it.
    #[inline]
    fn row(
        &self,
        text: &[u8],
        at: &mut usize,
        line: u64,
        (wanted, slots): (&[Wanted], &[Option<usize>]),
        columns: &mut [Values],
    ) -> Result<u32> {
        let (mut column, mut line_ends) = (0, 0);
        loop {
            let slot = slots.get(column).copied().flatten();
            let mut values = slot.map(|slot| (&wanted[slot], &mut columns[slot]));
            let is_last = column + 1 == self.fields;
            let end = if is_last { b'\n' } else { self.separator };
            let short = match values {
                Some((_, Values::Numbers(_))) if self.has_points => short_number(text, *at, end),
                _ => None,
            };
            let after = if let (Some((_, Values::Numbers(numbers))), Some((value, length))) =
                (&mut values, short)
            {
                numbers.push(value);
                *at += length + 1;
                if is_last { After::Record } else { After::Field }
            } else {
                let (field, after) =
                    field(text, at, self.separator).map_err(|m| self.malformed(m, line))?;
                if field.quoted {
                    line_ends += memchr_iter(b'\n', field.bytes).count() as u32;
                }
                match values {
                    Some((wanted, values)) => self.push(field, line, wanted, values)?,
                    None if column == self.names.len() => self.check_end(field, line)?,
                    None => {}
                }
                after
            };
            column += 1;
            if after != After::Field {
                break;
            }
        }
        match column == self.fields {
            true => Ok(line_ends),
            false => Err(self.wrong_count(column, line)),
        }
    }

    /// Refuses a value after the separator in which all lines seem to end. Of fields that are too many there is
    /// more to say.
    fn check_end(&self, field: Field, line: u64) -> Result<()> {
        let value = field.value();
        if self.fields == self.names.len() || value.is_empty() {
            return Ok(());
        }
        let value = shortened(&String::from_utf8_lossy(&value));
        let reason = format!(
            "the last field is \"{value}\", which is empty and without a name in the first records: give the column a name"
        );
        Err(self.cell(line, self.names.len()).error(reason))
    }

    /// Decodes a few columns of records without quotes: the fields of the others are only counted,
    /// which is several times faster than cutting them.
    fn decode_sparsely(&self, chunk: &Chunk, wanted: &[Wanted]) -> Result<Batch> {
        let fields = self.fields;
        let mut columns: Vec<Values> = wanted.iter().map(|w| Values::new(w.kind)).collect();
        let mut lines = Vec::new();
        let mut rest = &chunk.bytes[..];
        for line in 0u32.. {
            if rest.is_empty() {
                break;
            }
            let end = memchr(b'\n', rest);
            let (record, after) = rest.split_at(end.map_or(rest.len(), |end| end + 1));
            rest = after;
            if blank_line(record).is_some() {
                continue;
            }
            let record = record.strip_suffix(b"\n").unwrap_or(record);
            let record = record.strip_suffix(b"\r").unwrap_or(record);
            let number = chunk.first + u64::from(line);
            let found = memchr_iter(self.separator, record).count() + 1;
            if found != fields {
                return Err(self.wrong_count(found, number));
            }
            if fields > self.names.len() {
                let bytes = nth_field(record, fields - 1, fields, self.separator);
                self.check_end(Field { bytes, quoted: false }, number)?;
            }
            lines.push(line);
            for (wanted, values) in wanted.iter().zip(&mut columns) {
                let bytes = nth_field(record, wanted.column, fields, self.separator);
                self.push(Field { bytes, quoted: false }, number, wanted, values)?;
            }
        }
        Ok(Batch { rows: RowNumbers::Lines(chunk.first, lines), columns })
    }
}

/// The field at `index` of a record of `fields` fields, searched for from the nearer end.
fn nth_field(record: &[u8], index: usize, fields: usize, separator: u8) -> &[u8] {
    if index < fields / 2 {
        let mut ends = memchr_iter(separator, record);
        let start = if index == 0 { Some(0) } else { ends.nth(index - 1).map(|end| end + 1) };
        &record[start.unwrap_or(record.len())..ends.next().unwrap_or(record.len())]
    } else {
        let mut starts = memrchr_iter(separator, record);
        let after = fields - 1 - index;
        let end = if after == 0 { Some(record.len()) } else { starts.nth(after - 1) };
        &record[starts.next().map_or(0, |start| start + 1)..end.unwrap_or(0)]
    }
}

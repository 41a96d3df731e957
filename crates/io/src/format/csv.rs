//! Comma-separated values and their kin: any separator of `,` `;` tab `|`, with or without a header.
//! Records and fields are cut in `record`, numbers read in `number`.

mod record;
mod write;

use super::interface::{Format, ReadOptions};
use super::number::{Number, number, short_number};
use super::table::{Chunk, Column, Decoder, Table, Wanted, customary_targets};
use super::text::{Cell, TextChunks, is_text, refuse_zero_bytes, slots};
use super::values::{Batch, ColumnKind, RowNumbers, Values};
use crate::error::{Error, Place, Result, RowNumber};
use crate::export::table::Exporter;
use crate::source::Source;
use memchr::{memchr, memchr_iter, memrchr_iter};
use record::{After, Field, Malformed, blank_line, complete_records, field};
use std::path::PathBuf;

/// The format.
pub(super) struct Csv;

/// Bytes at the start that separator, header and column kinds are found out from...
const SAMPLE: usize = 1 << 17;
/// ... and the most records of them that are looked at.
const SAMPLE_RECORDS: usize = 1000;
/// Where at most one in so many columns is wanted, the others are skipped rather than cut.
const SPARSE: usize = 4;
const SEPARATORS: [u8; 4] = [b',', b'\t', b';', b'|'];

impl Format for Csv {
    fn name(&self) -> &'static str {
        "csv"
    }

    fn description(&self) -> &'static str {
        "text separated by commas, tabs, semicolons or bars"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["csv", "tsv", "tab", "txt", "data"]
    }

    fn is_mine(&self, head: &[u8]) -> bool {
        is_text(head)
    }

    fn is_certain(&self) -> bool {
        false
    }

    fn keeps_types(&self) -> bool {
        false
    }

    fn open(&self, sources: &[Source], options: &ReadOptions) -> Result<Table> {
        let source = &sources[0];
        let path = source.path();
        let mut chunks = TextChunks::lines(source)?;
        chunks.set_complete(Box::new(|text| complete_records(text, b',')));
        let sample = chunks.sample(SAMPLE)?;
        let is_tabbed = [".tsv", ".tab"].iter().any(|end| source.plain_name().ends_with(end));
        let separator = if is_tabbed { b'\t' } else { likely_separator(&sample) };
        chunks.set_complete(Box::new(move |text| complete_records(text, separator)));
        // Quoted line ends may be cut differently by the separator now known.
        chunks.put_back(sample, 1);
        let sample = chunks.sample(SAMPLE)?;

        let mut decoder = CsvDecoder { path: path.to_owned(), separator, names: Vec::new() };
        let (first, rest, header_lines) = decoder.first_record(&sample)?;
        let is_number = |text: &String| matches!(number(text.as_bytes()), Number::Value(_));
        let has_header = options.header.unwrap_or(!first.iter().any(is_number));
        decoder.names = names(&first, has_header);
        let (records, line) = if has_header { (rest, 1 + header_lines) } else { (0, 1) };
        let (kinds, record_bytes) = decoder.kinds(&sample[records..], line)?;
        let columns: Vec<Column> = decoder
            .names
            .iter()
            .zip(kinds)
            .map(|(name, kind)| Column { name: name.clone(), kind })
            .collect();
        chunks.put_back(sample[records..].to_vec(), line);
        Ok(Table {
            likely_targets: customary_targets(&columns),
            columns,
            named: has_header,
            sources: 1,
            record_bytes,
            chunks: Box::new(chunks),
            decoder: Box::new(decoder),
        })
    }

    fn exporter(&self) -> Option<Exporter> {
        Some(write::export)
    }
}

/// A column's name from the header; by position where it has none.
fn names(first: &[String], has_header: bool) -> Vec<String> {
    let name = |(index, text): (usize, &String)| {
        if has_header && !text.is_empty() { text.clone() } else { format!("f{index}") }
    };
    first.iter().enumerate().map(name).collect()
}

/// The separator that cuts most of the first lines into the same number of fields; of several, the
/// one that makes most fields.
fn likely_separator(sample: &[u8]) -> u8 {
    let score = |separator: &u8| {
        let (mut at, mut fields, mut counts) = (0, 1, Vec::new());
        while at < sample.len() && counts.len() < 20 {
            match field(sample, &mut at, *separator) {
                Ok((_, After::Field)) => fields += 1,
                Ok(_) => counts.push(std::mem::replace(&mut fields, 1)),
                Err(_) => break,
            }
        }
        let expected = counts.first().copied().unwrap_or(1);
        let same = counts.iter().filter(|count| **count == expected).count();
        if expected > 1 { (same, expected) } else { (0, 0) }
    };
    // Of equals max_by_key returns the last.
    SEPARATORS.into_iter().rev().max_by_key(score).unwrap_or(b',')
}

struct CsvDecoder {
    path: PathBuf,
    separator: u8,
    names: Vec<String>,
}

impl CsvDecoder {
    /// The values of the first record, where it ends, and how many lines end before that.
    fn first_record(&self, sample: &[u8]) -> Result<(Vec<String>, usize, u64)> {
        let mut at = 0;
        while let Some(blank) = blank_line(&sample[at..]) {
            at += blank;
        }
        if at == sample.len() {
            return Err(Error::input(&self.path, Place::FILE, "is empty"));
        }
        let line = 1 + memchr_iter(b'\n', &sample[..at]).count() as u64;
        let mut values = Vec::new();
        loop {
            let (field, after) =
                field(sample, &mut at, self.separator).map_err(|m| self.malformed(m, line))?;
            let text = self.cell(line, values.len()).utf8(&field.value())?.to_owned();
            values.push(text);
            if after != After::Field {
                break;
            }
        }
        Ok((values, at, memchr_iter(b'\n', &sample[..at]).count() as u64))
    }

    /// The kinds of all columns by the first records, and the mean length of these.
    fn kinds(&self, records: &[u8], mut line: u64) -> Result<(Vec<ColumnKind>, usize)> {
        let mut numbers = vec![true; self.names.len()];
        let (mut at, mut seen) = (0, 0);
        while at < records.len() && seen < SAMPLE_RECORDS {
            if let Some(blank) = blank_line(&records[at..]) {
                at += blank;
                line += 1;
                continue;
            }
            let start = at;
            self.record(records, &mut at, line, |column, field| {
                numbers[column] &= number(&field.value()) != Number::Text;
                Ok(())
            })?;
            line += memchr_iter(b'\n', &records[start..at]).count() as u64;
            seen += 1;
        }
        let kind = |is_number| if is_number { ColumnKind::Number } else { ColumnKind::Text };
        Ok((numbers.into_iter().map(kind).collect(), at.div_ceil(seen.max(1)).max(1)))
    }

    /// Reads the record at `at`, whose first line is `line`, and gives each field to `each`.
    #[inline]
    fn record<'a>(
        &self,
        text: &'a [u8],
        at: &mut usize,
        line: u64,
        mut each: impl FnMut(usize, Field<'a>) -> Result<()>,
    ) -> Result<()> {
        let expected = self.names.len();
        let mut column = 0;
        loop {
            let (field, after) =
                field(text, at, self.separator).map_err(|m| self.malformed(m, line))?;
            if column < expected {
                each(column, field)?;
            }
            column += 1;
            if after != After::Field {
                break;
            }
        }
        if column == expected {
            return Ok(());
        }
        Err(self.wrong_count(column, line))
    }

    #[cold]
    fn wrong_count(&self, found: usize, line: u64) -> Error {
        let reason = format!("expected {} fields, found {found}", self.names.len());
        Error::input(&self.path, Place::row(RowNumber::Line(line)), reason)
    }

    /// Appends a field that is wanted.
    #[inline]
    fn push(&self, field: Field, line: u64, column: usize, values: &mut Values) -> Result<()> {
        if let (Values::Numbers(numbers), false) = (&mut *values, field.quoted)
            && let Number::Value(value) = number(field.bytes)
        {
            numbers.push(value);
            return Ok(());
        }
        // Blanks and quotes are rare around numbers: they are dealt with when it is none as it is.
        let is_number = matches!(values, Values::Numbers(_));
        let value = field.value();
        self.cell(line, column).push(if is_number { value.trim_ascii() } else { &value }, values)
    }

    #[cold]
    fn malformed(&self, malformed: Malformed, line: u64) -> Error {
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
    fn decode(&self, chunk: Chunk, wanted: &[Wanted]) -> Result<Batch> {
        let text = &chunk.bytes[..];
        refuse_zero_bytes(&self.path, &chunk)?;
        if SPARSE * wanted.len() <= self.names.len() && memchr(b'"', text).is_none() {
            return self.decode_sparsely(&chunk, wanted);
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
            if let Some(blank) = blank_line(&text[at..]) {
                at += blank;
                line += 1;
                continue;
            }
            lines.push(line);
            let number = chunk.first + u64::from(line);
            line += 1 + self.row(text, &mut at, number, &slots, &mut columns)?;
        }
        Ok(Batch { rows: RowNumbers::Lines(chunk.first, lines), columns })
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
        slots: &[Option<usize>],
        columns: &mut [Values],
    ) -> Result<u32> {
        let (mut column, mut line_ends) = (0, 0);
        loop {
            let slot = slots.get(column).copied().flatten();
            let mut values = slot.map(|slot| &mut columns[slot]);
            let is_last = column + 1 == self.names.len();
            let end = if is_last { b'\n' } else { self.separator };
            let short = match values {
                Some(Values::Numbers(_)) => short_number(text, *at, end),
                _ => None,
            };
            let after = if let (Some(Values::Numbers(numbers)), Some((value, length))) =
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
                if let Some(values) = values {
                    self.push(field, line, column, values)?;
                }
                after
            };
            column += 1;
            if after != After::Field {
                break;
            }
        }
        match column == self.names.len() {
            true => Ok(line_ends),
            false => Err(self.wrong_count(column, line)),
        }
    }

    /// Decodes a few columns of records without quotes: the fields of the others are only counted,
    /// which is several times faster than cutting them.
    fn decode_sparsely(&self, chunk: &Chunk, wanted: &[Wanted]) -> Result<Batch> {
        let fields = self.names.len();
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
            lines.push(line);
            for (wanted, values) in wanted.iter().zip(&mut columns) {
                let bytes = nth_field(record, wanted.column, fields, self.separator);
                self.push(Field { bytes, quoted: false }, number, wanted.column, values)?;
            }
        }
        Ok(Batch { rows: RowNumbers::Lines(chunk.first, lines), columns })
    }
}

/// The field at `index` of a record of so many, searched for from the nearer end.
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

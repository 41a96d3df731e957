//! Finding out how a text is written: its separator, its header, its columns and its numbers.

use super::decoder::CsvDecoder;
use super::header::{self, Guess};
use super::look::{Look, Writing};
use super::record::{After, complete_records, field};
use super::separator;
use crate::error::{Error, Place, Result};
use crate::format::decimal::Decimal;
use crate::format::interface::ReadOptions;
use crate::format::missing::Markers;
use crate::format::table::{Hints, Note, Table, customary_targets};
use crate::format::text::{Cell, TextChunks, shortened};
use crate::format::values::{ColumnKind, is_code};
use crate::source::Source;
use memchr::memchr_iter;
use std::collections::HashSet;

/// Bytes at the start that separator, header and column kinds are found out from...
const SAMPLE: usize = 1 << 17;
/// ... and the most records of them that are looked at.
const SAMPLE_RECORDS: usize = 1000;

/// Opens a text.
pub(super) fn open(source: &Source, options: &ReadOptions) -> Result<Table> {
    let (mut chunks, separator) = separated(source, options)?;
    let line = chunks.line();
    let sample = chunks.sample(SAMPLE)?;
    let mut decoder = CsvDecoder::new(source.path(), separator);
    let first = first_record(&decoder, &sample, line)?;
    decoder.fields = first.values.len();
    decoder.fields += usize::from(has_one_more(&decoder, &sample[first.end..]));
    if decoder.fields == 1 {
        chunks.take_blank_lines();
    }
    let markers = Markers::new(&options.na);
    let Looks { columns: mut looks, numbers_rows, record_bytes } =
        look(&decoder, &markers, &sample[first.end..], first.next_line)?;
    let guess = match options.header {
        Some(is_header) => Guess { is_header, note: None },
        None => header::guess(&first.values, &looks, &options.known),
    };
    let (start, line) = match guess.is_header {
        true => (first.end, first.next_line),
        false => {
            for (look, value) in looks.iter_mut().zip(&first.values) {
                look.add(value.trim_ascii().as_bytes(), first.line, &markers);
            }
            (first.start, first.line)
        }
    };
    chunks.put_back(sample[start..].to_vec(), line);
    let (mut names, renamed) = header::names(&first.values, guess.is_header);
    let is_index = guess.is_header && first.values[0].is_empty() && numbers_rows;
    let left_out = leave_out_empty_end(&mut names, &first.values, &looks);
    let hints = Hints {
        row_numbers: if is_index { vec![0] } else { Vec::new() },
        left_out: left_out.into_iter().collect(),
        ..Hints::default()
    };
    let ending = hints
        .left_out
        .first()
        .map(|_| "the lines end in a separator: the empty column after it is left out".to_owned());
    looks.truncate(names.len());
    let writing = Writing::of(&looks, options.decimal, separator);
    let written = writing_notes(&writing, &names);
    let kinds = kinds(&looks, &writing);
    let codes = codes_notes(&looks, &names);
    let of_file = [guess.note, renamed, ending].into_iter().flatten().chain(written);
    decoder.notes = of_file.map(|text| Note { codes: None, text }).chain(codes).collect();
    decoder.may_have_codes = looks.iter().map(Look::may_have_codes).collect();
    decoder.set_columns(names, kinds, writing.decimals);
    let columns = decoder.columns();
    Ok(Table {
        hints,
        likely_targets: customary_targets(&columns),
        columns,
        named: guess.is_header,
        sources: 1,
        record_bytes,
        chunks: Box::new(chunks),
        decoder: Box::new(decoder),
    })
}

/// The text of a source from its first record on, and what separates the fields.
fn separated(source: &Source, options: &ReadOptions) -> Result<(TextChunks, u8)> {
    let mut chunks = TextChunks::lines(source)?;
    chunks.set_complete(Box::new(|text| complete_records(text, b',')));
    let sample = chunks.sample(SAMPLE)?;
    let declared = separator::declared(&sample);
    let start = declared.map_or(0, |(_, length)| length);
    let sample = &sample[start..];
    let is_tabbed = [".tsv", ".tab"].iter().any(|end| source.plain_name().ends_with(end));
    let likely = || match is_tabbed {
        true => Some(b'\t'),
        false => separator::likely(sample, options.decimal),
    };
    let separator = declared.map(|(separator, _)| separator).or_else(likely);
    // Quoted line ends may be cut differently by the separator now known.
    chunks.put_back(sample.to_vec(), 1 + u64::from(start > 0));
    let separator = match separator {
        None if separator::are_blanks(sample) => {
            chunks.separate_at_blanks();
            b'\t'
        }
        None if options.decimal == Some(Decimal::Comma) => b';',
        separator => separator.unwrap_or(b','),
    };
    chunks.set_complete(Box::new(move |text| complete_records(text, separator)));
    Ok((chunks, separator))
}

/// The first record, which may be a header.
struct First {
    values: Vec<String>,
    /// Where it begins and ends in the sample.
    start: usize,
    end: usize,
    /// Its line, and that of the record after it.
    line: u64,
    next_line: u64,
}

/// Reads the first record of a sample that begins in `line`.
fn first_record(decoder: &CsvDecoder, sample: &[u8], mut line: u64) -> Result<First> {
    let mut at = 0;
    while let Some(blank) = super::record::blank_line(&sample[at..]) {
        at += blank;
        line += 1;
    }
    if at == sample.len() {
        return Err(Error::input(decoder.path(), Place::FILE, "is empty"));
    }
    let start = at;
    let mut values = Vec::new();
    loop {
        let (field, after) = field(sample, &mut at, decoder.separator())
            .map_err(|malformed| decoder.malformed(malformed, line))?;
        let cell = Cell { path: decoder.path(), line, column: None };
        values.push(cell.utf8(&field.value())?.to_owned());
        if after != After::Field {
            break;
        }
    }
    let next_line = line + memchr_iter(b'\n', &sample[start..at]).count() as u64;
    Ok(First { values, start, end: at, line, next_line })
}

/// Whether the next record has a field more than expected, an empty one at its end.
fn has_one_more(decoder: &CsvDecoder, records: &[u8]) -> bool {
    let (mut at, mut fields) = (0, 0);
    while let Some(blank) = super::record::blank_line(&records[at..]) {
        at += blank;
    }
    while let Ok((field, after)) = field(records, &mut at, decoder.separator()) {
        fields += 1;
        if after != After::Field {
            return fields == decoder.fields + 1 && fields > 2 && field.value().is_empty();
        }
    }
    false
}

/// What the first records after the very first look like.
struct Looks {
    columns: Vec<Look>,
    /// Whether the first column has another whole number in each of them.
    numbers_rows: bool,
    /// Their mean length.
    record_bytes: usize,
}

fn look(decoder: &CsvDecoder, markers: &Markers, records: &[u8], mut line: u64) -> Result<Looks> {
    let mut numbers = HashSet::new();
    let mut looks: Vec<Look> = (0..decoder.fields).map(|_| Look::default()).collect();
    let (mut at, mut seen) = (0, 0);
    while at < records.len() && seen < SAMPLE_RECORDS {
        if let Some(blank) = decoder.blank_line(&records[at..]) {
            at += blank;
            line += 1;
            continue;
        }
        let (start, mut column) = (at, 0);
        loop {
            let (field, after) = field(records, &mut at, decoder.separator())
                .map_err(|malformed| decoder.malformed(malformed, line))?;
            if let Some(look) = looks.get_mut(column) {
                let value = field.value();
                look.add(value.trim_ascii(), line, markers);
                if column == 0 && !is_code(&value) {
                    let number =
                        std::str::from_utf8(&value).ok().and_then(|text| text.parse::<u64>().ok());
                    numbers.extend(number);
                }
            }
            column += 1;
            if after != After::Field {
                break;
            }
        }
        if column != decoder.fields {
            return Err(decoder.wrong_count(column, line));
        }
        line += memchr_iter(b'\n', &records[start..at]).count() as u64;
        seen += 1;
    }
    Ok(Looks {
        columns: looks,
        numbers_rows: numbers.len() == seen,
        record_bytes: at.div_ceil(seen.max(1)).max(1),
    })
}

/// Takes away the name of a last column that has neither a name nor values, if lines that end in a separator make one:
/// what it would be called.
fn leave_out_empty_end(
    names: &mut Vec<String>,
    first: &[String],
    looks: &[Look],
) -> Option<String> {
    let is_named = first.len() == looks.len() && first.last().is_some_and(|text| !text.is_empty());
    if is_named || looks.len() < 2 || looks.last().is_some_and(|look| look.present > 0) {
        return None;
    }
    names.truncate(looks.len() - 1);
    Some(format!("f{}", looks.len() - 1))
}

fn kinds(looks: &[Look], writing: &Writing) -> Vec<ColumnKind> {
    let kind = |(look, decimal): (&Look, &Decimal)| match look.may_be_number(*decimal) {
        true if look.code().is_none() => ColumnKind::Number,
        _ => ColumnKind::Text,
    };
    looks.iter().zip(&writing.decimals).map(kind).collect()
}

/// What to say about numbers that are not written plainly.
fn writing_notes(writing: &Writing, names: &[String]) -> impl Iterator<Item = String> {
    let example = |(column, line, value): &(usize, u64, String)| {
        let (value, name) = (shortened(value), shortened(&names[*column]));
        format!("as in \"{value}\" (line {line}, column \"{name}\")")
    };
    let comma = writing.comma.as_ref().map(|found| {
        let example = example(found);
        format!(
            "numbers are read with a decimal comma, {example}: --decimal . reads them with a point"
        )
    });
    let thousands = writing.thousands.as_ref().map(|found| {
        let example = example(found);
        format!("numbers are read without what separates their thousands, {example}: --decimal , takes commas for decimal ones")
    });
    comma.into_iter().chain(thousands)
}

/// What to say about columns of codes.
fn codes_notes(looks: &[Look], names: &[String]) -> Vec<Note> {
    let note = |(column, (look, name)): (usize, (&Look, &String))| {
        let (line, code) = look.code()?;
        let name = shortened(name);
        let text = format!(
            "column \"{name}\" is text because of the zeros before its numbers, as in \"{code}\" (line {line}): --number \"{name}\" reads numbers, --category \"{name}\" confirms it"
        );
        Some(Note { codes: Some(column), text })
    };
    looks.iter().zip(names).enumerate().filter_map(note).collect()
}

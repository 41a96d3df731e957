//! JSON Lines: an object per line. Its keys are columns, those of the first records; one that a record
//! lacks, or that is null, is missing there.

mod write;

use super::interface::{Format, ReadOptions};
use super::table::{Chunk, Column, Decoder, Hints, Table, Wanted, customary_targets};
use super::text::{Cell, TextChunks, first_text, lines, slots};
use super::values::{Batch, ColumnKind, RowNumbers, Values, is_code};
use crate::error::{Error, Place, Result};
use crate::export::table::Exporter;
use crate::source::Source;
use serde::de::{DeserializeSeed, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;

/// The format.
pub(super) struct JsonLines;

/// Bytes at the start that the columns are found out from...
const SAMPLE: usize = 1 << 17;
/// ... and the most records of them that are looked at.
const SAMPLE_RECORDS: usize = 1000;

impl Format for JsonLines {
    fn name(&self) -> &'static str {
        "jsonl"
    }

    fn description(&self) -> &'static str {
        "JSON Lines: an object per line"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["jsonl", "ndjson"]
    }

    fn is_mine(&self, head: &[u8]) -> bool {
        let text = first_text(head).strip_prefix(b"{").map(<[u8]>::trim_ascii_start);
        matches!(text, Some([b'"', ..]))
    }

    fn is_certain(&self) -> bool {
        false
    }

    fn open(&self, sources: &[Source], _: &ReadOptions) -> Result<Table> {
        let source = &sources[0];
        let mut chunks = TextChunks::lines(source)?;
        let sample = chunks.sample(SAMPLE)?;
        let mut keys = Keys::default();
        let (mut bytes, mut records) = (0, 0);
        let is_record = |(_, line): &(u64, &[u8])| !line.trim_ascii().is_empty();
        for (line, text) in lines(&sample, 1).filter(is_record).take(SAMPLE_RECORDS) {
            let cell = Cell { path: source.path(), line, column: None };
            read_object(text, &mut keys).map_err(|error| malformed(cell, &error))?;
            bytes += text.len() + 1;
            records += 1;
        }
        if keys.columns.is_empty() {
            let reason = if records == 0 { "is empty" } else { "its first records have no keys" };
            return Err(Error::input(source.path(), Place::FILE, reason));
        }
        chunks.put_back(sample, 1);
        Ok(Table {
            hints: Hints::default(),
            likely_targets: customary_targets(&keys.columns),
            columns: keys.columns.clone(),
            named: true,
            sources: 1,
            record_bytes: bytes.div_ceil(records),
            chunks: Box::new(chunks),
            decoder: Box::new(JsonDecoder {
                path: source.path().to_owned(),
                columns: keys.columns,
                positions: keys.positions,
            }),
        })
    }

    fn exporter(&self) -> Option<Exporter> {
        Some(write::export)
    }
}

/// What an object's members are given to.
trait Members {
    /// The error says what is wrong with the key.
    fn member(&mut self, key: &str, value: &RawValue) -> std::result::Result<(), String>;
}

/// Reads a line that must be one object.
fn read_object(text: &[u8], members: &mut dyn Members) -> serde_json::Result<()> {
    struct Object<'m>(&'m mut dyn Members);

    impl<'de> Visitor<'de> for Object<'_> {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<(), A::Error> {
            while let Some(Key(key)) = map.next_key()? {
                let value: &RawValue = map.next_value()?;
                self.0.member(&key, value).map_err(A::Error::custom)?;
            }
            Ok(())
        }
    }

    impl<'de> DeserializeSeed<'de> for Object<'_> {
        type Value = ();

        fn deserialize<D: serde::Deserializer<'de>>(
            self,
            deserializer: D,
        ) -> std::result::Result<(), D::Error> {
            deserializer.deserialize_map(self)
        }
    }

    let mut deserializer = serde_json::Deserializer::from_slice(text);
    Object(members).deserialize(&mut deserializer)?;
    deserializer.end()
}

/// A key or text, borrowed where nothing in it is escaped.
#[derive(serde::Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

/// The keys of the first records, in order.
#[derive(Default)]
struct Keys {
    columns: Vec<Column>,
    positions: HashMap<String, usize>,
}

impl Members for Keys {
    fn member(&mut self, key: &str, value: &RawValue) -> std::result::Result<(), String> {
        let position = *self.positions.entry(key.to_owned()).or_insert_with(|| {
            let column = Column { name: key.to_owned(), kind: ColumnKind::Number };
            self.columns.push(column);
            self.columns.len() - 1
        });
        if !matches!(value.get().as_bytes(), [b'-' | b'0'..=b'9', ..] | b"null") {
            self.columns[position].kind = ColumnKind::Text;
        }
        Ok(())
    }
}

/// The values wanted of a record.
struct Record<'d> {
    decoder: &'d JsonDecoder,
    line: u64,
    wanted: &'d [Wanted],
    slots: Vec<Option<usize>>,
    values: Vec<Values>,
    /// Records decoded before this one.
    before: usize,
    /// The column expected next: most records have the same keys in the same order.
    next: usize,
    /// Why a value cannot be used, which says more than an error of its line.
    refused: Option<Error>,
}

impl Record<'_> {
    /// The value of a number or text as text; the error says what is found.
    fn text(value: &RawValue) -> std::result::Result<Cow<'_, str>, &'static str> {
        match value.get().as_bytes() {
            b"null" => Ok(Cow::Borrowed("")),
            [b'"', ..] => {
                let text = serde_json::from_str(value.get()).map(|Key(text)| text);
                text.map_err(|_| "a text with an escape that is none")
            }
            [b'{', ..] => Err("an object"),
            [b'[', ..] => Err("an array"),
            _ => Ok(Cow::Borrowed(value.get())),
        }
    }

    /// Makes every column as long as the records so far: what is not there is missing.
    fn end(&mut self) {
        self.before += 1;
        for values in &mut self.values {
            match values {
                Values::Numbers(numbers) if numbers.len() < self.before => numbers.push(f32::NAN),
                Values::Texts(texts) if texts.len() < self.before => texts.push(""),
                _ => {}
            }
        }
    }
}

impl Members for Record<'_> {
    fn member(&mut self, key: &str, value: &RawValue) -> std::result::Result<(), String> {
        let columns = &self.decoder.columns;
        let position = match columns.get(self.next) {
            Some(column) if column.name == key => self.next,
            _ => *self.decoder.positions.get(key).ok_or_else(|| {
                format!("the key \"{key}\" does not occur in the first records, which tell the columns: add it to the first, as null")
            })?,
        };
        self.next = position + 1;
        let Some(slot) = self.slots[position] else { return Ok(()) };
        let values = &mut self.values[slot];
        if values.len() > self.before {
            return Err(format!("the key \"{key}\" occurs twice"));
        }
        let column = Some(key);
        let cell = Cell { path: &self.decoder.path, line: self.line, column };
        let pushed = match Record::text(value) {
            Ok(text) if matches!(values, Values::Numbers(_)) => {
                let text = text.trim_ascii().as_bytes();
                match self.wanted[slot].refuses_codes && is_code(text) {
                    true => Err(cell.code(text)),
                    false => cell.push(text, values),
                }
            }
            Ok(text) => cell.push(text.as_bytes(), values),
            Err(found) => Err(cell.error(format!(
                "expected a number or a text, found {found}: leave it out with --drop \"{key}\""
            ))),
        };
        pushed.map_err(|error| {
            self.refused = Some(error);
            String::new()
        })
    }
}

struct JsonDecoder {
    path: PathBuf,
    columns: Vec<Column>,
    positions: HashMap<String, usize>,
}

impl Decoder for JsonDecoder {
    fn decode(&self, chunk: &mut Chunk, wanted: &[Wanted]) -> Result<Batch> {
        let mut record = Record {
            decoder: self,
            line: chunk.first,
            wanted,
            slots: slots(wanted, self.columns.len()),
            values: wanted.iter().map(|wanted| Values::new(wanted.kind)).collect(),
            before: 0,
            next: 0,
            refused: None,
        };
        let mut numbers = Vec::new();
        for (line, text) in lines(&chunk.bytes, chunk.first) {
            if text.trim_ascii().is_empty() {
                continue;
            }
            record.line = line;
            record.next = 0;
            if let Err(error) = read_object(text, &mut record) {
                let cell = Cell { path: &self.path, line, column: None };
                return Err(record.refused.unwrap_or_else(|| malformed(cell, &error)));
            }
            record.end();
            numbers.push((line - chunk.first) as u32);
        }
        Ok(Batch { rows: RowNumbers::Lines(chunk.first, numbers), columns: record.values })
    }

    /// A column of numbers and texts is taken for texts.
    fn guesses_kinds(&self) -> bool {
        true
    }

    /// In quotes among numbers.
    fn may_have_codes(&self, _: usize) -> bool {
        true
    }
}

/// An error of a line, whose own number is always 1 to the parser.
fn malformed(cell: Cell, error: &serde_json::Error) -> Error {
    let text = error.to_string();
    let reason =
        text.rsplit_once(" at line 1 column ").map_or(text.clone(), |(reason, character)| {
            format!("{reason}, at byte {character} of the line")
        });
    let hint = match cell.line {
        1 if reason.contains("expected an object") => {
            ": JSON Lines has one per line, and no array around them"
        }
        _ => "",
    };
    cell.error(format!("is no JSON object: {reason}{hint}"))
}

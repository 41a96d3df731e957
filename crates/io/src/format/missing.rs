//! Further texts that stand for a missing value, as a user names them.

use super::number::{Number, number};
use super::table::{Chunk, Chunks, Decoder, Note, Table, Wanted};
use super::text::no_code;
use super::values::{Batch, ColumnKind, Texts, Values, is_code, is_missing};
use crate::error::{Error, Place, Result};
use std::path::{Path, PathBuf};

/// Texts that stand for a missing value beside those that always do; one that is a number stands for all that
/// equal it.
#[derive(Debug, Clone, Default)]
pub(super) struct Markers {
    texts: Vec<String>,
    numbers: Vec<f32>,
}

impl Markers {
    pub(super) fn new(texts: &[String]) -> Markers {
        let value = |text: &String| match number(text.trim().as_bytes()) {
            Number::Value(value) => Some(value),
            _ => None,
        };
        Markers { texts: texts.to_vec(), numbers: texts.iter().filter_map(value).collect() }
    }

    /// Whether a text is one of them.
    pub(super) fn contain(&self, text: &[u8]) -> bool {
        if self.texts.is_empty() {
            return false;
        }
        let is_number = || match number(text.trim_ascii()) {
            Number::Value(value) => self.numbers.contains(&value),
            _ => false,
        };
        self.texts.iter().any(|marker| marker.as_bytes() == text) || is_number()
    }
}

/// Makes values of any table missing where a text of `markers` stands. All is decoded as text, which takes
/// longer.
pub(super) fn with_markers(table: Table, markers: &[String], path: &Path) -> Table {
    if markers.is_empty() {
        return table;
    }
    let decoder = Marked {
        path: path.to_owned(),
        names: table.columns.iter().map(|column| column.name.clone()).collect(),
        markers: Markers::new(markers),
        inner: table.decoder,
    };
    Table { chunks: Box::new(AsTexts(table.chunks)), decoder: Box::new(decoder), ..table }
}

fn as_texts(wanted: &[Wanted]) -> Vec<Wanted> {
    let text = |wanted: &Wanted| Wanted { kind: ColumnKind::Text, ..*wanted };
    wanted.iter().map(text).collect()
}

struct AsTexts(Box<dyn Chunks>);

impl Chunks for AsTexts {
    fn select(&mut self, wanted: &[Wanted]) -> Result<()> {
        self.0.select(&as_texts(wanted))
    }

    fn next_chunk(&mut self, bytes: usize) -> Result<Option<Chunk>> {
        self.0.next_chunk(bytes)
    }
}

struct Marked {
    path: PathBuf,
    names: Vec<String>,
    markers: Markers,
    inner: Box<dyn Decoder>,
}

impl Decoder for Marked {
    fn decode(&self, chunk: &mut Chunk, wanted: &[Wanted]) -> Result<Batch> {
        let mut batch = self.inner.decode(chunk, &as_texts(wanted))?;
        for (wanted, values) in wanted.iter().zip(&mut batch.columns) {
            let Values::Texts(texts) = values else { continue };
            let marked = match wanted.kind {
                ColumnKind::Text => Values::Texts(self.texts(texts)),
                ColumnKind::Number => {
                    let name = &self.names[wanted.column];
                    let refuses_codes = wanted.refuses_codes && self.may_have_codes(wanted.column);
                    let numbers = texts.iter().enumerate().map(|(row, text)| {
                        let number = match self.number(text) {
                            Ok(value)
                                if !value.is_nan()
                                    && refuses_codes
                                    && is_code(text.trim().as_bytes()) =>
                            {
                                Err(no_code(text, name))
                            }
                            Ok(value) => Ok(value),
                            Err(expected) => Err(format!("expected {expected}, found \"{text}\"")),
                        };
                        number.map_err(|reason| {
                            let place = Place::cell(batch.rows.number(row), name);
                            Error::input(&self.path, place, reason)
                        })
                    });
                    Values::Numbers(numbers.collect::<Result<_>>()?)
                }
            };
            *values = marked;
        }
        Ok(batch)
    }

    fn guesses_kinds(&self) -> bool {
        self.inner.guesses_kinds()
    }

    fn may_have_codes(&self, column: usize) -> bool {
        self.inner.may_have_codes(column)
    }

    fn notes(&self) -> &[Note] {
        self.inner.notes()
    }
}

impl Marked {
    fn texts(&self, texts: &Texts) -> Texts {
        let mut marked = Texts::default();
        for text in texts.iter() {
            marked.push(if self.markers.contain(text.as_bytes()) { "" } else { text });
        }
        marked
    }

    /// The number that a text is, NaN where it is missing; the error is what was expected.
    fn number(&self, text: &str) -> std::result::Result<f32, &'static str> {
        let text = text.trim();
        match number(text.as_bytes()) {
            _ if self.markers.contain(text.as_bytes()) || is_missing(text.as_bytes()) => {
                Ok(f32::NAN)
            }
            Number::Value(value) => Ok(value),
            Number::Missing => Ok(f32::NAN),
            Number::NotFinite => Err("a finite number"),
            Number::Text => Err("a number"),
        }
    }
}

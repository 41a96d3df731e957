//! Vocabularies of index columns: which texts have which index.

use super::label::plain_number;
use crate::format::values::is_missing;
use crate::schema::Vocabulary;
use std::collections::HashMap;

/// The categories of an index column, to be found by their texts.
pub(super) enum Categories<'a> {
    /// Texts, and how many there are.
    Names(HashMap<&'a str, u32>),
    /// The numbers below this one.
    Codes(u32),
}

impl<'a> Categories<'a> {
    pub(super) fn of(vocabulary: &'a Vocabulary) -> Categories<'a> {
        match vocabulary {
            Vocabulary::Names(names) => {
                Categories::Names(names.iter().map(String::as_str).zip(0..).collect())
            }
            Vocabulary::Codes(count) => Categories::Codes(*count),
        }
    }

    /// The index of what a text says; that after the last if it is no category. A number may be spelled otherwise.
    pub(super) fn of_text(&self, text: &str) -> u32 {
        let text = if is_missing(text.as_bytes()) { "" } else { text };
        match self {
            Categories::Names(names) => {
                let found = names.get(text).copied();
                let found = found.or_else(|| names.get(plain_number(text)?.as_str()).copied());
                found.unwrap_or(names.len() as u32)
            }
            Categories::Codes(count) => code(text).filter(|code| code < count).unwrap_or(*count),
        }
    }
}

/// The number below [`Vocabulary::MOST`] that a text spells, if it is a whole one and no code such as 007.
pub(super) fn code(text: &str) -> Option<u32> {
    let is_plain = text == "0" || !text.starts_with(['0', '+']);
    let number = match text.parse() {
        Ok(number) if is_plain => Some(number),
        _ => plain_number(text)?.parse().ok(),
    };
    number.filter(|&number| (number as usize) < Vocabulary::MOST)
}

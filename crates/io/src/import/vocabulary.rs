//! Vocabularies of index columns: which categories were seen, and which texts have which index.

use super::label::plain_number;
use crate::format::values::is_missing;
use crate::schema::Vocabulary;
use std::collections::{BTreeSet, HashMap};

/// Most bytes of the names of a column, each with its length: all of them are in memory, and in every model.
const MOST_BYTES: usize = 32 << 20;
/// Bytes of the length of a name.
const LENGTH: usize = 8;
/// A vocabulary of numbers is so much larger than the numbers that occur in it at most.
const SPARSE: usize = 4;
/// A vocabulary of numbers of this size is taken in any case.
const SMALL: usize = 1024;

/// The categories that were seen in an index column.
#[derive(Default)]
pub(super) struct Found {
    /// Whole numbers below [`Vocabulary::MOST`] of the batch that was looked at last, in any order.
    listed: Vec<u32>,
    /// A bit for each such number, of the batches before.
    codes: Vec<u64>,
    names: BTreeSet<String>,
    /// Of the names.
    bytes: usize,
}

impl Found {
    /// Adds a text; a missing one is empty.
    pub(super) fn add(&mut self, text: &str) {
        match code(text) {
            Some(code) if self.listed.last() != Some(&code) => self.listed.push(code),
            Some(_) => {}
            None if self.names.contains(text) => {}
            None => {
                self.bytes += text.len() + LENGTH;
                self.names.insert(text.to_owned());
            }
        }
    }

    /// Adds what was found in the batch after these.
    pub(super) fn merge(&mut self, next: Found) {
        for code in next.listed {
            let (word, bit) = (code as usize / 64, code % 64);
            if self.codes.len() <= word {
                self.codes.resize(word + 1, 0);
            }
            self.codes[word] |= 1 << bit;
        }
        for name in next.names {
            let length = name.len() + LENGTH;
            if self.names.insert(name) {
                self.bytes += length;
            }
        }
    }

    /// Whether there are more names than can be kept.
    pub(super) fn is_too_large(&self) -> bool {
        self.bytes > MOST_BYTES
    }

    /// The vocabulary of what was found: numbers that stand for themselves, if there are no others and they lie close
    /// together. `None` if there are more names than can be kept.
    pub(super) fn vocabulary(self) -> Option<Vocabulary> {
        let Found { codes, mut names, mut bytes, .. } = self;
        let seen = || {
            let bits = codes.iter().zip(0..).flat_map(|(word, at)| {
                (0..64).filter(move |bit| word >> bit & 1 == 1).map(move |bit| 64 * at + bit)
            });
            bits.map(|code: u32| code)
        };
        let (count, most) = seen().fold((0, 0), |(count, _), code| (count + 1, code));
        if names.is_empty() && is_dense(most as usize, count) {
            return Some(Vocabulary::Codes(if count == 0 { 0 } else { most + 1 }));
        }
        for code in seen() {
            let name = code.to_string();
            bytes += name.len() + LENGTH;
            if bytes > MOST_BYTES {
                return None;
            }
            names.insert(name);
        }
        (bytes <= MOST_BYTES).then(|| Vocabulary::Names(names.into_iter().collect()))
    }
}

/// What an import learns of a column that has these texts.
pub(crate) fn learned<'t>(texts: impl Iterator<Item = &'t String>) -> Option<Vocabulary> {
    let (mut all, mut found) = (Found::default(), Found::default());
    texts.for_each(|text| found.add(text));
    all.merge(found);
    all.vocabulary()
}

/// Whether numbers from 0 to `most`, of which `count` are different, are worth a vocabulary of all in between.
pub(crate) fn is_dense(most: usize, count: usize) -> bool {
    most < SPARSE * count + SMALL
}

/// The categories of an index column, to be found by their texts.
pub(super) enum Categories<'a> {
    /// Names and their indices.
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

    /// The index of what a text says; `None` if it is no category. A number may be spelled otherwise.
    pub(super) fn index(&self, text: &str) -> Option<u32> {
        let text = if is_missing(text.as_bytes()) { "" } else { text };
        match self {
            Categories::Names(names) => {
                let found = names.get(text).copied();
                found.or_else(|| names.get(plain_number(text)?.as_str()).copied())
            }
            Categories::Codes(count) => code(text).filter(|code| code < count),
        }
    }

    /// The index of what is no category.
    pub(super) fn unknown(&self) -> u32 {
        match self {
            Categories::Names(names) => names.len() as u32,
            Categories::Codes(count) => *count,
        }
    }
}

/// The number below [`Vocabulary::MOST`] that a text spells, if it is a whole one and no code such as 007.
fn code(text: &str) -> Option<u32> {
    // The usual spelling is read without an allocation.
    let is_plain = text == "0" || !text.starts_with(['0', '+']);
    let number = match text.parse() {
        Ok(number) if is_plain => Some(number),
        _ if text.bytes().any(|byte| byte.is_ascii_digit()) => plain_number(text)?.parse().ok(),
        _ => None,
    };
    number.filter(|&number| (number as usize) < Vocabulary::MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(batches: &[&[&str]]) -> Vocabulary {
        let mut all = Found::default();
        for batch in batches {
            let mut found = Found::default();
            batch.iter().for_each(|text| found.add(text));
            all.merge(found);
        }
        all.vocabulary().unwrap()
    }

    fn names(names: &[&str]) -> Vocabulary {
        Vocabulary::Names(names.iter().map(|&name| name.to_owned()).collect())
    }

    #[test]
    fn whole_numbers_stand_for_themselves() {
        assert_eq!(found(&[&["3", "0", "3"], &["+7", "1.0", "2e0"]]), Vocabulary::Codes(8));
        assert_eq!(found(&[&["1027"]]), Vocabulary::Codes(1028));
        assert_eq!(found(&[&["0"]]), Vocabulary::Codes(1));
        // Wider than is worth it, below 0, fractions, codes, gaps and texts.
        assert_eq!(found(&[&["1028"]]), names(&["1028"]));
        assert_eq!(found(&[&["2", "10"], &["-1"]]), names(&["-1", "10", "2"]));
        assert_eq!(found(&[&["2", "2.5"]]), names(&["2", "2.5"]));
        assert_eq!(found(&[&["7", "007"]]), names(&["007", "7"]));
        assert_eq!(found(&[&["7", ""]]), names(&["", "7"]));
        assert_eq!(found(&[&["16777216"]]), names(&["16777216"]));
    }

    #[test]
    fn numbers_that_lie_close_are_as_many_as_there_can_be() {
        let codes: Vec<String> = (0..200_000).map(|i| (4 * i).to_string()).collect();
        let codes: Vec<&str> = codes.iter().map(String::as_str).collect();
        assert_eq!(found(&[&codes]), Vocabulary::Codes(799_997));
        assert!(is_dense((1 << 24) - 1, 1 << 24) && !is_dense((1 << 24) - 1, 1 << 21));
    }

    #[test]
    fn too_many_names_are_too_large() {
        let mut found = Found::default();
        let long = "x".repeat(MOST_BYTES / 2);
        found.add(&long);
        found.add(&long);
        assert!(!found.is_too_large());
        found.add(&format!("{long}y"));
        assert!(found.is_too_large() && found.vocabulary().is_none());
    }

    #[test]
    fn texts_find_their_index() {
        let vocabulary = names(&["", "007", "7", "a", "na"]);
        let categories = Categories::of(&vocabulary);
        let indices = ["a", "007", "7", "7.0", "", "NaN", "b", "0070"].map(|t| categories.index(t));
        let expected = [Some(3), Some(1), Some(2), Some(2), Some(0), Some(0), None, None];
        assert_eq!((indices, categories.unknown()), (expected, 5));

        let categories = Categories::of(&Vocabulary::Codes(10));
        let indices =
            ["9", "0", "9.0", "10", "-1", "07", "", "x", "4.5"].map(|t| categories.index(t));
        let expected = [Some(9), Some(0), Some(9), None, None, None, None, None, None];
        assert_eq!((indices, categories.unknown()), (expected, 10));
    }
}

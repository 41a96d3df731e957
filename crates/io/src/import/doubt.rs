//! Columns of numbers that a few values make texts: what is to be said of them.

use crate::error::{Error, Place, RowNumber};
use crate::format::decimal::Written;
use crate::format::values::is_code;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// A column of at least this many different numbers...
const SURELY: usize = 10;
/// ... and at most one other text for each `SURELY - 1` of them is meant to be numbers.
const SHARE: usize = 10;

/// A value that is not written as a number, and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Stray {
    pub(super) path: PathBuf,
    pub(super) row: RowNumber,
    pub(super) text: String,
}

/// What is to be made of a column of texts.
#[derive(Debug)]
pub(super) enum Doubt {
    /// It is surely meant to be numbers.
    Refused(Error),
    /// It could be meant so: a line to tell.
    Noted(String),
}

/// What texts stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    Categories,
    Classes,
}

/// Whether the different texts of a column are mostly numbers, so that `stray`, the first that is none, may be a
/// mistake. Nothing is refused where the source itself says that they are texts.
pub(super) fn doubt(
    name: &str,
    texts: &BTreeSet<String>,
    stray: &Stray,
    meaning: Meaning,
    is_guessed: bool,
) -> Option<Doubt> {
    if are_codes(texts) {
        return None;
    }
    let present = texts.iter().filter(|text| !text.is_empty());
    let (mut plain, mut with_commas, mut others) = (0, 0, 0);
    for text in present {
        match Written::of(text) {
            Written::Plainly => plain += 1,
            Written::WithCommas => with_commas += 1,
            Written::AsText => others += 1,
        }
    }
    let numbers = plain + with_commas;
    let are_mixed = others == 0 && plain > 0;
    if 2 * numbers <= numbers + others {
        return None;
    }
    let text = stray.text.escape_debug();
    let place = Place::cell(stray.row, name);
    let texts_option = match meaning {
        Meaning::Categories => format!("--category \"{name}\""),
        Meaning::Classes => "--task classify".to_owned(),
    };
    let is_sure = numbers >= SURELY && others * SHARE <= numbers + others;
    if is_guessed && is_sure && (others > 0 || are_mixed) {
        let reason = match meaning {
            _ if are_mixed => format!(
                "expected numbers that are all written in the same way, found \"{text}\": mend it, or say {texts_option} if the values are texts"
            ),
            Meaning::Categories => format!(
                "expected a number, as nearly all others are, found \"{text}\": --na \"{text}\" takes it for missing, {texts_option} takes all for texts, --drop \"{name}\" leaves the column out"
            ),
            Meaning::Classes => format!(
                "expected a number, as nearly all others are, found \"{text}\": mend it or remove the row, or say {texts_option} if the values are classes"
            ),
        };
        return Some(Doubt::Refused(Error::input(&stray.path, place, reason)));
    }
    let what = match meaning {
        Meaning::Categories => "text",
        Meaning::Classes => "a class",
    };
    let hint = match others {
        0 => "--decimal , or . reads numbers with commas".to_owned(),
        _ => format!("--na \"{text}\" takes it for missing"),
    };
    Some(Doubt::Noted(format!(
        "column \"{name}\" is {what} because of \"{text}\"{}; {hint}, {texts_option} confirms it",
        place_in_words(stray.row)
    )))
}

/// Whether there are codes such as 007 among texts, and no numbers but of digits alone: then they are texts, however
/// much they look like numbers.
pub(super) fn are_codes(texts: &BTreeSet<String>) -> bool {
    let are_digits = |text: &&String| text.bytes().all(|byte| byte.is_ascii_digit());
    let mut numbers = texts.iter().filter(|text| Written::of(text) != Written::AsText);
    texts.iter().any(|text| is_code(text.as_bytes())) && numbers.all(|text| are_digits(&text))
}

fn place_in_words(row: RowNumber) -> String {
    match row {
        RowNumber::Line(line) => format!(" in line {line}"),
        RowNumber::Row(row) => format!(" in row {row}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn doubted(texts: &[String], stray: &str, is_guessed: bool) -> Option<String> {
        let path = PathBuf::from("a.csv");
        let stray = Stray { path, row: RowNumber::Line(7), text: stray.to_owned() };
        let texts = texts.iter().cloned().chain([stray.text.clone()]).collect();
        doubt("x", &texts, &stray, Meaning::Categories, is_guessed).map(|doubt| match doubt {
            Doubt::Refused(error) => format!("refused: {error}"),
            Doubt::Noted(note) => note,
        })
    }

    fn numbers(count: usize) -> Vec<String> {
        (0..count).map(|i| i.to_string()).collect()
    }

    #[test]
    fn one_text_among_many_numbers_is_refused() {
        let refused = doubted(&numbers(10), "<1.0", true).unwrap();
        let expected = "refused: a.csv, line 7, column \"x\": expected a number, as nearly all others are, found \"<1.0\"";
        assert!(refused.starts_with(expected), "{refused}");
        let noted = doubted(&numbers(10), "<1.0", false).unwrap();
        assert!(noted.starts_with("column \"x\" is text because of \"<1.0\" in line 7"), "{noted}");
        let mixed = doubted(&numbers(10), "1,5", true).unwrap();
        assert!(mixed.contains("all written in the same way, found \"1,5\""), "{mixed}");
    }

    #[test]
    fn codes_are_texts_without_a_doubt() {
        let codes = |text: &str| {
            let mut texts = numbers(20);
            texts.push("007".to_owned());
            doubted(&texts, text, true)
        };
        assert_eq!(codes("unknown"), None);
        assert!(codes("1,5").is_some());
        let mut measured = numbers(20);
        measured.extend(["007".to_owned(), "1.5".to_owned()]);
        assert!(doubted(&measured, "<1.0", true).unwrap().starts_with("refused"));
    }

    #[test]
    fn among_few_numbers_it_is_noted() {
        assert!(doubted(&numbers(9), "oops", true).unwrap().starts_with("column"));
        assert_eq!(doubted(&numbers(1), "oops", true), None, "half is not most");
        let commas = ["1,5", "2,5"].map(str::to_owned);
        assert!(doubted(&commas, "3,5", false).unwrap().contains("--decimal"));
    }
}

//! Whether the first record of a table without types is a header, and what its columns are called.

use super::look::Look;
use crate::format::decimal::Decimal;
use crate::format::number::{Number, number};
use crate::format::table::CUSTOMARY_TARGETS;
use crate::format::text::shortened;
use crate::format::values::is_missing;
use std::collections::{HashMap, HashSet};

/// Names that are shown in a note.
const SHOWN: usize = 3;
/// So many records show whether a column has few categories.
const MANY_RECORDS: usize = 20;

/// Whether the first record is a header, and what a user should know if that is not certain.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Guess {
    pub(super) is_header: bool,
    pub(super) note: Option<String>,
}

impl Guess {
    fn certain(is_header: bool) -> Guess {
        Guess { is_header, note: None }
    }

    fn doubtful(is_header: bool, first: &[String], why: &str) -> Guess {
        let shown: Vec<String> =
            first.iter().take(SHOWN).map(|text| format!("\"{}\"", shortened(text))).collect();
        let more = if first.len() > SHOWN { ", ..." } else { "" };
        let shown = shown.join(", ");
        let note = match is_header {
            true => format!(
                "the first line ({shown}{more}) is taken for column names{why}: --no-header if it is data"
            ),
            false => format!(
                "the first line ({shown}{more}) is taken for data{why}: --header if it holds column names"
            ),
        };
        Guess { is_header, note: Some(note) }
    }
}

/// Compares the first record with what the others look like. `known` are the names that columns should have
/// if there are any.
pub(super) fn guess(first: &[String], rest: &[Look], known: &[String]) -> Guess {
    let names: HashSet<&str> = first.iter().map(String::as_str).collect();
    let found = known.iter().filter(|name| names.contains(name.as_str())).count();
    if 2 * found > known.len() {
        return Guess::certain(true);
    }
    let records = rest.iter().map(|look| look.present).max().unwrap_or(0);
    let is_number = |text: &str| matches!(number(text.as_bytes()), Number::Value(_));
    if records == 0 {
        return Guess::certain(!first.iter().any(|text| is_number(text)));
    }
    let (mut text_over_numbers, mut numbers_over_numbers) = (false, Vec::new());
    for (text, look) in first.iter().zip(rest) {
        let decimal = match look.is_number(Decimal::Point) {
            true => Decimal::Point,
            false => Decimal::Comma,
        };
        if !look.is_number(decimal) || is_missing(text.as_bytes()) {
            continue;
        }
        match decimal.plain(text.as_bytes()) {
            Some(_) => numbers_over_numbers.push(text.as_str()),
            None => text_over_numbers = true,
        }
    }
    match (text_over_numbers, numbers_over_numbers.is_empty()) {
        (true, true) => Guess::certain(true),
        (true, false) if could_be_names(&numbers_over_numbers) => {
            Guess::doubtful(true, first, ", though there are numbers in it")
        }
        (true, false) => Guess::doubtful(false, first, ", though not all in it are numbers"),
        (false, false) if is_run(&numbers_over_numbers) => {
            let over_index = first[0].is_empty() && first.len() > 1;
            Guess::doubtful(over_index, first, "")
        }
        (false, false) => Guess::certain(false),
        (false, true) => all_texts(first, rest, records, !known.is_empty()),
    }
}

/// Where no column tells numbers from names.
fn all_texts(first: &[String], rest: &[Look], records: usize, has_known: bool) -> Guess {
    let recurs = |(text, look): &(&String, &Look)| look.texts.contains(text.as_bytes());
    if let Some((text, _)) = first.iter().zip(rest).find(recurs) {
        let why = format!(", since \"{}\" is found below it again", shortened(text));
        return Guess::doubtful(false, first, &why);
    }
    if has_known {
        return Guess::certain(false);
    }
    if first.iter().any(|text| matches!(number(text.as_bytes()), Number::Value(_))) {
        return Guess::doubtful(false, first, "");
    }
    let is_customary =
        |text: &String| CUSTOMARY_TARGETS.iter().any(|n| text.eq_ignore_ascii_case(n));
    let has_few = |look: &&Look| (1..=look.present / 4).contains(&look.texts.len());
    let categories = rest.iter().filter(has_few).count();
    match first.iter().any(is_customary) || records >= MANY_RECORDS && categories >= 2 {
        true => Guess::certain(true),
        false => Guess::doubtful(true, first, ""),
    }
}

/// Whether numbers could be names, as years are: whole, and each another one.
fn could_be_names(numbers: &[&str]) -> bool {
    let is_whole = |text: &&str| text.bytes().all(|byte| byte.is_ascii_digit());
    let different: HashSet<&&str> = numbers.iter().collect();
    numbers.iter().all(is_whole) && different.len() == numbers.len()
}

/// Whether numbers follow one another as the numbers of columns or years do: from 0, or from a year of our time.
fn is_run(numbers: &[&str]) -> bool {
    let values: Option<Vec<u32>> = numbers.iter().map(|text| text.parse().ok()).collect();
    let Some(values) = values else { return false };
    let ascends = values.windows(2).all(|pair| pair[0].checked_add(1) == Some(pair[1]));
    let least = if matches!(values[0], 1900..=2100) { 2 } else { 3 };
    ascends && values.len() >= least && matches!(values[0], 0 | 1900..=2100)
}

/// A name for each column: the header's; by position where it has none; and with a number where one before it
/// has the same. Says so if there are such.
pub(super) fn names(first: &[String], has_header: bool) -> (Vec<String>, Option<String>) {
    let mut taken: HashSet<String> = first.iter().cloned().collect();
    let (mut names, mut used) = (Vec::with_capacity(first.len()), HashSet::new());
    let mut next: HashMap<String, u64> = HashMap::new();
    let mut renamed: Vec<(String, String)> = Vec::new();
    for (index, text) in first.iter().enumerate() {
        let is_named = has_header && !text.is_empty();
        let name = if is_named { text.clone() } else { format!("f{index}") };
        if used.insert(name.clone()) {
            names.push(name);
            continue;
        }
        let next = next.entry(name.clone()).or_default();
        let free = loop {
            *next += 1;
            let free = format!("{name}.{next}");
            if taken.insert(free.clone()) {
                break free;
            }
        };
        used.insert(free.clone());
        renamed.push((name, free.clone()));
        names.push(free);
    }
    let note = renamed.first().map(|(name, free)| {
        let more = match renamed.len() - 1 {
            0 => String::new(),
            more => format!(" (and so are {more} more)"),
        };
        format!(
            "two columns are named \"{}\": the second is called \"{}\"{more}",
            shortened(name),
            shortened(free)
        )
    });
    (names, note)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::missing::Markers;

    fn guessed(rows: &[&[&str]], known: &[&str]) -> (bool, Option<String>) {
        let owned = |row: &[&str]| row.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
        let mut looks: Vec<Look> = rows[0].iter().map(|_| Look::default()).collect();
        for (row, line) in rows[1..].iter().zip(2..) {
            for (look, text) in looks.iter_mut().zip(*row) {
                look.add(text.as_bytes(), line, &Markers::default());
            }
        }
        let Guess { is_header, note } = guess(&owned(rows[0]), &looks, &owned(known));
        (is_header, note)
    }

    /// Header or data, and whether that is certain.
    fn verdict(rows: &[&[&str]]) -> (bool, bool) {
        let (is_header, note) = guessed(rows, &[]);
        (is_header, note.is_none())
    }

    #[test]
    fn names_over_numbers_are_a_header() {
        assert_eq!(verdict(&[&["x", "y"], &["1", "2"]]), (true, true));
        assert_eq!(verdict(&[&["x", "y"], &["1,5", "a"]]), (true, true));
        assert_eq!(verdict(&[&["", "y"], &["1", "2"]]), (true, true));
        assert_eq!(verdict(&[&["x", "y"]]), (true, true), "no records");
    }

    #[test]
    fn numbers_over_numbers_are_data() {
        assert_eq!(verdict(&[&["1", "2", "x"], &["3", "4", "y"]]), (false, true));
        assert_eq!(verdict(&[&["5.1", "NA"], &["3", "4"]]), (false, true));
        assert_eq!(verdict(&[&["1", "2"]]), (false, true), "no records");
    }

    #[test]
    fn numbers_among_names_are_doubtful() {
        let years: &[&[&str]] = &[&["who", "2023", "2024", "y"], &["ann", "1", "2", "0"]];
        let (is_header, note) = guessed(years, &[]);
        assert!(is_header);
        assert_eq!(
            note.unwrap(),
            "the first line (\"who\", \"2023\", \"2024\", ...) is taken for column names, though there \
             are numbers in it: --no-header if it is data"
        );
        assert_eq!(verdict(&[&["1.5", "<1"], &["3.5", "4"]]), (false, false));
        assert_eq!(verdict(&[&["3", "3", "x"], &["3", "4", "5"]]), (false, false));
        assert_eq!(verdict(&[&["2019", "2020", "y"], &["1", "2", "a"]]), (false, false));
        assert_eq!(verdict(&[&["0", "1", "2"], &["5.1", "3.5", "1"]]), (false, false));
        assert_eq!(verdict(&[&["", "0", "1", "2"], &["0", "5.1", "3.5", "1"]]), (true, false));
    }

    #[test]
    fn texts_over_texts_go_by_what_recurs() {
        let splice: &[&[&str]] = &[&["EI", "a"], &["EI", "b"], &["IE", "c"]];
        let (is_header, note) = guessed(splice, &[]);
        assert!(!is_header);
        assert!(note.unwrap().contains("since \"EI\" is found below it again: --header"));
        assert_eq!(verdict(&[&["name", "kind"], &["ann", "p"], &["bob", "q"]]), (true, false));
        assert_eq!(verdict(&[&["name", "y"], &["ann", "p"], &["bob", "q"]]), (true, true));
        let mut many: Vec<&[&str]> = vec![&["colour", "size"]];
        many.extend([&["red", "small"][..], &["blue", "large"]].repeat(10));
        assert_eq!(verdict(&many), (true, true));
    }

    #[test]
    fn known_names_decide() {
        assert_eq!(guessed(&[&["2023", "2024"], &["1", "2"]], &["2023", "2024"]), (true, None));
        assert_eq!(guessed(&[&["a", "b"], &["c", "d"]], &["x", "y"]), (false, None));
    }

    #[test]
    fn names_that_occur_twice_get_numbers() {
        let named = |texts: &[&str]| {
            names(&texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>(), true)
        };
        let (all, note) = named(&["x", "x", "x.1", "", "x", "f3"]);
        assert_eq!(all, ["x", "x.2", "x.1", "f3", "x.3", "f3.1"]);
        assert!(note.unwrap().contains(
            "two columns are named \"x\": the second is called \"x.2\" (and so are 2 more)"
        ));
        assert_eq!(named(&["a", "b"]).1, None);
    }
}

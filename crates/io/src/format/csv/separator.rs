//! What separates the fields of a text, as far as its first lines show.

use super::record::{After, blank_line, field};
use crate::format::decimal::Decimal;
use crate::format::number::{Number, number};
use memchr::{memchr, memchr_iter};

const SEPARATORS: [u8; 4] = [b',', b'\t', b';', b'|'];
/// How many lines are looked at.
const LINES: usize = 20;

/// The separator that a first line such as Excel's `sep=;` declares, and the length of that line.
pub(super) fn declared(sample: &[u8]) -> Option<(u8, usize)> {
    let length = memchr(b'\n', sample)? + 1;
    let line = sample[..length].trim_ascii_end();
    let line = line.strip_prefix(b"\"").and_then(|line| line.strip_suffix(b"\"")).unwrap_or(line);
    match line {
        [s, e, p, b'=', separator] if [*s, *e, *p].eq_ignore_ascii_case(b"sep") => {
            Some((*separator, length))
        }
        // The tab at the end was trimmed.
        [s, e, p, b'='] if [*s, *e, *p].eq_ignore_ascii_case(b"sep") => Some((b'\t', length)),
        _ => None,
    }
}

/// The separator that cuts most of the first lines into the same number of fields; of several, the one that
/// makes most fields, but not the comma if it may stand in numbers. `None` if none cuts.
pub(super) fn likely(sample: &[u8], decimal: Option<Decimal>) -> Option<u8> {
    let scores = SEPARATORS.map(|separator| score(sample, separator));
    let [comma, others @ ..] = &scores;
    let best_other = others.iter().max_by_key(|score| (score.same, score.fields))?;
    let may_be_decimal = match decimal {
        Some(Decimal::Point) => false,
        Some(Decimal::Comma) => best_other.fields > 1 || memchr(b'"', sample).is_none(),
        None => comma.same == best_other.same && commas_are_in_numbers(sample),
    };
    let candidates = &scores[usize::from(may_be_decimal)..];
    // Of equals max_by_key returns the last.
    let best = candidates.iter().rev().max_by_key(|score| (score.same, score.fields))?;
    (best.fields > 1).then_some(best.separator)
}

/// How well a separator cuts the first lines.
struct Score {
    separator: u8,
    /// Lines with as many fields as the first one.
    same: usize,
    fields: usize,
}

fn score(sample: &[u8], separator: u8) -> Score {
    let (mut at, mut fields, mut counts) = (0, 1, Vec::new());
    while at < sample.len() && counts.len() < LINES {
        match field(sample, &mut at, separator) {
            Ok((_, After::Field)) => fields += 1,
            Ok(_) => counts.push(std::mem::replace(&mut fields, 1)),
            Err(_) => break,
        }
    }
    let fields = counts.first().copied().unwrap_or(1);
    let same = counts.iter().filter(|count| **count == fields).count();
    Score { separator, same: if fields > 1 { same } else { 0 }, fields }
}

/// Whether after the first line, which may be a header, all commas stand between digits.
fn commas_are_in_numbers(sample: &[u8]) -> bool {
    let lines = sample.split(|byte| *byte == b'\n').take(LINES).skip(1);
    let is_digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
    lines.into_iter().all(|line| {
        let mut commas = memchr_iter(b',', line);
        commas.all(|at| is_digit(line.get(at + 1)) && at > 0 && is_digit(line.get(at - 1)))
    })
}

/// Whether blanks separate numbers: all of the first lines have the same number of them, two or more; the
/// first may be a header.
pub(super) fn are_blanks(sample: &[u8]) -> bool {
    let mut at = 0;
    while let Some(blank) = blank_line(&sample[at..]) {
        at += blank;
    }
    // The last line may be cut off.
    let is_whole = |line: &&[u8]| line.ends_with(b"\n") || sample.ends_with(line);
    let mut lines =
        sample[at..].split_inclusive(|byte| *byte == b'\n').filter(is_whole).take(LINES);
    let words = |line: &[u8]| line.split(u8::is_ascii_whitespace).filter(|w| !w.is_empty()).count();
    let Some(first) = lines.next() else { return false };
    let expected = words(first);
    let mut rest = lines.filter(|line| !line.trim_ascii().is_empty()).peekable();
    let starts_with_number = first.trim_ascii_start().first().is_some_and(is_of_number);
    let is_number = |word: &[u8]| number(word) != Number::Text;
    expected > 1
        && (rest.peek().is_some() || starts_with_number)
        && rest.all(|line| {
            let mut fields = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
            words(line) == expected && fields.all(is_number)
        })
}

fn is_of_number(byte: &u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_separator_is_declared() {
        assert_eq!(declared(b"sep=;\na;b\n"), Some((b';', 6)));
        assert_eq!(declared(b"\"SEP=|\"\r\na|b\n"), Some((b'|', 9)));
        assert_eq!(declared(b"sep=\t\na\tb\n"), Some((b'\t', 6)));
        assert_eq!(declared(b"sep,y\n1,2\n"), None);
    }

    #[test]
    fn a_separator_is_found() {
        let comma = Some(Decimal::Comma);
        for (text, decimal, expected) in [
            ("a,b\n1,2\n", None, Some(b',')),
            ("a;b,c\n1;2,5\n", None, Some(b';')),
            ("1,5;2,5;0\n2,5;3,5;1\n", None, Some(b';')),
            ("price, EUR;y\n1,5;2\n", None, Some(b';')),
            ("a,b;c\n1,x;y\n2,z;y\n", None, Some(b',')),
            ("1,5;2,5;0\n2,5;3,5;1\n", Some(Decimal::Point), Some(b',')),
            ("1,5\n2,5\n", comma, None),
            ("\"1,5\",2\n\"2,5\",3\n", comma, Some(b',')),
            ("x\n1\n", None, None),
        ] {
            assert_eq!(likely(text.as_bytes(), decimal), expected, "{text} {decimal:?}");
        }
    }

    #[test]
    fn blanks_separate_numbers_only() {
        assert!(are_blanks(b"1 2 0\n 3  4 1 \n"));
        assert!(are_blanks(b"a b y\n1\t2 NaN\n"));
        assert!(are_blanks(b"1 2"));
        assert!(!are_blanks(b"a b\n"));
        assert!(!are_blanks(b"1 2\n3\n"));
        assert!(!are_blanks(b"1 2\n3 x\n"));
        assert!(!are_blanks(b"1\n2\n"));
    }
}

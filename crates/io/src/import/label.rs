//! The names of classes: texts as they are, and numbers in one spelling.

use std::cmp::Ordering;
use std::collections::BTreeSet;

/// The greatest power of ten by which a spelling may move its point.
const MOST_ZEROS: i64 = 400;

/// The names of the classes that texts stand for, in their order: if all are numbers, each of them once
/// however it is spelled, from the least on; else the texts themselves.
pub(crate) fn class_names(texts: BTreeSet<String>) -> Vec<String> {
    let numbers: Option<BTreeSet<String>> = texts.iter().map(|text| plain_number(text)).collect();
    let Some(numbers) = numbers else { return Vec::from_iter(texts) };
    let mut names = Vec::from_iter(numbers);
    names.sort_by(|a, b| by_value(a, b));
    names
}

/// The number that a text spells as digits without exponent, plus sign and zeros that add nothing; to the last
/// digit, however many there are. `None` if it is none, or a code such as 007.
pub(super) fn plain_number(text: &str) -> Option<String> {
    let text = text.trim_ascii();
    let (is_negative, unsigned) = match text.as_bytes() {
        [b'-', ..] => (true, &text[1..]),
        [b'+', ..] => (false, &text[1..]),
        _ => (false, text),
    };
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (&unsigned[..at], unsigned[at + 1..].parse::<i64>().ok()?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = [whole, fraction].concat();
    let is_code = whole.len() > 1 && whole.starts_with('0') && whole.len() == unsigned.len();
    let are_digits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !are_digits || is_code || exponent.abs() > MOST_ZEROS {
        return None;
    }
    // Where the point stands among the digits, or how many zeros are between.
    let point = whole.len() as i64 + exponent;
    let zeros = |count: i64| "0".repeat(usize::try_from(count).unwrap_or(0));
    let padded = [zeros(-point), digits.clone(), zeros(point - digits.len() as i64)].concat();
    let (whole, fraction) = padded.split_at(usize::try_from(point).unwrap_or(0));
    let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
    let sign = if is_negative && !(whole.is_empty() && fraction.is_empty()) { "-" } else { "" };
    let whole = if whole.is_empty() { "0" } else { whole };
    let point = if fraction.is_empty() { "" } else { "." };
    Some([sign, whole, point, fraction].concat())
}

/// By value, as far as f64 tells, and else by the digits.
fn by_value(a: &str, b: &str) -> Ordering {
    let value = |text: &str| text.parse::<f64>().unwrap_or(f64::NAN);
    let digits = match a.starts_with('-') {
        true => b.cmp(a),
        false => a.cmp(b),
    };
    value(a).total_cmp(&value(b)).then(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(texts: &[&str]) -> Vec<String> {
        class_names(texts.iter().map(|&text| text.to_owned()).collect())
    }

    #[test]
    fn a_number_has_one_spelling() {
        for (text, expected) in [
            ("1", Some("1")),
            ("+1", Some("1")),
            ("1.0", Some("1")),
            ("1.", Some("1")),
            ("1.000000000000000000e+00", Some("1")),
            ("1e2", Some("100")),
            ("12.5e-3", Some("0.0125")),
            ("12.50", Some("12.5")),
            (".5", Some("0.5")),
            ("0", Some("0")),
            ("-0.0", Some("0")),
            ("-0.10", Some("-0.1")),
            ("00.5", Some("0.5")),
            ("9007199254740993", Some("9007199254740993")),
            ("1e21", Some("1000000000000000000000")),
            ("007", None),
            ("-01", None),
            ("", None),
            (".", None),
            ("-", None),
            ("x", None),
            ("1x", None),
            ("inf", None),
            ("1e9999", None),
            ("é", None),
        ] {
            assert_eq!(plain_number(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn names_of_numbers_are_in_their_order() {
        assert_eq!(names(&["10", "9.0", "9", "-1"]), ["-1", "9", "10"]);
        assert_eq!(names(&["-0.0", "0.0", "1.0"]), ["0", "1"]);
        let large =
            ["9007199254740993", "9007199254740992", "-9007199254740992", "-9007199254740993"];
        let ordered =
            ["-9007199254740993", "-9007199254740992", "9007199254740992", "9007199254740993"];
        assert_eq!(names(&large), ordered);
    }

    #[test]
    fn texts_stay_as_they_are() {
        assert_eq!(names(&["007", "010", "10"]), ["007", "010", "10"]);
        assert_eq!(names(&["1", "1.0", "x"]), ["1", "1.0", "x"]);
    }
}

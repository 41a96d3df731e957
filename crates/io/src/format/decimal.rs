//! Numbers as people write them for people: with a decimal comma, or grouped by thousands.

use super::number::{Number, number};
use memchr::{memchr, memchr2};
use std::borrow::Cow;
use std::str::FromStr;

/// What stands before the fraction of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Decimal {
    /// A point, as in `1234.5`; commas may stand between thousands, as in `1,234.5`.
    #[default]
    Point,
    /// A comma, as in `1234,5`; points may stand between thousands, as in `1.234,5`.
    Comma,
}

impl FromStr for Decimal {
    type Err = String;

    fn from_str(text: &str) -> Result<Decimal, String> {
        match text {
            "." | "point" => Ok(Decimal::Point),
            "," | "comma" => Ok(Decimal::Comma),
            _ => Err(format!("expected , or . and found {text}")),
        }
    }
}

impl Decimal {
    /// The text of a number or of a missing value as [`number`] reads it; `None` if it is neither.
    pub(super) fn plain(self, text: &[u8]) -> Option<Cow<'_, [u8]>> {
        if self == Decimal::Comma && memchr2(b',', b'.', text).is_some() {
            return self.rewritten(text).map(Cow::Owned);
        }
        match number(text) {
            Number::Text => self.rewritten(text).map(Cow::Owned),
            _ => Some(Cow::Borrowed(text)),
        }
    }

    /// The same number with a point and without separators between thousands.
    fn rewritten(self, text: &[u8]) -> Option<Vec<u8>> {
        let (point, groups) = match self {
            Decimal::Point => (b'.', [b',', b' ', b'\'']),
            Decimal::Comma => (b',', [b'.', b' ', b'\'']),
        };
        let (sign, unsigned) = match text {
            [sign @ (b'+' | b'-'), rest @ ..] => (Some(*sign), rest),
            _ => (None, text),
        };
        let digits_end = unsigned.iter().position(|byte| matches!(byte, b'e' | b'E'));
        let (mantissa, exponent) = unsigned.split_at(digits_end.unwrap_or(unsigned.len()));
        let whole_end = memchr(point, mantissa).unwrap_or(mantissa.len());
        let (whole, fraction) = mantissa.split_at(whole_end);
        let fraction = fraction.get(1..).unwrap_or_default();
        let has_digits = !whole.is_empty() || !fraction.is_empty();
        if !has_digits || !fraction.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let mut plain: Vec<u8> = sign.into_iter().collect();
        match whole.iter().find(|byte| groups.contains(byte)) {
            Some(separator) => plain.extend(ungrouped(whole, *separator)?),
            None if whole.iter().all(u8::is_ascii_digit) => plain.extend(whole),
            None => return None,
        }
        if !fraction.is_empty() {
            plain.push(b'.');
            plain.extend(fraction);
        }
        plain.extend(exponent);
        (number(&plain) != Number::Text).then_some(plain)
    }
}

/// How a text is written, as far as it is a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    /// As a number, or it stands for a missing one.
    Plainly,
    /// As a number with a decimal comma or separators between thousands.
    WithCommas,
    /// As anything else.
    AsText,
}

impl Written {
    pub(crate) fn of(text: &str) -> Written {
        let text = text.trim_ascii().as_bytes();
        let is_number = |decimal: Decimal| decimal.plain(text).is_some();
        match number(text) {
            Number::Text if is_number(Decimal::Point) || is_number(Decimal::Comma) => {
                Written::WithCommas
            }
            Number::Text => Written::AsText,
            _ => Written::Plainly,
        }
    }
}

/// The digits of groups such as `1,234,567`: of three digits each, but for the first, which is no zero.
fn ungrouped(whole: &[u8], separator: u8) -> Option<Vec<u8>> {
    let mut groups = whole.split(|byte| *byte == separator);
    let first = groups.next().unwrap_or_default();
    let mut digits = first.to_vec();
    let mut is_grouped = matches!(first, [b'1'..=b'9', ..]) && first.len() <= 3;
    for group in groups {
        is_grouped &= group.len() == 3;
        digits.extend(group);
    }
    (is_grouped && digits.iter().all(u8::is_ascii_digit)).then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(decimal: Decimal, text: &str) -> Option<String> {
        let plain = decimal.plain(text.as_bytes())?;
        match number(&plain) {
            Number::Value(value) => Some(value.to_string()),
            other => Some(format!("{other:?}")),
        }
    }

    #[test]
    fn numbers_with_points_and_with_commas() {
        for (text, point, comma) in [
            ("12", Some("12"), Some("12")),
            ("1.5", Some("1.5"), None),
            ("-1,5", None, Some("-1.5")),
            (",5", None, Some("0.5")),
            ("+10,5e1", None, Some("105")),
            ("1,234", Some("1234"), Some("1.234")),
            ("0,234", None, Some("0.234")),
            ("1,234.5", Some("1234.5"), None),
            ("1,234,567", Some("1234567"), None),
            ("1.234,5", None, Some("1234.5")),
            ("-1.234", Some("-1.234"), Some("-1234")),
            ("1.234.567", None, Some("1234567")),
            ("1 234", Some("1234"), Some("1234")),
            ("1'234'567", Some("1234567"), Some("1234567")),
            ("1e3", Some("1000"), Some("1000")),
            ("", Some("Missing"), Some("Missing")),
            ("NA", Some("Missing"), Some("Missing")),
            ("1,2,3", None, None),
            ("12,34", None, Some("12.34")),
            ("1234,567", None, Some("1234.567")),
            ("1,,234", None, None),
            ("a,5", None, None),
            ("1,5x", None, None),
            (",", None, None),
            ("-", None, None),
            ("12:30", None, None),
        ] {
            assert_eq!(read(Decimal::Point, text).as_deref(), point, "{text} with a point");
            assert_eq!(read(Decimal::Comma, text).as_deref(), comma, "{text} with a comma");
        }
    }
}

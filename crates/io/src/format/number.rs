//! Reading a number from its text.

use crate::format::is_missing;

/// What a field that should be a number is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Number {
    Value(f32),
    Missing,
    /// Infinite, or too large for an f32.
    NotFinite,
    Text,
}

/// Reads a number, rounded correctly to f32. Blanks around it were trimmed.
#[inline]
pub(super) fn number(bytes: &[u8]) -> Number {
    // Whole numbers this short are exact, and the most common by far.
    if !bytes.is_empty() && bytes.len() <= 7 && bytes.iter().all(u8::is_ascii_digit) {
        let value = bytes.iter().fold(0, |value, digit| value * 10 + u32::from(digit - b'0'));
        return Number::Value(value as f32);
    }
    match fast_float2::parse::<f32, _>(bytes) {
        Ok(value) if value.is_finite() => Number::Value(value),
        _ if is_missing(bytes) => Number::Missing,
        Ok(_) => Number::NotFinite,
        Err(_) => Number::Text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_a_number() {
        for (text, expected) in [
            ("7", Number::Value(7.0)),
            ("0012", Number::Value(12.0)),
            ("9999999", Number::Value(9_999_999.0)),
            ("16777217", Number::Value(16_777_216.0)),
            ("-1.5e3", Number::Value(-1500.0)),
            ("+.5", Number::Value(0.5)),
            ("1e-60", Number::Value(0.0)),
            ("", Number::Missing),
            ("N/A", Number::Missing),
            ("NaN", Number::Missing),
            ("?", Number::Missing),
            ("inf", Number::NotFinite),
            ("-Infinity", Number::NotFinite),
            ("1e39", Number::NotFinite),
            ("abc", Number::Text),
            ("1 2", Number::Text),
            ("1,5", Number::Text),
            ("-", Number::Text),
        ] {
            assert_eq!(number(text.as_bytes()), expected, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_number_reads_back_to_the_bit(value in proptest::num::f32::NORMAL | proptest::num::f32::SUBNORMAL) {
            proptest::prop_assert_eq!(number(value.to_string().as_bytes()), Number::Value(value));
        }
    }
}

//! Reading a number from its text.

use crate::format::values::is_missing;

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

/// A byte in each of 16.
pub(super) const fn all(byte: u8) -> u128 {
    u128::MAX / 0xff * byte as u128
}

/// The highest bit of the lowest byte that is zero, and perhaps those of some bytes above it.
#[inline]
pub(super) fn zeros(word: u128) -> u128 {
    word.wrapping_sub(all(1)) & !word & all(0x80)
}

/// Masks of the lowest so many bytes.
const LOW_BYTES: [u128; 17] = {
    let mut masks = [u128::MAX; 17];
    let mut count = 0;
    while count < 16 {
        masks[count] = (1 << (8 * count)) - 1;
        count += 1;
    }
    masks
};

/// Reads a number of at most 15 bytes, such as `-12.75`, that stands at `at` in a text and is followed by
/// `end`. Returns it, rounded correctly to f32, with its length; `None` for all else, which may be a
/// number too (or a code, such as `007`), and near the ends of the text.
///
/// There is no loop and, but for failure, no branch in it, since no processor foresees digits. The number is
/// looked at twice: in the 16 bytes that begin with it, to find its end, and in those that end with it,
/// where each digit has the place of its value.
#[inline]
pub(super) fn short_number(text: &[u8], at: usize, end: u8) -> Option<(f32, usize)> {
    let start = u128::from_le_bytes(*text.get(at..)?.first_chunk()?);
    let length = (zeros(start ^ all(end)).trailing_zeros() / 8) as usize;
    let point = (zeros(start ^ all(b'.')).trailing_zeros() / 8) as usize;
    let negative = usize::from(start as u8 == b'-');
    if length >= 16 {
        return None;
    }
    let digits = u128::from_le_bytes(*text[..at + length].last_chunk()?) ^ all(b'0');
    let digits = digits & !LOW_BYTES[16 - length + negative];
    // The digits before a point close up over it. Past the number no point is its own.
    let (to_point, fraction) =
        if point < length { (17 - length + point, length - point - 1) } else { (0, 0) };
    let before = LOW_BYTES[to_point];
    let digits = digits << 8 & before | digits & !before;
    if (digits | digits.wrapping_add(all(0x80 - 10))) & all(0x80) != 0 {
        return None;
    }
    // There must be a digit, and not one after a zero, as in codes.
    let has_digit_after_zero = start as u16 & 0xf0ff == u16::from_le_bytes(*b"00") && length > 1;
    if length <= negative + usize::from(point < length) || has_digit_after_zero {
        return None;
    }
    let whole = eight_digits(digits as u64) * 100_000_000 + eight_digits((digits >> 64) as u64);
    // Both are exact in f64, so their quotient is rounded once; rounding it again does no harm
    // unless it looks as if it lay just between two f32.
    let value = whole as f64 / POWERS_OF_TEN[fraction];
    if value.to_bits() & 0x1fff_ffff == 0x1000_0000 {
        return None;
    }
    let sign = (negative as u32) << 31;
    Some((f32::from_bits((value as f32).to_bits() | sign), length))
}

/// Eight digits, the first in the lowest byte.
#[inline]
fn eight_digits(digits: u64) -> u64 {
    const PAIRS: u64 = 0x0000_00ff_0000_00ff;
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8);
    let first = (pairs & PAIRS).wrapping_mul(100 + (1_000_000 << 32));
    let second = (pairs >> 16 & PAIRS).wrapping_mul(1 + (10_000 << 32));
    first.wrapping_add(second) >> 32
}

const POWERS_OF_TEN: [f64; 16] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

#[cfg(test)]
mod tests {
    use super::*;

    /// The short way, of a text among others.
    fn short(text: &str) -> Option<f32> {
        let among = format!("9.99;.99;-9;999;9{text};1.5\n2;3.5;4;5;6;7;8");
        let (value, length) = short_number(among.as_bytes(), 17, b';')?;
        assert_eq!(length, text.len());
        Some(value)
    }

    #[test]
    fn short_numbers_are_read_to_the_bit() {
        for text in [
            "0",
            "-0",
            "7",
            "-7",
            "0.5",
            "-.5",
            "5.",
            "12.500",
            "123456789012345",
            "0.0000000000001",
            "9999999.9999999",
            "-1234567.890123",
            "16777216",
            "33554436",
        ] {
            let expected = text.parse::<f32>().unwrap();
            assert_eq!(short(text).map(f32::to_bits), Some(expected.to_bits()), "{text}");
        }
        let other = [
            "",
            "-",
            ".",
            "-.",
            "1.2.3",
            "--1",
            "+1",
            "1e5",
            " 1",
            "1 ",
            "NaN",
            "1234567890123456",
            "007",
            "00",
            "00012.500",
            "1:",
            "1/",
            // Halfway between two f32.
            "16777217",
        ];
        for text in other {
            assert_eq!(short(text), None, "{text}");
        }
        let text = b"1;2;3;4;5;6;7;8;-9.5;9";
        assert_eq!(short_number(text, 4, b';'), None, "not enough bytes after it");
        assert_eq!(short_number(text, 0, b';'), None, "not enough bytes before it");
        assert_eq!(
            short_number(&[text.as_slice(), &[b'x'; 16]].concat(), 16, b';'),
            Some((-9.5, 4))
        );
        assert_eq!(short_number(text, 40, b';'), None, "past the end");
    }

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

        #[test]
        fn what_is_read_the_short_way_is_what_is_read_the_long_way(
            text in "-?[0-9]{0,8}[.]?[0-9]{0,8}|[-.0-9a+/:]{1,15}"
        ) {
            let parsed = text.parse::<f32>();
            match short(&text) {
                Some(value) => proptest::prop_assert_eq!(value.to_bits(), parsed.unwrap().to_bits()),
                None => proptest::prop_assert!(text.len() > 15 || parsed.is_err() || text.contains(['a', '+'])
                    || text.len() > 1 && text.starts_with('0') && !text.starts_with("0.")
                    || f64::from(parsed.clone().unwrap()) != text.parse::<f64>().unwrap()),
            }
        }

        /// The hard ones: at and near the middle between two neighbours.
        #[test]
        fn short_numbers_near_halfway_are_rounded_right(bits in 1u32 << 23..3 << 23, offset in -2i64..=2) {
            let value = f32::from_bits(bits % (1 << 24) + (0x4b00_0000 - (1 << 23)));
            let middle = f64::from(value) + f64::from(value.next_up() - value) / 2.0;
            let text = ((middle * 1e4) as i64 + offset).to_string();
            let (whole, fraction) = text.split_at(text.len().saturating_sub(4));
            let text = format!("{whole}.{fraction}");
            if let Some(value) = short(&text) {
                proptest::prop_assert_eq!(value, text.parse::<f32>().unwrap(), "{}", text);
            }
        }
    }
}

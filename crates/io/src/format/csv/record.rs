//! Cutting delimited text into records and fields. Knows quotes and line ends, and not what a field means.
//!
//! A field that begins with `"` ends at the next `"` that is not doubled, and may hold separators and
//! line ends; only blanks may follow it. Elsewhere a quote is an ordinary character.

use crate::format::number::{all, zeros};
use memchr::{memchr, memchr2, memrchr};
use std::borrow::Cow;

/// A field without its quotes, but with doubled quotes in it still doubled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Field<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) quoted: bool,
}

impl<'a> Field<'a> {
    /// The field's value: what is quoted as it is, and else without blanks around it.
    pub(super) fn value(self) -> Cow<'a, [u8]> {
        if !self.quoted {
            return Cow::Borrowed(trim(self.bytes));
        }
        if memchr(b'"', self.bytes).is_none() {
            return Cow::Borrowed(self.bytes);
        }
        let mut value = Vec::with_capacity(self.bytes.len());
        let mut after_quote = false;
        for &byte in self.bytes {
            after_quote = byte == b'"' && !after_quote;
            if !after_quote {
                value.push(byte);
            }
        }
        Cow::Owned(value)
    }
}

/// What comes after a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum After {
    /// Another field of the same record.
    Field,
    /// A line end.
    Record,
    /// Nothing: the text ends.
    End,
}

/// Why a quoted field is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Malformed {
    Unclosed,
    TextAfterQuote,
}

/// Reads the field that begins at `at`, and moves `at` past what follows it.
#[inline]
pub(super) fn field<'a>(
    text: &'a [u8],
    at: &mut usize,
    separator: u8,
) -> Result<(Field<'a>, After), Malformed> {
    let rest = &text[*at..];
    if rest.first() == Some(&b'"') {
        return quoted_field(text, at, separator);
    }
    let end = end_of_field(rest, separator);
    let (mut bytes, after) = match end {
        Some(end) if rest[end] == separator => (&rest[..end], After::Field),
        Some(end) => (&rest[..end], After::Record),
        None => (rest, After::End),
    };
    *at += bytes.len() + usize::from(end.is_some());
    if after != After::Field {
        bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
    }
    Ok((Field { bytes, quoted: false }, after))
}

/// Where the first separator or line end is. Looks at 16 bytes at a time: most fields are shorter, so
/// that the processor seldom guesses wrong how often it has to look.
#[inline]
fn end_of_field(rest: &[u8], separator: u8) -> Option<usize> {
    let mut at = 0;
    while let Some(word) = rest[at..].first_chunk() {
        let word = u128::from_le_bytes(*word);
        let found = zeros(word ^ all(separator)) | zeros(word ^ all(b'\n'));
        if found != 0 {
            return Some(at + found.trailing_zeros() as usize / 8);
        }
        at += 16;
    }
    memchr2(separator, b'\n', &rest[at..]).map(|end| at + end)
}

#[cold]
fn quoted_field<'a>(
    text: &'a [u8],
    at: &mut usize,
    separator: u8,
) -> Result<(Field<'a>, After), Malformed> {
    let start = *at + 1;
    let mut close = start;
    loop {
        close += memchr(b'"', &text[close..]).ok_or(Malformed::Unclosed)?;
        if text.get(close + 1) != Some(&b'"') {
            break;
        }
        close += 2;
    }
    let rest = &text[close + 1..];
    let end = memchr2(separator, b'\n', rest);
    let blanks = &rest[..end.unwrap_or(rest.len())];
    *at = close + 1 + blanks.len() + usize::from(end.is_some());
    if !blanks.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r')) {
        return Err(Malformed::TextAfterQuote);
    }
    let after = match end {
        Some(end) if rest[end] == separator => After::Field,
        Some(_) => After::Record,
        None => After::End,
    };
    Ok((Field { bytes: &text[start..close], quoted: true }, after))
}

/// Length of an empty line at the start of `text`, which is no record.
pub(super) fn blank_line(text: &[u8]) -> Option<usize> {
    match text {
        [b'\n', ..] => Some(1),
        [b'\r', b'\n', ..] => Some(2),
        _ => None,
    }
}

/// Length of the complete records at the start of `text`, which begins with a record.
pub(super) fn complete_records(text: &[u8], separator: u8) -> usize {
    if memchr(b'"', text).is_none() {
        return memrchr(b'\n', text).map_or(0, |end| end + 1);
    }
    let (mut at, mut complete) = (0, 0);
    while at < text.len() {
        match field(text, &mut at, separator) {
            Ok((_, After::Record)) => complete = at,
            Ok((_, After::End)) | Err(Malformed::Unclosed) => break,
            // Where the record ends is clear all the same: the decoder will report it.
            Err(Malformed::TextAfterQuote) if text[at - 1] == b'\n' => complete = at,
            Ok((_, After::Field)) | Err(Malformed::TextAfterQuote) => {}
        }
    }
    complete
}

fn trim(bytes: &[u8]) -> &[u8] {
    bytes.trim_ascii()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(text: &str, separator: u8) -> Vec<Vec<String>> {
        let text = text.as_bytes();
        let (mut at, mut records, mut record) = (0, Vec::new(), Vec::new());
        while at < text.len() {
            if record.is_empty()
                && let Some(length) = blank_line(&text[at..])
            {
                at += length;
                continue;
            }
            let (field, after) = field(text, &mut at, separator).unwrap();
            record.push(String::from_utf8(field.value().into_owned()).unwrap());
            if after == After::Field && at == text.len() {
                record.push(String::new());
            }
            if after != After::Field || at == text.len() {
                records.push(std::mem::take(&mut record));
            }
        }
        records
    }

    #[test]
    fn quotes_line_ends_and_blanks() {
        let text = "a, b ,\"c,\"\"d\"\"\"\r\n\r\n\"x\ny\",5\" disk,\n,,";
        let expected = [vec!["a", "b", "c,\"d\""], vec!["x\ny", "5\" disk", ""], vec!["", "", ""]];
        assert_eq!(records(text, b','), expected);
        assert_eq!(complete_records(text.as_bytes(), b','), text.len() - 2);
        assert_eq!(complete_records(b"a\n\"b\n", b','), 2);
        assert_eq!(complete_records(b"\"a\"x\n\"b\n", b','), 5);
        assert_eq!(complete_records(b"a,b", b','), 0);
    }

    #[test]
    fn malformed_quotes() {
        assert_eq!(field(b"\"a", &mut 0, b','), Err(Malformed::Unclosed));
        assert_eq!(field(b"\"a\"b,", &mut 0, b','), Err(Malformed::TextAfterQuote));
    }

    proptest::proptest! {
        #[test]
        fn reads_what_the_csv_crate_writes(
            rows in proptest::collection::vec(
                proptest::collection::vec("[ab\",\n\r é]{0,5}", 2..4), 1..6)
        ) {
            let mut writer = ::csv::WriterBuilder::new().flexible(true)
                .quote_style(::csv::QuoteStyle::Always).from_writer(Vec::new());
            for row in &rows {
                writer.write_record(row).unwrap();
            }
            let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
            proptest::prop_assert_eq!(complete_records(text.as_bytes(), b','), text.len());
            proptest::prop_assert_eq!(records(&text, b','), rows);
        }
    }
}

//! The fields of a line: quoted by `'` or `"` with escapes by backslash, or up to the next separator.

use std::borrow::Cow;

/// What is left of a line.
pub(super) struct Fields<'a> {
    rest: &'a [u8],
    /// Whether a separator came last, so that a field must follow.
    expects: bool,
}

impl<'a> Fields<'a> {
    pub(super) fn new(text: &'a [u8]) -> Fields<'a> {
        Fields { rest: text, expects: !text.is_empty() }
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.rest.is_empty() && !self.expects
    }

    /// What is left, without blanks around it.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.rest.trim_ascii()
    }

    /// The next field and the separator or blanks after it; `None` at the end of the line.
    pub(super) fn next(&mut self, separator: u8) -> Result<Option<Cow<'a, [u8]>>, &'static str> {
        if self.is_at_end() {
            return Ok(None);
        }
        let text = self.rest.trim_ascii_start();
        let is_end =
            |byte: &u8| *byte == separator || separator == b' ' && matches!(byte, b'\t' | b'{');
        let (value, rest) = match text {
            [quote @ (b'\'' | b'"'), text @ ..] => quoted(text, *quote)?,
            _ => {
                let end = text.iter().position(is_end).unwrap_or(text.len());
                (Cow::Borrowed(text[..end].trim_ascii_end()), &text[end..])
            }
        };
        let after = if separator == b' ' { rest } else { rest.trim_ascii_start() };
        self.expects = after.first() == Some(&separator) && separator != b' ';
        self.rest = match after.first() {
            Some(byte) if *byte == separator => &after[1..],
            None => after,
            Some(byte) if is_end(byte) => after,
            Some(_) => return Err("text follows a closing quote"),
        };
        Ok(Some(value))
    }

    /// The index at the start of a sparse record's pair.
    pub(super) fn index(&mut self) -> Option<usize> {
        let text = self.rest.trim_ascii_start();
        let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = text.split_at(digits);
        self.rest = rest;
        std::str::from_utf8(digits).ok()?.parse().ok()
    }
}

/// The text up to the closing quote, and what is after it.
fn quoted(text: &[u8], quote: u8) -> Result<(Cow<'_, [u8]>, &[u8]), &'static str> {
    let mut value = Vec::new();
    let mut bytes = text.iter().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'\\' => value.push(match bytes.next() {
                Some((_, b'n')) => b'\n',
                Some((_, b'r')) => b'\r',
                Some((_, b't')) => b'\t',
                Some((_, other)) => *other,
                None => break,
            }),
            byte if *byte == quote => return Ok((Cow::Owned(value), &text[at + 1..])),
            other => value.push(*other),
        }
    }
    Err("a quote is opened and never closed")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Result<Vec<String>, &'static str> {
        let mut fields = Fields::new(text.as_bytes());
        let mut found = Vec::new();
        while let Some(field) = fields.next(b',')? {
            found.push(String::from_utf8(field.into_owned()).unwrap());
        }
        Ok(found)
    }

    #[test]
    fn quotes_blanks_and_escapes() {
        assert_eq!(all("1, 'a, b' ,\"it's\",").unwrap(), ["1", "a, b", "it's", ""]);
        assert_eq!(all(r"'it\'s\n',b c").unwrap(), ["it's\n", "b c"]);
        assert_eq!(all("'a"), Err("a quote is opened and never closed"));
        assert_eq!(all("'a'b"), Err("text follows a closing quote"));
        assert_eq!(all("").unwrap(), [""; 0]);
    }
}

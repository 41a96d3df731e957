//! The header of attributes.

use super::fields::Fields;
use crate::error::{Error, Place, Result};
use crate::format::table::Chunks;
use crate::format::text::{Cell, TextChunks, shortened};
use std::path::Path;

/// More attributes than this are taken for a damaged header.
const MOST_ATTRIBUTES: usize = 1 << 16;
/// Bytes that are read at once.
const READ: usize = 1 << 16;

/// What the header says.
pub(super) struct Header {
    pub(super) attributes: Vec<Attribute>,
    /// The line after it.
    pub(super) line: u64,
}

/// A column.
pub(super) struct Attribute {
    pub(super) name: String,
    pub(super) is_number: bool,
    /// Its value in a sparse record that does not name it.
    pub(super) default: String,
    /// The values that it may have, if they are declared.
    pub(super) values: Option<Vec<String>>,
}

/// Reads the header and leaves the records.
pub(super) fn read(chunks: &mut TextChunks, path: &Path) -> Result<Header> {
    let mut attributes = Vec::new();
    let mut line = 0;
    let mut text = chunks.sample(READ)?;
    while !text.is_empty() {
        let mut at = 0;
        while at < text.len() {
            let start = at;
            at = memchr::memchr(b'\n', &text[start..]).map_or(text.len(), |end| start + end + 1);
            line += 1;
            let cell = Cell { path, line, column: None };
            let content = content(&text[start..at]);
            if content.is_empty() || keyword(content, b"@relation").is_some() {
                continue;
            }
            if keyword(content, b"@data").is_some() {
                if attributes.is_empty() {
                    return Err(cell.error("no @attribute is before this".to_owned()));
                }
                chunks.put_back(text.split_off(at), line + 1);
                return Ok(Header { attributes, line: line + 1 });
            }
            let Some(declaration) = keyword(content, b"@attribute") else {
                let found = String::from_utf8_lossy(content);
                return Err(cell.error(format!(
                    "expected @attribute or @data, found \"{}\"",
                    shortened(&found)
                )));
            };
            attributes.push(attribute(declaration, cell)?);
            if attributes.len() > MOST_ATTRIBUTES {
                return Err(cell.error(format!("has more than {MOST_ATTRIBUTES} attributes")));
            }
        }
        text = chunks.next_chunk(READ)?.map_or(Vec::new(), |chunk| chunk.bytes);
    }
    Err(Error::input(path, Place::FILE, "ends before its @data"))
}

/// What follows a keyword, which may be in any case.
pub(super) fn keyword<'a>(line: &'a [u8], keyword: &[u8]) -> Option<&'a [u8]> {
    let (start, rest) = line.split_at_checked(keyword.len())?;
    let ends = rest.first().is_none_or(u8::is_ascii_whitespace);
    (start.eq_ignore_ascii_case(keyword) && ends).then(|| rest.trim_ascii())
}

fn attribute(declaration: &[u8], cell: Cell) -> Result<Attribute> {
    let refuse = |reason: &str| cell.error(reason.to_owned());
    cell.utf8(declaration)?;
    let mut fields = Fields::new(declaration);
    let name = fields.next(b' ').map_err(refuse)?;
    let name = name.filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| refuse("expected the name of an attribute"))?;
    let name = cell.utf8(&name)?.to_owned();
    let of_type = fields.rest();
    let word = of_type.split(u8::is_ascii_whitespace).next().unwrap_or_default();
    let is = |names: &[&[u8]]| names.iter().any(|name| word.eq_ignore_ascii_case(name));
    let mut declared = None;
    let (is_number, default) = if is(&[b"numeric", b"real", b"integer"]) {
        (true, "0".to_owned())
    } else if let Some(values) = of_type.strip_prefix(b"{") {
        let mut fields = Fields::new(values.strip_suffix(b"}").unwrap_or(values));
        let mut values = Vec::new();
        while let Some(value) = fields.next(b',').map_err(refuse)? {
            values.push(cell.utf8(&value)?.to_owned());
        }
        let first = values.first().cloned().unwrap_or_default();
        declared = Some(values);
        (false, first)
    } else if is(&[b"string", b"date"]) {
        (false, String::new())
    } else {
        let found = String::from_utf8_lossy(of_type);
        let reason = format!(
            "the attribute \"{name}\" has the type \"{}\"; known are numeric, real, integer, string, date and {{...}}",
            shortened(&found)
        );
        return Err(cell.error(reason));
    };
    Ok(Attribute { name, is_number, default, values: declared })
}

/// A line without the blanks around it and without its comment, which begins at a `%` outside quotes wherever it
/// stands.
pub(super) fn content(line: &[u8]) -> &[u8] {
    let line = line.trim_ascii();
    if memchr::memchr(b'%', line).is_none() {
        return line;
    }
    let (mut quote, mut is_escaped) = (None, false);
    for (at, byte) in line.iter().enumerate() {
        match (quote, byte) {
            _ if is_escaped => is_escaped = false,
            (Some(_), b'\\') => is_escaped = true,
            (Some(open), byte) if *byte == open => quote = None,
            (None, b'\'' | b'"') => quote = Some(*byte),
            (None, b'%') => return line[..at].trim_ascii_end(),
            _ => {}
        }
    }
    line
}

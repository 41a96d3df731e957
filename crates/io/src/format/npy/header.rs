//! The header of an NPY array: a magic, a version, and a Python dictionary of type, order and shape.

use super::element::Element;
use std::io::Read;

pub(super) const MAGIC: &[u8] = b"\x93NUMPY";
/// A longer dictionary than this is taken for damage.
const LONGEST: usize = 1 << 16;

/// What the header says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) element: Element,
    pub(crate) fortran: bool,
    pub(crate) shape: Vec<u64>,
    /// Bytes before the data.
    pub(crate) length: u64,
}

impl Header {
    /// Reads a header; the error says what is wrong with it.
    pub(crate) fn read(stream: &mut dyn Read) -> Result<Header, String> {
        let mut read = |bytes: &mut [u8]| {
            stream.read_exact(bytes).map_err(|error| match error.kind() {
                std::io::ErrorKind::UnexpectedEof => "ends within its header".to_owned(),
                _ => format!("cannot be read: {error}"),
            })
        };
        let mut start = [0; 8];
        read(&mut start)?;
        if !start.starts_with(MAGIC) {
            return Err("does not begin like an NPY array".to_owned());
        }
        let (size, text) = match start[6] {
            1 => {
                let mut length = [0; 2];
                read(&mut length)?;
                (2, usize::from(u16::from_le_bytes(length)))
            }
            2 | 3 => {
                let mut length = [0; 4];
                read(&mut length)?;
                (4, u32::from_le_bytes(length) as usize)
            }
            other => return Err(format!("is of NPY version {other}; 1 to 3 are read")),
        };
        if text > LONGEST {
            return Err(format!("has a header of {text} bytes; at most {LONGEST} are read"));
        }
        let mut dictionary = vec![0; text];
        read(&mut dictionary)?;
        let dictionary = std::str::from_utf8(&dictionary)
            .map_err(|_| "has a header that is not UTF-8 text".to_owned())?;
        let length = (start.len() + size + text) as u64;
        Header::parse(dictionary, length)
    }

    fn parse(dictionary: &str, length: u64) -> Result<Header, String> {
        let malformed =
            || format!("has a header that is not understood: {}", dictionary.trim_end());
        let inside = dictionary.trim().strip_prefix('{').and_then(|text| text.strip_suffix('}'));
        let mut rest = inside.ok_or_else(malformed)?.trim();
        let (mut descr, mut order, mut shape) = (None, None, None);
        while !rest.is_empty() {
            let (key, after) = quoted(rest).ok_or_else(malformed)?;
            rest = after.trim_start().strip_prefix(':').ok_or_else(malformed)?.trim_start();
            rest = match key {
                "descr" if rest.starts_with('[') => {
                    return Err(
                        "holds records of several fields: save each field as an array".into()
                    );
                }
                "descr" => {
                    let (value, after) = quoted(rest).ok_or_else(malformed)?;
                    descr = Some(value);
                    after
                }
                "fortran_order" => {
                    let value = ["False", "True"].iter().position(|v| rest.starts_with(v));
                    let value = value.ok_or_else(malformed)?;
                    order = Some(value == 1);
                    &rest[["False", "True"][value].len()..]
                }
                "shape" => {
                    let (value, after) = tuple(rest).ok_or_else(malformed)?;
                    shape = Some(value);
                    after
                }
                _ => return Err(malformed()),
            };
            rest = rest.trim_start();
            rest = rest.strip_prefix(',').unwrap_or(rest).trim_start();
        }
        match (descr, order, shape) {
            (Some(descr), Some(fortran), Some(shape)) => {
                Ok(Header { element: Element::parse(descr)?, fortran, shape, length })
            }
            _ => Err(malformed()),
        }
    }

    /// The header of an array of these properties, for version 1.
    pub(crate) fn write(element: &str, shape: &[u64]) -> Vec<u8> {
        let sizes: Vec<String> = shape.iter().map(u64::to_string).collect();
        let comma = if sizes.len() == 1 { "," } else { "" };
        let shape = sizes.join(", ") + comma;
        let dictionary =
            format!("{{'descr': '{element}', 'fortran_order': False, 'shape': ({shape}), }}");
        // With its line end it fills multiples of 64 bytes.
        let length = (MAGIC.len() + 4 + dictionary.len() + 1).next_multiple_of(64);
        let width = length - MAGIC.len() - 4 - 1;
        let mut bytes = MAGIC.to_vec();
        bytes.extend([1, 0]);
        bytes.extend(((width + 1) as u16).to_le_bytes());
        bytes.extend(format!("{dictionary:<width$}\n").as_bytes());
        bytes
    }
}

/// A text in quotes, and what follows it.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let quote = text.chars().next().filter(|quote| matches!(quote, '\'' | '"'))?;
    text[1..].split_once(quote)
}

/// Whole numbers in parentheses, and what follows them.
fn tuple(text: &str) -> Option<(Vec<u64>, &str)> {
    let (inside, rest) = text.strip_prefix('(')?.split_once(')')?;
    let numbers = inside.trim().trim_end_matches(',');
    if numbers.is_empty() {
        return Some((Vec::new(), rest));
    }
    let number = |number: &str| number.trim().trim_end_matches('L').parse().ok();
    Some((numbers.split(',').map(number).collect::<Option<_>>()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(dictionary: &str) -> Result<Header, String> {
        let mut bytes = b"\x93NUMPY\x01\0".to_vec();
        bytes.extend((dictionary.len() as u16).to_le_bytes());
        bytes.extend(dictionary.as_bytes());
        Header::read(&mut &bytes[..])
    }

    #[test]
    fn reads_what_it_writes() {
        for shape in [&[7][..], &[3, 4], &[2, 3, 4]] {
            let bytes = Header::write("<f4", shape);
            assert_eq!(bytes.len() % 64, 0);
            let header = Header::read(&mut &bytes[..]).unwrap();
            let element = Element::parse("<f4").unwrap();
            let length = bytes.len() as u64;
            assert_eq!(header, Header { element, fortran: false, shape: shape.to_vec(), length });
        }
        let bytes = Header::write("<f4", &[7]);
        assert!(bytes.windows(4).any(|text| text == b"(7,)"), "as numpy writes a tuple of one");
    }

    #[test]
    fn spellings_and_nonsense() {
        let header = read("{\"shape\":(3L,2),'fortran_order':True,'descr':'>i8'}").unwrap();
        assert_eq!((header.shape, header.fortran), (vec![3, 2], true));
        for (dictionary, expected) in [
            ("{'descr': '|O', 'fortran_order': False, 'shape': (3,), }", "objects"),
            (
                "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (3,), }",
                "several fields",
            ),
            ("{'descr': '<f4', 'shape': (3,), }", "not understood"),
            ("{'descr': '<f4', 'fortran_order': 0, 'shape': (3,), }", "not understood"),
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (-3,), }", "not understood"),
            ("((((", "not understood"),
            ("{'é", "not understood"),
        ] {
            let error = read(dictionary).unwrap_err();
            assert!(error.contains(expected), "{dictionary}: {error}");
        }
        assert_eq!(
            Header::read(&mut &b"\x93NUMPY\x01\0\xff"[..]).unwrap_err(),
            "ends within its header"
        );
    }
}

//! The element types of NPY arrays: numbers and texts of fixed width. Objects are pickles, which can run
//! code, and are never read.

use crate::format::values::{Texts, Values};
use half::f16;

/// An element type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Element {
    kind: Kind,
    pub(in crate::format) size: usize,
    big_endian: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Float,
    Signed,
    Unsigned,
    Bool,
    /// Code points of four bytes.
    Unicode,
    Bytes,
}

/// A longer text than this is taken for damage.
const LONGEST_TEXT: usize = 1 << 16;

impl Element {
    /// Numbers as they are kept.
    pub(in crate::format) const F32: Element =
        Element { kind: Kind::Float, size: 4, big_endian: false };

    /// Reads numpy's name of a type, such as `<f4`.
    pub(crate) fn parse(name: &str) -> Result<Element, String> {
        let unknown = || {
            let hint = if name.contains('O') { ": it holds Python objects" } else { "" };
            format!(
                "has elements of type \"{name}\"{hint}; numbers and texts of fixed width are read"
            )
        };
        let big_endian = name.starts_with('>');
        let plain = name.trim_start_matches(['<', '>', '|', '=']);
        let mut letters = plain.chars();
        let letter = letters.next().ok_or_else(unknown)?;
        let size: usize = letters.as_str().parse().map_err(|_| unknown())?;
        let (kind, size) = match (letter, size) {
            ('f', 2 | 4 | 8) => (Kind::Float, size),
            ('i', 1 | 2 | 4 | 8) => (Kind::Signed, size),
            ('u', 1 | 2 | 4 | 8) => (Kind::Unsigned, size),
            ('b', 1) => (Kind::Bool, size),
            ('U', 1..=LONGEST_TEXT) => (Kind::Unicode, 4 * size),
            ('S', 1..=LONGEST_TEXT) => (Kind::Bytes, size),
            _ => return Err(unknown()),
        };
        Ok(Element { kind, size, big_endian })
    }

    pub(in crate::format) fn is_text(self) -> bool {
        matches!(self.kind, Kind::Unicode | Kind::Bytes)
    }

    /// Appends elements as what the values are. The error is the index and what was found there
    /// instead of what.
    pub(in crate::format) fn decode<'a>(
        self,
        elements: impl Iterator<Item = &'a [u8]>,
        values: &mut Values,
    ) -> Result<(), (usize, String)> {
        match values {
            Values::Numbers(numbers) => self.numbers(elements, numbers),
            Values::Texts(texts) => self.texts(elements, texts),
        }
    }

    fn numbers<'a>(
        self,
        elements: impl Iterator<Item = &'a [u8]>,
        numbers: &mut Vec<f32>,
    ) -> Result<(), (usize, String)> {
        let first = numbers.len();
        if self.is_text() {
            for (index, element) in elements.enumerate() {
                let text = self.text(element).ok_or_else(|| (index, not_utf8()))?;
                let parsed = crate::format::number::number(text.trim().as_bytes());
                numbers.push(match parsed {
                    crate::format::number::Number::Value(value) => value,
                    crate::format::number::Number::Missing => f32::NAN,
                    _ => return Err((index, format!("expected a number, found \"{text}\""))),
                });
            }
            return Ok(());
        }
        /// Reads elements of a number type in the byte order asked for.
        macro_rules! read {
            ($type:ty, $convert:expr) => {
                numbers.extend(elements.map(|bytes| {
                    let mut bytes: [u8; size_of::<$type>()] = bytes.try_into().unwrap_or_default();
                    if self.big_endian {
                        bytes.reverse();
                    }
                    #[allow(clippy::redundant_closure_call)]
                    $convert(<$type>::from_le_bytes(bytes))
                }))
            };
        }
        match (self.kind, self.size) {
            (Kind::Float, 2) => read!(f16, f16::to_f32),
            (Kind::Float, 4) => read!(f32, |value| value),
            (Kind::Float, _) => read!(f64, |value| value as f32),
            (Kind::Signed, 1) => read!(i8, f32::from),
            (Kind::Signed, 2) => read!(i16, f32::from),
            (Kind::Signed, 4) => read!(i32, |value| value as f32),
            (Kind::Signed, _) => read!(i64, |value| value as f32),
            (Kind::Unsigned, 2) => read!(u16, f32::from),
            (Kind::Unsigned, 4) => read!(u32, |value| value as f32),
            (Kind::Unsigned, 8) => read!(u64, |value| value as f32),
            _ => read!(u8, f32::from),
        }
        let infinite = numbers[first..].iter().position(|number| number.is_infinite());
        let reason = || "expected a finite number, found one too large".to_owned();
        infinite.map_or(Ok(()), |index| Err((index, reason())))
    }

    fn texts<'a>(
        self,
        elements: impl Iterator<Item = &'a [u8]>,
        texts: &mut Texts,
    ) -> Result<(), (usize, String)> {
        for (index, element) in elements.enumerate() {
            if self.is_text() {
                texts.push(&self.text(element).ok_or_else(|| (index, not_utf8()))?);
                continue;
            }
            let mut wide = [0; 8];
            wide[..self.size].copy_from_slice(element);
            if self.big_endian {
                wide[..self.size].reverse();
            }
            let bits = u64::from_le_bytes(wide);
            let unused = 64 - 8 * self.size as u32;
            match (self.kind, self.size) {
                (Kind::Float, size) => {
                    let value = match size {
                        2 => f16::from_bits(bits as u16).to_f32().into(),
                        4 => f64::from(f32::from_bits(bits as u32)),
                        _ => f64::from_bits(bits),
                    };
                    texts.push(&match (value.is_nan(), size) {
                        (true, _) => String::new(),
                        (_, 8) => value.to_string(),
                        _ => (value as f32).to_string(),
                    });
                }
                (Kind::Signed, _) => {
                    texts.push(&(((bits << unused) as i64) >> unused).to_string());
                }
                _ => texts.push(&bits.to_string()),
            }
        }
        Ok(())
    }

    fn text(self, element: &[u8]) -> Option<String> {
        if self.kind == Kind::Bytes {
            let end = element.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
            return String::from_utf8(element[..end].to_vec()).ok();
        }
        let mut text = String::new();
        for bytes in element.as_chunks::<4>().0 {
            let code = if self.big_endian {
                u32::from_be_bytes(*bytes)
            } else {
                u32::from_le_bytes(*bytes)
            };
            text.push(char::from_u32(code)?);
        }
        text.truncate(text.trim_end_matches('\0').len());
        Some(text)
    }
}

fn not_utf8() -> String {
    "is not a text of valid characters".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both(name: &str, bytes: &[u8]) -> (f32, String) {
        let element = Element::parse(name).unwrap();
        let mut numbers = Values::Numbers(Vec::new());
        let mut texts = Values::Texts(Texts::default());
        element.decode(bytes.chunks_exact(element.size), &mut numbers).unwrap();
        element.decode(bytes.chunks_exact(element.size), &mut texts).unwrap();
        match (numbers, texts) {
            (Values::Numbers(numbers), Values::Texts(texts)) => {
                (numbers[0], texts.iter().next().unwrap().to_owned())
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_type_as_number_and_text() {
        assert_eq!(both("<f2", &f16::from_f32(0.1).to_le_bytes()).0, f16::from_f32(0.1).to_f32());
        assert_eq!(both("<f4", &0.1f32.to_le_bytes()), (0.1, "0.1".to_owned()));
        assert_eq!(both(">f8", &0.1f64.to_be_bytes()), (0.1, "0.1".to_owned()));
        assert_eq!(both("|i1", &[0xff]), (-1.0, "-1".to_owned()));
        assert_eq!(both(">i2", &(-300i16).to_be_bytes()), (-300.0, "-300".to_owned()));
        assert_eq!(both("<i4", &(-70_000i32).to_le_bytes()), (-70_000.0, "-70000".to_owned()));
        let large = (1i64 << 53) + 1;
        assert_eq!(both("<i8", &large.to_le_bytes()), (large as f32, large.to_string()));
        assert_eq!(both("|u1", &[200]), (200.0, "200".to_owned()));
        assert_eq!(both(">u4", &7u32.to_be_bytes()), (7.0, "7".to_owned()));
        assert_eq!(both("<u8", &u64::MAX.to_le_bytes()), (u64::MAX as f32, u64::MAX.to_string()));
        assert_eq!(both("|b1", &[1]), (1.0, "1".to_owned()));
        assert_eq!(both("|S3", b"1.5"), (1.5, "1.5".to_owned()));
        let text: Vec<u8> = ['7', '\0'].iter().flat_map(|c| u32::from(*c).to_le_bytes()).collect();
        assert_eq!(both("<U2", &text), (7.0, "7".to_owned()));
    }

    #[test]
    fn what_is_refused() {
        for name in ["|O", "<c8", "<M8[ns]", "<f16", "", "<", "<é4", "<U0", "<U99999999"] {
            assert!(Element::parse(name).is_err(), "{name}");
        }
        let large = 1e39f64.to_le_bytes();
        let mut numbers = Values::Numbers(Vec::new());
        let element = Element::parse("<f8").unwrap();
        assert_eq!(element.decode(large.chunks_exact(8), &mut numbers).unwrap_err().0, 0);
    }
}

//! A number of bytes as people write it: `2G`, `512M`, `65536`.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A number of bytes. `K`, `M`, `G` and `T` are powers of 1024; `B` and `iB` may follow them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ByteSize(pub u64);

const UNITS: [(char, u64); 4] = [('T', 1 << 40), ('G', 1 << 30), ('M', 1 << 20), ('K', 1 << 10)];

impl FromStr for ByteSize {
    type Err = String;

    fn from_str(text: &str) -> Result<ByteSize, String> {
        let wrong = || format!("{text:?} is no size in bytes; write it as 2G, 512M or 65536");
        let upper = text.trim().to_ascii_uppercase();
        let plain = upper.strip_suffix("IB").or(upper.strip_suffix('B')).unwrap_or(&upper);
        let unit = UNITS
            .iter()
            .find_map(|(letter, bytes)| plain.strip_suffix(*letter).map(|number| (number, *bytes)));
        let (number, bytes) = unit.unwrap_or((plain, 1));
        let number: f64 = number.trim().parse().map_err(|_| wrong())?;
        let size = number * bytes as f64;
        if size >= 1.0 && size < u64::MAX as f64 { Ok(ByteSize(size as u64)) } else { Err(wrong()) }
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match UNITS.iter().find(|(_, bytes)| self.0 >= *bytes && self.0.is_multiple_of(*bytes)) {
            Some((letter, bytes)) => write!(f, "{}{letter}", self.0 / bytes),
            None => write!(f, "{}", self.0),
        }
    }
}

impl TryFrom<String> for ByteSize {
    type Error = String;

    fn try_from(text: String) -> Result<ByteSize, String> {
        text.parse()
    }
}

impl From<ByteSize> for String {
    fn from(size: ByteSize) -> String {
        size.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_people_write_them() {
        for (text, bytes) in [
            ("2G", 2u64 << 30),
            ("512m", 512 << 20),
            ("1.5KiB", 1536),
            ("65536", 65_536),
            ("1tb", 1 << 40),
        ] {
            assert_eq!(text.parse(), Ok(ByteSize(bytes)), "{text}");
            assert_eq!(ByteSize(bytes).to_string().parse(), Ok(ByteSize(bytes)));
        }
        for text in ["", "G", "-1", "0", "2X", "nan", "1e40"] {
            assert!(text.parse::<ByteSize>().is_err(), "{text}");
        }
    }
}

//! Numbers that count something.

use std::num::{IntErrorKind, ParseIntError};
use std::str::FromStr;

/// A whole number, as a value parser: what it refuses is said in words of the command line.
pub(crate) fn count<N: FromStr<Err = ParseIntError>>(text: &str) -> Result<N, String> {
    text.parse().map_err(|error: ParseIntError| match error.kind() {
        IntErrorKind::PosOverflow => "the number is too large".to_owned(),
        _ => "expected a whole number, 0 or more".to_owned(),
    })
}

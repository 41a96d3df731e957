//! Text of others as it is shown on a terminal, which obeys what is in it.

use std::fmt::{self, Display, Write};
use std::path::Path;

/// A name as it is shown: control characters, and those that turn the direction of writing, are escaped.
pub fn shown(text: &str) -> impl Display {
    Shown { text, lines: false }
}

/// Text of several lines as it is shown: as a name is, but line breaks and tabs stay.
pub fn shown_lines(text: &str) -> impl Display {
    Shown { text, lines: true }
}

/// A file's name as it is shown.
pub fn shown_path(path: &Path) -> impl Display {
    ShownPath(path)
}

struct Shown<'a> {
    text: &'a str,
    lines: bool,
}

impl Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in self.text.split_inclusive(obeyed) {
            let Some(last) = part.chars().next_back().filter(|c| obeyed(*c)) else {
                f.write_str(part)?;
                continue;
            };
            f.write_str(&part[..part.len() - last.len_utf8()])?;
            match last {
                '\n' | '\t' if self.lines => f.write_char(last)?,
                _ => write!(f, "{}", last.escape_default())?,
            }
        }
        Ok(())
    }
}

struct ShownPath<'a>(&'a Path);

impl Display for ShownPath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        shown(&self.0.to_string_lossy()).fmt(f)
    }
}

/// Whether a terminal obeys a character instead of showing it.
fn obeyed(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_escaped() {
        assert_eq!(shown("a\u{1b}[31mb\n").to_string(), "a\\u{1b}[31mb\\n");
        assert_eq!(shown("\u{9b}2J\u{7f}").to_string(), "\\u{9b}2J\\u{7f}");
        assert_eq!(shown("\u{202e}gpj.exe").to_string(), "\\u{202e}gpj.exe");
        assert_eq!(shown("grün, 緑, \"\\\"").to_string(), "grün, 緑, \"\\\"");
        assert_eq!(shown("").to_string(), "");
    }

    #[test]
    fn lines_stay_lines() {
        assert_eq!(shown_lines("a\n\tb\rc\u{7}").to_string(), "a\n\tb\\rc\\u{7}");
    }

    #[test]
    fn paths_are_shown_as_names() {
        assert_eq!(shown_path(Path::new("d/\u{1b}c.csv")).to_string(), "d/\\u{1b}c.csv");
    }
}

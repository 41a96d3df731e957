//! Names and numbers as C spells them, whatever characters they have.

use std::fmt::Write as _;

/// A number that C reads as the same f32.
pub(super) fn literal(number: f32) -> String {
    // Rust's shortest form always has a point or an exponent.
    format!("{number:?}f")
}

/// A constant array.
pub(super) fn array(name: &str, numbers: &[f32]) -> String {
    array_of("float", name, numbers.iter().map(|&number| literal(number)).collect())
}

/// A constant array of whole numbers.
pub(super) fn whole_array(name: &str, numbers: &[usize]) -> String {
    array_of("int", name, numbers.iter().map(usize::to_string).collect())
}

fn array_of(element: &str, name: &str, literals: Vec<String>) -> String {
    const PER_LINE: usize = 8;
    let lines = literals.chunks(PER_LINE).map(|line| format!("    {}", line.join(", ")));
    let lines = lines.collect::<Vec<_>>().join(",\n");
    format!("static const {element} {name}[{}] = {{\n{lines}\n}};\n", literals.len())
}

/// A string literal. Octal escapes keep out what would warn: trigraphs, and characters of any encoding.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b" _-+.,:;()<>=%&#'".contains(&byte) {
            quoted.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(quoted, "\\{byte:03o}");
        }
    }
    quoted + "\""
}

/// A name within a comment, which it cannot end; what is no letter or digit in any script may be
/// spelt differently.
pub(super) fn shown(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || " _-+.,:;()<>=%&#'".contains(c);
    text.chars().map(|c| if plain(c) { c } else { '_' }).collect()
}

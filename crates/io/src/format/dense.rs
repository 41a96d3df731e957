//! What is to be said of sparse text that becomes large: every value of a data set is stored, also those that are zero.

use super::table::Note;

/// Data sets of fewer bytes are not worth a word.
const LARGE: u64 = 1 << 30;
/// Bytes of the widest and of the narrowest type of features.
const WIDEST: u64 = 4;

/// How large the rows of a sparse text become, if that is large. `count` is how many rows there are, as it is said.
pub(super) fn note(rows: u64, features: u64, count: &str) -> Option<Note> {
    let narrowest = rows.saturating_mul(features);
    let widest = narrowest.saturating_mul(WIDEST);
    let text = format!(
        "{count} rows of {features} features, all of which are stored, take {} as u8 (whole numbers to 255), {} as f32",
        size(narrowest),
        size(widest),
    );
    (widest >= LARGE).then_some(Note { codes: None, text })
}

fn size(bytes: u64) -> String {
    let (unit, power) = match bytes {
        0..0x4000_0000 => ("MiB", 20),
        0x4000_0000..0x100_0000_0000 => ("GiB", 30),
        _ => ("TiB", 40),
    };
    format!("{:.1} {unit}", bytes as f64 / (1u64 << power) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_becomes_large_is_said() {
        let said = note(30_000, 65_536, "30000").unwrap().text;
        let expected = "30000 rows of 65536 features, all of which are stored, take 1.8 GiB as u8 (whole numbers to 255), 7.3 GiB as f32";
        assert_eq!(said, expected);
        assert_eq!(note(4095, 65_536, "4095"), None);
        assert!(note(4096, 65_536, "4096").unwrap().text.contains("take 256.0 MiB as u8"));
        assert!(note(u64::MAX, 65_536, "many").unwrap().text.contains("TiB"));
    }
}

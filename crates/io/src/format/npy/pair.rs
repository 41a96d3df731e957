//! Which of the files given are rows and which their targets: by their names, else by how wide they are.

use super::array::Array;
use crate::error::{Error, Place, Result};
use crate::source::Source;
use std::path::Path;

/// What targets are called.
const TARGETS: [&str; 7] = ["y", "target", "targets", "label", "labels", "class", "classes"];

/// Rows, and their targets where the file after them, or before them, has these.
pub(super) struct Pair {
    pub(super) items: Array,
    pub(super) targets: Option<Array>,
}

/// Opens the first source, with the second if the two are a pair. `is_array` says whether a source is of this format.
pub(super) fn open(sources: &[Source], is_array: impl Fn(&Source) -> Result<bool>) -> Result<Pair> {
    let first = Array::open(&sources[0])?;
    let second = match sources.get(1) {
        Some(source) if is_array(source)? => source,
        _ => return Ok(Pair { items: first, targets: None }),
    };
    let is_named: Vec<bool> = sources.iter().map(|s| names_targets(s.path())).collect();
    let array = Array::open(second)?;
    let targets_are_second = match (is_named[0], is_named[1]) {
        (false, true) => true,
        (true, false) => false,
        // Parts of one table are as wide as each other.
        _ if first.width == array.width => {
            if is_named[2..].contains(&!is_named[0]) {
                let reason = "is followed by another of its kind: give every file of rows just before its targets, as X1.npy y1.npy X2.npy y2.npy";
                return Err(Error::input(sources[0].path(), Place::FILE, reason));
            }
            return Ok(Pair { items: first, targets: None });
        }
        _ if first.rows == array.rows || first.width == 1 || array.width == 1 => {
            first.width > array.width
        }
        _ => {
            let (path, width) = (sources[0].path().display(), first.width);
            let reason = format!(
                "has {} columns and {} rows, {path} {width} columns and {} rows: they are neither parts of one table nor rows with their targets",
                array.width, array.rows, first.rows
            );
            return Err(Error::input(second.path(), Place::FILE, reason));
        }
    };
    let (items, targets, of_targets, of_items) = match targets_are_second {
        true => (first, array, second, &sources[0]),
        false => (array, first, &sources[0], second),
    };
    if targets.rows != items.rows {
        let (rows, path) = (items.rows, of_items.path().display());
        let reason = format!("has {} targets for the {rows} rows of {path}", targets.rows);
        return Err(Error::input(of_targets.path(), Place::FILE, reason));
    }
    Ok(Pair { items, targets: Some(targets) })
}

/// Whether a file is called as targets are: `y.npy`, `Y1.npy`, `train_labels.npy`, `y-test.npy`.
fn names_targets(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let stem = name.split('.').next().unwrap_or_default();
    let mut words = stem.split(|c: char| !c.is_alphanumeric());
    words.any(|word| TARGETS.contains(&word.trim_end_matches(|c: char| c.is_ascii_digit())))
}

/// The name of a column of targets by position.
pub(super) fn target_name(width: usize, index: usize) -> String {
    if width == 1 { "y".to_owned() } else { format!("y{index}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_known_by_name() {
        for name in ["y.npy", "Y1.npy", "dir/train_labels.npy.gz", "y-test.npy"] {
            assert!(names_targets(Path::new(name)), "{name}");
        }
        for name in ["X.npy", "ytrain.npy", "key.npy", "y/part-1.npy", "yx.npy"] {
            assert!(!names_targets(Path::new(name)), "{name}");
        }
    }
}

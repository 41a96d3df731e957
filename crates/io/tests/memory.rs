//! Imports keep to the memory they are given, whatever the size of the source.
#![cfg(target_os = "linux")]

use gristmill_io::{Dataset, ImportOptions, Missing, Plan, import};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

const CHILD: &str = "GRISTMILL_TEST_DIRECTORY";
const MEMORY: u64 = 48 << 20;

/// About 90 MB of text, which become more than the memory allowed: 24 numbers, of which some are
/// missing, a text column of many categories, and a class.
fn write_source(path: &Path) {
    let mut file = BufWriter::new(std::fs::File::create(path).unwrap());
    for row in 0..360_000u32 {
        for column in 0..24 {
            match (row + column) % 97 {
                0 => write!(file, ",").unwrap(),
                _ => write!(file, "{}.{:03},", row % 1000, (row * 31 + column * 7) % 1000).unwrap(),
            }
        }
        writeln!(file, "category {},{}", row % 40, ["no", "yes"][row as usize % 2]).unwrap();
    }
    file.flush().unwrap();
}

fn options() -> ImportOptions {
    ImportOptions { missing: Missing::Mean, memory: Some(MEMORY), ..Default::default() }
}

/// Imports within the memory allowed, and looks how much that was. Not a test by itself.
#[test]
#[ignore = "run as a child process"]
fn child_imports() {
    let directory = PathBuf::from(std::env::var_os(CHILD).expect("run by another test"));
    let sources = [directory.join("source.csv")];
    import(&sources, &directory.join("small.grist"), &Plan::Learn(options()), &()).unwrap();
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let kilobytes: u64 = peak.split_whitespace().next().unwrap().parse().unwrap();
    assert!(kilobytes * 1024 <= MEMORY, "the peak was {kilobytes} kB, allowed were {MEMORY} bytes");
}

#[test]
fn an_import_keeps_to_its_memory_and_its_bytes_stay_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let source = directory.path().join("source.csv");
    write_source(&source);
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_imports", "--ignored"])
        .env(CHILD, directory.path())
        .output()
        .unwrap();
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stdout));
    let large = directory.path().join("large.grist");
    let plan = Plan::Learn(ImportOptions { memory: None, ..options() });
    import(&[source], &large, &plan, &()).unwrap();
    let small = Dataset::open(&directory.path().join("small.grist")).unwrap();
    assert_eq!(small.rows(), 360_000);
    assert_eq!(small.fingerprint(), Dataset::open(&large).unwrap().fingerprint());
}

#[test]
fn too_little_memory_is_refused() {
    let options = ImportOptions { memory: Some(1 << 20), ..Default::default() };
    let plan = Plan::Learn(options);
    let error = import(&["a.csv".into()], Path::new("out.grist"), &plan, &()).unwrap_err();
    assert!(error.to_string().contains("allow at least 32 MiB"), "{error}");
}

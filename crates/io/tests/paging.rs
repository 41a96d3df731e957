//! Rows asked for and given back, and files that others change while they are mapped.
#![cfg(unix)]

mod common;

use common::write_multiples;
use gristmill_io::{Advice, Dataset};
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::process::Command;

const ROWS: u64 = 300_000;
const CHILD: &str = "GRISTMILL_TEST_FILE";

/// Larger than what a system reads ahead.
fn dataset(path: &Path) -> Dataset {
    write_multiples(path, ROWS)
}

fn assert_rows_are_whole(dataset: &Dataset) {
    for row in 0..ROWS {
        let mut features = [0.0; 2];
        dataset.dtype().decode(dataset.row(row), &mut features);
        assert_eq!(features, [row as f32, 2.0 * row as f32]);
        assert_eq!(u64::from(dataset.label(row)), row % 2);
    }
}

fn truncate(path: &Path, length: u64) {
    OpenOptions::new().write(true).open(path).unwrap().set_len(length).unwrap();
}

#[test]
fn advice_changes_nothing_that_is_read() {
    let directory = tempfile::tempdir().unwrap();
    let dataset = dataset(&directory.path().join("d.grist"));
    for advice in [Advice::Random, Advice::Sequential, Advice::WillNeed, Advice::DontNeed] {
        for rows in [0..ROWS, 1..2, 700..90_001, ROWS - 1..ROWS + 9, ROWS..ROWS, 7..7] {
            dataset.advise(rows.clone(), advice).unwrap();
            dataset.populate(rows).unwrap();
        }
        assert_rows_are_whole(&dataset);
    }
    dataset.check_unchanged().unwrap();
}

/// Bytes of the process that are pages of a file, as the system counts them.
#[cfg(target_os = "linux")]
fn resident(path: &Path) -> u64 {
    let maps = std::fs::read_to_string("/proc/self/smaps").unwrap();
    let mine = maps.split_once(path.to_str().unwrap()).unwrap().1;
    let line = mine.lines().find(|line| line.starts_with("Rss:")).unwrap();
    let kilobytes: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kilobytes * 1024
}

#[cfg(target_os = "linux")]
#[test]
fn rows_enter_and_leave_memory_as_asked() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("d.grist");
    let dataset = dataset(&path);
    let bytes = ROWS * 12;
    dataset.advise(0..ROWS, Advice::DontNeed).unwrap();
    let before = resident(&path);
    assert!(before < bytes / 4, "{before} bytes are mapped");
    dataset.populate(0..ROWS).unwrap();
    assert!(resident(&path) >= bytes);
    dataset.advise(0..ROWS, Advice::DontNeed).unwrap();
    let after = resident(&path);
    assert!(after < bytes / 4, "{after} bytes are still mapped");
}

#[test]
fn an_open_data_set_is_locked_for_readers() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("d.grist");
    let dataset = dataset(&path);
    let other = File::open(&path).unwrap();
    assert!(matches!(other.try_lock(), Err(TryLockError::WouldBlock)));
    other.try_lock_shared().unwrap();
    other.unlock().unwrap();
    drop(dataset);
    other.try_lock().unwrap();
}

#[test]
fn each_kind_of_change_is_told_apart() {
    type Change = fn(&Path);
    let changes: [(&str, Change); 4] = [
        ("it was removed or renamed", |path| std::fs::remove_file(path).unwrap()),
        ("now has 5000", |path| truncate(path, 5000)),
        ("another file is in its place", |path| {
            let other = path.with_extension("other");
            std::fs::copy(path, &other).unwrap();
            std::fs::rename(&other, path).unwrap();
        }),
        ("it was written to", |path| {
            let file = OpenOptions::new().write(true).open(path).unwrap();
            file.set_modified(std::time::UNIX_EPOCH).unwrap();
        }),
    ];
    for (expected, change) in changes {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("d.grist");
        let dataset = dataset(&path);
        dataset.check_unchanged().unwrap();
        change(&path);
        let error = dataset.check_unchanged().unwrap_err().to_string();
        assert!(error.contains(expected) && error.contains(path.to_str().unwrap()), "{error}");
    }
}

#[test]
fn populating_a_truncated_file_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("d.grist");
    let dataset = dataset(&path);
    truncate(&path, 100_000);
    let error = dataset.populate(100_000..200_000).unwrap_err().to_string();
    assert!(error.contains("d.grist") && error.contains("now has 100000"), "{error}");
}

/// Reads past the end of a file that was truncated under it. Not a test by itself.
#[test]
#[ignore = "run as a child process"]
fn child_reads_what_is_gone() {
    let path = PathBuf::from(std::env::var_os(CHILD).expect("run by another test"));
    // Maps that came and went, and one that stays, must not be taken for the one that matters.
    let other = path.with_file_name("other.grist");
    drop(dataset(&other));
    let _other = Dataset::open(&other).unwrap();
    let dataset = dataset(&path);
    truncate(&path, 8192);
    let reader = std::thread::spawn(move || dataset.row(ROWS - 1)[0]);
    panic!("read {} where there is nothing", reader.join().unwrap());
}

/// Is sent a bus error that has nothing to do with a map. Not a test by itself.
#[test]
#[ignore = "run as a child process"]
fn child_is_sent_a_bus_error() {
    let path = PathBuf::from(std::env::var_os(CHILD).expect("run by another test"));
    let _dataset = dataset(&path);
    let own = std::process::id().to_string();
    // Rust's own handler lets the first one pass.
    loop {
        Command::new("kill").args(["-BUS", &own]).status().unwrap();
    }
}

fn run_child(name: &str, path: &Path) -> std::process::Output {
    let program = std::env::current_exe().unwrap();
    let mut command = Command::new(program);
    command.args(["--exact", name, "--ignored", "--nocapture"]).env(CHILD, path);
    command.output().unwrap()
}

#[test]
fn reading_what_was_cut_off_ends_with_a_message_and_status_1() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("victim.grist");
    let output = run_child("child_reads_what_is_gone", &path);
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains(&format!("error: {} was cut short", path.display())), "{error}");
}

#[test]
fn other_bus_errors_end_the_process_as_ever() {
    use std::os::unix::process::ExitStatusExt;
    const SIGBUS: i32 = if cfg!(target_os = "linux") { 7 } else { 10 };
    let directory = tempfile::tempdir().unwrap();
    let output = run_child("child_is_sent_a_bus_error", &directory.path().join("d.grist"));
    assert_eq!(output.status.signal(), Some(SIGBUS), "{output:?}");
}

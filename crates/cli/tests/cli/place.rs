//! A temporary directory, the real binary, and small tables to work on.

use serde_json::Value;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output};
use tempfile::TempDir;

/// A directory of a test's own, in which the program runs.
pub(crate) struct Place {
    directory: TempDir,
}

/// What the program said and how it ended.
pub(crate) struct Done {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Place {
    pub(crate) fn new() -> Place {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("tmp")).unwrap();
        Place { directory }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    pub(crate) fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// The names in a directory, sorted.
    pub(crate) fn names(&self, directory: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(directory)).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// The program, to be run here with these arguments (separated by spaces).
    pub(crate) fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gristmill"));
        self.prepare(&mut command);
        command.args(arguments.split_whitespace());
        command
    }

    /// The program, to be run by a shell that first does something else.
    pub(crate) fn command_after(&self, script: &str, arguments: &str) -> Command {
        let mut command = Command::new("sh");
        self.prepare(&mut command);
        command.arg("-c").arg(format!("{script}; exec \"$0\" \"$@\""));
        command.arg(env!("CARGO_BIN_EXE_gristmill")).args(arguments.split_whitespace());
        command
    }

    fn prepare(&self, command: &mut Command) {
        command.current_dir(self.directory.path());
        command.env("TMPDIR", self.path("tmp")).env_remove("GRISTMILL_ISA");
    }

    pub(crate) fn run(&self, arguments: &str) -> Done {
        Done::of(self.command(arguments).output().unwrap())
    }

    /// Runs what must succeed, and returns what it printed.
    pub(crate) fn ok(&self, arguments: &str) -> String {
        let done = self.run(arguments);
        assert!(done.status.success(), "{arguments}: {}", done.stderr);
        done.stdout
    }

    /// Runs what must succeed and print JSON.
    pub(crate) fn json(&self, arguments: &str) -> Value {
        serde_json::from_str(&self.ok(arguments)).unwrap()
    }

    /// Runs what must fail with exit code 1, an error that has all these parts, and no results.
    pub(crate) fn fails(&self, arguments: &str, parts: &[&str]) {
        self.run(arguments).assert_failed(arguments, parts);
        assert!(self.names("tmp").is_empty(), "{arguments} left {:?}", self.names("tmp"));
    }

    /// Runs what must be refused as wrong usage, with exit code 2 and an error that has all these parts.
    pub(crate) fn refuses(&self, arguments: &str, parts: &[&str]) {
        self.run(arguments).assert_ended(2, arguments, parts);
        assert!(self.names("tmp").is_empty(), "{arguments} left {:?}", self.names("tmp"));
    }
}

impl Done {
    pub(crate) fn of(output: Output) -> Done {
        Done {
            status: output.status,
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    pub(crate) fn assert_failed(&self, what: &str, parts: &[&str]) {
        self.assert_ended(1, what, parts);
    }

    pub(crate) fn assert_ended(&self, code: i32, what: &str, parts: &[&str]) {
        assert_eq!(self.status.code(), Some(code), "{what}: {}", self.stderr);
        let error = self.stderr.lines().find(|line| line.starts_with("error: "));
        let error = error.unwrap_or_else(|| panic!("{what}: no error in {}", self.stderr));
        for part in parts {
            assert!(error.contains(part), "{what}: no {part:?} in {error:?}");
        }
        assert_eq!(self.stdout, "", "{what}");
    }
}

/// Three kinds of flowers, told apart by two numbers and a colour. Every row is another.
pub(crate) fn flowers(rows: u32) -> String {
    let mut text = "length,width,colour,kind\n".to_owned();
    for row in 0..rows {
        let kind = row % 3;
        let noise = f64::from(row * 7919 % 1000) / 1000.0;
        let length = f64::from(kind) * 2.0 + noise;
        let width = f64::from(kind * 5 % 3) + f64::from(row * 104_729 % 1000) / 2000.0;
        let colour = ["red", "white"][(row / 3 % 2) as usize];
        let name = ["aster", "bellis", "crocus"][kind as usize];
        writeln!(text, "{length},{width},{colour},{name}").unwrap();
    }
    text
}

/// Prices that follow from two numbers.
pub(crate) fn prices(rows: u32) -> String {
    let mut text = "area,rooms,price\n".to_owned();
    for row in 0..rows {
        let (area, rooms) = (f64::from(row * 7919 % 1000) / 10.0, row % 5 + 1);
        let price = 3.25 * area + 10.5 * f64::from(rooms);
        writeln!(text, "{area},{rooms},{price}").unwrap();
    }
    text
}

/// An IDX file of bytes with these dimensions.
pub(crate) fn idx(shape: &[u32], bytes: impl Iterator<Item = u8>) -> Vec<u8> {
    let mut file = vec![0, 0, 8, shape.len() as u8];
    shape.iter().for_each(|length| file.extend(length.to_be_bytes()));
    file.extend(bytes);
    file
}

/// Changes one byte of a file.
pub(crate) fn flip(path: &Path, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[at] ^= 0x20;
    fs::write(path, bytes).unwrap();
}

/// Cuts a file off.
pub(crate) fn truncate(path: &Path, length: u64) {
    let file = fs::OpenOptions::new().write(true).open(path).unwrap();
    file.set_len(length).unwrap();
}

/// Sends a signal by its name.
pub(crate) fn signal(child: &Child, name: &str) {
    let id = child.id().to_string();
    let status = Command::new("kill").args(["-s", name, &id]).status().unwrap();
    assert!(status.success());
}

//! The file that keeps other processes out of the directory of a run.
//!
//! What it begins with tells it from a file of someone else that has the same name, which is never
//! written to or removed. Below that a draft notes the files that it has completed.

use super::error::RunError;
use super::files::LOCK;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// The first line of every lock that a draft made.
const MARK: &str = "gristmill holds a lock on this file while it trains here\n";

/// Held while this process uses the directory. The system releases it when it is closed, also if the
/// process is killed.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
    path: PathBuf,
}

/// Whether there is a lock in a directory that a draft made, and not a file of someone else.
pub(super) fn is_ours(directory: &Path) -> bool {
    let path = directory.join(LOCK);
    let mut begin = vec![0; MARK.len()];
    let is_file = fs::symlink_metadata(&path).is_ok_and(|found| found.is_file());
    is_file
        && File::open(&path).and_then(|mut f| f.read_exact(&mut begin)).is_ok()
        && begin == MARK.as_bytes()
}

impl Lock {
    /// Makes the lock of a new draft.
    pub(super) fn create(directory: &Path) -> Result<Lock, RunError> {
        let path = directory.join(LOCK);
        let file = match OpenOptions::new().read(true).append(true).create_new(true).open(&path) {
            // Someone else was faster.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(RunError::Locked(directory.to_owned()));
            }
            opened => opened.map_err(RunError::io("create", &path))?,
        };
        let mut lock = Lock::hold(file, path, directory)?;
        lock.write(MARK)?;
        Ok(lock)
    }

    /// Takes the lock of a run, or that which a killed draft left. It is made where there is none; one of
    /// someone else is locked, and stays as it is.
    pub(super) fn take(directory: &Path) -> Result<Lock, RunError> {
        let path = directory.join(LOCK);
        let is_new = !path.exists();
        let file = OpenOptions::new().read(true).append(true).create(true).open(&path);
        let mut lock = Lock::hold(file.map_err(RunError::io("open", &path))?, path, directory)?;
        if is_new {
            lock.write(MARK)?;
        }
        Ok(lock)
    }

    /// Where the file system has no locks it is the user's care that no two processes train in one
    /// directory.
    fn hold(file: File, path: PathBuf, directory: &Path) -> Result<Lock, RunError> {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => return Err(RunError::Locked(directory.to_owned())),
            Ok(()) | Err(TryLockError::Error(_)) => {}
        }
        // Whoever held it before may have removed it with the rest of a draft.
        match path.exists() {
            true => Ok(Lock { file, path }),
            false => Err(RunError::Locked(directory.to_owned())),
        }
    }

    /// Appends a line.
    pub(super) fn note(&mut self, line: &str) -> Result<(), RunError> {
        self.write(&format!("{line}\n"))
    }

    fn write(&mut self, text: &str) -> Result<(), RunError> {
        self.file.write_all(text.as_bytes()).map_err(RunError::io("write", &self.path))
    }

    /// The lines that were appended.
    pub(super) fn notes(&self) -> Vec<String> {
        let text = fs::read_to_string(&self.path).unwrap_or_default();
        text.strip_prefix(MARK).unwrap_or_default().lines().map(str::to_owned).collect()
    }

    /// Removes the lines that were appended.
    pub(super) fn forget_notes(&mut self) -> Result<(), RunError> {
        self.file.set_len(MARK.len() as u64).map_err(RunError::io("write", &self.path))
    }
}

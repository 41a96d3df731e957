//! A run directory that is being prepared. Only what this process made in it is ever removed, by name.

use super::directory::Run;
use super::error::RunError;
use super::files::{CHECKPOINTS, CONFIG, DATA, LOCK, METRICS, VALIDATION};
use super::lock::{self, Lock};
use super::metrics::MetricsFile;
use super::small::write;
use crate::config::RunConfig;
use gristmill_io::{Dataset, is_temporary_name, remove_stale_files};
use std::path::{Path, PathBuf};
use std::{fs, io};

/// A run directory that is being prepared: data may be imported into it, but it is no run yet.
/// Unless it becomes one, it is removed again.
#[derive(Debug)]
pub struct Draft {
    path: PathBuf,
    /// Removed before the lock is released.
    made: Made,
    lock: Lock,
}

impl Draft {
    /// Prepares `path`, which must not exist, be empty, or hold nothing but what a draft of a killed
    /// process left.
    ///
    /// # Errors
    /// There is a run or something else at `path`, another process uses it, or it cannot be made.
    pub fn create(path: &Path) -> Result<Draft, RunError> {
        if path.join(CONFIG).exists() {
            return Err(RunError::Exists(path.to_owned()));
        }
        let mut made = Made::default();
        if !path.exists() {
            fs::create_dir_all(path).map_err(RunError::io("create", path))?;
            made.0.push(path.to_owned());
        }
        let lock = if names(path)?.is_empty() {
            Lock::create(path)?
        } else if lock::is_ours(path) {
            take_over(path)?
        } else {
            return Err(RunError::NotEmpty(path.to_owned()));
        };
        made.0.push(path.join(LOCK));
        Ok(Draft { path: path.to_owned(), made, lock })
    }

    /// Prepares the first of `parent/name-1`, `parent/name-2`, ... where there is room.
    ///
    /// # Errors
    /// The directory cannot be made.
    pub fn numbered(parent: &Path, name: &str) -> Result<Draft, RunError> {
        let mut number = 1u64;
        loop {
            match Draft::create(&parent.join(format!("{name}-{number}"))) {
                Err(RunError::Exists(_) | RunError::NotEmpty(_) | RunError::Locked(_)) => {
                    number += 1;
                }
                result => return result,
            }
        }
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Has `import` write a data set into the directory, as [`DATA`] or [`VALIDATION`].
    ///
    /// # Errors
    /// What `import` fails with; or someone else has put a file there.
    pub fn import<E: From<RunError>>(
        &mut self,
        name: &str,
        import: impl FnOnce(&Path) -> Result<Dataset, E>,
    ) -> Result<Dataset, E> {
        let path = self.claim(name)?;
        let dataset = import(&path)?;
        self.lock.note(&note(name, &dataset))?;
        Ok(dataset)
    }

    /// Makes it a run with this configuration, whose paths are relative to the directory.
    ///
    /// # Errors
    /// A file cannot be written; or someone else has put one of a run's files there.
    pub fn start(mut self, config: &RunConfig) -> Result<Run, RunError> {
        let checkpoints = self.claim(CHECKPOINTS)?;
        fs::create_dir(&checkpoints).map_err(RunError::io("create", &checkpoints))?;
        self.claim(METRICS)?;
        let metrics = MetricsFile::open(&self.path, 0)?;
        write(&self.claim(CONFIG)?, &config.to_toml())?;
        let Draft { path, mut made, lock } = self;
        made.0.clear();
        Ok(Run::of_draft(path, config.clone(), metrics, lock))
    }

    /// The path of a file that is now to be made.
    fn claim(&mut self, name: &str) -> Result<PathBuf, RunError> {
        let path = self.path.join(name);
        if fs::symlink_metadata(&path).is_ok() {
            return Err(RunError::NotEmpty(self.path.clone()));
        }
        self.made.0.push(path.clone());
        Ok(path)
    }
}

/// What this process made for a draft, in that order: removed when dropped, last things first.
#[derive(Debug, Default)]
struct Made(Vec<PathBuf>);

impl Drop for Made {
    fn drop(&mut self) {
        self.0.iter().rev().for_each(|path| remove(path));
    }
}

/// Removes a file, or a directory in which there is nothing. What cannot be removed stays.
fn remove(path: &Path) {
    let _ = fs::remove_file(path).or_else(|_| fs::remove_dir(path));
}

/// Takes the directory of a draft that was killed, and removes what that had made, if there is nothing else.
fn take_over(directory: &Path) -> Result<Lock, RunError> {
    let mut lock = Lock::take(directory)?;
    let notes = lock.notes();
    let names = names(directory)?;
    if !names.iter().all(|name| is_left(directory, name, &notes)) {
        return Err(RunError::NotEmpty(directory.to_owned()));
    }
    remove_stale_files(directory);
    for name in [DATA, VALIDATION, METRICS, CHECKPOINTS] {
        remove(&directory.join(name));
    }
    lock.forget_notes()?;
    Ok(lock)
}

/// Whether a killed draft, whose lock has these notes, left what is called so in its directory.
fn is_left(directory: &Path, name: &str, notes: &[String]) -> bool {
    let path = directory.join(name);
    let Ok(found) = fs::symlink_metadata(&path) else { return false };
    match name {
        LOCK => true,
        METRICS => found.is_file() && found.len() == 0,
        CHECKPOINTS => found.is_dir() && names(&path).is_ok_and(|names| names.is_empty()),
        DATA | VALIDATION if found.is_file() => {
            Dataset::open(&path).is_ok_and(|dataset| notes.contains(&note(name, &dataset)))
        }
        _ => found.is_file() && is_temporary_name(name.as_ref()),
    }
}

/// The line in the lock that says that a draft completed this file.
fn note(name: &str, dataset: &Dataset) -> String {
    format!("{name} {:016x}", dataset.fingerprint())
}

/// The names in a directory.
fn names(directory: &Path) -> Result<Vec<String>, RunError> {
    let entries = fs::read_dir(directory).map_err(RunError::io("read", directory))?;
    let name =
        |entry: io::Result<fs::DirEntry>| Ok(entry?.file_name().to_string_lossy().into_owned());
    entries.map(name).collect::<io::Result<_>>().map_err(RunError::io("read", directory))
}

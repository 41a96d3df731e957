//! Files that appear under their name complete or not at all.
//!
//! What is written goes to a temporary file in the same directory, which is synced and then renamed.
//! A writer that fails or is dropped removes it; what a killed process left is removed by the next
//! writer of any name in the directory, who can tell by the lock that a living writer holds.

use crate::error::{Error, Result};
use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// A file being written, readable too, under a temporary name until [`AtomicFile::commit`].
#[derive(Debug)]
pub struct AtomicFile {
    file: File,
    temporary: PathBuf,
    path: PathBuf,
    committed: bool,
}

impl AtomicFile {
    /// Creates the temporary file for `path` and removes stale ones of any name beside it.
    ///
    /// # Errors
    /// `path` is a directory, a device or the like, or its directory cannot be written to.
    pub fn create(path: &Path) -> Result<AtomicFile> {
        let Some(name) = path.file_name() else {
            return Err(Error::Invalid(format!("{} names no file to write", path.display())));
        };
        if fs::metadata(path).is_ok_and(|found| !found.is_file()) {
            return Err(Error::Invalid(format!("{} is no regular file", path.display())));
        }
        remove_stale_files(directory_of(path));
        loop {
            let temporary = path.with_file_name(temporary_name(&name.to_string_lossy()));
            let opened =
                OpenOptions::new().read(true).write(true).create_new(true).open(&temporary);
            let file = match opened {
                // Of a living process that has our number, as there may be in another container.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                opened => opened.map_err(Error::io("create", path))?,
            };
            // Where the file system has no locks, the stale files of others are merely not recognised.
            let _ = file.lock();
            // Until it was locked another writer could take it for stale.
            if temporary.exists() {
                return Ok(AtomicFile { file, temporary, path: path.to_owned(), committed: false });
            }
        }
    }

    /// The final name.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where it is until then.
    pub fn temporary(&self) -> &Path {
        &self.temporary
    }

    /// Makes the content durable, and the file appear under its final name.
    ///
    /// # Errors
    /// The file cannot be written to the end or renamed; nothing is left of it then.
    pub fn commit(mut self) -> Result<()> {
        self.file.sync_all().map_err(Error::io("write", &self.path))?;
        fs::rename(&self.temporary, &self.path).map_err(Error::io("rename to", &self.path))?;
        self.committed = true;
        sync_directory(directory_of(&self.path))
    }
}

impl io::Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl io::Read for AtomicFile {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.file.read(bytes)
    }
}

impl io::Seek for AtomicFile {
    fn seek(&mut self, position: io::SeekFrom) -> io::Result<u64> {
        self.file.seek(position)
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        if !self.committed {
            // Nothing better can be done about a failure here: the cause is already on its way up.
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

/// The directory that holds `path`, also where `path` is a bare name.
pub(crate) fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Makes the names in a directory durable.
pub(crate) fn sync_directory(directory: &Path) -> Result<()> {
    if cfg!(unix) {
        File::open(directory).and_then(|d| d.sync_all()).map_err(Error::io("sync", directory))?;
    }
    Ok(())
}

/// A name for a temporary file that no other has: `.NAME.PID-SERIAL.tmp`.
fn temporary_name(name: &str) -> String {
    static SERIAL: AtomicU64 = AtomicU64::new(0);
    format!(".{name}.{}-{}.tmp", std::process::id(), SERIAL.fetch_add(1, Ordering::Relaxed))
}

/// Whether a file is called as the temporary files of this program are.
pub fn is_temporary_name(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    let inner = name.strip_prefix('.').and_then(|name| name.strip_suffix(".tmp"));
    let numbers = inner.and_then(|inner| inner.rsplit_once('.')?.1.split_once('-'));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    numbers.is_some_and(|(process, serial)| is_number(process) && is_number(serial))
}

/// Removes temporary files that no living writer holds locked. Failing to is no reason not to write.
pub fn remove_stale_files(directory: &Path) {
    let Ok(entries) = fs::read_dir(directory) else {
        return;
    };
    for entry in entries.flatten() {
        if is_temporary_name(&entry.file_name())
            && let Ok(file) = File::open(entry.path())
            && file.try_lock().is_ok()
        {
            let _ = fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn names(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).unwrap();
        let mut names: Vec<_> =
            entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn appears_only_when_committed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a");
        let mut file = AtomicFile::create(&path).unwrap();
        file.write_all(b"whole").unwrap();
        assert!(!path.exists());
        file.commit().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"whole");
        assert_eq!(names(directory.path()), ["a"]);
    }

    #[test]
    fn a_dropped_writer_leaves_nothing_and_the_old_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a");
        fs::write(&path, b"old").unwrap();
        let mut file = AtomicFile::create(&path).unwrap();
        file.write_all(b"half").unwrap();
        drop(file);
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(names(directory.path()), ["a"]);
    }

    #[test]
    fn stale_files_go_but_those_of_living_writers_stay() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a");
        for stale in [".a.1-0.tmp", ".b.with.dots.123-45.tmp"] {
            fs::write(directory.path().join(stale), b"killed").unwrap();
        }
        let first = AtomicFile::create(&path).unwrap();
        let second = AtomicFile::create(&path).unwrap();
        let other = AtomicFile::create(&directory.path().join("b")).unwrap();
        assert_eq!(names(directory.path()).len(), 3);
        first.commit().unwrap();
        second.commit().unwrap();
        other.commit().unwrap();
        assert_eq!(names(directory.path()), ["a", "b"]);
    }

    #[test]
    fn files_of_others_stay() {
        let directory = tempfile::tempdir().unwrap();
        let others = [".a.1-x.tmp", ".a.1-.tmp", ".a.tmp", ".tmp", "a.1-0.tmp", ".a.1-0.tmp.gz"];
        for name in others {
            fs::write(directory.path().join(name), b"mine").unwrap();
        }
        AtomicFile::create(&directory.path().join("a")).unwrap();
        assert_eq!(names(directory.path()).len(), others.len());
    }

    #[test]
    fn only_regular_files_are_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let error = AtomicFile::create(directory.path()).unwrap_err();
        assert!(error.to_string().contains("is no regular file"));
    }

    #[test]
    fn a_missing_directory_is_named() {
        let error = AtomicFile::create(Path::new("/no/such/directory/a")).unwrap_err();
        assert!(error.to_string().contains("/no/such/directory/a"));
    }
}

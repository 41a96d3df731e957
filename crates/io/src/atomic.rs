//! Files that appear under their name complete or not at all.
//!
//! What is written goes to a temporary file in the same directory, which is synced and then renamed.
//! A writer that fails or is dropped removes it; what a killed process left is removed by the next
//! writer of any name in the directory, who can tell by the lock that a living writer holds.

use crate::destination::Destination;
use crate::error::{Error, Result};
use crate::temporary::Temporary;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// A file being written, readable too, under a temporary name until [`AtomicFile::commit`]. It keeps the
/// mode of the file that it replaces, and where its name is a symbolic link, that stays and the file at
/// its end is replaced.
#[derive(Debug)]
pub struct AtomicFile {
    temporary: Temporary,
    path: PathBuf,
    destination: Destination,
}

impl AtomicFile {
    /// Creates the temporary file for `path` and removes stale ones of any name beside it.
    ///
    /// # Errors
    /// `path` is a directory, a device or the like, or its directory cannot be written to.
    pub fn create(path: &Path) -> Result<AtomicFile> {
        let destination = Destination::of(path)?;
        let (directory, name) = (destination.directory(), destination.file_name());
        let temporary = Temporary::create(directory, name, destination.replaces());
        let temporary = temporary.map_err(Error::io("create", path))?;
        Ok(AtomicFile { temporary, path: path.to_owned(), destination })
    }

    /// The final name, as it was given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes the content durable, and the file appear under its final name.
    ///
    /// # Errors
    /// The file cannot be written to the end or renamed; nothing is left of it then.
    pub fn commit(self) -> Result<()> {
        let AtomicFile { temporary, path, destination } = self;
        destination.hand_over(&temporary.file).map_err(Error::io("keep the mode of", &path))?;
        temporary.file.sync_all().map_err(Error::io("write", &path))?;
        temporary.rename(destination.path()).map_err(Error::io("rename to", &path))?;
        sync_directory(destination.directory())
    }
}

impl io::Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.temporary.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.temporary.file.flush()
    }
}

impl io::Read for AtomicFile {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.temporary.file.read(bytes)
    }
}

impl io::Seek for AtomicFile {
    fn seek(&mut self, position: io::SeekFrom) -> io::Result<u64> {
        self.temporary.file.seek(position)
    }
}

/// Makes the names in a directory durable.
pub(crate) fn sync_directory(directory: &Path) -> Result<()> {
    if cfg!(unix) {
        File::open(directory).and_then(|d| d.sync_all()).map_err(Error::io("sync", directory))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
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
        for name in ["a", "b.with.dots"] {
            let stale = format!(".{name}.gristmill-1-0-0123456789abcdef.tmp");
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
        let others = [".notes.2026-11.tmp", ".a.1-0.tmp", ".a.tmp", ".a.gristmill-notes.tmp"];
        for name in others {
            fs::write(directory.path().join(name), b"mine").unwrap();
        }
        let made = ".d.gristmill-1-0-0123456789abcdef.tmp";
        fs::create_dir(directory.path().join(made)).unwrap();
        AtomicFile::create(&directory.path().join("a")).unwrap();
        assert_eq!(names(directory.path()).len(), others.len() + 1);
    }

    #[test]
    fn only_regular_files_are_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let error = AtomicFile::create(directory.path()).unwrap_err();
        assert!(error.to_string().contains("is a directory, no regular file"), "{error}");
        let error = AtomicFile::create(&directory.path().join("new/")).unwrap_err();
        assert!(error.to_string().contains("names no file"), "{error}");
    }

    #[cfg(unix)]
    fn write(path: &Path, text: &str) -> Result<()> {
        let mut file = AtomicFile::create(path)?;
        file.write_all(text.as_bytes()).unwrap();
        file.commit()
    }

    #[cfg(unix)]
    #[test]
    fn links_stay_and_what_they_lead_to_is_replaced() {
        use std::os::unix::fs::symlink;
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        fs::create_dir(at("real")).unwrap();
        fs::write(at("real/a"), b"old").unwrap();
        symlink("real/a", at("one")).unwrap();
        symlink(at("one"), at("two")).unwrap();
        symlink("real/new", at("dangling")).unwrap();
        symlink("circle", at("circle")).unwrap();

        write(&at("two"), "new").unwrap();
        assert_eq!(fs::read(at("real/a")).unwrap(), b"new");
        assert_eq!(fs::read_link(at("two")).unwrap(), at("one"));
        assert_eq!(fs::read_link(at("one")).unwrap(), Path::new("real/a"));
        write(&at("dangling"), "made").unwrap();
        assert_eq!(fs::read(at("real/new")).unwrap(), b"made");
        assert!(at("dangling").is_symlink());
        let error = write(&at("circle"), "").unwrap_err().to_string();
        assert!(error.starts_with(&format!("cannot write {}", at("circle").display())), "{error}");
        assert_eq!(names(&at("real")), ["a", "new"]);
    }

    #[cfg(unix)]
    #[test]
    fn modes_are_kept_and_half_written_files_are_private() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
        for kept in [0o600, 0o640, 0o755, 0o444] {
            fs::write(&path, b"old").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(kept)).unwrap();
            let file = AtomicFile::create(&path).unwrap();
            let [temporary] =
                &names(directory.path()).into_iter().filter(|name| name != "a").collect::<Vec<_>>()
                    [..]
            else {
                panic!("one temporary file")
            };
            assert_eq!(mode(&directory.path().join(temporary)), 0o600);
            file.commit().unwrap();
            assert_eq!(mode(&path), kept);
            fs::remove_file(&path).unwrap();
        }
        // A new file has the mode that any new file has.
        fs::write(directory.path().join("other"), b"").unwrap();
        write(&path, "new").unwrap();
        assert_eq!(mode(&path), mode(&directory.path().join("other")));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_link_to_an_open_file_is_no_name() {
        use std::os::fd::AsRawFd;
        let file = tempfile::tempfile().unwrap();
        let path = format!("/proc/self/fd/{}", file.as_raw_fd());
        let error = AtomicFile::create(Path::new(&path)).unwrap_err().to_string();
        assert!(error.contains("without a name"), "{error}");
    }

    #[test]
    fn a_missing_directory_is_named() {
        let error = AtomicFile::create(Path::new("/no/such/directory/a")).unwrap_err();
        assert!(error.to_string().contains("/no/such/directory/a"));
    }
}

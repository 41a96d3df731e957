//! Temporary files: names that nothing else has, those that this process is writing, and the removal of
//! those that killed processes left.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What only our temporary files have in their names.
const MARK: &str = ".gristmill-";
const ENDING: &str = ".tmp";
/// Characters of the final name that a temporary one begins with: a name has at most 255 bytes.
const SHOWN_NAME: usize = 40;

/// The temporary files that this process is writing.
static LIVE: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

fn live() -> MutexGuard<'static, Vec<PathBuf>> {
    LIVE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A temporary file, removed when dropped unless it got another name.
#[derive(Debug)]
pub(crate) struct Temporary {
    pub(crate) file: File,
    path: PathBuf,
}

impl Temporary {
    /// Creates one in `directory` for what will be called `name`, and removes those of killed processes
    /// there. A private one can be read by nobody else.
    pub(crate) fn create(directory: &Path, name: &OsStr, private: bool) -> io::Result<Temporary> {
        remove_stale_files(directory);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true);
        #[cfg(unix)]
        if private {
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        }
        #[cfg(not(unix))]
        let _ = private;
        let mut live = live();
        loop {
            let path = directory.join(temporary_name(&name.to_string_lossy()));
            let file = match options.open(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                opened => opened?,
            };
            // Where the file system has no locks, the stale files of others are merely not recognised.
            let _ = file.lock();
            // Until it was locked another writer could take it for stale.
            if path.exists() {
                live.push(path.clone());
                return Ok(Temporary { file, path });
            }
        }
    }

    /// Gives it its final name.
    pub(crate) fn rename(self, to: &Path) -> io::Result<()> {
        let mut live = live();
        fs::rename(&self.path, to)?;
        live.retain(|path| *path != self.path);
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let mut live = live();
        if let Some(at) = live.iter().position(|path| *path == self.path) {
            live.swap_remove(at);
            // Nothing better can be done about a failure here: the cause is already on its way up.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Removes the temporary files of all writers of this process: for a program that is about to end at once.
/// Whoever creates or completes a file after this waits for that end.
pub fn abandon_files() {
    let live = live();
    for path in live.iter() {
        let _ = fs::remove_file(path);
    }
    std::mem::forget(live);
}

/// Removes temporary files that no living writer holds locked. Failing to is no reason not to write.
pub fn remove_stale_files(directory: &Path) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        if is_temporary_name(&entry.file_name())
            && entry.file_type().is_ok_and(|kind| kind.is_file())
            && let Ok(file) = File::open(entry.path())
            && file.try_lock().is_ok()
        {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Whether a file is called as the temporary files of this program are, and nothing else is:
/// `.NAME.gristmill-PROCESS-SERIAL-RANDOM.tmp`.
pub fn is_temporary_name(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    let inner = name.strip_prefix('.').and_then(|name| name.strip_suffix(ENDING));
    let Some((_, numbers)) = inner.and_then(|inner| inner.rsplit_once(MARK)) else { return false };
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    match numbers.split('-').collect::<Vec<_>>()[..] {
        [process, serial, random] => {
            is_number(process)
                && is_number(serial)
                && random.len() == 16
                && random.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        }
        _ => false,
    }
}

fn temporary_name(name: &str) -> String {
    static SERIAL: AtomicU64 = AtomicU64::new(0);
    let (process, serial) = (std::process::id(), SERIAL.fetch_add(1, Ordering::Relaxed));
    let name: String = name.chars().take(SHOWN_NAME).collect();
    // Another container may have a process of our number; the standard library's hashers start at random.
    let random = RandomState::new().build_hasher().finish();
    format!(".{name}{MARK}{process}-{serial}-{random:016x}{ENDING}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_recognised_and_nothing_else_is() {
        for name in ["a", "with.dots.gristmill-1", "", &"ü".repeat(200)] {
            let temporary = temporary_name(name);
            assert!(temporary.len() < 255, "{temporary}");
            assert!(is_temporary_name(OsStr::new(&temporary)), "{temporary}");
            assert_ne!(temporary, temporary_name(name));
        }
        for name in [
            ".notes.2026-11.tmp",
            ".a.1-0.tmp",
            ".a.tmp",
            ".gristmill.tmp",
            ".a.gristmill-1-0.tmp",
            ".a.gristmill-1-0-0123456789abcdeg.tmp",
            ".a.gristmill-1-0-0123456789abcde.tmp",
            ".a.gristmill-x-0-0123456789abcdef.tmp",
            ".a.gristmill-1-0-0123456789abcdef-1.tmp",
            "a.gristmill-1-0-0123456789abcdef.tmp",
            ".a.gristmill-1-0-0123456789abcdef.tmp.gz",
        ] {
            assert!(!is_temporary_name(OsStr::new(name)), "{name}");
        }
    }
}

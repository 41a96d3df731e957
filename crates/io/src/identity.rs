//! What tells a file apart from another, and from itself at another time.

use crate::error::{Error, Result};
use std::fs::Metadata;
use std::io;
use std::path::Path;
use std::time::SystemTime;

/// A file as the system knew it at some time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    /// Device and inode, where there are such.
    file: (u64, u64),
    length: u64,
    modified: Option<SystemTime>,
    /// When its bytes, mode, owner or links last changed, in seconds and nanoseconds, where that is known:
    /// unlike the time of its last change, it cannot be set back.
    status_changed: (i64, i64),
}

/// In what a file differs from what it was.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Difference {
    /// It is another file, or its bytes are others; in words.
    Content(String),
    /// Something about it was changed: its mode, its links, or its bytes and the time of that.
    Status,
}

impl Identity {
    pub(crate) fn of(metadata: io::Result<Metadata>) -> io::Result<Identity> {
        let metadata = metadata?;
        #[cfg(unix)]
        let (file, status_changed) = {
            use std::os::unix::fs::MetadataExt;
            ((metadata.dev(), metadata.ino()), (metadata.ctime(), metadata.ctime_nsec()))
        };
        #[cfg(not(unix))]
        let (file, status_changed) = ((0, 0), (0, 0));
        let (length, modified) = (metadata.len(), metadata.modified().ok());
        Ok(Identity { file, length, modified, status_changed })
    }

    /// What `path` leads to now.
    ///
    /// # Errors
    /// There is nothing any more, or it cannot be looked at.
    pub(crate) fn at(path: &Path) -> Result<Identity> {
        Identity::of(std::fs::metadata(path)).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Error::changed(path, "it was removed or renamed"),
            _ => Error::io("look at", path)(error),
        })
    }

    /// What is different `now`.
    pub(crate) fn difference(&self, now: &Identity) -> Option<Difference> {
        let content = |text: String| Some(Difference::Content(text));
        if self.file != now.file {
            content("another file is in its place".to_owned())
        } else if self.length != now.length {
            content(format!("it had {} bytes and now has {}", self.length, now.length))
        } else if self.modified != now.modified {
            content("it was written to, as the time of its last change shows".to_owned())
        } else if self.status_changed != now.status_changed {
            Some(Difference::Status)
        } else {
            None
        }
    }
}

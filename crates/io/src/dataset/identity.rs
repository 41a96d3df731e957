//! What tells a file apart from another, and from itself at another time.

use std::fs::Metadata;
use std::io;
use std::time::SystemTime;

/// What tells a file apart from another and from itself at another time.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Identity {
    /// Device and inode, where there are such.
    file: (u64, u64),
    length: u64,
    modified: Option<SystemTime>,
}

impl Identity {
    pub(super) fn of(metadata: io::Result<Metadata>) -> io::Result<Identity> {
        let metadata = metadata?;
        #[cfg(unix)]
        let file = {
            use std::os::unix::fs::MetadataExt;
            (metadata.dev(), metadata.ino())
        };
        #[cfg(not(unix))]
        let file = (0, 0);
        Ok(Identity { file, length: metadata.len(), modified: metadata.modified().ok() })
    }

    /// What is different `now`, in words.
    pub(super) fn difference(&self, now: &Identity) -> Option<String> {
        if self.file != now.file {
            Some("another file is in its place".to_owned())
        } else if self.length != now.length {
            Some(format!("it had {} bytes and now has {}", self.length, now.length))
        } else if self.modified != now.modified {
            Some("it was written to, as the time of its last change shows".to_owned())
        } else {
            None
        }
    }
}

//! Whether two names lead to one file.

use std::fs::Metadata;
use std::path::{Path, PathBuf};

/// More links than this after one another lead nowhere.
const MOST_LINKS: usize = 40;

/// Where a file is or will be, by whatever name.
pub(super) struct Place {
    path: PathBuf,
    /// Device and inode, where the file is there and the system has such.
    file: Option<(u64, u64)>,
}

impl Place {
    pub(super) fn of(path: &Path) -> Place {
        // Links to what is not there yet are followed here.
        let mut path = path.to_owned();
        for _ in 0..MOST_LINKS {
            let Ok(to) = std::fs::read_link(&path) else { break };
            path = path.parent().unwrap_or(Path::new("")).join(to);
        }
        let directory = path.parent().filter(|directory| !directory.as_os_str().is_empty());
        let directory = directory.unwrap_or(Path::new(".")).canonicalize();
        let file = std::fs::metadata(&path).ok().and_then(|metadata| inode(&metadata));
        let path = match (directory, path.file_name()) {
            (Ok(directory), Some(name)) => directory.join(name),
            _ => path,
        };
        Place { path, file }
    }

    pub(super) fn is(&self, other: &Place) -> bool {
        self.path == other.path || (self.file.is_some() && self.file == other.file)
    }
}

#[cfg(unix)]
fn inode(metadata: &Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    Some((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn inode(_: &Metadata) -> Option<(u64, u64)> {
    None
}

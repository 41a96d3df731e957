//! Where an output goes: to the file at the end of symbolic links, whose mode and owner it takes over.

use crate::error::{Error, Result};
use crate::open::irregular;
use crate::shown::shown_path;
use std::ffi::OsStr;
use std::fs::{self, File, Metadata};
use std::io;
use std::path::{Path, PathBuf};

/// More links in a row than any system follows.
const MOST_LINKS: usize = 64;

/// The name that an output gets, and the file that has it now.
#[derive(Debug)]
pub(crate) struct Destination {
    path: PathBuf,
    replaced: Option<Metadata>,
}

impl Destination {
    /// Where what is written to `path` goes.
    ///
    /// # Errors
    /// `path` leads to a directory, a device or the like, in a circle, or is no name of a file.
    pub(crate) fn of(path: &Path) -> Result<Destination> {
        let refuse = |reason: &str| Err(Error::Invalid(format!("{} {reason}", shown_path(path))));
        if path.file_name().is_none() || path.as_os_str().as_encoded_bytes().ends_with(b"/") {
            return refuse("names no file to write");
        }
        let replaced = match fs::metadata(path) {
            Ok(found) if !found.is_file() => {
                let what = irregular(&found);
                return refuse(&format!("is a {what}, no regular file: name a file to write"));
            }
            Ok(found) => Some(found),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(Error::io("write", path)(error)),
        };
        let end = end_of_links(path);
        // Links of /proc lead to open files by other ways than their text.
        if let Some(replaced) = &replaced
            && !fs::metadata(&end).is_ok_and(|end| is_same(&end, replaced))
        {
            return refuse("leads to an open file without a name: name a file to write");
        }
        Ok(Destination { path: end, replaced })
    }

    /// The name, which is no link.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The directory it is in.
    pub(crate) fn directory(&self) -> &Path {
        directory_of(&self.path)
    }

    /// The last part of the name.
    pub(crate) fn file_name(&self) -> &OsStr {
        self.path.file_name().unwrap_or_default()
    }

    /// Whether it replaces a file.
    pub(crate) fn replaces(&self) -> bool {
        self.replaced.is_some()
    }

    /// Gives `file` the mode of the file that it is to replace, and its owner and group as far as this
    /// process may.
    #[cfg(unix)]
    pub(crate) fn hand_over(&self, file: &File) -> io::Result<()> {
        use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
        let Some(replaced) = &self.replaced else { return Ok(()) };
        let (owner, group) = (replaced.uid(), replaced.gid());
        let is_kept = fchown(file, Some(owner), Some(group)).is_ok();
        let has_group = is_kept || fchown(file, None, Some(group)).is_ok();
        // What is granted to a group is not granted to another.
        let granted = match (is_kept, has_group) {
            (true, _) => 0o7777,
            (false, true) => 0o0777,
            (false, false) => 0o0707,
        };
        let mode = replaced.permissions().mode() & granted;
        file.set_permissions(fs::Permissions::from_mode(mode))
    }

    /// Where there are no modes, there is nothing to hand over.
    #[cfg(not(unix))]
    pub(crate) fn hand_over(&self, _: &File) -> io::Result<()> {
        Ok(())
    }
}

/// The directory that holds `path`, also where `path` is a bare name.
pub(crate) fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// The last of a chain of links, whether or not there is something.
fn end_of_links(path: &Path) -> PathBuf {
    let mut end = path.to_owned();
    for _ in 0..MOST_LINKS {
        match fs::read_link(&end) {
            Ok(target) => end = directory_of(&end).join(target),
            Err(_) => break,
        }
    }
    end
}

#[cfg(unix)]
fn is_same(a: &Metadata, b: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (a.dev(), a.ino()) == (b.dev(), b.ino())
}

#[cfg(not(unix))]
fn is_same(_: &Metadata, _: &Metadata) -> bool {
    true
}

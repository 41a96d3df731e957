//! Opening what is read: regular files, which can be read again, and whose length is known. All else is
//! refused before it is opened, since opening a pipe waits for who writes to it.

use crate::error::{Error, Place, Result};
use std::fs::{File, Metadata};
use std::path::Path;

/// Opens a file to be read.
///
/// # Errors
/// It cannot be opened, or is a directory, a pipe, a socket or a device.
pub fn open(path: &Path) -> Result<File> {
    refuse_irregular(path)?;
    File::open(path).map_err(Error::io("open", path))
}

/// Refuses a path that leads to something else than a regular file. What cannot be looked at is reported
/// where it is opened.
pub(crate) fn refuse_irregular(path: &Path) -> Result<()> {
    refuse_streams(path)?;
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => {
            Err(Error::input(path, Place::FILE, "is a directory; name a file"))
        }
        _ => Ok(()),
    }
}

/// Refuses what can be read only once, or has no end.
pub(crate) fn refuse_streams(path: &Path) -> Result<()> {
    if path.as_os_str() == "-" {
        let reason = "gristmill reads no standard input; save it to a file first";
        return Err(Error::input(path, Place::FILE, reason));
    }
    match std::fs::metadata(path) {
        Ok(metadata) if !metadata.is_file() && !metadata.is_dir() => {
            let reason = format!("is a {}; save it to a file first", irregular(&metadata));
            Err(Error::input(path, Place::FILE, reason))
        }
        _ => Ok(()),
    }
}

/// What something is that is no regular file.
#[cfg(unix)]
pub(crate) fn irregular(metadata: &Metadata) -> &'static str {
    use std::os::unix::fs::FileTypeExt;
    let kind = metadata.file_type();
    match () {
        () if kind.is_dir() => "directory",
        () if kind.is_socket() => "socket",
        () if kind.is_char_device() || kind.is_block_device() => "device",
        () => "pipe",
    }
}

/// What something is that is no regular file.
#[cfg(not(unix))]
pub(crate) fn irregular(metadata: &Metadata) -> &'static str {
    if metadata.is_dir() { "directory" } else { "pipe" }
}

//! A file of which many parts are read at the same time, each at its own position.

use crate::error::{Error, Result};
use crate::source::Source;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::{Arc, Mutex, PoisonError};

/// An open file that is read at any position, from any thread.
#[derive(Clone)]
pub(super) struct SharedFile {
    file: Arc<Mutex<File>>,
    length: u64,
    source: Source,
}

impl SharedFile {
    pub(super) fn open(source: &Source) -> Result<SharedFile> {
        let path = source.path();
        let file = source.open()?;
        let length = file.metadata().map_err(Error::io("open", path))?.len();
        Ok(SharedFile { file: Arc::new(Mutex::new(file)), length, source: source.clone() })
    }

    /// Bytes of the file when it was opened.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Reads some bytes from a position on.
    pub(super) fn read_at(&self, position: u64, bytes: &mut [u8]) -> io::Result<usize> {
        // A thread that panicked while it read has spoiled nothing: the position is set every time.
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(position))?;
        let read = file.read(bytes)?;
        self.source.count(read as u64);
        Ok(read)
    }

    /// The bytes from `start` to `end`.
    pub(super) fn part(&self, start: u64, end: u64) -> FilePart {
        FilePart { file: self.clone(), position: start, end }
    }
}

/// A part of a file as a stream.
pub(super) struct FilePart {
    file: SharedFile,
    position: u64,
    end: u64,
}

impl Read for FilePart {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end - self.position).unwrap_or(usize::MAX);
        let wanted = bytes.len().min(left);
        let read = self.file.read_at(self.position, &mut bytes[..wanted])?;
        self.position += read as u64;
        Ok(read)
    }
}

//! Opening what is imported: a file as a stream of bytes, decompressed if it is compressed. Formats
//! never see compression.

use crate::error::{Error, Place, Result};
use crate::gzip;
use crate::identity::{Difference, Identity};
use crate::open::{open, refuse_streams};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

const BUFFER: usize = 1 << 18;
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// A file to import, and the count of bytes read that all sources of an import share.
#[derive(Debug, Clone)]
pub struct Source {
    path: PathBuf,
    reading: Arc<Reading>,
    is_counted: bool,
}

/// What the sources of an import share: how much of them was read, and what they were when they were
/// first opened.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    bytes: AtomicU64,
    opened: Mutex<Vec<(PathBuf, Identity)>>,
}

impl Reading {
    /// Bytes read so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Checks that all files that were opened are as they were then.
    ///
    /// # Errors
    /// Says what is different.
    pub(crate) fn check_unchanged(&self) -> Result<()> {
        for (path, known) in self.opened.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let reason = match known.difference(&Identity::at(path)?) {
                None => continue,
                Some(Difference::Content(reason)) => reason,
                Some(Difference::Status) => "its bytes, mode or links were changed".to_owned(),
            };
            return Err(Error::changed(path, reason));
        }
        Ok(())
    }

    /// Remembers what a file is, if it is opened for the first time.
    fn remember(&self, path: &Path, identity: Identity) {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if opened.iter().all(|(known, _)| known != path) {
            opened.push((path.to_owned(), identity));
        }
    }
}

/// The decompressed bytes of a source.
pub(crate) type Stream = Box<dyn Read + Send>;

impl Source {
    /// A file by itself.
    pub fn at(path: &Path) -> Source {
        Source::new(path, &Arc::default())
    }

    pub(crate) fn new(path: &Path, reading: &Arc<Reading>) -> Source {
        Source { path: path.to_owned(), reading: Arc::clone(reading), is_counted: true }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Another file whose reading counts as reading this one.
    pub(crate) fn beside(&self, path: PathBuf) -> Source {
        Source { path, ..self.clone() }
    }

    /// The same file, read without counting.
    pub(crate) fn uncounted(&self) -> Source {
        Source { is_counted: false, ..self.clone() }
    }

    /// Length of the file in bytes, as it is on disk.
    pub(crate) fn length(&self) -> Result<u64> {
        Ok(std::fs::metadata(&self.path).map_err(Error::io("open", &self.path))?.len())
    }

    /// Counts bytes that a format read otherwise than as a stream.
    pub(crate) fn count(&self, bytes: u64) {
        if self.is_counted {
            self.reading.bytes.fetch_add(bytes, Ordering::Relaxed);
        }
    }

    /// Opens the file as it is on disk.
    ///
    /// # Errors
    /// It cannot be opened, or is no regular file.
    pub(crate) fn open(&self) -> Result<File> {
        let file = open(&self.path)?;
        let now = Identity::of(file.metadata()).map_err(Error::io("open", &self.path))?;
        self.reading.remember(&self.path, now);
        Ok(file)
    }

    /// Remembers what the file is, for those that others open.
    pub(crate) fn remember(&self) -> Result<()> {
        let there = Identity::of(std::fs::metadata(&self.path));
        self.reading.remember(&self.path, there.map_err(Error::io("open", &self.path))?);
        Ok(())
    }

    /// The name by which the format is recognised: lower case, without `.gz` or `.zst`.
    pub(crate) fn plain_name(&self) -> String {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        let plain = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst"));
        plain.unwrap_or(&name).to_owned()
    }

    /// Whether the file as it is on disk is compressed.
    pub(crate) fn is_compressed(&self) -> Result<bool> {
        let start = self.start(4)?;
        Ok(start.starts_with(&gzip::MAGIC) || start.starts_with(&ZSTD))
    }

    /// The first bytes of the file as it is on disk, at most `limit`.
    pub(crate) fn start(&self, limit: u64) -> Result<Vec<u8>> {
        let mut start = Vec::new();
        self.open()?.take(limit).read_to_end(&mut start).map_err(Error::io("read", &self.path))?;
        Ok(start)
    }

    /// Opens the file, recognising compression by its first bytes.
    pub(crate) fn stream(&self) -> Result<Stream> {
        let counted = Counted { file: self.open()?, source: self.clone() };
        let mut reader = BufReader::with_capacity(BUFFER, counted);
        let start = reader.fill_buf().map_err(Error::io("read", &self.path))?;
        if start.starts_with(&ZSTD) {
            let decoder = zstd::Decoder::with_buffer(reader);
            return Ok(Box::new(decoder.map_err(Error::io("read", &self.path))?));
        }
        if start.starts_with(&gzip::MAGIC) {
            return Ok(Box::new(gzip::Members::new(reader)));
        }
        Ok(Box::new(reader))
    }

    /// The first decompressed bytes, at most `limit`.
    pub(crate) fn head(&self, limit: u64) -> Result<Vec<u8>> {
        let mut head = Vec::new();
        let read = self.uncounted().stream()?.take(limit).read_to_end(&mut head);
        read.map_err(Error::io("read", &self.path))?;
        Ok(head)
    }
}

/// Refuses an output that is one of the sources, by whatever name or link: it would replace what it is
/// made of. Sources may be patterns.
///
/// # Errors
/// The output is a source, or a source is a pipe or a pattern that matches no file.
pub fn refuse_overwriting(sources: &[PathBuf], output: &Path) -> Result<()> {
    let sources = expand(sources)?;
    // What does not exist yet is none of them.
    let Ok(target) = output.canonicalize() else {
        return Ok(());
    };
    match sources.iter().any(|source| source.canonicalize().is_ok_and(|source| source == target)) {
        true => Err(Error::input(output, Place::FILE, "is the source; name another output")),
        false => Ok(()),
    }
}

/// Paths as they are, and in place of each pattern that is no file the files that match it, in the order of
/// their names.
///
/// # Errors
/// A pattern matches no file, or a source is a pipe.
pub fn expand(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut expanded = Vec::with_capacity(paths.len());
    for path in paths {
        let pattern = path.to_str().filter(|text| text.contains(['*', '?', '[']));
        let Some(pattern) = pattern.filter(|_| !path.exists()) else {
            expanded.push(path.clone());
            continue;
        };
        let matches = glob::glob(pattern).map_err(|error| {
            Error::input(path, Place::FILE, format!("is no pattern of file names: {error}"))
        })?;
        let before = expanded.len();
        for found in matches {
            let found = found.map_err(|error| Error::Io {
                action: "look at",
                path: error.path().to_owned(),
                source: error.into(),
            })?;
            expanded.push(found);
        }
        if expanded.len() == before {
            return Err(Error::input(path, Place::FILE, "matches no file"));
        }
    }
    expanded.iter().try_for_each(|path| refuse_streams(path))?;
    Ok(expanded)
}

struct Counted {
    file: File,
    source: Source,
}

impl Read for Counted {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(bytes)?;
        self.source.count(count as u64);
        Ok(count)
    }
}

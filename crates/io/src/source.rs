//! Opening what is imported: a file as a stream of bytes, decompressed if it is compressed. Formats
//! never see compression.

use crate::error::{Error, Place, Result};
use flate2::bufread::MultiGzDecoder;
use std::fs::{File, Metadata};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const BUFFER: usize = 1 << 18;
const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// A file to import, and the count of bytes read that all sources of an import share.
#[derive(Debug, Clone)]
pub struct Source {
    path: PathBuf,
    bytes_read: Arc<AtomicU64>,
}

/// The decompressed bytes of a source.
pub(crate) type Stream = Box<dyn Read + Send>;

impl Source {
    /// A file by itself.
    pub fn at(path: &Path) -> Source {
        Source::new(path, &Arc::default())
    }

    pub(crate) fn new(path: &Path, bytes_read: &Arc<AtomicU64>) -> Source {
        Source { path: path.to_owned(), bytes_read: Arc::clone(bytes_read) }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Another file whose reading counts as reading this one.
    pub(crate) fn beside(&self, path: PathBuf) -> Source {
        Source { path, bytes_read: Arc::clone(&self.bytes_read) }
    }

    /// The same file, read without counting.
    pub(crate) fn uncounted(&self) -> Source {
        Source::at(&self.path)
    }

    /// Length of the file in bytes, as it is on disk.
    pub(crate) fn length(&self) -> Result<u64> {
        Ok(std::fs::metadata(&self.path).map_err(Error::io("open", &self.path))?.len())
    }

    /// For formats that do not read a stream: so many more bytes were read.
    pub(crate) fn count(&self, bytes: u64) {
        self.bytes_read.fetch_add(bytes, Ordering::Relaxed);
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
        Ok(start.starts_with(&GZIP) || start.starts_with(&ZSTD))
    }

    /// The first bytes of the file as it is on disk, at most `limit`.
    pub(crate) fn start(&self, limit: u64) -> Result<Vec<u8>> {
        let file = File::open(&self.path).map_err(Error::io("open", &self.path))?;
        let mut start = Vec::new();
        file.take(limit).read_to_end(&mut start).map_err(Error::io("read", &self.path))?;
        Ok(start)
    }

    /// Opens the file, recognising compression by its first bytes.
    pub(crate) fn stream(&self) -> Result<Stream> {
        let file = File::open(&self.path).map_err(Error::io("open", &self.path))?;
        if file.metadata().is_ok_and(|metadata| metadata.is_dir()) {
            let reason = io::Error::from(io::ErrorKind::IsADirectory);
            return Err(Error::io("open", &self.path)(reason));
        }
        let counted = Counted { file, bytes_read: Arc::clone(&self.bytes_read) };
        let mut reader = BufReader::with_capacity(BUFFER, counted);
        let start = reader.fill_buf().map_err(Error::io("read", &self.path))?;
        if start.starts_with(&ZSTD) {
            let decoder = zstd::Decoder::with_buffer(reader);
            return Ok(Box::new(decoder.map_err(Error::io("read", &self.path))?));
        }
        if start.starts_with(&GZIP) {
            return Ok(Box::new(MultiGzDecoder::new(reader)));
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

/// Refuses what can be read only once: the bytes of a source are needed several times.
pub(crate) fn refuse_pipe(path: &Path) -> Result<()> {
    if path.as_os_str() == "-" {
        let reason = "gristmill reads no standard input; save it to a file first";
        return Err(Error::input(path, Place::FILE, reason));
    }
    match std::fs::metadata(path) {
        Ok(metadata) if !metadata.is_file() && !metadata.is_dir() => {
            let what = if is_device(&metadata) { "device" } else { "pipe" };
            let reason = format!("is a {what}; save it to a file first");
            Err(Error::input(path, Place::FILE, reason))
        }
        // What cannot be looked at is reported where it is opened.
        _ => Ok(()),
    }
}

#[cfg(unix)]
fn is_device(metadata: &Metadata) -> bool {
    use std::os::unix::fs::FileTypeExt;
    metadata.file_type().is_char_device() || metadata.file_type().is_block_device()
}

#[cfg(not(unix))]
fn is_device(_metadata: &Metadata) -> bool {
    false
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
    expanded.iter().try_for_each(|path| refuse_pipe(path))?;
    Ok(expanded)
}

struct Counted {
    file: File,
    bytes_read: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(bytes)?;
        self.bytes_read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

//! What formats of text share: chunks of whole records, and values that are read from their text.

use super::number::{Number, number};
use super::table::{Chunk, Chunks, Wanted};
use super::values::Values;
use crate::error::{Error, Place, Result, RowNumber};
use crate::source::{Source, Stream};
use memchr::{memchr, memchr_iter, memrchr};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// A record longer than this is taken for one that is never closed.
const LONGEST_RECORD: usize = 1 << 28;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Length of the complete records at the start of a text that begins with a record.
pub(super) type Complete = Box<dyn Fn(&[u8]) -> usize + Send>;

/// Cuts a stream of text into chunks of whole records.
pub(super) struct TextChunks {
    path: PathBuf,
    stream: Stream,
    /// Bytes read but not yet given out.
    ready: Vec<u8>,
    /// The line in which they begin.
    line: u64,
    complete: Complete,
    /// Most lines of a chunk.
    most_lines: usize,
}

impl TextChunks {
    /// Opens a source whose records are lines.
    pub(super) fn lines(source: &Source) -> Result<TextChunks> {
        Ok(TextChunks {
            path: source.path().to_owned(),
            stream: source.stream()?,
            ready: Vec::new(),
            line: 1,
            complete: Box::new(|text| memrchr(b'\n', text).map_or(0, |end| end + 1)),
            most_lines: usize::MAX,
        })
    }

    /// Says how records that may hold line ends are found.
    pub(super) fn set_complete(&mut self, complete: Complete) {
        self.complete = complete;
    }

    /// Limits the lines of a chunk, for records that are small as text and large when decoded. Only
    /// for records that are lines.
    pub(super) fn limit_lines(&mut self, most: usize) {
        self.most_lines = most.max(1);
    }

    /// The first records, about so many bytes of them, without a byte order mark.
    pub(super) fn sample(&mut self, bytes: usize) -> Result<Vec<u8>> {
        let mut sample = self.next_chunk(bytes)?.map_or(Vec::new(), |chunk| chunk.bytes);
        if sample.starts_with(BYTE_ORDER_MARK) {
            sample.drain(..BYTE_ORDER_MARK.len());
        }
        Ok(sample)
    }

    /// Takes back the last chunk or its end, which begins in `line`.
    pub(super) fn put_back(&mut self, mut bytes: Vec<u8>, line: u64) {
        bytes.append(&mut self.ready);
        self.ready = bytes;
        self.line = line;
    }

    /// Reads until so many bytes are ready; says whether the stream ended before.
    fn fill(&mut self, wanted: usize) -> io::Result<bool> {
        let mut filled = self.ready.len();
        self.ready.resize(wanted.max(filled), 0);
        while filled < self.ready.len() {
            match self.stream.read(&mut self.ready[filled..]) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.ready.truncate(filled);
                    return Err(error);
                }
            }
        }
        self.ready.truncate(filled);
        Ok(filled < wanted)
    }

    /// The end of the chunk's last line, if it has more lines than it may.
    fn limited(&self, cut: usize) -> usize {
        if self.most_lines == usize::MAX {
            return cut;
        }
        let last = memchr_iter(b'\n', &self.ready[..cut]).nth(self.most_lines - 1);
        last.map_or(cut, |end| end + 1)
    }
}

impl Chunks for TextChunks {
    fn next_chunk(&mut self, bytes: usize) -> Result<Option<Chunk>> {
        let mut wanted = bytes;
        loop {
            let at_end = self.fill(wanted).map_err(Error::io("read", &self.path))?;
            let cut = if at_end { self.ready.len() } else { (self.complete)(&self.ready) };
            if cut == 0 && !at_end {
                if self.ready.len() > LONGEST_RECORD {
                    let limit = LONGEST_RECORD >> 20;
                    let reason =
                        format!("the record has no end within {limit} MiB: is a quote not closed?");
                    let place = Place::row(RowNumber::Line(self.line));
                    return Err(Error::input(&self.path, place, reason));
                }
                wanted = self.ready.len() * 2 + 1;
                continue;
            }
            if cut == 0 {
                return Ok(None);
            }
            let cut = self.limited(cut);
            let mut rest = Vec::with_capacity(wanted.max(self.ready.len() - cut));
            rest.extend_from_slice(&self.ready[cut..]);
            self.ready.truncate(cut);
            let bytes = std::mem::replace(&mut self.ready, rest);
            let first = self.line;
            self.line += memchr_iter(b'\n', &bytes).count() as u64;
            return Ok(Some(Chunk::records(bytes, first, 0)));
        }
    }
}

/// The lines of a text with their numbers from `first`, without their ends.
pub(super) fn lines(text: &[u8], first: u64) -> impl Iterator<Item = (u64, &[u8])> {
    let lines = text.strip_suffix(b"\n").unwrap_or(text).split(|byte| *byte == b'\n');
    (first..).zip(lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line)))
}

/// The position among `wanted` of each of `count` columns of a table.
pub(super) fn slots(wanted: &[Wanted], count: usize) -> Vec<Option<usize>> {
    let mut slots = vec![None; count];
    for (slot, wanted) in wanted.iter().enumerate() {
        slots[wanted.column] = Some(slot);
    }
    slots
}

/// The place of a value in a text.
#[derive(Clone, Copy)]
pub(super) struct Cell<'a> {
    pub(super) path: &'a Path,
    pub(super) line: u64,
    pub(super) column: Option<&'a str>,
}

impl Cell<'_> {
    /// Appends a value that stands there as text. Blanks around it were trimmed.
    #[inline]
    pub(super) fn push(&self, text: &[u8], values: &mut Values) -> Result<()> {
        match values {
            Values::Numbers(numbers) => numbers.push(match number(text) {
                Number::Value(value) => value,
                Number::Missing => f32::NAN,
                Number::NotFinite => return Err(self.expected("a finite number", text)),
                Number::Text => return Err(self.expected("a number", text)),
            }),
            Values::Texts(texts) => texts.push(self.utf8(text)?),
        }
        Ok(())
    }

    /// The text, if it is one.
    pub(super) fn utf8<'t>(&self, bytes: &'t [u8]) -> Result<&'t str> {
        std::str::from_utf8(bytes).map_err(|_| {
            let found = String::from_utf8_lossy(bytes);
            self.error(format!("\"{}\" is not UTF-8 text: convert the file", shortened(&found)))
        })
    }

    #[cold]
    pub(super) fn expected(&self, expected: &str, found: &[u8]) -> Error {
        let found = String::from_utf8_lossy(found);
        self.error(format!("expected {expected}, found \"{}\"", shortened(&found)))
    }

    #[cold]
    pub(super) fn error(&self, reason: String) -> Error {
        let row = RowNumber::Line(self.line);
        let place = self.column.map_or(Place::row(row), |name| Place::cell(row, name));
        Error::input(self.path, place, reason)
    }
}

/// Refuses a chunk with a zero byte in it.
pub(super) fn refuse_zero_bytes(path: &Path, chunk: &Chunk) -> Result<()> {
    let Some(at) = memchr(0, &chunk.bytes) else { return Ok(()) };
    let line = chunk.first + memchr_iter(b'\n', &chunk.bytes[..at]).count() as u64;
    let reason = "has a zero byte, so it is not UTF-8 text: convert it, or give its --format";
    Err(Error::input(path, Place::row(RowNumber::Line(line)), reason))
}

/// Whether the start of a file is text; it may end within a character.
pub(super) fn is_text(head: &[u8]) -> bool {
    let is_utf8 = match std::str::from_utf8(head) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none(),
    };
    is_utf8 && memchr(0, head).is_none()
}

/// The start of a text after its byte order mark and first blanks.
pub(super) fn first_text(head: &[u8]) -> &[u8] {
    head.strip_prefix(BYTE_ORDER_MARK).unwrap_or(head).trim_ascii_start()
}

/// A value as it can be shown in an error.
pub(super) fn shortened(text: &str) -> String {
    let mut shown: String = text.chars().take(60).flat_map(char::escape_debug).collect();
    if text.chars().nth(60).is_some() {
        shown.push_str("...");
    }
    shown
}

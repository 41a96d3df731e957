//! What formats of text share: chunks of whole records, and values that are read from their text.

use super::number::{Number, number};
use super::table::{Chunk, Chunks, Wanted};
use super::values::Values;
use crate::error::{Error, Place, Result, RowNumber};
use crate::source::{Source, Stream};
use memchr::{memchr, memchr_iter, memrchr};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Bytes at the start that show how lines end.
const START: usize = 1 << 16;
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
    /// Whether an empty line is a record, unless nothing but such lines follow.
    has_blank_records: bool,
    is_at_end: bool,
    tidying: Tidying,
}

/// What is put right in a text before it is cut.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tidying {
    Nothing,
    /// Lines end in a carriage return alone.
    Returns,
    /// Fields are separated by blanks: they become one tab each.
    Blanks,
}

impl TextChunks {
    /// Opens a source whose records are lines.
    pub(super) fn lines(source: &Source) -> Result<TextChunks> {
        let mut chunks = TextChunks {
            path: source.path().to_owned(),
            stream: source.stream()?,
            ready: Vec::new(),
            line: 1,
            complete: Box::new(|text| memrchr(b'\n', text).map_or(0, |end| end + 1)),
            most_lines: usize::MAX,
            has_blank_records: false,
            is_at_end: false,
            tidying: Tidying::Nothing,
        };
        chunks.fill(START).map_err(Error::io("read", source.path()))?;
        if lines_end_in_returns(&chunks.ready) {
            chunks.tidying = Tidying::Returns;
            chunks.tidy(0);
        }
        Ok(chunks)
    }

    /// The line in which the next chunk begins.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// From now on makes a tab of all blanks between two fields.
    pub(super) fn separate_at_blanks(&mut self) {
        self.tidying = Tidying::Blanks;
        self.tidy(0);
    }

    /// Says that an empty line is a record, unless nothing but such lines follow.
    pub(super) fn take_blank_lines(&mut self) {
        self.has_blank_records = true;
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

    /// Reads until about `wanted` bytes are ready, or the stream ends.
    fn fill(&mut self, wanted: usize) -> io::Result<()> {
        let start = self.ready.len();
        let mut filled = start;
        self.ready.resize(wanted.max(filled), 0);
        while filled < self.ready.len() && !self.is_at_end {
            match self.stream.read(&mut self.ready[filled..]) {
                Ok(0) => self.is_at_end = true,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.ready.truncate(filled);
                    return Err(error);
                }
            }
        }
        self.ready.truncate(filled);
        self.tidy(start);
        Ok(())
    }

    /// Puts right what is ready from `start` on.
    fn tidy(&mut self, start: usize) {
        match self.tidying {
            Tidying::Nothing => {}
            Tidying::Returns => {
                for byte in &mut self.ready[start..] {
                    *byte = if *byte == b'\r' { b'\n' } else { *byte };
                }
            }
            Tidying::Blanks => {
                let new = self.ready.split_off(start);
                for byte in new {
                    let last = self.ready.last().copied();
                    match byte {
                        b' ' | b'\t' | b'\r' if matches!(last, None | Some(b'\t' | b'\n')) => {}
                        b' ' | b'\t' | b'\r' => self.ready.push(b'\t'),
                        b'\n' if last == Some(b'\t') => {
                            self.ready.pop();
                            self.ready.push(byte);
                        }
                        _ => self.ready.push(byte),
                    }
                }
                if self.is_at_end && self.ready.last() == Some(&b'\t') {
                    self.ready.pop();
                }
            }
        }
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
            self.fill(wanted).map_err(Error::io("read", &self.path))?;
            let ready = &self.ready[..];
            let mut cut = if self.is_at_end { ready.len() } else { (self.complete)(ready) };
            if self.has_blank_records {
                cut = without_blank_lines(&ready[..cut]);
            }
            if cut == 0 && !self.is_at_end {
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

/// Whether lines end in a carriage return alone, outside of quotes.
fn lines_end_in_returns(start: &[u8]) -> bool {
    let (mut is_quoted, mut found) = (false, false);
    for (at, byte) in start.iter().enumerate() {
        match byte {
            b'"' => is_quoted = !is_quoted,
            b'\n' if !is_quoted => return false,
            // What follows the last byte is not known.
            b'\r' if !is_quoted && at + 1 < start.len() => found = true,
            _ => {}
        }
    }
    found
}

/// Length of a text of whole lines without the empty ones at its end.
fn without_blank_lines(text: &[u8]) -> usize {
    let mut rest = text;
    while let Some(line) = rest.strip_suffix(b"\n") {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if !matches!(line.last(), None | Some(b'\n')) {
            break;
        }
        rest = line;
    }
    rest.len()
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
                Number::Text => return Err(self.no_number(text)),
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

    /// The error of a text where a number belongs.
    #[cold]
    pub(super) fn no_number(&self, found: &[u8]) -> Error {
        let found = String::from_utf8_lossy(found);
        let found = shortened(&found);
        self.error(format!(
            "expected a number, found \"{found}\": if that stands for a missing value, say --na \"{found}\""
        ))
    }

    /// The error of a code where a number is expected.
    #[cold]
    pub(super) fn code(&self, found: &[u8]) -> Error {
        self.error(no_code(&String::from_utf8_lossy(found), self.column.unwrap_or_default()))
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

/// Why a code is no number, and what to do.
pub(super) fn no_code(found: &str, column: &str) -> String {
    let found = shortened(found);
    format!(
        "expected a number as before, found \"{found}\", which begins with a zero as codes do: say --category \"{column}\" if the values are texts, --number \"{column}\" if they are numbers"
    )
}

/// Refuses a text of two bytes a character, which begins with a mark that says so.
pub(super) fn refuse_utf16(path: &Path, head: &[u8]) -> Result<()> {
    match head {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => {
            let reason = "is UTF-16 text: convert it to UTF-8, as with iconv -f UTF-16 -t UTF-8";
            Err(Error::input(path, Place::FILE, reason))
        }
        _ => Ok(()),
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

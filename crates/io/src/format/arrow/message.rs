//! The messages of a stream: a length, a flatbuffer, a body. What they claim is compared with what is
//! there before anything is allocated.

use crate::error::{Error, Place, Result};
use crate::format::caught::caught;
use crate::format::mapped;
use crate::source::{Source, Stream};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_buffer::Buffer;
use arrow_ipc::convert::try_fb_to_schema;
use arrow_ipc::reader::{RecordBatchDecoder, read_dictionary};
use arrow_ipc::{Message, MessageHeader, root_as_message};
use arrow_schema::{ArrowError, Schema, SchemaRef};
use std::collections::HashMap;
use std::io::Read;
use std::sync::Arc;

pub(super) const FILE_MAGIC: &[u8] = b"ARROW1";
/// Bytes of a file before its stream: the magic and two more...
const FILE_START: usize = 8;
/// ... and so many groups of eight at most, by which some writers align what follows.
const MOST_PADDING: usize = 15;
/// What stands before the length of every message.
const CONTINUATION: [u8; 4] = [0xff; 4];
/// A longer flatbuffer than this is taken for damage.
const LONGEST_METADATA: usize = 1 << 26;
/// The most bytes of a column of a batch, decompressed.
const LONGEST_BUFFER: i64 = 1 << 31;
/// The most rows of a batch.
const MOST_ROWS: i64 = 1 << 31;
/// The most bytes of a batch, or of all dictionaries, in a stream that may never end. What lies in a file is
/// bounded by the file.
const LONGEST_OF_PIPE: usize = 1 << 28;

/// Whether a file begins with a message of plausible length, which holds a schema.
pub(super) fn begins_stream(head: &[u8]) -> bool {
    match head.split_first_chunk::<4>() {
        Some((&CONTINUATION, [a, b, c, d, ..])) => {
            (1..=LONGEST_METADATA).contains(&(u32::from_le_bytes([*a, *b, *c, *d]) as usize))
        }
        _ => false,
    }
}

/// The batches of a stream.
pub(crate) struct Messages {
    input: Input,
    /// The most bytes of a batch, as it is and decompressed, and of all dictionaries.
    longest: usize,
    is_file: bool,
    schema: SchemaRef,
    dictionaries: HashMap<i64, ArrayRef>,
    is_at_end: bool,
}

/// Where bytes come from.
enum Input {
    Mapped { rest: Buffer, source: Source },
    Stream(Stream),
}

impl Input {
    /// The next bytes: as many as asked for, or fewer at the end.
    fn take(&mut self, count: usize) -> std::result::Result<Buffer, String> {
        match self {
            Input::Mapped { rest, source } => {
                let count = count.min(rest.len());
                let taken = rest.slice_with_length(0, count);
                *rest = rest.slice(count);
                source.count(count as u64);
                Ok(taken)
            }
            Input::Stream(stream) => {
                let mut bytes = Vec::new();
                let read = stream.take(count as u64).read_to_end(&mut bytes);
                read.map_err(|error| format!("cannot be read: {error}"))?;
                Ok(Buffer::from_vec(bytes))
            }
        }
    }

    fn take_exactly(&mut self, count: usize) -> std::result::Result<Buffer, String> {
        let bytes = self.take(count)?;
        if bytes.len() == count { Ok(bytes) } else { Err("ends within a message".to_owned()) }
    }
}

impl Messages {
    /// Reads the schema of a stream that another program writes. The error says what is wrong.
    pub(crate) fn of_pipe(stream: Stream) -> std::result::Result<Messages, String> {
        let mut input = Input::Stream(stream);
        let schema = read_schema(&mut input, false)?;
        let dictionaries = HashMap::new();
        let longest = LONGEST_OF_PIPE;
        Ok(Messages { input, longest, is_file: false, schema, dictionaries, is_at_end: false })
    }

    /// Opens a source and reads its schema.
    pub(super) fn open(source: &Source) -> Result<Messages> {
        let refuse = |reason: String| Error::input(source.path(), Place::FILE, reason);
        let is_file = source.head(FILE_START as u64)?.starts_with(FILE_MAGIC);
        let mut input = match source.is_compressed()? {
            true => Input::Stream(source.stream()?),
            false => {
                let rest = Buffer::from(mapped::map(source)?);
                Input::Mapped { rest, source: source.clone() }
            }
        };
        if is_file {
            input.take_exactly(FILE_START).map_err(refuse)?;
        }
        let schema = read_schema(&mut input, is_file).map_err(refuse)?;
        let dictionaries = HashMap::new();
        let longest = usize::MAX;
        Ok(Messages { input, longest, is_file, schema, dictionaries, is_at_end: false })
    }

    pub(crate) fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The next batch, of the columns at ascending positions; `None` at the end. The error says what is
    /// wrong.
    pub(crate) fn next_batch(
        &mut self,
        projection: &[usize],
    ) -> std::result::Result<Option<RecordBatch>, String> {
        while !self.is_at_end {
            let Some(metadata) = read_metadata(&mut self.input)? else {
                if self.is_file {
                    self.expect_footer()?;
                }
                self.is_at_end = true;
                break;
            };
            let message = parse(&metadata)?;
            let length = usize::try_from(message.bodyLength());
            let length = length.map_err(|_| "claims a negative length".to_owned())?;
            if length > self.longest {
                let most = self.longest >> 20;
                return Err(format!("has a batch of {length} bytes; at most {most} MiB are taken"));
            }
            let body = self.input.take_exactly(length)?;
            match message.header_type() {
                MessageHeader::DictionaryBatch => self.add_dictionary(&message, &body)?,
                MessageHeader::RecordBatch => {
                    return self.decode(&message, &body, projection).map(Some);
                }
                other => return Err(format!("has a message that is not expected: {other:?}")),
            }
        }
        Ok(None)
    }

    fn add_dictionary(
        &mut self,
        message: &Message,
        body: &Buffer,
    ) -> std::result::Result<(), String> {
        let batch = message.header_as_dictionary_batch().ok_or_else(nonsense)?;
        check(batch.data().ok_or_else(nonsense)?, body, self.longest)?;
        let (dictionaries, version) = (&mut self.dictionaries, message.version());
        let schema = self.schema.as_ref();
        sound(|| read_dictionary(body, batch, schema, dictionaries, &version))?;
        let sizes = self.dictionaries.values().map(|values| values.get_buffer_memory_size());
        match sizes.sum::<usize>() > self.longest {
            true => Err(format!("has dictionaries of more than {} MiB", self.longest >> 20)),
            false => Ok(()),
        }
    }

    fn decode(
        &self,
        message: &Message,
        body: &Buffer,
        projection: &[usize],
    ) -> std::result::Result<RecordBatch, String> {
        let batch = message.header_as_record_batch().ok_or_else(nonsense)?;
        check(batch, body, self.longest)?;
        let schema = Arc::clone(&self.schema);
        let version = message.version();
        sound(|| {
            let decoder =
                RecordBatchDecoder::try_new(body, batch, schema, &self.dictionaries, &version)?;
            decoder.with_projection(Some(projection)).read_record_batch()
        })
    }

    /// Whether nothing follows the end mark.
    pub(crate) fn ends_here(&mut self) -> std::result::Result<bool, String> {
        Ok(self.input.take(1)?.is_empty())
    }

    /// After the stream of a file come its footer and its magic again: a file cut off has none.
    fn expect_footer(&mut self) -> std::result::Result<(), String> {
        let mut last = Buffer::from_vec(Vec::<u8>::new());
        loop {
            let next = self.input.take(1 << 16)?;
            if next.is_empty() {
                break;
            }
            last = Buffer::from_vec([last.as_slice(), next.as_slice()].concat());
            last = last.slice(last.len().saturating_sub(FILE_MAGIC.len()));
        }
        match last.as_slice() == FILE_MAGIC {
            true => Ok(()),
            false => Err("does not end like an Arrow file: was it cut off?".to_owned()),
        }
    }
}

fn nonsense() -> String {
    "has a message that contradicts itself".to_owned()
}

fn parse(metadata: &Buffer) -> std::result::Result<Message<'_>, String> {
    root_as_message(metadata).map_err(|error| format!("has a message that is damaged: {error}"))
}

fn read_schema(input: &mut Input, is_file: bool) -> std::result::Result<SchemaRef, String> {
    let mut start = input.take(8)?;
    for _ in 0..MOST_PADDING {
        if is_file && start.as_slice() == [0; 8] {
            start = input.take(8)?;
        }
    }
    let metadata = message_after(&start, input)?.ok_or("has no schema")?;
    let message = parse(&metadata)?;
    let schema = message.header_as_schema().ok_or("does not begin with a schema")?;
    sound(|| try_fb_to_schema(schema)).map(Arc::new)
}

/// The flatbuffer of the next message; `None` at the end mark, which every writer that was not cut off
/// leaves.
fn read_metadata(input: &mut Input) -> std::result::Result<Option<Buffer>, String> {
    let start = input.take(8)?;
    message_after(&start, input)
}

fn message_after(start: &Buffer, input: &mut Input) -> std::result::Result<Option<Buffer>, String> {
    let Some((&start, [])) = start.as_slice().split_first_chunk::<8>() else {
        return Err("ends before its end mark: was it cut off?".to_owned());
    };
    let [a, b, c, d, length @ ..] = start;
    if [a, b, c, d] != CONTINUATION {
        return Err("has no message where one should begin".to_owned());
    }
    let length = u32::from_le_bytes(length) as usize;
    match length {
        0 => Ok(None),
        1..=LONGEST_METADATA => {
            // Flatbuffers are aligned; what lies at an odd place in a mapped file is not.
            let metadata = input.take_exactly(length)?;
            Ok(Some(Buffer::from_slice_ref(&*metadata)))
        }
        _ => Err(format!("claims a message of {length} bytes")),
    }
}

/// Refuses a batch that claims what its body does not hold, or more than `longest` bytes decompressed.
fn check(
    batch: arrow_ipc::RecordBatch,
    body: &Buffer,
    longest: usize,
) -> std::result::Result<(), String> {
    if !(0..=MOST_ROWS).contains(&batch.length()) {
        return Err(format!("claims a batch of {} rows", batch.length()));
    }
    let is_compressed = batch.compression().is_some();
    let mut decompressed = 0usize;
    for buffer in batch.buffers().iter().flatten() {
        let range =
            usize::try_from(buffer.offset()).ok().zip(usize::try_from(buffer.length()).ok());
        let bytes = range.and_then(|(offset, length)| body.as_slice().get(offset..)?.get(..length));
        let bytes = bytes.ok_or("claims a column that lies outside of its batch")?;
        if let (true, Some(claimed)) = (is_compressed, bytes.first_chunk::<8>()) {
            let claimed = i64::from_le_bytes(*claimed);
            if !(-1..=LONGEST_BUFFER).contains(&claimed) {
                return Err(format!("claims a column of {claimed} bytes in a batch"));
            }
            decompressed = decompressed.saturating_add(claimed.max(0) as usize);
            if decompressed > longest {
                let most = longest >> 20;
                return Err(format!("has a batch of more than {most} MiB when decompressed"));
            }
        }
    }
    Ok(())
}

/// Reads what was checked only in part.
fn sound<T>(
    read: impl FnOnce() -> std::result::Result<T, ArrowError>,
) -> std::result::Result<T, String> {
    caught(read)?.map_err(|error| format!("is no sound Arrow data: {error}"))
}

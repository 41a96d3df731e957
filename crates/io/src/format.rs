//! What a data set format is, and which ones there are. How a format is read stays in its own file.
//!
//! A format answers three questions: is this file mine, what are its columns, and give me the next
//! records. The last is split in two so that it runs on all cores: [`Chunks`] cuts the source into chunks
//! of whole records, in order and cheaply; a [`Decoder`] turns any chunk into columns.

mod arff;
#[cfg(feature = "arrow")]
pub(crate) mod arrow;
#[cfg(feature = "arrow")]
mod caught;
#[cfg(feature = "arrow")]
pub(crate) mod columnar;
mod csv;
pub(crate) mod grist;
mod idx;
mod jsonl;
mod libsvm;
#[cfg(feature = "arrow")]
mod mapped;
mod npy;
mod npz;
mod number;
#[cfg(feature = "parquet")]
mod parquet;
mod shared_file;
mod text;

pub(crate) use npy::{Element as NpyElement, Header as NpyHeader};

use crate::choice::FormatChoice;
use crate::error::{Error, Place, Result, RowNumber};
use crate::export::Exporter;
use crate::plugin::{self, Operation, Plugin, Plugins};
use crate::source::Source;
use std::sync::Arc;

/// All formats that are built in, in the order in which they are asked whether a file is theirs. The last one
/// takes any text.
pub const FORMATS: &[&dyn Format] = &[
    &grist::Grist,
    #[cfg(feature = "parquet")]
    &parquet::Parquet,
    #[cfg(feature = "arrow")]
    &arrow::Arrow,
    &npy::Npy,
    &npz::Npz,
    &idx::Idx,
    &jsonl::JsonLines,
    &arff::Arff,
    &libsvm::Libsvm,
    &csv::Csv,
];

/// Bytes of a file that a format is shown to recognise it.
const HEAD: u64 = 4096;

/// A format that data sets can be imported from.
pub trait Format: Sync {
    /// Name as in `--format`.
    fn name(&self) -> &'static str;

    /// What it is, in a line.
    fn description(&self) -> &'static str;

    /// Endings of file names, lower case, without the dot and without that of a compression.
    fn extensions(&self) -> &'static [&'static str];

    /// Whether a file that begins with `head`, decompressed, is of this format.
    fn is_mine(&self, head: &[u8]) -> bool;

    /// Whether files are read and written from the first byte to the last, so that they may be compressed
    /// as a whole.
    fn is_stream(&self) -> bool {
        true
    }

    /// Opens the first of `sources`, together with those after it that belong to it.
    ///
    /// # Errors
    /// The file cannot be read or is not of this format.
    fn open(&self, sources: &[Source], options: &ReadOptions) -> Result<Table>;

    /// How tables are written in this format, if they are.
    fn exporter(&self) -> Option<Exporter> {
        None
    }
}

/// What a user may say about how a source is read.
#[derive(Debug, Clone, Default)]
pub struct ReadOptions {
    /// Whether the first record is a header; `None` to find out.
    pub header: Option<bool>,
    /// Columns that will be asked for, as far as they are known before: those of a model's encoding or
    /// of the table before. A sparse format has them even where no record names them.
    pub known: Vec<String>,
}

/// An open source.
pub struct Table {
    /// The columns in file order.
    pub columns: Vec<Column>,
    /// Whether the column names are the source's own.
    pub named: bool,
    /// The column that is the target if the user names none.
    pub likely_target: Option<usize>,
    /// How many of the sources given this table takes up; the others are tables of their own.
    pub sources: usize,
    /// Bytes of a record, on average.
    pub record_bytes: usize,
    /// The records in order.
    pub chunks: Box<dyn Chunks>,
    /// What is in them.
    pub decoder: Box<dyn Decoder>,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name, or `f0`, `f1`, ... by position.
    pub name: String,
    /// What its values are, as far as the first records show.
    pub kind: ColumnKind,
}

/// What the values of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    /// Numbers.
    Number,
    /// Anything else.
    Text,
}

/// Cuts a source into chunks of whole records.
pub trait Chunks: Send {
    /// Is told before the first chunk which columns will be decoded, so that no others need be read.
    ///
    /// # Errors
    /// The source cannot be read.
    fn select(&mut self, wanted: &[Wanted]) -> Result<()> {
        let _ = wanted;
        Ok(())
    }

    /// The next chunk, of about so many bytes; `None` at the end.
    ///
    /// # Errors
    /// The source cannot be read, or ends where it must not.
    fn next_chunk(&mut self, bytes: usize) -> Result<Option<Chunk>>;
}

/// Whole records: as they are in the source, or decoded where the source is not made of records.
#[derive(Debug)]
pub struct Chunk {
    /// The records; empty if the format needs no bytes.
    pub bytes: Vec<u8>,
    /// The columns selected, if the format decodes while it reads; else empty.
    pub columns: Vec<Values>,
    /// Line or row of the first, from 1.
    pub first: u64,
    /// How many there are, where the format knows without decoding.
    pub rows: usize,
}

impl Chunk {
    /// Records as they are in the source.
    pub fn records(bytes: Vec<u8>, first: u64, rows: usize) -> Chunk {
        Chunk { bytes, columns: Vec::new(), first, rows }
    }
}

/// Turns chunks into columns.
pub trait Decoder: Send + Sync {
    /// The columns `wanted`, in that order, of a chunk.
    ///
    /// # Errors
    /// A record is malformed, or a value is not of the kind wanted: the error names file, row and column.
    fn decode(&self, chunk: Chunk, wanted: &[Wanted]) -> Result<Batch>;
}

/// A column to decode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// Its position in the table.
    pub column: usize,
    /// As what; any column can be had as text.
    pub kind: ColumnKind,
}

/// Decoded records.
#[derive(Debug)]
pub struct Batch {
    /// The line or row of each record.
    pub rows: RowNumbers,
    /// The values of each column wanted.
    pub columns: Vec<Values>,
}

/// Where the records of a batch are in their source.
#[derive(Debug)]
pub enum RowNumbers {
    /// So many rows from this one on.
    Rows(u64, usize),
    /// Lines of a text, each given by its distance from this one.
    Lines(u64, Vec<u32>),
}

impl RowNumbers {
    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            RowNumbers::Rows(_, count) => *count,
            RowNumbers::Lines(_, distances) => distances.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What the record at `index` is called in an error.
    pub fn number(&self, index: usize) -> RowNumber {
        match self {
            RowNumbers::Rows(first, _) => RowNumber::Row(first + index as u64),
            RowNumbers::Lines(first, distances) => {
                RowNumber::Line(first + u64::from(distances[index]))
            }
        }
    }
}

/// The values of a column.
#[derive(Debug)]
pub enum Values {
    /// Finite numbers; NaN where one is missing.
    Numbers(Vec<f32>),
    /// Texts; see [`is_missing`].
    Texts(Texts),
}

impl Values {
    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Values::Numbers(numbers) => numbers.len(),
            Values::Texts(texts) => texts.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The texts in order; none if they are numbers.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        let texts = match self {
            Values::Numbers(_) => None,
            Values::Texts(texts) => Some(texts),
        };
        texts.into_iter().flat_map(Texts::iter)
    }

    /// No values yet.
    pub fn new(kind: ColumnKind) -> Values {
        match kind {
            ColumnKind::Number => Values::Numbers(Vec::new()),
            ColumnKind::Text => Values::Texts(Texts::default()),
        }
    }

    /// No values yet, and room for so many.
    fn with_capacity(kind: ColumnKind, count: usize) -> Values {
        match kind {
            ColumnKind::Number => Values::Numbers(Vec::with_capacity(count)),
            ColumnKind::Text => {
                Values::Texts(Texts { joined: String::new(), ends: Vec::with_capacity(count) })
            }
        }
    }
}

/// A column of texts in one allocation.
#[derive(Debug, Default)]
pub struct Texts {
    joined: String,
    ends: Vec<usize>,
}

impl Texts {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Appends one.
    pub fn push(&mut self, text: &str) {
        self.joined.push_str(text);
        self.ends.push(self.joined.len());
    }

    /// All of them in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        let starts = std::iter::once(&0).chain(&self.ends);
        starts.zip(&self.ends).map(|(start, end)| &self.joined[*start..*end])
    }
}

/// Whether a text stands for a missing value: it is empty, or one of `NA`, `N/A`, `NaN`, `null` in any case,
/// or `?`.
pub fn is_missing(text: &[u8]) -> bool {
    text.is_empty()
        || text == b"?"
        || (text.len() <= 4
            && [&b"na"[..], b"n/a", b"nan", b"null"].iter().any(|m| text.eq_ignore_ascii_case(m)))
}

/// The target by custom: the column named `target`, `label`, `class` or `y`, else the last one.
fn customary_target(columns: &[Column]) -> Option<usize> {
    const NAMES: [&str; 4] = ["target", "label", "class", "y"];
    let named = |name: &&str| columns.iter().position(|c| c.name.eq_ignore_ascii_case(name));
    NAMES.iter().find_map(named).or(columns.len().checked_sub(1))
}

/// Opens the first of `sources` (and those that belong to it) in the format chosen, or else in the one that
/// it is recognised as.
pub(crate) fn open(
    sources: &[Source],
    choice: &FormatChoice,
    options: &ReadOptions,
) -> Result<Table> {
    let source = &sources[0];
    let format = match &choice.name {
        Some(name) => named(name, choice)?,
        None => recognise(source, &choice.plugins)?,
    };
    let format = match format {
        Found::BuiltIn(format) => format,
        Found::Plugin(plugin) => return plugin::open(plugin, source, &choice.options),
    };
    choice.without_options(format.name())?;
    if !format.is_stream() && source.is_compressed()? {
        let reason = "is compressed as a whole, but is read at many places: decompress it first";
        return Err(Error::input(source.path(), Place::FILE, reason));
    }
    format.open(sources, options)
}

/// A format that is built in, or a plugin.
enum Found {
    BuiltIn(&'static dyn Format),
    Plugin(Arc<Plugin>),
}

/// The name of the format that a source is recognised as.
#[cfg(feature = "arrow")]
pub(crate) fn recognised(source: &Source, plugins: &Plugins) -> Result<String> {
    Ok(match recognise(source, plugins)? {
        Found::BuiltIn(format) => format.name().to_owned(),
        Found::Plugin(plugin) => plugin.name().to_owned(),
    })
}

fn named(name: &str, choice: &FormatChoice) -> Result<Found> {
    if let Some(format) = FORMATS.iter().find(|format| format.name() == name) {
        return Ok(Found::BuiltIn(*format));
    }
    choice.plugins.named(name)?.map(Found::Plugin).ok_or_else(|| {
        let (names, no_plugin) = (names(), choice.no_plugin(name));
        Error::Options(format!("there is no format \"{name}\"; there are {names}{no_plugin}"))
    })
}

/// The format of a file by its content or else by its name; one built in before a plugin. Any text is CSV, the
/// last format, only if its name does not speak for a plugin.
fn recognise(source: &Source, plugins: &Plugins) -> Result<Found> {
    let head = source.head(HEAD)?;
    if head.is_empty() {
        return Err(Error::input(source.path(), Place::FILE, "is empty"));
    }
    let file_name = source.plain_name();
    let extension = file_name.rsplit('.').next().unwrap_or_default();
    let has_extension = |format: &&&dyn Format| format.extensions().contains(&extension);
    let by_content = FORMATS.iter().position(|format| format.is_mine(&head));
    let by_name = FORMATS.iter().find(has_extension);
    let is_certain = by_content.is_some_and(|found| found + 1 < FORMATS.len() || by_name.is_some());
    if let Some(found) = by_content.filter(|_| is_certain) {
        return Ok(Found::BuiltIn(FORMATS[found]));
    }
    // A plugin reads the file as it is, compressed or not.
    let plugin = || {
        let by_magic = plugins.by_magic(Operation::Read, &source.start(HEAD).ok()?);
        let by_extension = || plugins.by_extension(Operation::Read, source.path());
        by_magic.or_else(by_extension)
    };
    if let Some(plugin) = plugin() {
        return Ok(Found::Plugin(plugin));
    }
    let format = by_content.map(|found| FORMATS[found]).or(by_name.copied());
    format.map(Found::BuiltIn).ok_or_else(|| {
        let (names, complaints) = (names(), plugins.complaints());
        let reason =
            format!("is of none of the formats known ({names}): give --format{complaints}");
        Error::input(source.path(), Place::FILE, reason)
    })
}

fn names() -> String {
    FORMATS.iter().map(|format| format.name()).collect::<Vec<_>>().join(", ")
}

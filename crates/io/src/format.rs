//! Which formats of data sets there are, and which one a file is in. What a format is stands in `interface`, what it
//! gives in `table` and `values`; how one is read stays in its own file. Nothing below imports this file.

mod arff;
#[cfg(feature = "arrow")]
pub(crate) mod arrow;
#[cfg(feature = "arrow")]
mod caught;
#[cfg(feature = "arrow")]
pub(crate) mod columnar;
mod csv;
pub(crate) mod decimal;
mod dense;
mod grist;
mod idx;
pub(crate) mod interface;
mod jsonl;
mod libsvm;
#[cfg(feature = "arrow")]
mod mapped;
mod missing;
mod npy;
mod npz;
mod number;
#[cfg(feature = "parquet")]
mod parquet;
pub(crate) mod raw_columns;
mod shared_file;
pub(crate) mod table;
mod text;
pub(crate) mod values;

pub use decimal::Decimal;
pub use interface::{Format, ReadOptions};
pub(crate) use npy::{Element as NpyElement, Header as NpyHeader};
pub use table::{Chunk, Chunks, Column, Decoder, Note, Table, Wanted};
pub use values::{Batch, ColumnKind, RowNumbers, Texts, Values, is_missing};

use crate::choice::FormatChoice;
use crate::error::{Error, Place, Result};
use crate::plugin::description::Operation;
use crate::plugin::program::Plugin;
use crate::plugin::search::Plugins;
use crate::plugin::tables;
use crate::source::Source;
use crate::suggest::{alike, did_you_mean};
use interface::HEAD;
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

/// Endings that say no more than that a file is text.
const ANY_TEXT: [&str; 2] = ["txt", "data"];

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
    let (name, is_loose) = match &format {
        Found::BuiltIn(format) => (format.name(), format.is_loose()),
        Found::Plugin(plugin) => (plugin.name(), false),
    };
    if !is_loose {
        refuse_loose(source, name, options)?;
    }
    let format = match format {
        Found::BuiltIn(format) => format,
        Found::Plugin(plugin) => {
            let table = tables::open(plugin, source, &choice.options)?;
            return Ok(missing::with_markers(table, &options.na, source.path()));
        }
    };
    choice.without_options(format.name())?;
    if !format.is_stream() && source.is_compressed()? {
        let reason = "is compressed as a whole, but is read at many places: decompress it first";
        return Err(Error::input(source.path(), Place::FILE, reason));
    }
    let table = format.open(sources, options)?;
    Ok(missing::with_markers(table, &options.na, source.path()))
}

/// Refuses what a user says of how a text is written where the format leaves nothing open.
fn refuse_loose(source: &Source, format: &str, options: &ReadOptions) -> Result<()> {
    let (flag, reason) = match (options.header, options.decimal) {
        (Some(true), _) => ("--header", "no line of which holds the names of columns"),
        (Some(false), _) => ("--no-header", "no line of which could hold the names of columns"),
        (None, Some(_)) => ("--decimal", "in which numbers are written in one way"),
        (None, None) => return Ok(()),
    };
    let path = source.path().display();
    Err(Error::Options(format!("{flag}: {path} is {format}, {reason}; leave it out")))
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
    if let Some(format) = FORMATS.iter().find(|format| alike(format.name(), name)) {
        return Ok(Found::BuiltIn(*format));
    }
    choice.plugins.named(name)?.map(Found::Plugin).ok_or_else(|| {
        let (names, no_plugin) = (names(), choice.no_plugin(name));
        let meant = did_you_mean(name, FORMATS.iter().map(|format| format.name()));
        Error::Options(format!(
            "there is no format \"{name}\"{meant}; there are {names}{no_plugin}"
        ))
    })
}

/// The format of a file: by its content where that is certain, else by the ending of its name, else by what its
/// content looks like. One that is built in comes before a plugin.
fn recognise(source: &Source, plugins: &Plugins) -> Result<Found> {
    let head = source.head(HEAD)?;
    if head.is_empty() {
        return Err(Error::input(source.path(), Place::FILE, "is empty"));
    }
    text::refuse_utf16(source.path(), &head)?;
    let file_name = source.plain_name();
    let extension = file_name.rsplit_once('.').map_or("", |(_, extension)| extension);
    let built_in = |is_it: &dyn Fn(&dyn Format) -> bool| {
        FORMATS.iter().find(|format| is_it(**format)).map(|format| Found::BuiltIn(*format))
    };
    let certain = || built_in(&|format| format.is_certain() && format.is_mine(&head));
    let names_a_format = !ANY_TEXT.contains(&extension);
    let by_name = || built_in(&|format| names_a_format && format.extensions().contains(&extension));
    // A plugin reads the file as it is, compressed or not.
    let plugin = || {
        let by_magic = plugins.by_magic(Operation::Read, &source.start(HEAD).ok()?);
        let by_extension = || plugins.by_extension(Operation::Read, source.path());
        by_magic.or_else(by_extension).map(Found::Plugin)
    };
    let likely = || built_in(&|format| format.is_mine(&head));
    let found = certain().or_else(by_name).or_else(plugin).or_else(likely);
    found.ok_or_else(|| {
        let (names, complaints) = (names(), plugins.complaints());
        let reason =
            format!("is of none of the formats known ({names}): give --format{complaints}");
        Error::input(source.path(), Place::FILE, reason)
    })
}

fn names() -> String {
    FORMATS.iter().map(|format| format.name()).collect::<Vec<_>>().join(", ")
}

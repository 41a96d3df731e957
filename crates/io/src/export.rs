//! Exporting: a data set back as the raw columns that it was made of. How a format is written stays with
//! the format.

mod again;
pub(crate) mod table;

use crate::atomic::AtomicFile;
use crate::choice::FormatChoice;
use crate::dataset::Dataset;
use crate::error::{Error, Result};
use crate::format::{FORMATS, Format, NpyHeader};
use crate::plugin::description::Operation;
use crate::plugin::program::Plugin;
use crate::plugin::tables;
use crate::progress::ImportProgress;
use crate::suggest::alike;
use crate::threads;
pub use again::Again;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::{BufWriter, Write};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
pub use table::{Exported, Exporter};

/// What an export wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportSummary {
    /// Name of the format.
    pub format: String,
    /// Rows written.
    pub rows: u64,
    /// The columns of inputs.
    pub inputs: Vec<String>,
    /// The columns of targets, as an import of the file is told them.
    pub targets: Vec<String>,
    /// The column of weights, if rows have weights.
    pub weights: Option<String>,
    /// What else an import is told to give the same data set.
    pub again: Again,
}

/// Writes a data set as a table of the columns that it was imported from: text columns as text, classes by
/// name, targets and weights as columns after the inputs. An import of the file that is told these gives
/// the same values, to the bit. A value that was missing is what was filled in for it.
///
/// The format is that of the name given, or else that of the end of `output`'s name; `.gz` or `.zst` after
/// that compresses a format that is built in and a stream of bytes. `progress` is told how many bytes of values
/// are done, and how many rows that is.
///
/// # Errors
/// There is no such format or it cannot be written or compressed, a text cannot be expressed in it, or
/// `output` cannot be written; `output` is then as it was before.
pub fn export(
    dataset: &Dataset,
    output: &Path,
    choice: &FormatChoice,
    progress: &dyn ImportProgress,
) -> Result<ExportSummary> {
    let name = output.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let (plain, compression) = compression_of(&name);
    let format = choose(output, choice)?;
    if dataset.is_ragged() {
        return Err(Error::Invalid(format!(
            "{} has series of unequal length, which are not exported",
            dataset.path().display()
        )));
    }
    threads::start()?;
    let table = Exported::new(dataset, output, plain, progress);
    let file = BufWriter::new(AtomicFile::create(output)?);
    let failed = Error::io("write", output);
    let file = match compression {
        None => {
            let mut file = file;
            format.write(&table, choice, &mut file)?;
            file
        }
        Some("gz") => {
            let mut encoder = GzEncoder::new(file, Compression::default());
            format.write(&table, choice, &mut encoder)?;
            encoder.finish().map_err(&failed)?
        }
        Some(_) => {
            let mut encoder = zstd::Encoder::new(file, 0).map_err(&failed)?;
            format.write(&table, choice, &mut encoder)?;
            encoder.finish().map_err(&failed)?
        }
    };
    let file = file.into_inner().map_err(|error| failed(error.into_error()))?;
    dataset.check_unchanged()?;
    file.commit()?;
    let names = |range: Range<usize>| {
        table.columns()[range].iter().map(|column| column.name.clone()).collect::<Vec<_>>()
    };
    Ok(ExportSummary {
        format: format.name().to_owned(),
        rows: dataset.rows(),
        inputs: names(table.inputs()),
        targets: names(table.targets()),
        weights: table.weights().map(|column| table.columns()[column].name.clone()),
        again: Again::of(dataset, format.keeps_types()),
    })
}

/// Refuses a file that [`export`] could not write, for what it is called or the format that is chosen.
///
/// # Errors
/// There is no such format, or it cannot be written or compressed.
pub fn check_export(output: &Path, choice: &FormatChoice) -> Result<()> {
    choose(output, choice).map(drop)
}

/// What an NPY file of a row-major matrix of f32 begins with; its numbers follow, little-endian.
pub fn array_header(rows: u64, columns: u64) -> Vec<u8> {
    NpyHeader::write("<f4", &[rows, columns])
}

/// A name without the ending of a compression, and that.
fn compression_of(name: &str) -> (&str, Option<&str>) {
    match name.rsplit_once('.') {
        Some((plain, ending @ ("gz" | "zst"))) => (plain, Some(ending)),
        _ => (name, None),
    }
}

/// The format of a file to be written.
fn choose(output: &Path, choice: &FormatChoice) -> Result<Written> {
    let name = output.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let (plain, compression) = compression_of(&name);
    let format = Written::choose(choice, plain, output)?;
    if let Some(ending) = compression.filter(|_| !format.is_stream()) {
        let (output, name) = (output.display(), format.name());
        return Err(Error::Options(format!(
            "{output}: a file of {name} is read at many places and cannot be compressed as a whole: leave out .{ending}"
        )));
    }
    Ok(format)
}

/// A format that is written.
enum Written {
    BuiltIn(&'static dyn Format, Exporter),
    Plugin(Arc<Plugin>),
}

impl Written {
    /// The format of the name chosen, or else that of the end of the file's name.
    fn choose(choice: &FormatChoice, file_name: &str, output: &Path) -> Result<Written> {
        let extension = file_name.rsplit_once('.').map_or("", |(_, extension)| extension);
        let is_asked_for = |format: &&&dyn Format| match &choice.name {
            Some(name) => alike(format.name(), name),
            None => format.extensions().contains(&extension),
        };
        if let Some(format) = FORMATS.iter().find(is_asked_for)
            && let Some(exporter) = format.exporter()
        {
            choice.without_options(format.name())?;
            return Ok(Written::BuiltIn(*format, exporter));
        }
        let plugin = match &choice.name {
            Some(name) => choice.plugins.named(name)?,
            None => choice.plugins.by_extension(Operation::Write, Path::new(file_name)),
        };
        plugin.map(Written::Plugin).ok_or_else(|| {
            let written = FORMATS.iter().filter(|format| format.exporter().is_some());
            let written: Vec<&str> = written.map(|format| format.name()).collect();
            let (output, written) = (output.display(), written.join(", "));
            Error::Options(match choice.name.as_deref().unwrap_or(extension) {
                "" => format!(
                    "{output}: which format? Its name has no ending; --format takes {written}"
                ),
                what => format!(
                    "{output}: \"{what}\" is no format that is written; these are {written}{}",
                    choice.no_plugin(what)
                ),
            })
        })
    }

    fn name(&self) -> &str {
        match self {
            Written::BuiltIn(format, _) => format.name(),
            Written::Plugin(plugin) => plugin.name(),
        }
    }

    fn keeps_types(&self) -> bool {
        match self {
            Written::BuiltIn(format, _) => format.keeps_types(),
            // It is given an Arrow stream, and gives one.
            Written::Plugin(_) => true,
        }
    }

    fn is_stream(&self) -> bool {
        match self {
            Written::BuiltIn(format, _) => format.is_stream(),
            Written::Plugin(_) => false,
        }
    }

    fn write(
        &self,
        table: &Exported,
        choice: &FormatChoice,
        out: &mut (dyn Write + Send),
    ) -> Result<()> {
        match self {
            Written::BuiltIn(_, exporter) => exporter(table, out),
            Written::Plugin(plugin) => tables::export(plugin, table, &choice.options, out),
        }
    }
}

//! Exporting: a data set back as the raw columns that it was made of. How a format is written stays with
//! the format.

use crate::atomic::AtomicFile;
use crate::choice::FormatChoice;
use crate::dataset::Dataset;
use crate::dtype::Dtype;
use crate::error::{Error, Result};
use crate::format::grist::RawColumns;
use crate::format::{Batch, Chunk, Column, Decoder, FORMATS, Format, Wanted};
use crate::import::{self, ImportProgress};
use crate::plugin::{self, Operation, Plugin};
use crate::schema::{InputKind, Target};
use flate2::Compression;
use flate2::write::GzEncoder;
use rayon::prelude::*;
use std::io::{self, BufWriter, Write};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Values in a batch of rows.
const BATCH_VALUES: usize = 1 << 20;
/// Rows in a batch, for narrow data.
const BATCH_ROWS: usize = 1 << 16;
/// Bytes that a value counts for.
const VALUE: u64 = 4;

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
    let (plain, compression) = match name.rsplit_once('.') {
        Some((plain, "gz")) => (plain, Some("gz")),
        Some((plain, "zst")) => (plain, Some("zst")),
        _ => (&*name, None),
    };
    let format = Written::choose(choice, plain, output)?;
    if let Some(ending) = compression.filter(|_| !format.is_stream()) {
        let (output, name) = (output.display(), format.name());
        return Err(Error::Options(format!(
            "{output}: a file of {name} is read at many places and cannot be compressed as a whole: leave out .{ending}"
        )));
    }
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
    file.commit()?;
    let names = |range: Range<usize>| {
        table.columns[range].iter().map(|column| column.name.clone()).collect::<Vec<_>>()
    };
    Ok(ExportSummary {
        format: format.name().to_owned(),
        rows: dataset.rows(),
        inputs: names(table.inputs()),
        targets: names(table.targets()),
        weights: table.weights().map(|column| table.columns[column].name.clone()),
    })
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
            Some(name) => format.name() == name,
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
            Written::Plugin(plugin) => plugin::export(plugin, table, &choice.options, out),
        }
    }
}

/// Writes a table. What it writes is complete when it returns.
pub type Exporter = fn(&Exported, &mut (dyn Write + Send)) -> Result<()>;

/// A data set as a table to be written.
pub struct Exported<'a> {
    dataset: &'a Dataset,
    raw: RawColumns<&'a Dataset>,
    columns: Vec<Column>,
    output: &'a Path,
    file_name: &'a str,
    progress: &'a dyn ImportProgress,
    /// Values written, of all columns together.
    done: AtomicU64,
}

impl<'a> Exported<'a> {
    fn new(
        dataset: &'a Dataset,
        output: &'a Path,
        file_name: &'a str,
        progress: &'a dyn ImportProgress,
    ) -> Exported<'a> {
        let (columns, raw) = RawColumns::of(dataset);
        progress.begin(dataset.rows() * columns.len() as u64 * VALUE);
        Exported { dataset, raw, columns, output, file_name, progress, done: AtomicU64::new(0) }
    }

    /// The file's name in lower case, without the ending of a compression.
    pub fn file_name(&self) -> &str {
        self.file_name
    }

    /// Number of rows.
    pub fn rows(&self) -> u64 {
        self.dataset.rows()
    }

    /// All columns: inputs, targets, weights.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The columns of inputs.
    pub fn inputs(&self) -> Range<usize> {
        0..self.dataset.encoding().inputs.len()
    }

    /// The columns of targets.
    pub fn targets(&self) -> Range<usize> {
        let start = self.inputs().end;
        start..self.columns.len() - usize::from(self.dataset.has_weights())
    }

    /// The column of weights.
    pub fn weights(&self) -> Option<usize> {
        self.dataset.has_weights().then(|| self.columns.len() - 1)
    }

    /// The narrowest type known to hold a column of numbers.
    pub fn dtype(&self, column: usize) -> Dtype {
        if self.inputs().contains(&column) { self.dataset.dtype() } else { Dtype::F32 }
    }

    /// The different texts of a column; none for numbers.
    pub fn texts(&self, column: usize) -> &[String] {
        let encoding = self.dataset.encoding();
        match (encoding.inputs.get(column).map(|input| &input.kind), &encoding.target) {
            (Some(InputKind::OneHot { categories }), _) => categories,
            (None, Target::Classes { names, .. }) if self.targets().contains(&column) => names,
            _ => &[],
        }
    }

    /// Gives the rows of some columns in batches to `encode`, on all cores, and what comes of them to `sink`,
    /// in order.
    ///
    /// # Errors
    /// Those of `encode` and `sink`, and of a damaged data set.
    pub fn for_each_batch<T: Send>(
        &self,
        columns: Range<usize>,
        encode: impl Fn(&Batch) -> Result<T> + Sync,
        mut sink: impl FnMut(T) -> Result<()>,
    ) -> Result<()> {
        let wanted: Vec<Wanted> =
            columns.map(|column| Wanted { column, kind: self.columns[column].kind }).collect();
        let batch_rows = (BATCH_VALUES / self.dataset.features()).clamp(1, BATCH_ROWS);
        let starts: Vec<u64> = (0..self.rows()).step_by(batch_rows).collect();
        for starts in starts.chunks(2 * rayon::current_num_threads()) {
            let encode = |start: &u64| -> Result<(T, u64)> {
                let rows = (self.rows() - start).min(batch_rows as u64);
                let chunk = Chunk::records(Vec::new(), start + 1, rows as usize);
                Ok((encode(&self.raw.decode(chunk, &wanted)?)?, rows))
            };
            let encoded: Vec<Result<(T, u64)>> = starts.par_iter().map(encode).collect();
            for batch in encoded {
                let (batch, rows) = batch?;
                sink(batch)?;
                let values = rows * wanted.len() as u64;
                let done = self.done.fetch_add(values, Ordering::Relaxed) + values;
                import::advance(self.progress, done * VALUE, done / self.columns.len() as u64)?;
            }
        }
        Ok(())
    }

    /// The file to be written.
    pub fn output(&self) -> &Path {
        self.output
    }

    /// For `map_err` on what is written.
    pub fn failed(&self) -> impl Fn(io::Error) -> Error {
        Error::io("write", self.output)
    }

    /// An error about a column that cannot be written.
    pub fn refuse(&self, column: usize, reason: &str) -> Error {
        let place = crate::Place::column(&self.columns[column].name);
        Error::input(self.dataset.path(), place, reason)
    }
}

/// Appends a number as the shortest text that reads back to the bit.
pub(crate) fn write_number(out: &mut Vec<u8>, number: f32) {
    let size = number.abs();
    let written = if size == 0.0 || (1e-5..1e16).contains(&size) {
        write!(out, "{number}")
    } else {
        write!(out, "{number:e}")
    };
    debug_assert!(written.is_ok(), "writing to memory does not fail");
}

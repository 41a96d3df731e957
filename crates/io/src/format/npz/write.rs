//! Writing tables as numpy arrays.

use crate::dtype::Dtype;
use crate::error::{Error, Result};
use crate::export::table::Exported;
use crate::format::npy::header::Header;
use crate::format::values::{Batch, ColumnKind, Values};
use std::io::{self, Write};
use std::ops::Range;
use zip::write::{SimpleFileOptions, StreamWriter};
use zip::{CompressionMethod, DateTime, ZipWriter};

/// The array of the names of the columns of `X`.
pub(super) const FEATURE_NAMES: &str = "feature_names";
/// The array of the names of the columns of `y`.
pub(super) const TARGET_NAMES: &str = "target_names";

/// Writes a matrix `X`, the target `y` and their names where all inputs are numbers, else an array per
/// column; weights always have an array of their own.
pub(super) fn export(table: &Exported, out: &mut (dyn Write + Send)) -> Result<()> {
    let mut archive = Archive { zip: ZipWriter::new_stream(out), table };
    let (inputs, targets) = (table.inputs(), table.targets());
    let is_number = |column: usize| table.columns()[column].kind == ColumnKind::Number;
    let separate = if inputs.clone().all(is_number) {
        archive.names(FEATURE_NAMES, inputs.clone())?;
        archive.matrix("X", inputs)?;
        if !targets.is_empty() {
            archive.names(TARGET_NAMES, targets.clone())?;
            match targets.clone().all(is_number) {
                true => archive.matrix("y", targets.clone())?,
                false => archive.text_column("y", targets.start)?,
            }
        }
        targets.end..table.columns().len()
    } else {
        0..table.columns().len()
    };
    for column in separate {
        let name = table.columns()[column].name.clone();
        match is_number(column) {
            true => archive.column(&name, column)?,
            false => archive.text_column(&name, column)?,
        }
    }
    archive.zip.finish().map_err(|error| table.failed()(error.into()))?;
    Ok(())
}

struct Archive<'a> {
    zip: ZipWriter<StreamWriter<&'a mut (dyn Write + Send)>>,
    table: &'a Exported<'a>,
}

impl Archive<'_> {
    /// Begins an array.
    fn begin(&mut self, name: &str, header: &[u8]) -> Result<()> {
        // One date for all, so that equal data are equal files.
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .last_modified_time(DateTime::default())
            .large_file(true);
        let begun = self.zip.start_file(format!("{name}.npy"), options).map_err(io::Error::from);
        begun.and_then(|()| self.zip.write_all(header)).map_err(self.table.failed())
    }

    /// Columns of numbers as a row-major matrix; of one target as a vector.
    fn matrix(&mut self, name: &str, columns: Range<usize>) -> Result<()> {
        let shape = [self.table.rows(), columns.len() as u64];
        let is_vector = name != "X" && columns.len() == 1;
        self.numbers(name, columns, if is_vector { &shape[..1] } else { &shape })
    }

    /// A column of numbers as a vector, whatever its name: a matrix called `X` would be all inputs.
    fn column(&mut self, name: &str, column: usize) -> Result<()> {
        self.numbers(name, column..column + 1, &[self.table.rows()])
    }

    fn numbers(&mut self, name: &str, columns: Range<usize>, shape: &[u64]) -> Result<()> {
        let dtype = self.table.dtype(columns.start);
        let element = match dtype {
            Dtype::U8 => "|u1",
            Dtype::F16 => "<f2",
            Dtype::F32 => "<f4",
        };
        self.begin(name, &Header::write(element, shape))?;
        let encode = |batch: &Batch| Ok(row_major(batch, dtype));
        self.data(columns, encode)
    }

    /// A column of texts, as wide as its longest.
    fn text_column(&mut self, name: &str, column: usize) -> Result<()> {
        let texts = self.table.texts(column);
        if texts.iter().any(|text| text.ends_with('\0')) {
            let reason = "has a text that ends with a zero character, which numpy drops";
            return Err(self.table.refuse(column, reason));
        }
        let width = width(texts);
        self.begin(name, &Header::write(&format!("<U{width}"), &[self.table.rows()]))?;
        self.data(column..column + 1, |batch| match &batch.columns[..] {
            [Values::Texts(texts)] => Ok(texts.iter().flat_map(|t| unicode(t, width)).collect()),
            _ => Err(Error::Invalid("a column of texts holds numbers".to_owned())),
        })
    }

    /// The names of columns.
    fn names(&mut self, name: &str, columns: Range<usize>) -> Result<()> {
        let names: Vec<String> =
            self.table.columns()[columns].iter().map(|column| column.name.clone()).collect();
        let width = width(&names);
        let mut bytes = Header::write(&format!("<U{width}"), &[names.len() as u64]);
        bytes.extend(names.iter().flat_map(|name| unicode(name, width)));
        self.begin(name, &bytes)
    }

    fn data(
        &mut self,
        columns: Range<usize>,
        encode: impl Fn(&Batch) -> Result<Vec<u8>> + Sync,
    ) -> Result<()> {
        let failed = self.table.failed();
        let zip = &mut self.zip;
        self.table.for_each_batch(columns, encode, |bytes| zip.write_all(&bytes).map_err(&failed))
    }
}

fn row_major(batch: &Batch, dtype: Dtype) -> Vec<u8> {
    let (rows, width) = (batch.rows.len(), batch.columns.len());
    let mut values = vec![0.0; rows * width];
    for (column, numbers) in batch.columns.iter().enumerate() {
        if let Values::Numbers(numbers) = numbers {
            for (row, number) in numbers.iter().enumerate() {
                values[row * width + column] = *number;
            }
        }
    }
    let mut bytes = Vec::new();
    dtype.encode(&values, &mut bytes);
    bytes
}

/// Characters of the longest text; numpy knows no width of zero.
fn width(texts: &[String]) -> usize {
    texts.iter().map(|text| text.chars().count()).max().unwrap_or(0).max(1)
}

/// A text as code points, filled up with zeros.
fn unicode(text: &str, width: usize) -> impl Iterator<Item = u8> {
    let codes = text.chars().map(u32::from).chain(std::iter::repeat(0)).take(width);
    codes.flat_map(u32::to_le_bytes).collect::<Vec<_>>().into_iter()
}

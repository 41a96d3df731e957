//! IDX, the format of MNIST: a header of dimensions, then numbers, big-endian. A file of items (images)
//! is joined with the file of its labels, which follows it among the sources or lies beside it.

use super::interface::{Format, ReadOptions};
use super::table::{Chunk, Chunks, Column, Decoder, Hints, Table, Wanted};
use super::values::{Batch, ColumnKind, RowNumbers, Values};
use crate::error::{Error, Place, Result, RowNumber};
use crate::model::View;
use crate::source::{Source, Stream};
use std::io::{Cursor, Read};
use std::path::PathBuf;

/// The format.
pub(super) struct Idx;

/// More numbers per item than this are taken for a damaged header.
const MOST_VALUES: u64 = 1 << 20;

impl Format for Idx {
    fn name(&self) -> &'static str {
        "idx"
    }

    fn description(&self) -> &'static str {
        "MNIST's images and labels, *-images-idx3-ubyte with *-labels-idx1-ubyte"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["idx", "idx1-ubyte", "idx3-ubyte"]
    }

    fn is_mine(&self, head: &[u8]) -> bool {
        matches!(head, [0, 0, code, 1..=4, ..] if Number::of(*code).is_some())
    }

    fn open(&self, sources: &[Source], _: &ReadOptions) -> Result<Table> {
        let first = Array::open(&sources[0])?;
        let given = match sources.get(1) {
            Some(source) if self.is_mine(&source.head(4)?) => Some(Array::open(source)?),
            _ => None,
        };
        let (items, labels, used) = match given {
            Some(second) if first.is_labels() != second.is_labels() => {
                let [items, labels] =
                    if first.is_labels() { [second, first] } else { [first, second] };
                (items, Some(labels), 2)
            }
            _ if first.is_labels() => (first, None, 1),
            _ => {
                let beside = labels_beside(&sources[0]);
                let labels = beside.map(|source| Array::open(&source)).transpose()?;
                (first, labels, 1)
            }
        };
        if let Some(labels) = &labels {
            check_pair(&items, labels)?;
        }
        let mut columns: Vec<Column> = items.value_names().map(number_column).collect();
        if labels.is_some() {
            columns.push(number_column("label".to_owned()));
        }
        let view = items.view().map(|view| (0..items.layout().values, view));
        let decoder = IdxDecoder {
            path: items.path.clone(),
            columns: columns.clone(),
            items: items.layout(),
            labels: labels.as_ref().map(Array::layout),
        };
        Ok(Table {
            hints: Hints { view, ..Hints::default() },
            likely_targets: labels.iter().map(|_| columns.len() - 1).collect(),
            columns,
            named: true,
            sources: used,
            record_bytes: decoder.items.bytes(),
            chunks: Box::new(IdxChunks { items, labels, next: 0 }),
            decoder: Box::new(decoder),
        })
    }
}

fn number_column(name: String) -> Column {
    Column { name, kind: ColumnKind::Number }
}

/// The labels file that belongs to an images file by its name, if it exists.
fn labels_beside(source: &Source) -> Option<Source> {
    let name = source.path().file_name()?.to_str()?;
    let labels = name.replace("images", "labels").replace("idx3", "idx1");
    let plain = labels.strip_suffix(".gz").unwrap_or(&labels);
    let candidates = [labels.clone(), plain.to_owned(), format!("{plain}.gz")];
    let mut paths =
        candidates.iter().filter(|c| *c != name).map(|c| source.path().with_file_name(c));
    paths.find(|path| path.is_file()).map(|path| source.beside(path))
}

fn check_pair(items: &Array, labels: &Array) -> Result<()> {
    if !labels.is_labels() {
        let reason = "has more than one number per label";
        return Err(Error::input(&labels.path, Place::FILE, reason));
    }
    if items.count != labels.count {
        let (count, path) = (items.count, items.path.display());
        let reason = format!("has {} labels for the {count} items of {path}", labels.count);
        return Err(Error::input(&labels.path, Place::FILE, reason));
    }
    Ok(())
}

/// An open file, after its header.
struct Array {
    path: PathBuf,
    stream: Stream,
    number: Number,
    count: u64,
    /// Of one item.
    shape: Vec<u64>,
}

/// How an item is stored.
#[derive(Clone, Copy)]
struct Layout {
    number: Number,
    values: usize,
}

impl Layout {
    fn bytes(self) -> usize {
        self.values * self.number.size()
    }
}

impl Array {
    fn open(source: &Source) -> Result<Array> {
        let path = source.path().to_owned();
        let mut stream = source.stream()?;
        let refuse = |reason: String| Err(Error::input(source.path(), Place::FILE, reason));
        let mut magic = [0; 4];
        let mut read = |bytes: &mut [u8]| {
            stream.read_exact(bytes).map_err(|error| cut_off(source.path(), None, error))
        };
        read(&mut magic)?;
        let number = match magic {
            [0, 0, code, 1..=4] => Number::of(code),
            _ => None,
        };
        let Some(number) = number else {
            return refuse("does not begin like an IDX file".to_owned());
        };
        let mut shape = Vec::new();
        for _ in 0..magic[3] {
            let mut dimension = [0; 4];
            read(&mut dimension)?;
            shape.push(u64::from(u32::from_be_bytes(dimension)));
        }
        let count = shape.remove(0);
        let values = shape.iter().try_fold(1u64, |values, size| values.checked_mul(*size));
        if !values.is_some_and(|values| (1..=MOST_VALUES).contains(&values)) {
            return refuse(format!(
                "its header claims items of {shape:?} numbers; 1 to {MOST_VALUES} are read"
            ));
        }
        let mut array = Array { path, stream, number, count, shape };
        // Columns are named for what is there, not for what a header claims.
        let mut first = Vec::new();
        array.read(0, usize::from(count > 0), &mut first)?;
        array.stream = Box::new(Cursor::new(first).chain(array.stream));
        Ok(array)
    }

    fn is_labels(&self) -> bool {
        self.layout().values == 1
    }

    fn layout(&self) -> Layout {
        Layout { number: self.number, values: self.shape.iter().product::<u64>() as usize }
    }

    /// How the values of an item are arranged.
    fn view(&self) -> Option<View> {
        let (height, width, channels) = match self.shape[..] {
            [height, width] => (height, width, 1),
            [height, width, channels] => (height, width, channels),
            _ => return None,
        };
        // At most `MOST_VALUES` in all.
        let [height, width, channels] = [height, width, channels].map(|length| length as usize);
        Some(View { height, width, channels })
    }

    /// `r0c0`, `r0c1`, ... for images; `label` for labels.
    fn value_names(&self) -> Box<dyn Iterator<Item = String> + '_> {
        match self.shape[..] {
            _ if self.is_labels() => Box::new(std::iter::once("label".to_owned())),
            [rows, columns] => Box::new(
                (0..rows).flat_map(move |r| (0..columns).map(move |c| format!("r{r}c{c}"))),
            ),
            _ => Box::new((0..self.layout().values).map(|index| format!("f{index}"))),
        }
    }

    /// Appends `rows` items, of which the first is `row` counted from 0.
    fn read(&mut self, row: u64, rows: usize, bytes: &mut Vec<u8>) -> Result<()> {
        let expected = rows * self.layout().bytes();
        let start = bytes.len();
        let read = self.stream.by_ref().take(expected as u64).read_to_end(bytes);
        read.map_err(Error::io("read", &self.path))?;
        let found = bytes.len() - start;
        if found < expected {
            let row = row + (found / self.layout().bytes()) as u64 + 1;
            let error = std::io::ErrorKind::UnexpectedEof.into();
            return Err(cut_off(&self.path, Some((row, self.count)), error));
        }
        Ok(())
    }
}

fn cut_off(path: &std::path::Path, row: Option<(u64, u64)>, error: std::io::Error) -> Error {
    match (error.kind(), row) {
        (std::io::ErrorKind::UnexpectedEof, Some((row, count))) => {
            let reason = format!("the file ends here, but its header promises {count} rows");
            Error::input(path, Place::row(RowNumber::Row(row)), reason)
        }
        (std::io::ErrorKind::UnexpectedEof, None) => {
            Error::input(path, Place::FILE, "ends within its header")
        }
        _ => Error::io("read", path)(error),
    }
}

struct IdxChunks {
    items: Array,
    labels: Option<Array>,
    /// Row from 0.
    next: u64,
}

impl Chunks for IdxChunks {
    /// All items of the chunk, then all labels.
    fn next_chunk(&mut self, bytes: usize) -> Result<Option<Chunk>> {
        let left = self.items.count - self.next;
        if left == 0 {
            return self.expect_end().map(|()| None);
        }
        let rows = (bytes / self.items.layout().bytes()).max(1).min(left as usize);
        let mut bytes = Vec::new();
        self.items.read(self.next, rows, &mut bytes)?;
        if let Some(labels) = &mut self.labels {
            labels.read(self.next, rows, &mut bytes)?;
        }
        let first = self.next + 1;
        self.next += rows as u64;
        Ok(Some(Chunk::records(bytes, first, rows)))
    }
}

impl IdxChunks {
    fn expect_end(&mut self) -> Result<()> {
        for array in std::iter::once(&mut self.items).chain(&mut self.labels) {
            let mut byte = [0];
            if array.stream.read(&mut byte).map_err(Error::io("read", &array.path))? > 0 {
                let reason =
                    format!("goes on after the {} rows that its header promises", array.count);
                return Err(Error::input(&array.path, Place::FILE, reason));
            }
        }
        Ok(())
    }
}

struct IdxDecoder {
    path: PathBuf,
    columns: Vec<Column>,
    items: Layout,
    labels: Option<Layout>,
}

impl Decoder for IdxDecoder {
    fn decode(&self, chunk: &mut Chunk, wanted: &[Wanted]) -> Result<Batch> {
        let rows = RowNumbers::Rows(chunk.first, chunk.rows);
        let (items, labels) = chunk.bytes.split_at(chunk.rows * self.items.bytes());
        let mut columns = Vec::with_capacity(wanted.len());
        for wanted in wanted {
            let (bytes, layout, value) = match self.labels {
                Some(layout) if wanted.column == self.items.values => (labels, layout, 0),
                _ => (items, self.items, wanted.column),
            };
            let size = layout.number.size();
            let mut values = Values::new(wanted.kind);
            for (row, item) in bytes.chunks_exact(layout.bytes()).enumerate() {
                let number = layout.number.decode(&item[value * size..][..size]);
                if !number.is_finite() {
                    let place = Place::cell(rows.number(row), &self.columns[wanted.column].name);
                    let reason = format!("expected a finite number, found {number}");
                    return Err(Error::input(&self.path, place, reason));
                }
                match &mut values {
                    Values::Numbers(numbers) => numbers.push(number),
                    Values::Texts(texts) => texts.push(&number.to_string()),
                }
            }
            columns.push(values);
        }
        Ok(Batch { rows, columns })
    }
}

/// The number types of the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Number {
    U8,
    I8,
    I16,
    I32,
    F32,
    F64,
}

impl Number {
    fn of(code: u8) -> Option<Number> {
        Some(match code {
            0x08 => Number::U8,
            0x09 => Number::I8,
            0x0b => Number::I16,
            0x0c => Number::I32,
            0x0d => Number::F32,
            0x0e => Number::F64,
            _ => return None,
        })
    }

    fn size(self) -> usize {
        match self {
            Number::U8 | Number::I8 => 1,
            Number::I16 => 2,
            Number::I32 | Number::F32 => 4,
            Number::F64 => 8,
        }
    }

    #[inline]
    fn decode(self, bytes: &[u8]) -> f32 {
        match (self, bytes) {
            (Number::U8, &[a]) => f32::from(a),
            (Number::I8, &[a]) => f32::from(a as i8),
            (Number::I16, &[a, b]) => f32::from(i16::from_be_bytes([a, b])),
            (Number::I32, &[a, b, c, d]) => i32::from_be_bytes([a, b, c, d]) as f32,
            (Number::F32, &[a, b, c, d]) => f32::from_be_bytes([a, b, c, d]),
            (Number::F64, bytes) => {
                bytes.try_into().map_or(f32::NAN, |bytes| f64::from_be_bytes(bytes) as f32)
            }
            _ => f32::NAN,
        }
    }
}

//! Arrays as tables. An array is read as strips: streams of rows, one for all its columns where rows
//! lie together (C order), one per column where columns do (Fortran order).

use super::element::Element;
use super::header::Header;
use super::padded::Padded;
use crate::error::{Error, Place, Result, RowNumber};
use crate::format::shared_file::SharedFile;
use crate::format::table::{Chunk, Chunks, Column, Decoder, Hints, Note, Table, Wanted};
use crate::format::values::{Batch, ColumnKind, RowNumbers, Values};
use crate::model::View;
use crate::source::Source;
use std::io::Read;
use std::path::{Path, PathBuf};

/// More columns than this are taken for a damaged header.
const MOST_COLUMNS: u64 = 1 << 20;

/// An array with its rows still to be read.
pub(in crate::format) struct Array {
    pub(in crate::format) rows: u64,
    /// Values of a row.
    pub(in crate::format) width: usize,
    /// Of the array as it was saved: one is a column.
    pub(in crate::format) dimensions: usize,
    view: Option<View>,
    /// Whether rows are series that may end before their last step.
    is_ragged: bool,
    /// What a user should know of it.
    note: Option<Note>,
    element: Element,
    columns: Vec<Column>,
    strips: Vec<Strip>,
}

struct Strip {
    stream: Box<dyn Read + Send>,
    /// Values of a row in this strip.
    width: usize,
    bytes: usize,
}

impl Array {
    /// Opens a file of one array.
    pub(super) fn open(source: &Source) -> Result<Array> {
        let refuse = |reason: String| Error::input(source.path(), Place::FILE, reason);
        if source.is_compressed()? {
            let mut stream = source.stream()?;
            let header = Header::read(&mut stream).map_err(refuse)?;
            return Array::sequential(&header, stream).map_err(refuse);
        }
        let file = SharedFile::open(source)?;
        let header = Header::read(&mut file.part(0, file.length())).map_err(refuse)?;
        Array::random(&header, &file, 0, file.length()).map_err(refuse)
    }

    /// An array whose data follow in a stream.
    pub(in crate::format) fn sequential(
        header: &Header,
        stream: Box<dyn Read + Send>,
    ) -> std::result::Result<Array, String> {
        let (rows, width) = dimensions(header)?;
        if header.fortran && width > 1 {
            return Err("is compressed and in Fortran order, so its rows cannot be read one after the other: save it in C order or not compressed".to_owned());
        }
        let bytes = width * header.element.size;
        let strips = vec![Strip { stream, width, bytes }];
        Ok(Array::new(header, rows, width, strips))
    }

    /// An array that fills the part of a file from `start` to `end`, header and all.
    pub(in crate::format) fn random(
        header: &Header,
        file: &SharedFile,
        start: u64,
        end: u64,
    ) -> std::result::Result<Array, String> {
        let (rows, width) = dimensions(header)?;
        let data = start + header.length;
        let column = u128::from(rows) * header.element.size as u128;
        let (expected, found) = (column * width as u128, u128::from(end.saturating_sub(data)));
        if expected != found {
            return Err(format!(
                "has {found} bytes of data, but its header promises {expected}, for {rows} rows of {width} values"
            ));
        }
        let (strips, width_of_strip) = if header.fortran { (width, 1) } else { (1, width) };
        let length = (end - data) / strips as u64;
        let strip = |index: u64| Strip {
            stream: Box::new(file.part(data + index * length, data + (index + 1) * length)),
            width: width_of_strip,
            bytes: width_of_strip * header.element.size,
        };
        let strips = (0..strips as u64).map(strip).collect();
        Ok(Array::new(header, rows, width, strips))
    }

    fn new(header: &Header, rows: u64, width: usize, strips: Vec<Strip>) -> Array {
        let Header { element, ref shape, .. } = *header;
        let (dimensions, view) = (shape.len(), view(shape));
        let columns = Vec::new();
        let (is_ragged, note) = (false, None);
        Array { rows, width, dimensions, view, is_ragged, note, element, columns, strips }
    }

    /// As rows of series of these lengths, whose steps are the rows of this array: with room for `room` steps, of which the
    /// first `most` of a series are taken.
    pub(in crate::format) fn into_series(
        mut self,
        lengths: Vec<u64>,
        room: usize,
        most: usize,
    ) -> std::result::Result<Array, String> {
        let (steps, total) = (self.rows, lengths.iter().map(|&n| u128::from(n)).sum::<u128>());
        if total != u128::from(steps) {
            return Err(format!("has {steps} steps, but the lengths of its series make {total}"));
        }
        if let Some(empty) = lengths.iter().position(|&length| length == 0) {
            return Err(format!("has a series without steps, number {}: leave it out", empty + 1));
        }
        let width = room.saturating_mul(self.width);
        if most == 0 || width as u64 > MOST_COLUMNS {
            let channels = self.width;
            return Err(format!(
                "has series of up to {room} steps of {channels} values; 1 to {MOST_COLUMNS} values in all are read: say otherwise with --max-length"
            ));
        }
        let (Some(strip), true) = (self.strips.pop(), self.strips.is_empty()) else {
            let hint = "save it in C order";
            return Err(format!(
                "is in Fortran order, so its steps cannot be read one after the other: {hint}"
            ));
        };
        if self.element.is_text() {
            return Err("has texts as steps of its series".to_owned());
        }
        let cut = lengths.iter().filter(|&&length| length > most as u64).count();
        let note = (cut > 0).then(|| Note {
            codes: None,
            text: format!(
                "{cut} of {} series are longer than {most} steps, and are cut",
                lengths.len()
            ),
        });
        let rows = lengths.len() as u64;
        let stream = Padded::new(strip.stream, self.element, self.width, lengths, [room, most]);
        let bytes = width * Element::F32.size;
        Ok(Array {
            rows,
            width,
            dimensions: 3,
            view: Some(View { height: 1, width: room, channels: self.width }),
            is_ragged: true,
            note,
            element: Element::F32,
            columns: Vec::new(),
            strips: vec![Strip { stream: Box::new(stream), width, bytes }],
        })
    }

    /// All of an array of whole numbers, one a row.
    pub(in crate::format) fn counts(mut self, most: u64) -> std::result::Result<Vec<u64>, String> {
        if self.width != 1 || self.rows > most || self.element.is_text() {
            return Err(format!("is no list of at most {most} lengths"));
        }
        let mut bytes = Vec::new();
        let length = self.rows * self.strips[0].bytes as u64;
        let read = self.strips[0].stream.by_ref().take(length).read_to_end(&mut bytes);
        read.map_err(|error| format!("cannot be read: {error}"))?;
        let mut values = Values::new(ColumnKind::Number);
        let decoded = self.element.decode(bytes.chunks_exact(self.element.size), &mut values);
        decoded.map_err(|(row, reason)| format!("has in row {}: {reason}", row + 1))?;
        let Values::Numbers(numbers) = values else { return Ok(Vec::new()) };
        let is_count =
            |number: f32| number >= 0.0 && number.fract() == 0.0 && number < 16_777_216.0;
        match numbers.iter().position(|&number| !is_count(number)) {
            Some(row) => {
                Err(format!("has {} in row {}, which is no length", numbers[row], row + 1))
            }
            None => Ok(numbers.into_iter().map(|number| number as u64).collect()),
        }
    }

    /// Names the columns by their index.
    pub(in crate::format) fn name_columns(&mut self, name: impl Fn(usize) -> String) {
        let kind = if self.element.is_text() { ColumnKind::Text } else { ColumnKind::Number };
        let column = |index| Column { name: name(index), kind };
        self.columns = (0..self.width).map(column).collect();
    }

    /// All of a small array of texts.
    pub(in crate::format) fn texts(mut self, most: u64) -> Option<Vec<String>> {
        if !self.element.is_text() || self.width != 1 || self.rows > most {
            return None;
        }
        let mut bytes = Vec::new();
        let length = self.rows * self.strips[0].bytes as u64;
        self.strips[0].stream.by_ref().take(length).read_to_end(&mut bytes).ok()?;
        let mut values = Values::new(ColumnKind::Text);
        self.element.decode(bytes.chunks_exact(self.element.size), &mut values).ok()?;
        match values {
            Values::Texts(texts) => Some(texts.iter().map(str::to_owned).collect()),
            Values::Numbers(_) => None,
        }
    }
}

/// Rows, and values of a row; more than two dimensions are rows of flattened items.
fn dimensions(header: &Header) -> std::result::Result<(u64, usize), String> {
    let Some((rows, item)) = header.shape.split_first() else {
        return Err("holds a single value and no rows".to_owned());
    };
    let width = item.iter().try_fold(1u64, |width, size| width.checked_mul(*size));
    let width = width.filter(|width| (1..=MOST_COLUMNS).contains(width));
    let width = width.ok_or_else(|| {
        format!("its header claims rows of {item:?} values; 1 to {MOST_COLUMNS} are read")
    })?;
    if header.fortran && item.len() > 1 {
        return Err("has more than two dimensions in Fortran order: save it in C order".to_owned());
    }
    Ok((*rows, width as usize))
}

/// How a row of an array of this shape is arranged, where it has more than one dimension: as steps x channels, or
/// height x width x channels.
fn view(shape: &[u64]) -> Option<View> {
    let (height, width, channels) = match *shape {
        [_, steps, channels] => (1, steps, channels),
        [_, height, width, channels] => (height, width, channels),
        _ => return None,
    };
    // At most `MOST_COLUMNS` in all.
    let [height, width, channels] = [height, width, channels].map(|length| length as usize);
    Some(View { height, width, channels })
}

/// The arrays side by side, which have the same number of rows.
pub(in crate::format) fn table(path: &Path, arrays: Vec<Array>) -> Result<Table> {
    let rows = arrays.first().map_or(0, |array| array.rows);
    let (mut columns, mut layout, mut streams) = (Vec::new(), Vec::new(), Vec::new());
    let (mut arranged, mut is_ragged, mut notes) = (None, false, Vec::new());
    for array in arrays {
        let first = columns.len();
        columns.extend(array.columns);
        let view = array.view.map(|view| (first..columns.len(), view));
        arranged = arranged.or(view);
        is_ragged |= array.is_ragged;
        notes.extend(array.note);
        for strip in array.strips {
            layout.push(Piece { element: array.element, width: strip.width, bytes: strip.bytes });
            streams.push(strip.stream);
        }
    }
    let record_bytes = layout.iter().map(|piece| piece.bytes).sum();
    let decoder = ArrayDecoder {
        path: path.to_owned(),
        layout: layout.clone(),
        columns: columns.clone(),
        notes,
    };
    Ok(Table {
        hints: Hints { view: arranged, is_ragged, ..Hints::default() },
        likely_targets: Vec::new(),
        columns,
        named: true,
        sources: 1,
        record_bytes,
        chunks: Box::new(ArrayChunks {
            path: path.to_owned(),
            is_used: vec![true; layout.len()],
            layout,
            streams,
            rows,
            next: 0,
        }),
        decoder: Box::new(decoder),
    })
}

/// A strip as the decoder knows it.
#[derive(Clone, Copy)]
struct Piece {
    element: Element,
    width: usize,
    bytes: usize,
}

/// Which pieces hold columns wanted.
fn used(layout: &[Piece], wanted: &[Wanted]) -> Vec<bool> {
    let mut is_wanted = vec![false; layout.iter().map(|piece| piece.width).sum()];
    wanted.iter().for_each(|wanted| is_wanted[wanted.column] = true);
    let mut rest = &is_wanted[..];
    let mut is_used = |piece: &Piece| {
        let (own, after) = rest.split_at(piece.width);
        rest = after;
        own.contains(&true)
    };
    layout.iter().map(&mut is_used).collect()
}

struct ArrayChunks {
    path: PathBuf,
    layout: Vec<Piece>,
    streams: Vec<Box<dyn Read + Send>>,
    is_used: Vec<bool>,
    rows: u64,
    next: u64,
}

impl Chunks for ArrayChunks {
    fn select(&mut self, wanted: &[Wanted]) -> Result<()> {
        self.is_used = used(&self.layout, wanted);
        Ok(())
    }

    /// The rows of the first strip used, then those of the next, and so on.
    fn next_chunk(&mut self, bytes: usize) -> Result<Option<Chunk>> {
        let pieces = self.layout.iter().zip(&mut self.streams).zip(&self.is_used);
        let used = pieces.filter(|(_, is_used)| **is_used).map(|(piece, _)| piece);
        let left = self.rows - self.next;
        if left == 0 {
            for (_, stream) in used {
                let mut byte = [0];
                if stream.read(&mut byte).map_err(Error::io("read", &self.path))? > 0 {
                    let rows = self.rows;
                    let reason = format!("goes on after the {rows} rows that its header promises");
                    return Err(Error::input(&self.path, Place::FILE, reason));
                }
            }
            return Ok(None);
        }
        let record: usize = self.layout.iter().map(|piece| piece.bytes).sum();
        let rows = ((bytes / record).max(1) as u64).min(left) as usize;
        let mut data = Vec::new();
        for (piece, stream) in used {
            let (start, expected) = (data.len(), rows * piece.bytes);
            let read = stream.by_ref().take(expected as u64).read_to_end(&mut data);
            read.map_err(Error::io("read", &self.path))?;
            let found = data.len() - start;
            if found < expected {
                let row = self.next + (found / piece.bytes) as u64 + 1;
                let place = Place::row(RowNumber::Row(row));
                let reason =
                    format!("the file ends here, but its header promises {} rows", self.rows);
                return Err(Error::input(&self.path, place, reason));
            }
        }
        let first = self.next + 1;
        self.next += rows as u64;
        Ok(Some(Chunk::records(data, first, rows)))
    }
}

struct ArrayDecoder {
    path: PathBuf,
    layout: Vec<Piece>,
    columns: Vec<Column>,
    notes: Vec<Note>,
}

impl Decoder for ArrayDecoder {
    fn notes(&self) -> &[Note] {
        &self.notes
    }

    fn decode(&self, chunk: &mut Chunk, wanted: &[Wanted]) -> Result<Batch> {
        let rows = RowNumbers::Rows(chunk.first, chunk.rows);
        // Where each column begins in the chunk, and the piece that it is of.
        let mut origins = Vec::with_capacity(self.columns.len());
        let mut start = 0;
        for (piece, is_used) in self.layout.iter().zip(used(&self.layout, wanted)) {
            let of_column = |column| (start + column * piece.element.size, piece);
            origins.extend((0..piece.width).map(of_column));
            start += if is_used { chunk.rows * piece.bytes } else { 0 };
        }
        let mut columns = Vec::with_capacity(wanted.len());
        for wanted in wanted {
            let (start, piece) = origins[wanted.column];
            let mut values = Values::new(wanted.kind);
            let row = |row: usize| &chunk.bytes[start + row * piece.bytes..][..piece.element.size];
            piece.element.decode((0..chunk.rows).map(row), &mut values).map_err(
                |(row, reason)| {
                    let name = &self.columns[wanted.column].name;
                    Error::input(&self.path, Place::cell(rows.number(row), name), reason)
                },
            )?;
            columns.push(values);
        }
        Ok(Batch { rows, columns })
    }
}

//! libsvm and svmlight: a label and pairs of index and value per line. Features that a line does not
//! name are zero there; all are imported, so there is a limit to how many there may be.

use super::dense;
use super::interface::{Format, ReadOptions};
use super::number::{Number, number};
use super::table::{Chunk, Chunks, Column, Decoder, Hints, Note, Table, Wanted};
use super::text::{Cell, TextChunks, first_text, is_text, lines, shortened, slots};
use super::values::{Batch, ColumnKind, RowNumbers, Texts, Values};
use crate::error::{Error, Place, Result};
use crate::source::Source;
use memchr::{memchr, memrchr};
use std::path::{Path, PathBuf};

/// The format.
pub(super) struct Libsvm;

/// The most features of a row, all of which are stored.
const MOST_FEATURES: u64 = 1 << 16;
/// About as many values as a chunk may become.
const CHUNK_VALUES: usize = 1 << 20;
/// Bytes that are read at once to find out how many features there are.
const SCAN: usize = 1 << 20;

impl Format for Libsvm {
    fn name(&self) -> &'static str {
        "libsvm"
    }

    fn description(&self) -> &'static str {
        "libsvm and svmlight: label index:value index:value ..."
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["libsvm", "svmlight", "svm"]
    }

    fn is_mine(&self, head: &[u8]) -> bool {
        let mut records = first_text(head).split(|byte| *byte == b'\n').map(record);
        let Some(record) = records.find(|record| !record.is_empty()) else { return false };
        let mut tokens = tokens(record);
        // The last pair may be cut off by the end of the head.
        let label = tokens.next().is_some_and(|token| matches!(number(token), Number::Value(_)));
        let pair = tokens.next().is_some_and(|token| pair(token).is_some());
        is_text(head) && label && pair
    }

    fn is_certain(&self) -> bool {
        false
    }

    fn open(&self, sources: &[Source], options: &ReadOptions) -> Result<Table> {
        let source = &sources[0];
        let path = source.path();
        let mut extent = Extent::of(source)?;
        for other in &sources[1..] {
            if self.is_mine(&other.head(super::interface::HEAD)?) {
                extent.include(Extent::of(other)?.features);
            }
        }
        for index in options.known.iter().filter_map(|name| name.strip_prefix('f')?.parse().ok()) {
            extent.include(Some((index, index)));
        }
        let Some((first, last)) = extent.features else {
            let reason = "none of its lines has a pair of index:value";
            return Err(Error::input(path, Place::FILE, reason));
        };
        // Indices are from 1 unless there is a 0.
        let first = first.min(1);
        let mut columns = vec![Column { name: "label".to_owned(), kind: ColumnKind::Number }];
        columns.extend(
            (first..=last).map(|f| Column { name: format!("f{f}"), kind: ColumnKind::Number }),
        );
        let mut chunks = TextChunks::lines(source)?;
        chunks.limit_lines(CHUNK_VALUES / columns.len());
        Ok(Table {
            decoder: Box::new(LibsvmDecoder {
                path: path.to_owned(),
                first,
                columns: columns.len(),
                notes: dense::note(extent.rows, columns.len() as u64 - 1, &extent.rows.to_string())
                    .into_iter()
                    .collect(),
            }),
            hints: Hints::default(),
            likely_targets: vec![0],
            columns,
            named: true,
            sources: 1,
            record_bytes: extent.record_bytes,
            chunks: Box::new(chunks),
        })
    }
}

/// What a first look at all lines shows.
struct Extent {
    /// The least and the greatest index.
    features: Option<(u64, u64)>,
    rows: u64,
    record_bytes: usize,
}

impl Extent {
    fn of(source: &Source) -> Result<Extent> {
        let mut chunks = TextChunks::lines(&source.uncounted())?;
        let mut extent = Extent { features: None, rows: 0, record_bytes: 1 };
        let (mut bytes, mut lines_seen) = (0, 0);
        while let Some(chunk) = chunks.next_chunk(SCAN)? {
            for (line, text) in lines(&chunk.bytes, chunk.first) {
                let record = record(text);
                extent.include(ends(source.path(), line, record)?);
                extent.rows += u64::from(!record.is_empty());
                lines_seen += 1;
            }
            bytes += chunk.bytes.len();
        }
        extent.record_bytes = bytes.div_ceil(lines_seen.max(1)).max(1);
        Ok(extent)
    }

    fn include(&mut self, other: Option<(u64, u64)>) {
        self.features = match (self.features, other) {
            (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
            (one, other) => one.or(other),
        };
    }
}

/// The first and last index of a line; that they ascend is checked when it is decoded.
fn ends(path: &Path, line: u64, text: &[u8]) -> Result<Option<(u64, u64)>> {
    let cell = Cell { path, line, column: None };
    if let Some(query) = tokens(text).nth(1).filter(|token| token.starts_with(b"qid:")) {
        let query = String::from_utf8_lossy(query);
        let query = shortened(&query);
        return Err(cell.error(format!(
            "belongs to a query, \"{query}\": ranking is not learned; remove it to learn from each row by itself"
        )));
    }
    let (Some(first), Some(last)) = (memchr(b':', text), memrchr(b':', text)) else {
        return Ok(None);
    };
    let index = |colon: usize| {
        let start = text[..colon].iter().rposition(u8::is_ascii_whitespace).map_or(0, |at| at + 1);
        digits(&text[start..colon])
    };
    let (Some(first), Some(last)) = (index(first), index(last)) else {
        return Ok(None);
    };
    if last < first {
        return Err(descending(cell, last, first));
    }
    if last > MOST_FEATURES {
        return Err(cell.error(format!(
            "has a feature {last}, and all features up to that would be stored for every row: no more than {MOST_FEATURES} can be; keep those that occur often, or number them by a hash"
        )));
    }
    Ok(Some((first, last)))
}

/// An error of an index that does not ascend.
fn descending(cell: Cell, index: u64, before: u64) -> Error {
    cell.error(format!(
        "the index {index} stands after {before}: the indices of a line must ascend, each once; sort them"
    ))
}

/// A line without its comment.
fn record(line: &[u8]) -> &[u8] {
    memchr(b'#', line).map_or(line, |comment| &line[..comment]).trim_ascii()
}

fn tokens(record: &[u8]) -> impl Iterator<Item = &[u8]> {
    record.split(u8::is_ascii_whitespace).filter(|token| !token.is_empty())
}

fn pair(token: &[u8]) -> Option<(u64, &[u8])> {
    let colon = memchr(b':', token)?;
    Some((digits(&token[..colon])?, &token[colon + 1..]))
}

fn digits(text: &[u8]) -> Option<u64> {
    let is_short = (1..=18).contains(&text.len()) && text.iter().all(u8::is_ascii_digit);
    is_short.then(|| text.iter().fold(0, |value, digit| value * 10 + u64::from(digit - b'0')))
}

/// A column of features, in which what a line does not name is zero.
enum DenseColumn<'a> {
    Numbers(Vec<f32>),
    /// As they are written, so that numbers which differ stay different.
    Texts(Vec<&'a [u8]>),
}

impl DenseColumn<'_> {
    fn zeros(kind: ColumnKind, rows: usize) -> Self {
        match kind {
            ColumnKind::Number => DenseColumn::Numbers(vec![0.0; rows]),
            ColumnKind::Text => DenseColumn::Texts(vec![b"0"; rows]),
        }
    }
}

struct LibsvmDecoder {
    path: PathBuf,
    /// Index of the first feature.
    first: u64,
    columns: usize,
    notes: Vec<Note>,
}

impl Decoder for LibsvmDecoder {
    fn decode(&self, chunk: &mut Chunk, wanted: &[Wanted]) -> Result<Batch> {
        let records: Vec<(u64, &[u8])> = lines(&chunk.bytes, chunk.first)
            .map(|(line, text)| (line, record(text)))
            .filter(|(_, record)| !record.is_empty())
            .collect();
        // Dense columns first, since a line names few of them.
        let mut dense: Vec<DenseColumn> =
            wanted.iter().map(|wanted| DenseColumn::zeros(wanted.kind, records.len())).collect();
        let slots = slots(wanted, self.columns);
        let mut labels = Vec::with_capacity(records.len());
        for (row, (line, record)) in records.iter().enumerate() {
            let mut tokens = tokens(record);
            labels.push((*line, tokens.next().unwrap_or_default()));
            self.features(*line, tokens, |column, value, text| {
                match slots[column].map(|slot| &mut dense[slot]) {
                    Some(DenseColumn::Numbers(numbers)) => numbers[row] = value,
                    Some(DenseColumn::Texts(texts)) => texts[row] = text,
                    None => {}
                }
            })?;
        }
        let mut columns = Vec::with_capacity(wanted.len());
        for (wanted, column) in wanted.iter().zip(dense) {
            columns.push(match (wanted.column, column) {
                (0, _) => self.labels(&labels, wanted.kind)?,
                (_, DenseColumn::Numbers(numbers)) => Values::Numbers(numbers),
                (_, DenseColumn::Texts(spelled)) => {
                    let mut texts = Texts::default();
                    spelled.iter().for_each(|text| texts.push(&String::from_utf8_lossy(text)));
                    Values::Texts(texts)
                }
            });
        }
        let lines = records.iter().map(|(line, _)| (line - chunk.first) as u32).collect();
        Ok(Batch { rows: RowNumbers::Lines(chunk.first, lines), columns })
    }

    fn notes(&self) -> &[Note] {
        &self.notes
    }
}

impl LibsvmDecoder {
    fn labels(&self, labels: &[(u64, &[u8])], kind: ColumnKind) -> Result<Values> {
        let mut values = Values::new(kind);
        for (line, label) in labels {
            let cell = Cell { path: &self.path, line: *line, column: Some("label") };
            if !matches!(number(label), Number::Value(_)) {
                return Err(cell.expected("a label that is a number", label));
            }
            cell.push(label, &mut values)?;
        }
        Ok(values)
    }

    /// Gives the column and value of each pair, and how it is written.
    #[inline]
    fn features<'a>(
        &self,
        line: u64,
        pairs: impl Iterator<Item = &'a [u8]>,
        mut each: impl FnMut(usize, f32, &'a [u8]),
    ) -> Result<()> {
        let cell = Cell { path: &self.path, line, column: None };
        let mut least = self.first;
        for token in pairs {
            let Some((index, text)) = pair(token) else {
                let hint = if token.starts_with(b"qid:") { ": ranking is not learned" } else { "" };
                let found = String::from_utf8_lossy(token);
                let found = shortened(&found);
                return Err(cell.error(format!("expected index:value, found \"{found}\"{hint}")));
            };
            if index < least {
                return Err(descending(cell, index, least.saturating_sub(1)));
            }
            let column = (index - self.first + 1) as usize;
            // The last index of each line was looked at, so one after it is less.
            if column >= self.columns {
                let last = self.first + self.columns as u64 - 2;
                return Err(cell.error(format!(
                    "the index {index} is greater than the last of its line, which is {last} at most: the indices of a line must ascend; sort them"
                )));
            }
            least = index + 1;
            let Number::Value(value) = number(text) else {
                let name = format!("f{index}");
                return Err(Cell { column: Some(&name), ..cell }.expected("a finite number", text));
            };
            each(column, value, text);
        }
        Ok(())
    }
}

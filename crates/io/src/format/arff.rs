//! ARFF, the format of Weka: a header of attributes, then a record per line, dense or sparse.
//! The header is read in `header`, the fields of a record in `fields`.

mod fields;
mod header;

use super::dense;
use super::interface::{Format, ReadOptions};
use super::table::{Chunk, Column, Decoder, Hints, Note, Table, Wanted, customary_targets};
use super::text::{
    Cell, TextChunks, first_text, is_text, lines, refuse_zero_bytes, shortened, slots,
};
use super::values::{Batch, ColumnKind, RowNumbers, Values, is_missing};
use crate::error::Result;
use crate::source::Source;
use fields::Fields;
use header::{Attribute, Header, content};
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// The format.
pub(super) struct Arff;

/// About as many values as a chunk may become.
const CHUNK_VALUES: usize = 1 << 20;
/// Bytes of records that their mean length is taken of.
const SAMPLE: usize = 1 << 16;

impl Format for Arff {
    fn name(&self) -> &'static str {
        "arff"
    }

    fn description(&self) -> &'static str {
        "Weka's @relation, @attribute and @data"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["arff"]
    }

    fn is_mine(&self, head: &[u8]) -> bool {
        let mut lines = lines(first_text(head), 1).map(|(_, line)| content(line));
        let first = lines.find(|line| !line.is_empty());
        is_text(head) && first.is_some_and(|line| header::keyword(line, b"@relation").is_some())
    }

    fn open(&self, sources: &[Source], _: &ReadOptions) -> Result<Table> {
        let source = &sources[0];
        let path = source.path();
        let mut chunks = TextChunks::lines(source)?;
        let Header { attributes, line } = header::read(&mut chunks, path)?;
        chunks.limit_lines(CHUNK_VALUES / attributes.len());
        let sample = chunks.sample(SAMPLE)?;
        let records = lines(&sample, 1).filter(|(_, text)| !content(text).is_empty()).count();
        let record_bytes = sample.len().div_ceil(records.max(1)).max(1);
        let is_sparse = lines(&sample, 1).any(|(_, text)| content(text).starts_with(b"{"));
        // Of a compressed file the length is not known.
        let rows = match is_sparse && !source.is_compressed()? {
            true => source.length()? / record_bytes as u64,
            false => 0,
        };
        let note = dense::note(rows, attributes.len() as u64, &format!("about {rows}"));
        chunks.put_back(sample, line);
        let column = |attribute: &Attribute| Column {
            name: attribute.name.clone(),
            kind: if attribute.is_number { ColumnKind::Number } else { ColumnKind::Text },
        };
        let columns: Vec<Column> = attributes.iter().map(column).collect();
        Ok(Table {
            hints: Hints::default(),
            likely_targets: customary_targets(&columns),
            columns,
            named: true,
            sources: 1,
            record_bytes,
            chunks: Box::new(chunks),
            decoder: Box::new(ArffDecoder::new(path, attributes, note)),
        })
    }
}

struct ArffDecoder {
    path: PathBuf,
    attributes: Vec<Attribute>,
    /// The values that are declared for each attribute, if any are.
    declared: Vec<Option<HashSet<Vec<u8>>>>,
    notes: Vec<Note>,
}

impl Decoder for ArffDecoder {
    fn decode(&self, chunk: &mut Chunk, wanted: &[Wanted]) -> Result<Batch> {
        refuse_zero_bytes(&self.path, chunk)?;
        let slots = slots(wanted, self.attributes.len());
        let mut columns: Vec<Values> = wanted.iter().map(|w| Values::new(w.kind)).collect();
        let mut numbers = Vec::new();
        for (line, text) in lines(&chunk.bytes, chunk.first) {
            let text = content(text);
            if text.is_empty() {
                continue;
            }
            numbers.push((line - chunk.first) as u32);
            let mut push = |column: usize, value: &[u8]| match slots[column] {
                Some(slot) => {
                    self.check_declared(line, column, value)?;
                    self.cell(line, Some(column)).push(value, &mut columns[slot])
                }
                None => Ok(()),
            };
            match text.strip_prefix(b"{") {
                Some(pairs) => self.sparse(pairs, line, &mut push)?,
                None => self.dense(text, line, &mut push)?,
            }
        }
        Ok(Batch { rows: RowNumbers::Lines(chunk.first, numbers), columns })
    }

    fn notes(&self) -> &[Note] {
        &self.notes
    }
}

impl ArffDecoder {
    fn new(path: &Path, attributes: Vec<Attribute>, note: Option<Note>) -> ArffDecoder {
        let set = |values: &Vec<String>| values.iter().map(|v| v.clone().into_bytes()).collect();
        let declared = attributes.iter().map(|a| a.values.as_ref().map(set)).collect();
        let notes = note.into_iter().collect();
        ArffDecoder { path: path.to_owned(), attributes, declared, notes }
    }

    /// Refuses a value that its attribute was not declared to have.
    fn check_declared(&self, line: u64, column: usize, value: &[u8]) -> Result<()> {
        let Some(declared) = &self.declared[column] else { return Ok(()) };
        if declared.contains(value) || is_missing(value) {
            return Ok(());
        }
        let values = self.attributes[column].values.as_deref().unwrap_or_default().join(",");
        let expected = format!("one of the values declared, {{{}}}", shortened(&values));
        Err(self.cell(line, Some(column)).expected(&expected, value))
    }

    fn dense(
        &self,
        text: &[u8],
        line: u64,
        push: &mut impl FnMut(usize, &[u8]) -> Result<()>,
    ) -> Result<()> {
        let cell = self.cell(line, None);
        let expected = self.attributes.len();
        let mut fields = Fields::new(text);
        for column in 0..expected {
            match fields.next(b',').map_err(|reason| cell.error(reason.to_owned()))? {
                Some(value) => push(column, &value)?,
                None => {
                    let reason = format!("expected {expected} values, found {column}");
                    return Err(cell.error(reason));
                }
            }
        }
        match fields.is_at_end() {
            true => Ok(()),
            false => Err(cell.error(format!("expected {expected} values, found more"))),
        }
    }

    /// Pairs of index and value; what is not named is zero, or the first of an attribute's values.
    fn sparse(
        &self,
        text: &[u8],
        line: u64,
        push: &mut impl FnMut(usize, &[u8]) -> Result<()>,
    ) -> Result<()> {
        let cell = self.cell(line, None);
        let refuse = |reason: &str| cell.error(reason.to_owned());
        let text = text.strip_suffix(b"}");
        let text = text.ok_or_else(|| refuse("the record's { has no } at the end of the line"))?;
        let mut fields = Fields::new(text.trim_ascii());
        let mut next = 0;
        while !fields.is_at_end() {
            let index = fields.index().ok_or_else(|| refuse("expected an index and a value"))?;
            if index < next || index >= self.attributes.len() {
                return Err(
                    cell.error(format!("the index {index} does not ascend or is too great"))
                );
            }
            let value = fields.next(b',').map_err(refuse)?;
            let value = value.ok_or_else(|| refuse("expected a value after the index"))?;
            for column in next..index {
                push(column, self.attributes[column].default.as_bytes())?;
            }
            push(index, &value)?;
            next = index + 1;
        }
        for column in next..self.attributes.len() {
            push(column, self.attributes[column].default.as_bytes())?;
        }
        Ok(())
    }

    fn cell(&self, line: u64, column: Option<usize>) -> Cell<'_> {
        let column = column.map(|column| self.attributes[column].name.as_str());
        Cell { path: &self.path, line, column }
    }
}

//! Our own data sets as a source: the raw columns are recovered from the stored features, so that a data
//! set can be encoded again as another model wants it.

use super::{
    Batch, Chunk, Chunks, Column, ColumnKind, Decoder, Format, ReadOptions, RowNumbers, Table,
    Values, Wanted,
};
use crate::dataset::Dataset;
use crate::error::{Error, Place, Result};
use crate::frame::MAGIC;
use crate::schema::{Encoding, InputKind, Target};
use crate::source::Source;
use std::ops::Deref;
use std::sync::Arc;

/// The format.
pub(super) struct Grist;

/// Name of the column of row weights, which a data set does not store.
const WEIGHT: &str = "weight";

impl Format for Grist {
    fn name(&self) -> &'static str {
        "grist"
    }

    fn description(&self) -> &'static str {
        "gristmill's own data sets"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["grist"]
    }

    fn is_mine(&self, head: &[u8]) -> bool {
        head.starts_with(&MAGIC)
    }

    fn is_stream(&self) -> bool {
        false
    }

    fn open(&self, sources: &[Source], _: &ReadOptions) -> Result<Table> {
        let source = &sources[0];
        let dataset = Arc::new(Dataset::open(source.path())?);
        dataset.verify()?;
        let (columns, origins, likely_target) = raw_columns(&dataset);
        let record_bytes = dataset.features() * dataset.dtype().size();
        let chunks =
            GristChunks { source: source.clone(), rows: dataset.rows(), next: 0, record_bytes };
        Ok(Table {
            columns,
            named: true,
            likely_target,
            sources: 1,
            record_bytes,
            chunks: Box::new(chunks),
            decoder: Box::new(RawColumns { dataset, origins }),
        })
    }
}

/// Where the values of a column are found.
#[derive(Clone, Copy)]
enum Origin {
    Feature(usize),
    /// One feature per category, of which the first is given.
    OneHot {
        input: usize,
        first: usize,
    },
    Label,
    Target(usize),
    Weight,
}

/// The columns that a data set was made of: inputs, targets, weights.
fn raw_columns(dataset: &Dataset) -> (Vec<Column>, Vec<Origin>, Option<usize>) {
    let (mut columns, mut origins) = (Vec::new(), Vec::new());
    let mut add = |name: &str, kind, origin| {
        columns.push(Column { name: name.to_owned(), kind });
        origins.push(origin);
    };
    let encoding = dataset.encoding();
    let mut first = 0;
    for (index, input) in encoding.inputs.iter().enumerate() {
        match input.kind {
            InputKind::Number { .. } => {
                add(&input.name, ColumnKind::Number, Origin::Feature(first));
            }
            InputKind::OneHot { .. } => {
                add(&input.name, ColumnKind::Text, Origin::OneHot { input: index, first });
            }
        }
        first += input.features();
    }
    let target = encoding.inputs.len();
    let likely_target = match &encoding.target {
        Target::Classes { column, .. } => {
            add(column, ColumnKind::Text, Origin::Label);
            Some(target)
        }
        Target::Numbers { columns } => {
            for (index, column) in columns.iter().enumerate() {
                add(column, ColumnKind::Number, Origin::Target(index));
            }
            (columns.len() == 1).then_some(target)
        }
        Target::None => None,
    };
    if dataset.has_weights() {
        add(&weight_name(encoding), ColumnKind::Number, Origin::Weight);
    }
    (columns, origins, likely_target)
}

/// A name for the column of weights that no other column has.
fn weight_name(encoding: &Encoding) -> String {
    let targets = match &encoding.target {
        Target::Classes { column, .. } => std::slice::from_ref(column),
        Target::Numbers { columns } => columns,
        Target::None => &[],
    };
    let is_taken =
        |name: &String| targets.contains(name) || encoding.inputs.iter().any(|i| i.name == *name);
    let mut name = WEIGHT.to_owned();
    while is_taken(&name) {
        name.push('_');
    }
    name
}

struct GristChunks {
    source: Source,
    rows: u64,
    next: u64,
    record_bytes: usize,
}

impl Chunks for GristChunks {
    fn next_chunk(&mut self, bytes: usize) -> Result<Option<Chunk>> {
        let left = self.rows - self.next;
        if left == 0 {
            return Ok(None);
        }
        let rows = ((bytes / self.record_bytes).max(1) as u64).min(left);
        let first = self.next + 1;
        self.next += rows;
        self.source.count(rows * self.record_bytes as u64);
        Ok(Some(Chunk::records(Vec::new(), first, rows as usize)))
    }
}

/// The raw columns of a data set.
pub(crate) struct RawColumns<D> {
    dataset: D,
    origins: Vec<Origin>,
}

impl<'d> RawColumns<&'d Dataset> {
    /// The columns of a data set, inputs first, then targets, then weights.
    pub(crate) fn of(dataset: &'d Dataset) -> (Vec<Column>, RawColumns<&'d Dataset>) {
        let (columns, origins, _) = raw_columns(dataset);
        (columns, RawColumns { dataset, origins })
    }
}

impl<D: Deref<Target = Dataset>> RawColumns<D> {
    fn number(&self, origin: Origin, row: u64, targets: &mut [f32]) -> f32 {
        let dataset = &*self.dataset;
        match origin {
            Origin::Feature(feature) | Origin::OneHot { first: feature, .. } => {
                let size = dataset.dtype().size();
                let mut value = [0.0];
                dataset.dtype().decode(&dataset.row(row)[feature * size..][..size], &mut value);
                value[0]
            }
            Origin::Label => dataset.label(row) as f32,
            Origin::Target(index) => {
                dataset.targets(row, targets);
                targets[index]
            }
            Origin::Weight => dataset.weight(row),
        }
    }

    /// The text of a category or class; `None` where the row has none, which only damage explains.
    fn name(&self, origin: Origin, row: u64) -> Option<&str> {
        let encoding = self.dataset.encoding();
        match origin {
            Origin::OneHot { input, first } => {
                let InputKind::OneHot { categories } = &encoding.inputs[input].kind else {
                    return None;
                };
                let is_set =
                    |c: &usize| self.number(Origin::Feature(first + c), row, &mut []) != 0.0;
                (0..categories.len()).find(is_set).map(|c| categories[c].as_str())
            }
            Origin::Label => match &encoding.target {
                Target::Classes { names, .. } => {
                    names.get(self.dataset.label(row) as usize).map(String::as_str)
                }
                _ => None,
            },
            _ => None,
        }
    }
}

impl<D: Deref<Target = Dataset> + Send + Sync> Decoder for RawColumns<D> {
    fn decode(&self, chunk: Chunk, wanted: &[Wanted]) -> Result<Batch> {
        let first = chunk.first - 1;
        let rows = RowNumbers::Rows(chunk.first, chunk.rows);
        let mut columns = Vec::with_capacity(wanted.len());
        let mut targets = vec![0.0; self.dataset.target_statistics().len()];
        for wanted in wanted {
            let origin = self.origins[wanted.column];
            let mut values = Values::new(wanted.kind);
            for index in 0..chunk.rows {
                let row = first + index as u64;
                let named = matches!(origin, Origin::OneHot { .. } | Origin::Label);
                match &mut values {
                    Values::Texts(texts) if named => {
                        let name = self.name(origin, row);
                        texts.push(name.ok_or_else(|| self.no_category(&rows, index))?);
                    }
                    Values::Texts(texts) => {
                        texts.push(&self.number(origin, row, &mut targets).to_string())
                    }
                    Values::Numbers(numbers) if named => {
                        let name = self.name(origin, row).unwrap_or_default();
                        let number = name.parse::<f32>().ok().filter(|n| n.is_finite());
                        numbers.push(number.ok_or_else(|| {
                            let reason = format!("expected a number, found \"{name}\"");
                            Error::input(
                                self.dataset.path(),
                                Place::row(rows.number(index)),
                                reason,
                            )
                        })?);
                    }
                    Values::Numbers(numbers) => {
                        numbers.push(self.number(origin, row, &mut targets))
                    }
                }
            }
            columns.push(values);
        }
        Ok(Batch { rows, columns })
    }
}

impl<D: Deref<Target = Dataset>> RawColumns<D> {
    fn no_category(&self, rows: &RowNumbers, index: usize) -> Error {
        let place = Place::row(rows.number(index));
        Error::input(self.dataset.path(), place, "has no category: import the data set again")
    }
}

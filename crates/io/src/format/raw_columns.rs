//! The columns that a data set was made of, recovered from its stored features.

use super::table::{Chunk, Column, Decoder, Wanted};
use super::values::{Batch, ColumnKind, RowNumbers, Values};
use crate::dataset::Dataset;
use crate::error::{Error, Place, Result};
use crate::schema::{Encoding, InputKind, Target, Vocabulary};
use std::ops::Deref;

/// Name of the column of row weights, which a data set does not store.
const WEIGHT: &str = "weight";

/// Where the values of a column are found.
#[derive(Clone, Copy)]
enum Origin {
    Feature(usize),
    /// One feature per category, of which the first is given.
    OneHot {
        input: usize,
        first: usize,
    },
    /// The index of a name.
    Index {
        input: usize,
        feature: usize,
    },
    /// A number from 0 to below `count`; `count` stands for one that is not known.
    Code {
        feature: usize,
        count: u32,
    },
    Label,
    Target(usize),
    Weight,
}

/// The columns that a data set was made of: inputs, targets, weights. A target that is an input too is one column.
fn raw_columns(dataset: &Dataset) -> (Vec<Column>, Vec<Origin>) {
    let (mut columns, mut origins) = (Vec::new(), Vec::new());
    let mut add = |name: &str, kind, origin| {
        columns.push(Column { name: name.to_owned(), kind });
        origins.push(origin);
    };
    let encoding = dataset.encoding();
    let mut first = 0;
    let kept = encoding.kept_targets();
    for (index, input) in encoding.inputs.iter().enumerate() {
        match &input.kind {
            _ if kept.contains(&input.name.as_str()) => {}
            InputKind::Number { .. } => {
                add(&input.name, ColumnKind::Number, Origin::Feature(first));
            }
            InputKind::OneHot { .. } => {
                add(&input.name, ColumnKind::Text, Origin::OneHot { input: index, first });
            }
            InputKind::Index { vocabulary: Vocabulary::Names(_) } => {
                add(&input.name, ColumnKind::Text, Origin::Index { input: index, feature: first });
            }
            InputKind::Index { vocabulary: Vocabulary::Codes(count) } => {
                let origin = Origin::Code { feature: first, count: *count };
                add(&input.name, ColumnKind::Number, origin);
            }
            // The words are lost, so their buckets are given.
            InputKind::Text(words) => (0..words.length as usize).for_each(|place| {
                let name = format!("{}[{place}]", input.name);
                add(&name, ColumnKind::Number, Origin::Feature(first + place));
            }),
        }
        first += input.features();
    }
    match &encoding.target {
        Target::Classes { column, .. } => add(column, ColumnKind::Text, Origin::Label),
        Target::Numbers { columns } => {
            for (index, column) in columns.iter().enumerate() {
                add(column, ColumnKind::Number, Origin::Target(index));
            }
        }
        Target::None => {}
    }
    if dataset.has_weights() {
        add(&weight_name(encoding), ColumnKind::Number, Origin::Weight);
    }
    (columns, origins)
}

impl Dataset {
    /// What the column of the rows' weights is called where the data set is read as a table, if it has weights.
    pub fn weight_column(&self) -> Option<String> {
        self.has_weights().then(|| weight_name(self.encoding()))
    }
}

/// A name for the column of weights that no other column has.
fn weight_name(encoding: &Encoding) -> String {
    let targets = encoding.target.columns();
    let is_taken =
        |name: &String| targets.contains(name) || encoding.inputs.iter().any(|i| i.name == *name);
    let mut name = WEIGHT.to_owned();
    while is_taken(&name) {
        name.push('_');
    }
    name
}

/// The raw columns of a data set.
pub(crate) struct RawColumns<D> {
    dataset: D,
    origins: Vec<Origin>,
}

impl<D: Deref<Target = Dataset>> RawColumns<D> {
    /// The columns of a data set: inputs first, then targets, then weights.
    pub(crate) fn of(dataset: D) -> (Vec<Column>, RawColumns<D>) {
        let (columns, origins) = raw_columns(&dataset);
        (columns, RawColumns { dataset, origins })
    }
}

impl<D: Deref<Target = Dataset>> RawColumns<D> {
    fn number(&self, origin: Origin, row: u64, targets: &mut [f32]) -> f32 {
        let dataset = &*self.dataset;
        match origin {
            Origin::Code { feature, count } => {
                let code = self.number(Origin::Feature(feature), row, targets);
                if code < count as f32 { code } else { f32::NAN }
            }
            Origin::Feature(feature)
            | Origin::OneHot { first: feature, .. }
            | Origin::Index { feature, .. } => {
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
            Origin::Index { input, feature } => {
                let InputKind::Index { vocabulary: Vocabulary::Names(names) } =
                    &encoding.inputs[input].kind
                else {
                    return None;
                };
                let index = self.number(Origin::Feature(feature), row, &mut []) as usize;
                // What is not known has the index after the last.
                if index == names.len() { Some("") } else { names.get(index).map(String::as_str) }
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
    fn decode(&self, chunk: &mut Chunk, wanted: &[Wanted]) -> Result<Batch> {
        let first = chunk.first - 1;
        let rows = RowNumbers::Rows(chunk.first, chunk.rows);
        let mut columns = Vec::with_capacity(wanted.len());
        let mut targets = vec![0.0; self.dataset.target_statistics().len()];
        for wanted in wanted {
            let origin = self.origins[wanted.column];
            let mut values = Values::new(wanted.kind);
            for index in 0..chunk.rows {
                let row = first + index as u64;
                let named =
                    matches!(origin, Origin::OneHot { .. } | Origin::Index { .. } | Origin::Label);
                match &mut values {
                    Values::Texts(texts) if named => {
                        let name = self.name(origin, row).or(self.of_no_weight(row));
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
    /// The text of a row that may have no category: it has no weight.
    fn of_no_weight(&self, row: u64) -> Option<&'static str> {
        (self.dataset.has_weights() && self.dataset.weight(row) == 0.0).then_some("")
    }

    fn no_category(&self, rows: &RowNumbers, index: usize) -> Error {
        let place = Place::row(rows.number(index));
        Error::input(self.dataset.path(), place, "has no category: import the data set again")
    }
}

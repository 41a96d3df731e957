//! Turning batches of raw columns into rows of features and targets, by a known encoding.

use super::columns;
use super::label::plain_number;
use super::learn::Learned;
use super::vocabulary::Categories;
use crate::error::{Error, Place, Result};
use crate::format::table::{Table, Wanted};
use crate::format::values::{Batch, ColumnKind, Texts, Values, is_missing};
use crate::model::View;
use crate::schema::{Encoding, InputColumn, InputKind, Target, Words};
use crate::words::Text;
use crate::writer::RowBatch;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Encodes the rows of one table.
pub(super) struct Encoder<'a> {
    path: PathBuf,
    names: Vec<String>,
    /// Each column once.
    wanted: Vec<Wanted>,
    /// Where it is among those wanted, by its position in the table.
    by_column: HashMap<usize, usize>,
    /// Of each use the place of its column among those wanted.
    slots: Vec<usize>,
    uses: Vec<Use<'a>>,
    features: usize,
    targets: usize,
    encoding: &'a Encoding,
}

/// What becomes of a column wanted.
enum Use<'a> {
    /// The feature at this position; whether it may be missing.
    Number {
        feature: usize,
        may_be_missing: bool,
    },
    /// The features from this position on.
    OneHot {
        feature: usize,
        categories: HashMap<String, usize>,
        /// Whether they are those of the target, where a number is known however it is spelled.
        are_classes: bool,
    },
    /// The index of the category at this feature position.
    Index {
        feature: usize,
        index: Categories<'a>,
    },
    /// The buckets of words, from this feature on.
    Text {
        feature: usize,
        words: Words,
    },
    Label {
        classes: HashMap<String, u32>,
    },
    Target {
        index: usize,
    },
    Weight,
}

impl<'a> Encoder<'a> {
    /// Finds the columns that were learned in a table. If the encoding was guessed, codes are refused in inputs of numbers
    /// but those that `guessed` lists.
    pub(super) fn new(
        table: &Table,
        path: &Path,
        learned: &'a Learned,
        guessed: Option<&[String]>,
    ) -> Result<Encoder<'a>> {
        let Learned { encoding, kept, weights } = learned;
        let (inputs, targets) = columns::find(table, path, encoding)?;
        let mut encoder = Encoder {
            path: path.to_owned(),
            names: Vec::new(),
            wanted: Vec::new(),
            by_column: HashMap::new(),
            slots: Vec::new(),
            uses: Vec::new(),
            features: encoding.features(),
            targets: 0,
            encoding,
        };
        let is_guess =
            |name: &str| guessed.is_some_and(|numbers| !numbers.iter().any(|n| n == name));
        let series = table.hints.series();
        let mut feature = 0;
        for (input, column) in encoding.inputs.iter().zip(inputs) {
            let is_kept = kept.contains(&input.name);
            let (kind, what) = match &input.kind {
                InputKind::Number { fill } => {
                    let may_be_missing = fill.is_some() || series.contains(&column);
                    (ColumnKind::Number, Use::Number { feature, may_be_missing })
                }
                InputKind::OneHot { categories } => {
                    let categories = categories.iter().cloned().zip(0..).collect();
                    let are_classes = is_kept;
                    (ColumnKind::Text, Use::OneHot { feature, categories, are_classes })
                }
                InputKind::Index { vocabulary } => {
                    let index = Categories::of(vocabulary);
                    (ColumnKind::Text, Use::Index { feature, index })
                }
                InputKind::Text(words) => (ColumnKind::Text, Use::Text { feature, words: *words }),
            };
            let refuses_codes = kind == ColumnKind::Number && !is_kept && is_guess(&input.name);
            encoder.add(Wanted { column, kind, refuses_codes }, &input.name, what)?;
            feature += input.features();
        }
        for (index, column) in targets.into_iter().enumerate() {
            let name = &encoding.target.columns()[index];
            let (kind, what) = match &encoding.target {
                Target::Classes { names, .. } => {
                    let classes = names.iter().cloned().zip(0..).collect();
                    (ColumnKind::Text, Use::Label { classes })
                }
                Target::Numbers { .. } | Target::None => {
                    (ColumnKind::Number, Use::Target { index })
                }
            };
            encoder.add(Wanted::new(column, kind), name, what)?;
        }
        if let Some(name) = weights {
            let column = columns::Names::of(table, path).required(name)?;
            encoder.add(Wanted::new(column, ColumnKind::Number), name, Use::Weight)?;
        }
        if let Target::Numbers { columns } = &encoding.target {
            encoder.targets = columns.len();
        }
        Ok(encoder)
    }

    /// Adds a use of a column, which is decoded once however often it is used.
    fn add(&mut self, wanted: Wanted, name: &str, what: Use<'a>) -> Result<()> {
        let found = self.by_column.get(&wanted.column).copied();
        let slot = found.unwrap_or(self.wanted.len());
        match self.wanted.get(slot) {
            None => self.wanted.push(wanted),
            Some(other) if other.kind == wanted.kind => {}
            Some(_) => {
                let reason = "is wanted both as numbers and as texts";
                return Err(Error::input(&self.path, Place::column(name), reason));
            }
        }
        self.by_column.insert(wanted.column, slot);
        self.slots.push(slot);
        self.names.push(name.to_owned());
        self.uses.push(what);
        Ok(())
    }

    /// How the features of a row of the table are arranged: the words of a text as a series, else as the table says if all of
    /// what it is about become features, and nothing else.
    pub(super) fn view(&self, table: &Table) -> Option<View> {
        if let [InputColumn { kind: InputKind::Text(words), .. }] = &self.encoding.inputs[..] {
            return Some(View { height: 1, width: words.length as usize, channels: 1 });
        }
        let (columns, view) = table.hints.view.clone()?;
        let inputs = self.slots.iter().map(|&slot| self.wanted[slot].column);
        let are_inputs = inputs.take(self.encoding.inputs.len()).eq(columns);
        (are_inputs && view.units() == self.features).then_some(view)
    }

    /// The columns to decode.
    pub(super) fn wanted(&self) -> &[Wanted] {
        &self.wanted
    }

    /// The uses of columns of a batch, with their values.
    fn used<'b>(
        &'b self,
        batch: &'b Batch,
    ) -> impl DoubleEndedIterator<Item = (&'b Use<'a>, &'b Values)> {
        self.uses.iter().zip(&self.slots).map(|(what, &slot)| (what, &batch.columns[slot]))
    }

    /// The names, positions in the table and values of the columns of a batch that are features or targets of numbers.
    pub(super) fn numbers<'b>(
        &'b self,
        batch: &'b Batch,
    ) -> impl Iterator<Item = (&'b str, usize, &'b [f32])> {
        let columns = self.used(batch).zip(&self.slots).zip(&self.names);
        columns.filter_map(|(((what, values), &slot), name)| match (what, values) {
            (Use::Number { .. } | Use::Target { .. }, Values::Numbers(numbers)) => {
                Some((name.as_str(), self.wanted[slot].column, &numbers[..]))
            }
            _ => None,
        })
    }

    /// Encodes a batch of the columns wanted. Beside the rows it gives how many values of each input are of no category
    /// known, where they may be such.
    pub(super) fn encode(&self, batch: &Batch) -> Result<(RowBatch, Vec<u64>)> {
        let count = batch.rows.len();
        // They stand last.
        let weights = match self.used(batch).next_back() {
            Some((Use::Weight, Values::Numbers(weights))) => &weights[..],
            _ => &[],
        };
        let mut rows = RowBatch {
            features: vec![0.0; count * self.features],
            targets: vec![0.0; count * self.targets],
            ..RowBatch::default()
        };
        let mut unknown = vec![0; self.encoding.inputs.len()];
        for (column, (what, values)) in self.used(batch).enumerate() {
            let refuse = |row: usize, reason: String| {
                let place = Place::cell(batch.rows.number(row), &self.names[column]);
                Error::input(&self.path, place, reason)
            };
            match (what, values) {
                (Use::Number { feature, may_be_missing }, Values::Numbers(numbers)) => {
                    if !may_be_missing {
                        let hint = "the value is missing: --missing mean at import fills in the column's mean";
                        no_missing(numbers).map_err(|row| refuse(row, hint.to_owned()))?;
                    }
                    scatter(numbers, &mut rows.features, *feature, self.features);
                }
                (Use::OneHot { feature, categories, are_classes }, Values::Texts(texts)) => {
                    for (row, text) in texts.iter().enumerate() {
                        let key = if is_missing(text.as_bytes()) { "" } else { text };
                        let class = || categories.get(&plain_number(key).filter(|_| *are_classes)?);
                        match categories.get(key).or_else(class) {
                            Some(category) => {
                                rows.features[row * self.features + feature + category] = 1.0;
                            }
                            // Nothing is learned from a row of no weight, so it may have no category.
                            None if weights.get(row) == Some(&0.0) => {}
                            None => {
                                let known = self.categories(column);
                                return Err(refuse(row, no_such("category", text, known)));
                            }
                        }
                    }
                }
                (Use::Text { feature, words }, Values::Texts(texts)) => {
                    let rows = rows.features.chunks_exact_mut(self.features);
                    for (row, text) in rows.zip(texts.iter()) {
                        let row = &mut row[*feature..][..words.length as usize];
                        row.fill(words.buckets as f32);
                        let text = if is_missing(text.as_bytes()) { "" } else { text };
                        for (to, bucket) in row.iter_mut().zip(Text::of(text).buckets(*words)) {
                            *to = bucket as f32;
                        }
                    }
                }
                (Use::Index { feature, index }, Values::Texts(texts)) => {
                    for (row, text) in texts.iter().enumerate() {
                        let found = index.index(text);
                        // Nothing is learned from a row of no weight, so what it has does not matter.
                        if found.is_none() && weights.get(row) != Some(&0.0) {
                            unknown[column] += 1;
                        }
                        let found = found.unwrap_or(index.unknown());
                        rows.features[row * self.features + feature] = found as f32;
                    }
                }
                (Use::Label { classes }, Values::Texts(texts)) => {
                    rows.labels = self.labels(texts, classes, refuse)?;
                }
                (Use::Target { index }, Values::Numbers(numbers)) => {
                    no_missing(numbers).map_err(|row| {
                        refuse(row, "the target is missing: remove the row".to_owned())
                    })?;
                    scatter(numbers, &mut rows.targets, *index, self.targets);
                }
                (Use::Weight, Values::Numbers(numbers)) => {
                    if let Some(row) = numbers.iter().position(|w| w.is_nan() || *w < 0.0) {
                        let reason = "expected a weight, a number that is not negative".to_owned();
                        return Err(refuse(row, reason));
                    }
                    rows.weights.clone_from(numbers);
                }
                _ => unreachable!("decoders give the kind that is wanted"),
            }
        }
        Ok((rows, unknown))
    }

    fn labels(
        &self,
        texts: &Texts,
        classes: &HashMap<String, u32>,
        refuse: impl Fn(usize, String) -> Error,
    ) -> Result<Vec<u32>> {
        let label = |(row, text): (usize, &str)| {
            let class = || classes.get(text).or_else(|| classes.get(&plain_number(text)?));
            class().copied().ok_or_else(|| {
                let reason = match &self.encoding.target {
                    _ if is_missing(text.as_bytes()) => {
                        "the target is missing: remove the row".into()
                    }
                    Target::Classes { names, .. } => no_such("class", text, names),
                    Target::Numbers { .. } | Target::None => no_such("class", text, &[]),
                };
                refuse(row, reason)
            })
        };
        texts.iter().enumerate().map(label).collect()
    }

    fn categories(&self, column: usize) -> &[String] {
        match self.encoding.inputs.get(column).map(|input| &input.kind) {
            Some(InputKind::OneHot { categories }) => categories,
            _ => &[],
        }
    }
}

fn no_missing(numbers: &[f32]) -> std::result::Result<(), usize> {
    numbers.iter().position(|number| number.is_nan()).map_or(Ok(()), Err)
}

/// Writes a column into row-major values.
fn scatter(column: &[f32], rows: &mut [f32], at: usize, width: usize) {
    for (row, value) in rows.chunks_exact_mut(width).zip(column) {
        row[at] = *value;
    }
}

fn no_such(what: &str, text: &str, known: &[String]) -> String {
    const SHOWN: usize = 20;
    let shown: Vec<String> = known.iter().take(SHOWN).map(|name| format!("\"{name}\"")).collect();
    let more = if known.len() > SHOWN { ", ..." } else { "" };
    let shown = shown.join(", ");
    format!("\"{text}\" is no {what} known; known are {shown}{more}")
}

//! Where training rows come from: a mapped data set, or a table in memory.

use crate::data::augment::Augmentation;
use crate::layer::View;
use gristmill_io::schema::{Encoding, IndexColumns, InputColumn, InputKind, Statistics, Target};
use gristmill_io::{Advice, Dataset, Dtype};
use gristmill_kernels::Element;
use std::fmt;
use std::ops::Range;

/// Rows of features with what is to be predicted from them.
pub trait Samples: Sync {
    /// Number of rows.
    fn rows(&self) -> u64;
    /// How a feature is stored.
    fn element(&self) -> Element;
    /// The features of a row as little-endian bytes.
    fn row(&self, row: u64) -> &[u8];
    /// The class of a row whose target is a class.
    fn label(&self, row: u64) -> u32;
    /// Copies the numeric targets of a row whose target is numbers.
    fn targets(&self, row: u64, out: &mut [f32]);
    /// The weight of a row, 1 unless given.
    fn weight(&self, row: u64) -> f32;
    /// Whether rows may have other weights than 1.
    fn has_weights(&self) -> bool {
        true
    }
    /// What features and target mean.
    fn encoding(&self) -> &Encoding;
    /// Of each feature as stored.
    fn statistics(&self) -> &[Statistics];
    /// Of each numeric target.
    fn target_statistics(&self) -> &[Statistics];
    /// Differs between data of different content.
    fn fingerprint(&self) -> u64;

    /// How the features of a row are arranged, if the data say so.
    fn view(&self) -> Option<View> {
        None
    }

    /// Features of a row. It has more than [`encoding`](Self::encoding) says where it is a window of a series, whose
    /// encoding is that of each of its rows.
    fn features(&self) -> usize {
        self.encoding().features()
    }
    /// The features that are indices of categories or words.
    fn index_columns(&self) -> Vec<IndexColumns> {
        self.encoding().index_columns()
    }
    /// Where a feature of a row stands in the data: in which row, and as which feature of that.
    fn cell(&self, row: u64, feature: usize) -> (u64, usize) {
        (row, feature)
    }
    /// In which row of the data the target of a row stands.
    fn target_row(&self, row: u64) -> u64 {
        row
    }
    /// Whether rows are series that may end before their last step. What lies beyond is not a number.
    fn is_ragged(&self) -> bool {
        false
    }
    /// The features of consecutive rows, one row after the other; `None` if they do not lie so.
    fn consecutive(&self, _rows: Range<u64>) -> Option<&[u8]> {
        None
    }
    /// Rows beyond a row itself that it is made of.
    fn overlap(&self) -> u64 {
        0
    }
    /// The features of a row as numbers.
    fn decode(&self, row: u64, out: &mut [f32]) {
        let dtype = match self.element() {
            Element::U8 => Dtype::U8,
            Element::F16 => Dtype::F16,
            Element::F32 => Dtype::F32,
        };
        dtype.decode(self.row(row), out);
    }
    /// How rows are changed each time they are learned from, if they are.
    fn augmentation(&self) -> Option<&Augmentation> {
        None
    }

    /// What errors call it.
    fn name(&self) -> String {
        "the data".to_owned()
    }

    /// Bytes of a row's features.
    fn row_bytes(&self) -> u64 {
        (self.features() * self.element().size()) as u64
    }

    /// Whether rows come from a file and may have to be waited for.
    fn is_paged(&self) -> bool {
        false
    }
    /// Reads rows into memory.
    ///
    /// # Errors
    /// The file cannot be read, or is no longer as long as it was.
    fn populate(&self, _rows: Range<u64>) -> Result<(), gristmill_io::Error> {
        Ok(())
    }
    /// Tells the system what is going to happen to rows: this changes how long things take, and nothing
    /// else.
    fn advise(&self, _rows: Range<u64>, _advice: Advice) {}
    /// Makes sure that the file is the one that was opened.
    ///
    /// # Errors
    /// It was replaced, truncated or written to.
    fn check_unchanged(&self) -> Result<(), gristmill_io::Error> {
        Ok(())
    }
}

impl Samples for Dataset {
    fn has_weights(&self) -> bool {
        Dataset::has_weights(self)
    }
    fn rows(&self) -> u64 {
        Dataset::rows(self)
    }
    fn element(&self) -> Element {
        match self.dtype() {
            Dtype::U8 => Element::U8,
            Dtype::F16 => Element::F16,
            Dtype::F32 => Element::F32,
        }
    }
    #[inline]
    fn row(&self, row: u64) -> &[u8] {
        Dataset::row(self, row)
    }
    #[inline]
    fn consecutive(&self, rows: Range<u64>) -> Option<&[u8]> {
        Some(Dataset::consecutive(self, rows))
    }
    #[inline]
    fn label(&self, row: u64) -> u32 {
        Dataset::label(self, row)
    }
    #[inline]
    fn targets(&self, row: u64, out: &mut [f32]) {
        Dataset::targets(self, row, out);
    }
    #[inline]
    fn weight(&self, row: u64) -> f32 {
        Dataset::weight(self, row)
    }
    fn encoding(&self) -> &Encoding {
        Dataset::encoding(self)
    }
    fn statistics(&self) -> &[Statistics] {
        Dataset::statistics(self)
    }
    fn target_statistics(&self) -> &[Statistics] {
        Dataset::target_statistics(self)
    }
    fn fingerprint(&self) -> u64 {
        Dataset::fingerprint(self)
    }
    fn view(&self) -> Option<View> {
        let gristmill_io::model::View { height, width, channels } = Dataset::view(self)?;
        Some(View { height, width, channels })
    }
    fn is_ragged(&self) -> bool {
        Dataset::is_ragged(self)
    }
    fn name(&self) -> String {
        self.path().display().to_string()
    }
    fn is_paged(&self) -> bool {
        true
    }
    fn populate(&self, rows: Range<u64>) -> Result<(), gristmill_io::Error> {
        Dataset::populate(self, rows)
    }
    fn advise(&self, rows: Range<u64>, advice: Advice) {
        // Advice that is refused costs time or memory, nothing else.
        let _ = Dataset::advise(self, rows, advice);
    }
    fn check_unchanged(&self) -> Result<(), gristmill_io::Error> {
        Dataset::check_unchanged(self)
    }
}

/// A data set in memory, for those who have arrays rather than files.
#[derive(Debug, Clone)]
pub struct Table {
    features: Vec<u8>,
    row_bytes: usize,
    rows: u64,
    answers: Answers,
    encoding: Encoding,
    statistics: Vec<Statistics>,
    target_statistics: Vec<Statistics>,
    /// Of series of unequal length.
    view: Option<View>,
}

#[derive(Debug, Clone)]
enum Answers {
    Labels(Vec<u32>),
    Numbers { width: usize, values: Vec<f32> },
}

/// Arrays that make no table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableError(String);

impl fmt::Display for TableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for TableError {}

impl Table {
    /// A table of classes: `features` holds the rows one after the other (rows x width), `labels` the
    /// class of each as an index into `names`.
    ///
    /// # Errors
    /// The lengths do not fit, a feature is not finite, or a label has no name.
    pub fn of_classes(
        features: &[f32],
        labels: Vec<u32>,
        names: Vec<String>,
    ) -> Result<Table, TableError> {
        if let Some(label) = labels.iter().find(|&&label| label as usize >= names.len()) {
            return Err(TableError(format!("label {label}, but {} class names", names.len())));
        }
        let target = Target::Classes { column: "class".to_owned(), names };
        let rows = labels.len();
        Table::new(features, rows, Answers::Labels(labels), target, Vec::new())
    }

    /// A table of numbers to predict: `features` holds the rows one after the other (rows x width),
    /// `targets` likewise (rows x `columns`).
    ///
    /// # Errors
    /// The lengths do not fit, or a number is not finite.
    pub fn of_numbers(
        features: &[f32],
        targets: Vec<f32>,
        columns: usize,
    ) -> Result<Table, TableError> {
        if columns == 0 || !targets.len().is_multiple_of(columns) {
            return Err(TableError(format!("{} targets in rows of {columns}", targets.len())));
        }
        let rows = targets.len() / columns;
        let statistics = column_statistics(&targets, columns)?;
        let names = (0..columns).map(|i| format!("y{i}")).collect();
        let answers = Answers::Numbers { width: columns, values: targets };
        Table::new(features, rows, answers, Target::Numbers { columns: names }, statistics)
    }

    fn new(
        features: &[f32],
        rows: usize,
        answers: Answers,
        target: Target,
        target_statistics: Vec<Statistics>,
    ) -> Result<Table, TableError> {
        if rows == 0 || features.is_empty() || !features.len().is_multiple_of(rows) {
            return Err(TableError(format!("{} features for {rows} rows", features.len())));
        }
        let width = features.len() / rows;
        let column =
            |i| InputColumn { name: format!("x{i}"), kind: InputKind::Number { fill: None } };
        Ok(Table {
            features: features.iter().flat_map(|x| x.to_le_bytes()).collect(),
            row_bytes: 4 * width,
            rows: rows as u64,
            answers,
            encoding: Encoding { inputs: (0..width).map(column).collect(), target },
            statistics: column_statistics(features, width)?,
            target_statistics,
            view: None,
        })
    }

    /// The same rows as series, row `i` of `lengths[i]` steps, in room for `steps`.
    ///
    /// # Errors
    /// There is not a length for each row, one is 0 or more than `steps`, or rows are no steps of equal width.
    pub fn with_lengths(mut self, steps: usize, lengths: &[usize]) -> Result<Table, TableError> {
        let width = self.row_bytes / 4;
        if lengths.len() as u64 != self.rows || steps == 0 || !width.is_multiple_of(steps) {
            let (rows, lengths) = (self.rows, lengths.len());
            return Err(TableError(format!(
                "{lengths} lengths of at most {steps} steps for {rows} rows of {width} features"
            )));
        }
        let channels = width / steps;
        for (row, &length) in self.features.chunks_exact_mut(self.row_bytes).zip(lengths) {
            if !(1..=steps).contains(&length) {
                return Err(TableError(format!(
                    "a series of {length} steps; expected 1 to {steps}"
                )));
            }
            let beyond = row[4 * length * channels..].as_chunks_mut().0;
            beyond.iter_mut().for_each(|value| *value = f32::NAN.to_le_bytes());
        }
        let mut values = vec![0.0; self.rows as usize * width];
        Dtype::F32.decode(&self.features, &mut values);
        self.statistics = moments(&values, width);
        self.view = Some(View { height: 1, width: steps, channels });
        Ok(self)
    }
}

fn column_statistics(values: &[f32], width: usize) -> Result<Vec<Statistics>, TableError> {
    if let Some(at) = values.iter().position(|x| !x.is_finite()) {
        let (row, column) = (at / width, at % width);
        return Err(TableError(format!("row {row}, column {column} is {}", values[at])));
    }
    Ok(moments(values, width))
}

/// Of the values that are numbers.
fn moments(values: &[f32], width: usize) -> Vec<Statistics> {
    let column = |i: usize| values[i..].iter().step_by(width).copied().filter(|x| !x.is_nan());
    (0..width)
        .map(|i| {
            let rows = column(i).count().max(1) as f64;
            let mean = column(i).map(f64::from).sum::<f64>() / rows;
            let squares = column(i).map(|x| (f64::from(x) - mean).powi(2)).sum::<f64>();
            Statistics {
                mean,
                deviation: (squares / rows).sqrt(),
                min: column(i).reduce(f32::min).unwrap_or(0.0),
                max: column(i).reduce(f32::max).unwrap_or(0.0),
                missing: (values.len() / width - column(i).count()) as u64,
            }
        })
        .collect()
}

impl Samples for Table {
    fn rows(&self) -> u64 {
        self.rows
    }
    fn element(&self) -> Element {
        Element::F32
    }
    #[inline]
    fn row(&self, row: u64) -> &[u8] {
        &self.features[row as usize * self.row_bytes..][..self.row_bytes]
    }
    #[inline]
    fn consecutive(&self, rows: Range<u64>) -> Option<&[u8]> {
        let [start, end] = [rows.start, rows.end].map(|row| row as usize * self.row_bytes);
        Some(&self.features[start..end])
    }
    #[inline]
    fn label(&self, row: u64) -> u32 {
        match &self.answers {
            Answers::Labels(labels) => labels[row as usize],
            Answers::Numbers { .. } => 0,
        }
    }
    #[inline]
    fn targets(&self, row: u64, out: &mut [f32]) {
        if let Answers::Numbers { width, values } = &self.answers {
            out.copy_from_slice(&values[row as usize * width..][..*width]);
        }
    }
    #[inline]
    fn weight(&self, _row: u64) -> f32 {
        1.0
    }
    fn encoding(&self) -> &Encoding {
        &self.encoding
    }
    fn statistics(&self) -> &[Statistics] {
        &self.statistics
    }
    fn target_statistics(&self) -> &[Statistics] {
        &self.target_statistics
    }
    fn view(&self) -> Option<View> {
        self.view
    }
    fn is_ragged(&self) -> bool {
        self.view.is_some()
    }
    /// Of the features and of what is to be predicted from them. A checkpoint that was saved when it was of
    /// the features alone is taken for one of other data:
    /// [`Session::restore_on_changed_data`](crate::Session::restore_on_changed_data) goes on from it.
    fn fingerprint(&self) -> u64 {
        // FNV-1a.
        let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        let features = self.features.iter().copied().fold(0xcbf2_9ce4_8422_2325, step);
        match &self.answers {
            Answers::Labels(labels) => {
                labels.iter().flat_map(|label| label.to_le_bytes()).fold(features, step)
            }
            Answers::Numbers { values, .. } => {
                values.iter().flat_map(|value| value.to_le_bytes()).fold(features, step)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fingerprint_covers_what_is_to_be_predicted() {
        let names = || vec!["a".to_owned(), "b".to_owned()];
        let of_classes = |x: [f32; 3], labels: [u32; 3]| {
            Table::of_classes(&x, labels.to_vec(), names()).unwrap().fingerprint()
        };
        let first = of_classes([1.0, 2.0, 3.0], [0, 1, 0]);
        assert_eq!(first, of_classes([1.0, 2.0, 3.0], [0, 1, 0]));
        assert_ne!(first, of_classes([1.0, 2.0, 3.0], [1, 0, 0]));
        assert_ne!(first, of_classes([1.0, 2.0, 4.0], [0, 1, 0]));

        let of_numbers = |targets: [f32; 3]| {
            Table::of_numbers(&[1.0, 2.0, 3.0], targets.to_vec(), 1).unwrap().fingerprint()
        };
        assert_ne!(of_numbers([1.0, 2.0, 3.0]), of_numbers([1.0, 3.0, 2.0]));
    }
}

//! Predictions as a table of any format that tables are written in.
//!
//! Some formats are written column by column, so the predictions are first put into a temporary data set,
//! whose columns are exported like those of any other.

use super::classes::{most_probable, probability_of, with_probabilities};
use crate::failure::Failure;
use crate::interrupt;
use crate::output::Output;
use crate::progress::{DataBar, RowsBar};
use crate::source::Scratch;
use gristmill_io::model::Series;
use gristmill_io::schema::{Encoding, InputColumn, InputKind, Target};
use gristmill_io::{
    Dataset, DatasetWriter, Dtype, DatasetLayout, FormatChoice, Model, RowBatch, export,
};
use gristmill_trainer::inference::Predictor;
use std::path::Path;

/// Most rows whose numbers are exact as f32.
const MOST_ROWS: u64 = 1 << 24;

/// Predicts every row of a data set, and writes the predictions to a file.
pub(super) struct Table<'a> {
    pub(super) predictor: Predictor,
    pub(super) model: &'a Model,
    pub(super) dataset: &'a Dataset,
    pub(super) memory: Option<u64>,
    pub(super) choice: &'a FormatChoice,
    pub(super) output: &'a Output,
}

impl Table<'_> {
    pub(super) fn write(mut self, path: &Path) -> Result<(), Failure> {
        let series = self.model.series;
        let columns = Columns { target: &self.model.encoding.target, series };
        let mut count = self.dataset.rows();
        if let Some(series) = series {
            count = series.windows_to_predict(count);
            if series.target_row(count) > MOST_ROWS {
                return Err(Failure::at(path)(format!(
                    "the numbers of more than {MOST_ROWS} rows are not exact in this format: write CSV"
                )));
            }
        }
        let scratch = Scratch::create()?;
        let file = scratch.path().join(Scratch::ROWS);
        let layout =
            DatasetLayout { encoding: columns.encoding(), dtype: Some(Dtype::F32), weighted: false };
        let mut writer = DatasetWriter::create(&file, layout)?;
        let outputs = self.predictor.outputs();
        let bar = RowsBar::new(self.output, "predicting", count);
        let make = |first: u64, values: &[f32], features: &mut Vec<f32>| {
            features.clear();
            let rows = (first..).zip(values.chunks_exact(outputs));
            rows.for_each(|(row, outputs)| columns.push(features, row, outputs));
        };
        let interrupted = interrupt::flag();
        self.predictor.predict_all(self.dataset, self.memory, make, |end, parts: &[Vec<f32>]| {
            for features in parts {
                writer.push(&RowBatch { features: features.clone(), ..RowBatch::default() })?;
            }
            bar.advance(end);
            match interrupted.load(std::sync::atomic::Ordering::Relaxed) {
                true => Err(Failure::from(gristmill_io::Error::Interrupted)),
                false => Ok(()),
            }
        })?;
        writer.finish()?;
        drop(bar);
        let predictions = Dataset::open(&file)?;
        let bar = DataBar::new(self.output, format!("writing {}", path.display()))?;
        export(&predictions, path, self.choice, &bar)?;
        Ok(())
    }
}

/// The columns of a table of predictions.
struct Columns<'a> {
    target: &'a Target,
    /// How windows are numbered by the row that they predict.
    series: Option<Series>,
}

impl Columns<'_> {
    /// The number of the row of a window, the class as a text, and each probability or number.
    fn encoding(&self) -> Encoding {
        let number =
            |name: String| InputColumn { name, kind: InputKind::Number { fill: None } };
        let inputs: Vec<InputColumn> = match self.target {
            Target::Classes { column, names } => {
                let kind = InputKind::OneHot { categories: names.clone() };
                let class = InputColumn { name: column.clone(), kind };
                let probabilities = names.iter().map(|name| number(probability_of(name)));
                std::iter::once(class).chain(probabilities).collect()
            }
            Target::Numbers { columns } => columns.iter().cloned().map(number).collect(),
            Target::None => Vec::new(),
        };
        let row = self.series.map(|_| number("row".to_owned()));
        let inputs = row.into_iter().chain(inputs).collect();
        Encoding { inputs, target: Target::None }
    }

    /// Appends the features of a row, given what the network says of it.
    fn push(&self, features: &mut Vec<f32>, row: u64, outputs: &[f32]) {
        features.extend(self.series.map(|series| (series.target_row(row) + 1) as f32));
        let Target::Classes { names, .. } = self.target else {
            features.extend(outputs);
            return;
        };
        with_probabilities(names.len(), outputs, |probabilities| {
            let best = most_probable(probabilities);
            features.extend((0..names.len()).map(|class| f32::from(u8::from(class == best))));
            features.extend(probabilities);
        });
    }
}

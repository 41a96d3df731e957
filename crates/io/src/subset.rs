//! Parts of a data set: its first rows, and data sets of rows drawn from it.

mod place;
mod stratum;

use crate::dataset::Dataset;
use crate::error::{Error, Result};
use crate::format::raw_columns::RawColumns;
use crate::format::table::{Chunk, Decoder, Wanted};
use crate::format::values::{ColumnKind, Values};
use crate::progress::{ImportProgress, advance};
use crate::random::hash;
use crate::schema::{InputKind, Target};
use crate::writer::{DatasetLayout, DatasetWriter, ImportSummary, RowBatch};
use place::Place;
use std::path::{Path, PathBuf};
use stratum::{Stratum, stratified};

/// Values that are gathered for a part before they are written.
const BATCH_VALUES: usize = 1 << 20;

/// How a data set is divided.
#[derive(Debug, Clone, PartialEq)]
pub struct SplitOptions {
    /// The share of rows of each part, of 1 in all or less; what is missing to 1 goes to none.
    pub fractions: Vec<f64>,
    /// Another seed draws other rows.
    pub seed: u64,
    /// Whether each class is divided by itself, so that all parts have the same mix.
    pub stratified: bool,
}

impl SplitOptions {
    /// Checks what does not depend on the data set, which may then be slow to come by.
    ///
    /// # Errors
    /// The fractions are none, or the outputs are not as many and different.
    pub fn check(&self, outputs: &[PathBuf]) -> Result<()> {
        let fractions = &self.fractions;
        let total: f64 = fractions.iter().sum();
        if fractions.is_empty() || !fractions.iter().all(|f| *f > 0.0) || total > 1.0 + 1e-9 {
            return Err(Error::Options(format!(
                "the fractions {fractions:?} are no shares of a data set: each is more than 0, and all together 1 at most"
            )));
        }
        if outputs.len() != fractions.len() {
            return Err(Error::Options(format!(
                "there are {} parts and {} files for them: give as many",
                fractions.len(),
                outputs.len()
            )));
        }
        let places: Vec<Place> = outputs.iter().map(|path| Place::of(path)).collect();
        if let Some(twice) =
            (1..places.len()).find(|i| places[..*i].iter().any(|place| place.is(&places[*i])))
        {
            let path = outputs[twice].display();
            return Err(Error::Options(format!("{path} is given for two parts")));
        }
        Ok(())
    }
}

/// Divides a data set at random: every part has just its share of rows, in their old order. Numbers
/// that were missing stay as they were filled in. The source is read once and not kept in memory.
///
/// # Errors
/// The fractions are none, the outputs are not as many and different, a part would have no rows, or one cannot be
/// written; the parts that are not complete are then as they were before.
pub fn split(
    dataset: &Dataset,
    outputs: &[PathBuf],
    options: &SplitOptions,
    progress: &dyn ImportProgress,
) -> Result<Vec<ImportSummary>> {
    options.check(outputs)?;
    if options.stratified && dataset.class_counts().is_empty() {
        return Err(Error::Invalid(format!(
            "{} has no classes to keep the mix of: split it without that",
            dataset.path().display()
        )));
    }
    let mut strata = match options.stratified {
        true => stratified(dataset.class_counts(), &options.fractions),
        false => vec![Stratum::new(dataset.rows(), &options.fractions)],
    };
    for (part, output) in outputs.iter().enumerate() {
        if strata.iter().all(|stratum| stratum.needed[part] == 0) {
            let (output, fraction) = (output.display(), options.fractions[part]);
            return Err(Error::Options(format!(
                "{output} would have no rows: {fraction} of {} rows is less than one; give it a larger share",
                dataset.rows()
            )));
        }
    }
    let parts = outputs.iter().map(|path| RowsFile::create(path, dataset));
    let mut parts = parts.collect::<Result<Vec<_>>>()?;
    let bytes = |rows: u64| rows * row_bytes(dataset);
    progress.begin(bytes(dataset.rows()));
    for row in 0..dataset.rows() {
        let stratum = if options.stratified { dataset.label(row) as usize } else { 0 };
        let stratum = strata.get_mut(stratum).ok_or_else(|| unknown_class(dataset, row))?;
        let drawn = stratum.draw(hash(options.seed, row, 0));
        if let Some(part) = drawn.and_then(|part| parts.get_mut(part))
            && part.push(dataset, row)?
        {
            advance(progress, bytes(row + 1), row + 1)?;
        }
    }
    dataset.check_unchanged()?;
    parts.into_iter().map(RowsFile::finish).collect()
}

/// Writes the first rows of a data set, or all if it has fewer, as one of their own.
///
/// # Errors
/// `output` cannot be written; it is then as it was before.
pub fn head(
    dataset: &Dataset,
    rows: u64,
    output: &Path,
    progress: &dyn ImportProgress,
) -> Result<ImportSummary> {
    let rows = rows.min(dataset.rows());
    let mut part = RowsFile::create(output, dataset)?;
    progress.begin(rows * row_bytes(dataset));
    for row in 0..rows {
        if part.push(dataset, row)? {
            advance(progress, (row + 1) * row_bytes(dataset), row + 1)?;
        }
    }
    dataset.check_unchanged()?;
    part.finish()
}

/// The first rows of a data set as texts, by the columns that it was made of: the names of these, and
/// for each row its values.
///
/// # Errors
/// The data set is damaged, or these are too many values to be held as texts.
pub fn first_rows(dataset: &Dataset, rows: u64) -> Result<(Vec<String>, Vec<Vec<String>>)> {
    let (columns, raw) = RawColumns::of(dataset);
    let wanted = (0..columns.len()).map(|column| Wanted::new(column, ColumnKind::Text));
    let count = rows.min(dataset.rows());
    check_shown(count, columns.len())?;
    let count = count as usize;
    let batch =
        raw.decode(&mut Chunk::records(Vec::new(), 1, count), &wanted.collect::<Vec<_>>())?;
    dataset.check_unchanged()?;
    let mut texts = vec![Vec::with_capacity(columns.len()); count];
    for values in &batch.columns {
        match values {
            Values::Texts(values) => {
                texts
                    .iter_mut()
                    .zip(values.iter())
                    .for_each(|(row, text)| row.push(text.to_owned()));
            }
            Values::Numbers(_) => unreachable!("texts are wanted"),
        }
    }
    Ok((columns.into_iter().map(|column| column.name).collect(), texts))
}

/// Most values that are held as texts to be shown.
const MOST_SHOWN: u64 = 1 << 23;

/// Refuses to hold the texts of this many rows.
pub(crate) fn check_shown(rows: u64, columns: usize) -> Result<()> {
    let most = (MOST_SHOWN / columns as u64).max(1);
    if rows <= most {
        return Ok(());
    }
    Err(Error::Options(format!(
        "more than {most} rows of {columns} columns are too many to show: ask for fewer, or make a data set of them (head -o), which export-data writes as a table"
    )))
}

fn row_bytes(dataset: &Dataset) -> u64 {
    (dataset.features() * dataset.dtype().size()) as u64
}

fn unknown_class(dataset: &Dataset, row: u64) -> Error {
    let reason = format!("row {} has a class that is not known", row + 1);
    Error::damaged(dataset.path(), reason)
}

/// A data set that rows of another are copied to.
struct RowsFile {
    writer: DatasetWriter,
    rows: RowBatch,
    batch_values: usize,
    gaps: Vec<Gaps>,
}

/// A feature in which values were missing, what was filled in for them, and how often that was copied.
struct Gaps {
    feature: usize,
    fill: f32,
    copied: u64,
}

impl RowsFile {
    fn create(path: &Path, source: &Dataset) -> Result<RowsFile> {
        let layout = DatasetLayout {
            encoding: source.encoding().clone(),
            dtype: Some(source.dtype()),
            weighted: source.has_weights(),
        };
        let batch_values = BATCH_VALUES.max(source.features());
        let mut writer = DatasetWriter::create(path, layout)?;
        writer.arrange(source.view())?;
        if source.is_ragged() {
            writer.end_early()?;
        }
        Ok(RowsFile { writer, rows: RowBatch::default(), batch_values, gaps: gaps(source) })
    }

    /// Copies a row; says whether rows were written for it.
    fn push(&mut self, source: &Dataset, row: u64) -> Result<bool> {
        let RowBatch { features, labels, targets, weights } = &mut self.rows;
        let start = features.len();
        features.resize(start + source.features(), 0.0);
        source.dtype().decode(source.row(row), &mut features[start..]);
        for gaps in &mut self.gaps {
            gaps.copied += u64::from(features[start + gaps.feature] == gaps.fill);
        }
        match &source.encoding().target {
            Target::Classes { .. } => labels.push(source.label(row)),
            Target::Numbers { columns } => {
                let start = targets.len();
                targets.resize(start + columns.len(), 0.0);
                source.targets(row, &mut targets[start..]);
            }
            Target::None => {}
        }
        if source.has_weights() {
            weights.push(source.weight(row));
        }
        let is_full = features.len() + source.features() > self.batch_values;
        if is_full {
            self.flush()?;
        }
        Ok(is_full)
    }

    fn flush(&mut self) -> Result<()> {
        self.writer.push(&self.rows)?;
        let RowBatch { features, labels, targets, weights } = &mut self.rows;
        features.clear();
        labels.clear();
        targets.clear();
        weights.clear();
        Ok(())
    }

    fn finish(mut self) -> Result<ImportSummary> {
        self.flush()?;
        for gaps in &self.gaps {
            self.writer.count_filled(gaps.feature, gaps.copied);
        }
        self.writer.finish()
    }
}

/// The features of a data set in which values were missing.
fn gaps(source: &Dataset) -> Vec<Gaps> {
    let mut gaps = Vec::new();
    let mut feature = 0;
    for input in &source.encoding().inputs {
        if let InputKind::Number { fill: Some(fill) } = input.kind
            && source.statistics()[feature].missing > 0
        {
            gaps.push(Gaps { feature, fill, copied: 0 });
        }
        feature += input.features();
    }
    gaps
}

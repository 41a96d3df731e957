//! Writing `.grist` data sets row by row, in bounded memory.
//!
//! Features go straight to the file, as the narrowest type that has held them all so far; when a value
//! does not fit, what was written is converted once to a wider type. Targets and weights, whose
//! place in the file is known only at the end, wait in temporary files beside it.

use crate::atomic::AtomicFile;
use crate::dataset::{DatasetWire, MetadataWire, RAGGED, USUAL};
use crate::dtype::Dtype;
use crate::error::{Error, Result};
use crate::frame;
use crate::model::View;
use crate::region::SectionWriter;
use crate::schema::{Encoding, InputColumn, InputKind, Target};
use crate::statistics::Moments;
use crate::threads;
use rayon::prelude::*;
use std::io::Write;
use std::path::Path;

/// What an import made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportSummary {
    /// Rows written.
    pub rows: u64,
    /// Features per row.
    pub features: usize,
    /// How they are stored.
    pub dtype: Dtype,
    /// Missing values that were filled in.
    pub filled: u64,
}

/// Values in a block of rows that is summarised and converted by one task.
const BLOCK_VALUES: usize = 1 << 18;
/// Rows of a block, for narrow data.
const BLOCK_ROWS: usize = 4096;

/// What a data set is to be like.
#[derive(Debug, Clone)]
pub struct DatasetLayout {
    /// What its features and targets mean.
    pub encoding: Encoding,
    /// How features are stored; `None` for the narrowest type that loses nothing.
    pub dtype: Option<Dtype>,
    /// Whether rows have weights.
    pub weighted: bool,
}

/// Rows to write. What the layout does not have stays empty.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RowBatch {
    /// Row-major, NaN where a value is missing and the encoding has a fill for it.
    pub features: Vec<f32>,
    /// A class per row.
    pub labels: Vec<u32>,
    /// Row-major numeric targets.
    pub targets: Vec<f32>,
    /// A weight per row.
    pub weights: Vec<f32>,
}

/// Writes a data set under a temporary name until [`DatasetWriter::finish`]; nothing is left of it if
/// it is dropped before.
#[derive(Debug)]
pub struct DatasetWriter {
    layout: DatasetLayout,
    view: Option<View>,
    /// Whether rows are series that may end before their last step.
    is_ragged: bool,
    fills: Vec<f32>,
    columns: Columns,
    block_rows: usize,
    /// Blocks that are gathered before they are written.
    group: usize,
    dtype: Dtype,
    features: SectionWriter,
    targets: AtomicFile,
    weights: AtomicFile,
    /// Rows that do not make a whole block yet.
    pending: RowBatch,
    rows: u64,
    moments: Vec<Moments>,
    target_moments: Vec<Moments>,
    class_counts: Vec<u64>,
}

/// Values per row.
#[derive(Debug, Clone, Copy)]
struct Columns {
    features: usize,
    labels: usize,
    targets: usize,
    weights: usize,
}

/// A block of rows on its way to the file.
struct Block {
    moments: Vec<Moments>,
    dtype: Dtype,
    bytes: Vec<u8>,
}

impl DatasetWriter {
    /// Begins the data set `path`.
    ///
    /// # Errors
    /// The layout has no features, its type does not hold the indices of a column, or the directory cannot be
    /// written to.
    pub fn create(path: &Path, layout: DatasetLayout) -> Result<DatasetWriter> {
        let (labels, targets, classes) = match &layout.encoding.target {
            Target::Classes { names, .. } => (1, 0, names.len()),
            Target::Numbers { columns } => (0, columns.len(), 0),
            Target::None => (0, 0, 0),
        };
        let features = layout.encoding.features();
        if features == 0 {
            return Err(Error::Invalid("there are no input columns left to learn from".to_owned()));
        }
        let dtype = match layout.dtype {
            Some(asked) => check_indices(&layout.encoding, asked).map(|()| asked)?,
            None => layout.encoding.inputs.iter().map(least).max().unwrap_or(Dtype::U8),
        };
        threads::start()?;
        let weights = usize::from(layout.weighted);
        Ok(DatasetWriter {
            fills: fills(&layout.encoding),
            columns: Columns { features, labels, targets, weights },
            group: 2 * rayon::current_num_threads(),
            block_rows: (BLOCK_VALUES / features).clamp(1, BLOCK_ROWS),
            view: None,
            is_ragged: false,
            dtype,
            features: SectionWriter::create(path)?,
            targets: AtomicFile::create(path)?,
            weights: AtomicFile::create(path)?,
            pending: RowBatch::default(),
            rows: 0,
            moments: vec![Moments::EMPTY; features],
            target_moments: vec![Moments::EMPTY; targets],
            class_counts: vec![0; classes],
            layout,
        })
    }

    /// Says how the features of a row are arranged.
    ///
    /// # Errors
    /// There are more features, or fewer.
    pub fn arrange(&mut self, view: Option<View>) -> Result<()> {
        if let Some(view) = view
            && view.units() != self.columns.features
        {
            return Err(Error::Options(format!(
                "{view} is no arrangement of the {} features of a row: expected numbers whose product is that",
                self.columns.features
            )));
        }
        self.view = view;
        Ok(())
    }

    /// Says that rows are series that may end before their last step: what is not a number lies beyond.
    ///
    /// # Errors
    /// They are not arranged as a series.
    pub fn end_early(&mut self) -> Result<()> {
        if self.view.is_none_or(|view| view.height != 1) {
            return Err(Error::Options(
                "series of unequal length are all that rows may have as inputs: leave other columns out with --drop"
                    .to_owned(),
            ));
        }
        self.is_ragged = true;
        Ok(())
    }

    /// Gathers fewer blocks of rows, so that they take about `bytes` bytes. What is written is the same.
    pub(crate) fn limit_memory(&mut self, bytes: usize) {
        // Each value as it came, once more while a vector grows, and as it is stored.
        let block = self.block_rows * self.columns.features * 3 * size_of::<f32>();
        self.group = self.group.min(bytes / block).max(1);
    }

    /// Appends rows.
    ///
    /// # Errors
    /// The lengths in `rows` do not fit the layout or each other, a label is no class, a value does not
    /// fit the type asked for, or the disk is full.
    pub fn push(&mut self, rows: &RowBatch) -> Result<()> {
        let count = rows.features.len() / self.columns.features;
        let Columns { features, labels, targets, weights } = self.columns;
        if rows.features.len() != count * features
            || rows.labels.len() != count * labels
            || rows.targets.len() != count * targets
            || rows.weights.len() != count * weights
        {
            return Err(Error::Invalid("rows do not fit the layout of the data set".to_owned()));
        }
        for &label in &rows.labels {
            match self.class_counts.get_mut(label as usize) {
                Some(count) => *count += 1,
                None => {
                    return Err(Error::Invalid(format!("{label} is not the number of a class")));
                }
            }
        }
        self.rows += count as u64;
        self.pending.features.extend(&rows.features);
        self.pending.targets.extend(&rows.targets);
        self.pending.weights.extend(&rows.weights);
        spill(&mut self.targets, rows.labels.iter().map(|l| l.to_le_bytes()))?;
        spill(&mut self.weights, rows.weights.iter().map(|w| w.to_le_bytes()))?;
        let pending = self.pending.features.len() / features;
        if pending >= self.group * self.block_rows {
            self.flush(pending - pending % self.block_rows)
        } else {
            Ok(())
        }
    }

    /// Counts values of a feature as missing in the source that were pushed as what had been filled in for them.
    pub(crate) fn count_filled(&mut self, feature: usize, count: u64) {
        self.moments[feature].add_missing(count);
    }

    /// Rows appended so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Completes the data set and gives it its name.
    ///
    /// # Errors
    /// The disk is full or the file cannot be renamed; nothing is left then.
    pub fn finish(mut self) -> Result<ImportSummary> {
        self.flush(self.pending.features.len() / self.columns.features)?;
        let statistics =
            |moments: &[Moments]| moments.iter().map(|m| (&m.statistics()).into()).collect();
        let dataset = DatasetWire {
            rows: self.rows,
            features: self.columns.features as u64,
            feature_size: self.dtype.size() as u8,
            weighted: self.layout.weighted,
            encoding: (&self.layout.encoding).into(),
            statistics: statistics(&self.moments),
            target_statistics: statistics(&self.target_moments),
            class_counts: self.class_counts,
        };
        let lengths =
            |View { height, width, channels }| [height, width, channels].map(|n| n as u64);
        let metadata = MetadataWire { dataset, view: self.view.map(lengths) };
        let mut file = self.features;
        let metadata = frame::encode_metadata(file.path(), &metadata)?;
        let mut sections = vec![file.end_section()?];
        for mut spilled in [self.targets, self.weights] {
            file.append(&mut spilled)?;
            sections.push(file.end_section()?);
        }
        for bytes in [file.stored_sums(), metadata] {
            file.write(&bytes)?;
            sections.push(file.end_section()?);
        }
        file.commit(if self.is_ragged { RAGGED } else { USUAL }, &sections)?;
        Ok(ImportSummary {
            rows: self.rows,
            features: self.columns.features,
            dtype: self.dtype,
            filled: match self.is_ragged {
                true => 0,
                false => self.moments.iter().map(Moments::missing).sum(),
            },
        })
    }

    /// Writes the first `rows` pending rows, in blocks.
    fn flush(&mut self, rows: usize) -> Result<()> {
        let Columns { features, targets, weights, .. } = self.columns;
        let values = rows * features;
        let (fills, dtype, fixed) = (&self.fills, self.dtype, self.layout.dtype);
        let (block_rows, row_weights) = (self.block_rows, &self.pending.weights[..rows * weights]);
        let weights_of = |block: usize| row_weights.chunks(block_rows).nth(block).unwrap_or(&[]);
        let blocks = self.pending.features[..values]
            .par_chunks_mut(block_rows * features)
            .enumerate()
            .map(|(i, block)| Block::new(block, weights_of(i), fills, dtype, fixed))
            .collect::<Result<Vec<Block>>>()?;
        let widest = blocks.iter().map(|block| block.dtype).max().unwrap_or(dtype);
        if widest > dtype {
            self.features.convert(|bytes, out| {
                let mut values = vec![0.0; bytes.len() / dtype.size()];
                dtype.decode(bytes, &mut values);
                widest.encode(&values, out);
            })?;
            self.dtype = widest;
        }
        let rows_of_blocks = self.pending.features[..values].chunks(block_rows * features);
        for (mut block, rows) in blocks.into_iter().zip(rows_of_blocks) {
            if block.dtype != self.dtype {
                block.bytes.clear();
                self.dtype.encode(rows, &mut block.bytes);
            }
            self.features.write(&block.bytes)?;
            merge(&mut self.moments, &block.moments);
        }
        self.pending.features.drain(..values);
        if targets > 0 {
            let pending = &self.pending.targets[..rows * targets];
            for (i, block) in pending.chunks(block_rows * targets).enumerate() {
                let moments = Moments::of_weighted_rows(block, targets, weights_of(i));
                merge(&mut self.target_moments, &moments);
            }
            spill(&mut self.targets, pending.iter().map(|t| t.to_le_bytes()))?;
            self.pending.targets.drain(..rows * targets);
        }
        self.pending.weights.drain(..rows * weights);
        Ok(())
    }
}

impl Block {
    /// Summarises a block of rows with these weights, if any, fills what is missing in it, and encodes it.
    fn new(
        rows: &mut [f32],
        weights: &[f32],
        fills: &[f32],
        dtype: Dtype,
        fixed: Option<Dtype>,
    ) -> Result<Block> {
        let moments = Moments::of_weighted_rows(rows, fills.len(), weights);
        if moments.iter().any(|m| m.missing() > 0) {
            for row in rows.chunks_exact_mut(fills.len()) {
                for (value, fill) in row.iter_mut().zip(fills) {
                    if value.is_nan() {
                        *value = *fill;
                    }
                }
            }
        }
        if let Some(fixed) = fixed
            && let Some(value) = rows.iter().find(|value| !fixed.accepts(**value))
        {
            return Err(Error::Invalid(format!(
                "the value {value} cannot be stored as {fixed}: ask for a wider type, or for none"
            )));
        }
        let dtype = fixed.unwrap_or_else(|| Dtype::narrowest(rows, dtype));
        let mut bytes = Vec::with_capacity(rows.len() * dtype.size());
        dtype.encode(rows, &mut bytes);
        Ok(Block { moments, dtype, bytes })
    }
}

/// The narrowest type that holds whatever index a column can have, also that of unknown values.
fn least(input: &InputColumn) -> Dtype {
    match &input.kind {
        InputKind::Index { vocabulary } => of_indices(vocabulary.len()),
        InputKind::Text(words) => of_indices(words.buckets as usize),
        InputKind::Number { .. } | InputKind::OneHot { .. } => Dtype::U8,
    }
}

/// The narrowest type that holds all indices up to this one.
fn of_indices(most: usize) -> Dtype {
    // The greatest alone does not tell: half a million is a half where one less is none.
    match most {
        0..=255 => Dtype::U8,
        256..=2048 => Dtype::F16,
        _ => Dtype::F32,
    }
}

/// Refuses a type that does not hold the indices of a column.
fn check_indices(encoding: &Encoding, asked: Dtype) -> Result<()> {
    let Some(input) = encoding.inputs.iter().find(|input| least(input) > asked) else {
        return Ok(());
    };
    let count = match &input.kind {
        InputKind::Index { vocabulary } => format!("{} categories", vocabulary.len()),
        InputKind::Text(words) => format!("{} buckets of words", words.buckets),
        InputKind::Number { .. } | InputKind::OneHot { .. } => return Ok(()),
    };
    Err(Error::Options(format!(
        "{asked} does not hold the index of each of the {count} of the column \"{}\": ask for {}, or for none",
        input.name,
        least(input)
    )))
}

/// What stands for a missing value of each feature: NaN where there must be none.
fn fills(encoding: &Encoding) -> Vec<f32> {
    let mut fills = Vec::with_capacity(encoding.features());
    for input in &encoding.inputs {
        let fill = match &input.kind {
            InputKind::Number { fill } => fill.unwrap_or(f32::NAN),
            InputKind::OneHot { .. } | InputKind::Index { .. } | InputKind::Text(_) => f32::NAN,
        };
        fills.extend(std::iter::repeat_n(fill, input.features()));
    }
    fills
}

fn merge(all: &mut [Moments], next: &[Moments]) {
    for (all, next) in all.iter_mut().zip(next) {
        all.merge(next);
    }
}

/// Writes numbers to a temporary file, whose errors name the data set.
fn spill(file: &mut AtomicFile, numbers: impl Iterator<Item = [u8; 4]>) -> Result<()> {
    let bytes: Vec<u8> = numbers.flatten().collect();
    file.write_all(&bytes).map_err(Error::io("write", file.path()))
}

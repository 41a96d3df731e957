//! Synthetic data sets of any size that a network can learn, for benchmarks and tests.
//!
//! A row is a function of the seed and its number alone (where rows are sorted, of how many there are
//! too). Rows of a class lie around one of a few centres
//! of that class; numbers to predict are a smooth function of the features. The first few features
//! decide, the others are noise.

use crate::dtype::Dtype;
use crate::error::{Error, Result};
use crate::progress::{ImportProgress, advance};
use crate::random::{below, hash};
use crate::schema::{Encoding, InputColumn, InputKind, Target};
use crate::writer::{DatasetLayout, DatasetWriter, ImportSummary, RowBatch};
use rayon::prelude::*;
use std::path::Path;

/// Features that have to do with the target.
const INFORMATIVE: usize = 8;
/// Centres of a class: with more than one, no line through the origin tells classes apart.
const CENTRES: u64 = 2;
/// How far centres lie apart, in deviations of the noise of 1.
const SPREAD: f32 = 1.5;
/// Features or classes, whose names and statistics are kept in memory.
const MOST_COLUMNS: usize = 1 << 20;
/// Values made by one task.
const TASK_VALUES: usize = 1 << 16;
/// A byte feature is this far from its middle per unit.
const BYTE_UNIT: f32 = 32.0;

/// What is to be predicted of a synthetic data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SynthTarget {
    /// A class; the number of classes, at least 2.
    Classes(u32),
    /// A number.
    Number,
}

/// What a synthetic data set is to be like. The default has the shape of the HIGGS data.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SynthOptions {
    /// Number of rows.
    pub rows: u64,
    /// Features per row.
    pub features: usize,
    /// What is to be predicted.
    pub target: SynthTarget,
    /// Standard deviation around the centres of classes, or of what is added to the number to predict:
    /// with 0 a network can be perfect.
    pub noise: f32,
    /// Another seed makes another data set.
    pub seed: u64,
    /// Whether rows are in the order of their classes, which training must not be misled by.
    pub sorted: bool,
    /// How features are stored. Bytes are spread around 128.
    pub dtype: Dtype,
}

impl Default for SynthOptions {
    fn default() -> SynthOptions {
        SynthOptions {
            rows: 1_000_000,
            features: 28,
            target: SynthTarget::Classes(2),
            noise: 1.0,
            seed: 0,
            sorted: false,
            dtype: Dtype::F32,
        }
    }
}

/// Writes a synthetic data set. Progress counts bytes of features.
///
/// # Errors
/// The options make no data set, or `output` cannot be written; it is then as it was before.
pub fn synth(
    output: &Path,
    options: &SynthOptions,
    progress: &dyn ImportProgress,
) -> Result<ImportSummary> {
    let maker = Maker::new(options)?;
    let layout =
        DatasetLayout { encoding: maker.encoding(), dtype: Some(options.dtype), weighted: false };
    let mut writer = DatasetWriter::create(output, layout)?;
    let row_bytes = (options.features * options.dtype.size()) as u64;
    progress.begin(options.rows.saturating_mul(row_bytes));
    let task_rows = (TASK_VALUES / options.features).max(1) as u64;
    let round = task_rows * 4 * rayon::current_num_threads() as u64;
    let make = |first: u64| -> Vec<RowBatch> {
        let end = options.rows.min(first + round);
        let tasks = (end.saturating_sub(first)).div_ceil(task_rows);
        let task = |task| {
            let start = first + task * task_rows;
            maker.rows(start..end.min(start + task_rows))
        };
        (0..tasks).into_par_iter().map(task).collect()
    };
    let mut ready = make(0);
    while !ready.is_empty() {
        let next = writer.rows() + ready.iter().map(|rows| maker.count(rows)).sum::<u64>();
        let write = || {
            for rows in &ready {
                writer.push(rows)?;
                advance(progress, writer.rows() * row_bytes, writer.rows())?;
            }
            Ok(())
        };
        let (written, made) = rayon::join(write, || make(next));
        written?;
        ready = made;
    }
    writer.finish()
}

/// Most features of a row: a row has to fit in memory many times.
const MOST_FEATURES: usize = 1 << 24;
/// Most bytes of features.
const MOST_BYTES: u64 = 1 << 60;

/// Makes rows by the options and what follows from the seed.
struct Maker<'a> {
    options: &'a SynthOptions,
    /// What decides features: their mean per centre of a class, or their weight.
    centres: Vec<[f32; INFORMATIVE]>,
}

impl<'a> Maker<'a> {
    fn new(options: &'a SynthOptions) -> Result<Maker<'a>> {
        let refuse = |reason: &str| Err(Error::Options(format!("cannot make this: {reason}")));
        if options.rows == 0 || options.features == 0 {
            return refuse("a data set has at least one row and one feature");
        }
        if options.features > MOST_COLUMNS {
            return refuse(&format!("a data set has at most {MOST_COLUMNS} features"));
        }
        if !(options.noise >= 0.0 && options.noise.is_finite()) {
            return refuse("noise is 0 or more");
        }
        if options.features > MOST_FEATURES {
            return refuse(&format!("a row has at most {MOST_FEATURES} features"));
        }
        let row_bytes = (options.features * options.dtype.size()) as u64;
        let bytes = options.rows.checked_mul(row_bytes).filter(|bytes| *bytes <= MOST_BYTES);
        if bytes.is_none() {
            let (rows, most) = (options.rows, MOST_BYTES >> 40);
            return refuse(&format!(
                "{rows} rows are more than the {most} TiB that a file may have"
            ));
        }
        let count = match options.target {
            SynthTarget::Classes(0 | 1) => return refuse("there are at least 2 classes"),
            SynthTarget::Classes(classes) if classes as usize > MOST_COLUMNS => {
                return refuse(&format!("there are at most {MOST_COLUMNS} classes"));
            }
            SynthTarget::Classes(classes) => u64::from(classes) * CENTRES,
            SynthTarget::Number if options.sorted => {
                return refuse("only rows with classes can be sorted");
            }
            SynthTarget::Number => 1,
        };
        let centre = |centre: u64| {
            std::array::from_fn(|feature| {
                SPREAD * bell(hash(!options.seed, centre, feature as u64))
            })
        };
        Ok(Maker { options, centres: (0..count).map(centre).collect() })
    }

    fn encoding(&self) -> Encoding {
        let column = |index| InputColumn {
            name: format!("x{index}"),
            kind: InputKind::Number { fill: None },
        };
        let target = match self.options.target {
            SynthTarget::Classes(classes) => Target::Classes {
                column: "class".to_owned(),
                names: (0..classes).map(|class| class.to_string()).collect(),
            },
            SynthTarget::Number => Target::Numbers { columns: vec!["y".to_owned()] },
        };
        Encoding { inputs: (0..self.options.features).map(column).collect(), target }
    }

    fn count(&self, rows: &RowBatch) -> u64 {
        (rows.features.len() / self.options.features) as u64
    }

    fn rows(&self, range: std::ops::Range<u64>) -> RowBatch {
        let count = (range.end - range.start) as usize;
        let mut rows = RowBatch {
            features: Vec::with_capacity(count * self.options.features),
            ..RowBatch::default()
        };
        for row in range {
            match self.options.target {
                SynthTarget::Classes(classes) => {
                    let class = self.class(row, classes);
                    let centre =
                        u64::from(class) * CENTRES + hash(self.options.seed, row, 1) % CENTRES;
                    self.features(row, Some(&self.centres[centre as usize]), &mut rows.features);
                    rows.labels.push(class);
                }
                SynthTarget::Number => {
                    let start = rows.features.len();
                    self.features(row, None, &mut rows.features);
                    rows.targets.push(self.number(row, &rows.features[start..]));
                }
            }
        }
        if self.options.dtype == Dtype::U8 {
            for value in &mut rows.features {
                // Adding 0 takes the sign of a zero.
                *value = (128.0 + BYTE_UNIT * *value).round().clamp(0.0, 255.0) + 0.0;
            }
        }
        rows
    }

    fn class(&self, row: u64, classes: u32) -> u32 {
        let rank = match self.options.sorted {
            true => (u128::from(row) * u128::from(classes) / u128::from(self.options.rows)) as u64,
            false => below(hash(self.options.seed, row, 0), u64::from(classes)),
        };
        rank as u32
    }

    /// Appends a row around a centre, if it has one.
    fn features(&self, row: u64, centre: Option<&[f32; INFORMATIVE]>, out: &mut Vec<f32>) {
        let start = out.len();
        let random = |feature| bell(hash(self.options.seed, row, 2 + feature as u64));
        out.extend((0..self.options.features).map(random));
        if let Some(centre) = centre {
            for (value, mean) in out[start..].iter_mut().zip(centre) {
                *value = mean + self.options.noise * *value;
            }
        }
    }

    /// A quadratic function of the first features, of about unit deviation, and noise.
    fn number(&self, row: u64, features: &[f32]) -> f32 {
        let weights = &self.centres[0];
        let linear: f32 = features.iter().zip(weights).map(|(x, w)| x * w).sum();
        let square = features[0] * features[features.len().min(INFORMATIVE) - 1];
        let noise = bell(hash(self.options.seed, row, 1));
        linear / (SPREAD * (INFORMATIVE as f32).sqrt()) + square + self.options.noise * noise
    }
}

/// A bell-shaped number of mean 0 and deviation 1: the sum of four uniform ones. Within 3.5.
#[inline]
fn bell(bits: u64) -> f32 {
    /// The deviation of that sum, 65536 / sqrt(3), and its mean.
    const DEVIATION: f32 = 37_837.23;
    const MEAN: f32 = 2.0 * 65_535.0;
    let sum = (bits & 0xffff) + (bits >> 16 & 0xffff) + (bits >> 32 & 0xffff) + (bits >> 48);
    (sum as f32 - MEAN) / DEVIATION
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bells_have_mean_0_and_deviation_1_and_do_not_go_together() {
        let n = 100_000u64;
        let (mut sum, mut squares, mut along_rows, mut along_columns) = (0.0, 0.0, 0.0, 0.0);
        for row in 0..n {
            let [a, b, c] = [(row, 2), (row + 1, 2), (row, 3)]
                .map(|(row, column)| f64::from(bell(hash(1, row, column))));
            sum += a;
            squares += a * a;
            along_rows += a * b;
            along_columns += a * c;
        }
        let n = n as f64;
        // Five deviations of each mean.
        let bound = 5.0 / n.sqrt();
        assert!((sum / n).abs() < bound, "mean {}", sum / n);
        assert!((squares / n - 1.0).abs() < 2.0 * bound, "variance {}", squares / n);
        assert!((along_rows / n).abs() < bound && (along_columns / n).abs() < bound);
    }
}

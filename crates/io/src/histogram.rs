//! How the values of a data set are distributed: counts of values in ranges of equal width.

use crate::dataset::Dataset;
use crate::error::{Error, Result};
use crate::map::Advice;
use crate::progress::{ImportProgress, advance};
use crate::schema::{InputKind, Statistics};
use crate::threads;
use rayon::prelude::*;
use std::ops::Range;

/// Bytes of features that are counted by one task.
const TASK_BYTES: usize = 1 << 20;
/// Most counts of all threads together, but for those of one.
const MOST_COUNTS: usize = 1 << 25;

/// How many values of a column lie in each part of its range, of equal width from the least to the
/// greatest value. Those that were missing and filled in do not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Histogram {
    /// Values in each part; all in the first where all are equal.
    pub counts: Vec<u64>,
}

/// The histograms of all features, then of all numeric targets. Reads the whole data set once, on all
/// cores; the memory needed is that of the counts, once for each thread unless that is much.
///
/// # Errors
/// No parts are asked for, there is no memory for the counts, or the file was cut short while it was read.
pub fn histograms(
    dataset: &Dataset,
    parts: usize,
    progress: &dyn ImportProgress,
) -> Result<Vec<Histogram>> {
    if parts == 0 {
        return Err(Error::Invalid("a histogram has at least one part".to_owned()));
    }
    threads::start()?;
    let columns = dataset.statistics().iter().chain(dataset.target_statistics());
    let scales: Vec<Scale> = columns.map(|statistics| Scale::new(statistics, parts)).collect();
    let row_bytes = dataset.features() * dataset.dtype().size();
    let task_rows = (TASK_BYTES / row_bytes).max(1) as u64;
    let round = task_rows * 16 * rayon::current_num_threads() as u64;
    let most_workers = (MOST_COUNTS / (scales.len() * parts)).max(1);
    let workers = rayon::current_num_threads().min(most_workers);
    let mut counts =
        (0..workers).map(|_| zeros(scales.len(), parts)).collect::<Result<Vec<_>>>()?;
    progress.begin(dataset.rows() * row_bytes as u64);
    let mut start = 0;
    while start < dataset.rows() {
        let end = dataset.rows().min(start + round);
        dataset.advise(end..end + round, Advice::WillNeed)?;
        dataset.populate(start..end)?;
        let tasks = (end - start).div_ceil(task_rows);
        counts.par_iter_mut().enumerate().for_each(|(worker, counts)| {
            for task in (worker as u64..tasks).step_by(workers) {
                let first = start + task * task_rows;
                let rows = first..end.min(first + task_rows);
                count(dataset, rows, &scales, parts, counts);
            }
        });
        advance(progress, end * row_bytes as u64, end)?;
        start = end;
    }
    dataset.check_unchanged()?;
    let mut counts = counts.into_iter().reduce(sum).unwrap_or_default();
    for ((counts, scale), (fill, missing)) in
        counts.chunks_mut(parts).zip(&scales).zip(filled(dataset))
    {
        let part = &mut counts[scale.part(fill)];
        *part = part.saturating_sub(missing);
    }
    Ok(counts.chunks(parts).map(|counts| Histogram { counts: counts.to_vec() }).collect())
}

/// What stands for missing values of each feature that is a column of numbers, and how often.
fn filled(dataset: &Dataset) -> impl Iterator<Item = (f32, u64)> {
    let fills = dataset.encoding().inputs.iter().flat_map(|input| match input.kind {
        InputKind::Number { fill } => std::iter::repeat_n(fill.unwrap_or(0.0), 1),
        InputKind::OneHot { .. } | InputKind::Index { .. } | InputKind::Text(_) => {
            std::iter::repeat_n(0.0, input.features())
        }
    });
    fills.zip(dataset.statistics()).map(|(fill, statistics)| (fill, statistics.missing))
}

/// Counts of no values yet.
fn zeros(columns: usize, parts: usize) -> Result<Vec<u64>> {
    let mut counts = Vec::new();
    counts.try_reserve_exact(columns * parts).map_err(|_| {
        Error::Invalid(format!("there is no memory for the histograms of {columns} columns"))
    })?;
    counts.resize(columns * parts, 0);
    Ok(counts)
}

fn sum(mut all: Vec<u64>, more: Vec<u64>) -> Vec<u64> {
    all.iter_mut().zip(more).for_each(|(all, more)| *all += more);
    all
}

fn count(dataset: &Dataset, rows: Range<u64>, scales: &[Scale], parts: usize, counts: &mut [u64]) {
    let features = dataset.features();
    let mut values = vec![0.0; scales.len()];
    for row in rows {
        dataset.dtype().decode(dataset.row(row), &mut values[..features]);
        dataset.targets(row, &mut values[features..]);
        let parts = counts.chunks_exact_mut(parts);
        for ((value, scale), counts) in values.iter().zip(scales).zip(parts) {
            counts[scale.part(*value)] += 1;
        }
    }
}

/// From a value to its part of the range.
struct Scale {
    min: f32,
    parts_per_unit: f32,
    last: usize,
}

impl Scale {
    fn new(statistics: &Statistics, parts: usize) -> Scale {
        // Halves, since the difference of two finite numbers may not be finite.
        let half = statistics.max / 2.0 - statistics.min / 2.0;
        let parts_per_unit = if half > 0.0 { parts as f32 / 2.0 / half } else { 0.0 };
        Scale { min: statistics.min, parts_per_unit, last: parts - 1 }
    }

    fn part(&self, value: f32) -> usize {
        // What is not a number becomes 0, and what is too large the last part.
        (((value - self.min) * self.parts_per_unit) as usize).min(self.last)
    }
}

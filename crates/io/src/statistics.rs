//! Statistics of columns in one pass: moments of blocks of rows, merged in order.
//!
//! Mean and sum of squared deviations are computed per block in two sweeps and merged by the formula of
//! Chan, Golub and LeVeque, in f64. Blocks are cut by row number alone, so the result has the same bits
//! however rows arrive and on any number of threads.

use crate::schema::Statistics;

/// Moments of one column over some rows; NaN counts as missing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moments {
    count: u64,
    missing: u64,
    mean: f64,
    /// Sum of squared deviations from the mean.
    squares: f64,
    min: f32,
    max: f32,
}

impl Moments {
    /// Of no rows.
    pub const EMPTY: Moments = Moments {
        count: 0,
        missing: 0,
        mean: 0.0,
        squares: 0.0,
        min: f32::INFINITY,
        max: f32::NEG_INFINITY,
    };

    /// The moments of each column of `rows`, which are row-major and `columns` wide.
    pub(crate) fn of_rows(rows: &[f32], columns: usize) -> Vec<Moments> {
        let mut moments = vec![Moments::EMPTY; columns];
        let mut sums = vec![0.0f64; columns];
        for row in rows.chunks_exact(columns) {
            for ((m, sum), &value) in moments.iter_mut().zip(&mut sums).zip(row) {
                let missing = value.is_nan();
                m.missing += u64::from(missing);
                *sum += if missing { 0.0 } else { f64::from(value) };
                m.min = m.min.min(value);
                m.max = m.max.max(value);
            }
        }
        let count = (rows.len() / columns) as u64;
        for (m, sum) in moments.iter_mut().zip(&sums) {
            m.count = count - m.missing;
            m.mean = if m.count == 0 { 0.0 } else { sum / m.count as f64 };
        }
        for row in rows.chunks_exact(columns) {
            for (m, &value) in moments.iter_mut().zip(row) {
                let deviation = if value.is_nan() { 0.0 } else { f64::from(value) - m.mean };
                m.squares += deviation * deviation;
            }
        }
        moments
    }

    /// As [`of_rows`](Self::of_rows), of those rows whose weight is not 0: these alone are learned from.
    /// Missing values are counted in all of them. Without `weights` every row counts.
    pub fn of_weighted_rows(rows: &[f32], columns: usize, weights: &[f32]) -> Vec<Moments> {
        if !weights.contains(&0.0) {
            return Moments::of_rows(rows, columns);
        }
        let (mut counted, mut missing) = (Vec::with_capacity(rows.len()), vec![0; columns]);
        for (row, weight) in rows.chunks_exact(columns).zip(weights) {
            if *weight != 0.0 {
                counted.extend_from_slice(row);
            } else {
                missing.iter_mut().zip(row).for_each(|(m, value)| *m += u64::from(value.is_nan()));
            }
        }
        let mut moments = Moments::of_rows(&counted, columns);
        moments.iter_mut().zip(missing).for_each(|(moments, missing)| moments.missing += missing);
        moments
    }

    /// Adds the moments of the rows that follow.
    pub fn merge(&mut self, next: &Moments) {
        self.missing += next.missing;
        self.min = self.min.min(next.min);
        self.max = self.max.max(next.max);
        if next.count == 0 {
            return;
        }
        let count = self.count + next.count;
        let share = next.count as f64 / count as f64;
        let delta = next.mean - self.mean;
        self.squares += next.squares + delta * delta * self.count as f64 * share;
        self.mean += delta * share;
        self.count = count;
    }

    /// Counts values that were missing where the rows came from, and are given as what was filled in.
    pub(crate) fn add_missing(&mut self, count: u64) {
        self.missing += count;
    }

    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    pub(crate) fn mean(&self) -> f64 {
        self.mean
    }

    pub(crate) fn missing(&self) -> u64 {
        self.missing
    }

    /// The summary; all zero where no value is present.
    pub fn statistics(&self) -> Statistics {
        if self.count == 0 {
            let missing = self.missing;
            return Statistics { mean: 0.0, deviation: 0.0, min: 0.0, max: 0.0, missing };
        }
        Statistics {
            mean: self.mean,
            deviation: (self.squares / self.count as f64).sqrt(),
            min: self.min,
            max: self.max,
            missing: self.missing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged(values: &[f32], block: usize) -> Statistics {
        let mut all = Moments::EMPTY;
        for block in values.chunks(block) {
            all.merge(&Moments::of_rows(block, 1)[0]);
        }
        all.statistics()
    }

    #[test]
    fn blocks_merge_to_the_moments_of_the_whole() {
        let values: Vec<f32> =
            (0..1000).map(|i| 1e6 + ((i * 7919) % 1000) as f32 * 0.125).collect();
        let n = values.len() as f64;
        let mean = values.iter().map(|v| f64::from(*v)).sum::<f64>() / n;
        let variance = values.iter().map(|v| (f64::from(*v) - mean).powi(2)).sum::<f64>() / n;
        for block in [1, 3, 64, 1000] {
            let s = merged(&values, block);
            assert!((s.mean - mean).abs() < 1e-8, "block {block}: mean {} for {mean}", s.mean);
            assert!((s.deviation - variance.sqrt()).abs() < 1e-8 * s.deviation, "block {block}");
            assert_eq!((s.min, s.max, s.missing), (1e6, 1e6 + 124.875, 0));
        }
    }

    #[test]
    fn rows_of_no_weight_are_left_out() {
        let rows = [1.0, f32::NAN, 900.0, f32::NAN, 3.0, 8.0, -900.0, 5.0];
        let moments = |weights: &[f32]| Moments::of_weighted_rows(&rows, 2, weights);
        let kept = Moments::of_rows(&[1.0, f32::NAN, 3.0, 8.0], 2);
        let [first, second] = moments(&[0.5, 0.0, 2.0, -0.0])[..] else { panic!() };
        assert_eq!(first, kept[0]);
        // A missing value is one, whatever its row weighs.
        assert_eq!(second, Moments { missing: 2, ..kept[1] });
        for all in [moments(&[1.0; 4]), moments(&[])] {
            assert_eq!(all, Moments::of_rows(&rows, 2));
        }
        assert_eq!(moments(&[0.0; 4])[0].statistics().max, 0.0);
    }

    #[test]
    fn missing_values_are_counted_and_left_out() {
        let s = merged(&[f32::NAN, 1.0, f32::NAN, 3.0], 2);
        assert_eq!((s.mean, s.deviation, s.min, s.max, s.missing), (2.0, 1.0, 1.0, 3.0, 2));
        let none = merged(&[f32::NAN], 1);
        assert_eq!((none.mean, none.deviation, none.missing), (0.0, 0.0, 1));
    }
}

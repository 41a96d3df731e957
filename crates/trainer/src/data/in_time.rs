//! The division of a series in time: windows to learn from, and later ones to validate on.

use crate::data::samples::Samples;
use crate::data::statistics;
use crate::data::subset::Subset;
use crate::data::windows::{Windows, takes};
use crate::error::TrainError;
use gristmill_io::model::Series;

/// Cuts the rows in two, so that the last `share` of them are the later part, and takes the windows of each part: no
/// window has a row, or its target, in the other. Statistics, by which values are scaled, are those of the first part.
///
/// # Errors
/// A part is shorter than a window with its target, or the rows cannot be read.
pub(crate) fn split<'d, S: Samples>(
    windows: Windows<'d, S>,
    share: f64,
    memory: Option<u64>,
) -> Result<[Subset<'d, S>; 2], TrainError> {
    let series = windows.series().unwrap_or(Series { window: 1, horizon: 0 });
    let rows = windows.rows() + series.span() - 1;
    let later = ((rows as f64 * share).round() as u64).min(rows);
    let cut = rows - later;
    for (part, what) in [(cut, "first"), (later, "last")] {
        if series.windows(part) == 0 {
            let (name, takes) = (windows.name(), takes(series, series.span()));
            return Err(TrainError::Data(format!(
                "validation.split {share} cuts the {rows} rows of {name} into {cut} to learn from and the last {later} to \
                 validate on, but {takes}, more than the {what} {part} rows: give another share or more rows, take a \
                 shorter window, or name --validation FILE"
            )));
        }
    }
    let of_first = statistics::of_rows(windows.source(), 0..cut, memory)?;
    let windows = windows.with_statistics(of_first);
    Ok(Subset::runs(windows, [0..series.windows(cut), cut..cut + series.windows(later)]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::samples::Table;
    use std::ops::Range;

    const SERIES: Series = Series { window: 3, horizon: 2 };

    fn table(rows: usize) -> Table {
        let numbers: Vec<f32> = (0..rows).map(|row| row as f32).collect();
        Table::of_numbers(&numbers, numbers.clone(), 1).unwrap()
    }

    fn runs(rows: usize, share: f64) -> Result<[Range<u64>; 2], TrainError> {
        let table = table(rows);
        let parts = split(Windows::new(&table, Some(SERIES))?, share, None)?;
        Ok(parts.map(|part| part.row(0)..part.row(part.len() - 1) + 1))
    }

    #[test]
    fn no_window_to_validate_on_has_a_row_of_one_to_learn_from() {
        for (rows, share) in [(10, 0.5), (100, 0.2), (101, 0.333), (1000, 0.01)] {
            let [first, last] = runs(rows, share).unwrap();
            let reached = SERIES.target_row(first.end - 1);
            let cut = rows as u64 - (rows as f64 * share).round() as u64;
            assert_eq!((first.start, reached), (0, cut - 1), "{rows} {share}");
            assert_eq!((last.start, SERIES.target_row(last.end - 1)), (cut, rows as u64 - 1));
        }
    }

    #[test]
    fn what_comes_later_is_in_no_statistics() {
        let table = table(100);
        let parts = split(Windows::new(&table, Some(SERIES)).unwrap(), 0.2, None).unwrap();
        for part in &parts {
            let samples = part.samples();
            for found in samples.statistics().iter().chain(samples.target_statistics()) {
                assert_eq!((found.mean, found.min, found.max), (39.5, 0.0, 79.0));
            }
        }
    }

    #[test]
    fn parts_that_are_too_short_are_counted() {
        let error = |share| runs(20, share).unwrap_err().to_string();
        let last = error(0.2);
        assert!(last.contains("into 16 to learn from and the last 4 to validate on"), "{last}");
        assert!(
            last.contains("3 with its target 2 after it takes 5, more than the last 4 rows"),
            "{last}"
        );
        assert!(error(0.9).contains("more than the first 2 rows"));
        assert_eq!(runs(20, 0.25).unwrap(), [0..11, 15..16]);
    }
}

//! Samples of several rows: windows of a series, which overlap. They are views of the rows where these lie, so that
//! a window takes no memory of its own.

use crate::data::samples::Samples;
use crate::error::TrainError;
use crate::layer::View;
use gristmill_io::Advice;
use gristmill_io::model::Series;
use gristmill_io::schema::{Encoding, IndexColumns, Statistics};
use gristmill_kernels::Element;
use std::ops::Range;

/// A data set as samples: its rows, or windows of its rows. A window is numbered by its first row.
pub struct Windows<'d, S> {
    rows: &'d S,
    /// `None` where each row is a sample.
    series: Option<Series>,
    count: u64,
    /// From the first row of a sample to that of its target, and to the last that must be in memory for it.
    to_target: u64,
    overlap: u64,
    /// Of each feature of a window and of each target, where they are not those of the rows.
    statistics: Option<[Vec<Statistics>; 2]>,
}

impl<'d, S: Samples> Windows<'d, S> {
    /// Rows that are samples by themselves.
    pub fn none(rows: &'d S) -> Windows<'d, S> {
        Windows {
            rows,
            series: None,
            count: rows.rows(),
            to_target: 0,
            overlap: 0,
            statistics: None,
        }
    }

    /// All windows whose target is among the rows.
    ///
    /// # Errors
    /// There are too few rows, or the rows do not lie one after the other.
    pub fn new(rows: &'d S, series: Option<Series>) -> Result<Windows<'d, S>, TrainError> {
        Windows::counted(rows, series, Series::windows, Series::span)
    }

    /// All windows, for predictions: the targets of the last are what comes after the rows.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn to_predict(rows: &'d S, series: Option<Series>) -> Result<Windows<'d, S>, TrainError> {
        Windows::counted(rows, series, Series::windows_to_predict, |series| series.window.into())
    }

    fn counted(
        rows: &'d S,
        series: Option<Series>,
        count: fn(Series, u64) -> u64,
        span: fn(Series) -> u64,
    ) -> Result<Windows<'d, S>, TrainError> {
        let Some(series) = series else { return Ok(Windows::none(rows)) };
        let (name, all, count) = (rows.name(), rows.rows(), count(series, rows.rows()));
        if count == 0 {
            let takes = takes(series, span(series));
            return Err(TrainError::Data(format!(
                "{name} has {all} rows, but {takes}: give more rows, or take a shorter window"
            )));
        }
        if rows.is_ragged() {
            return Err(TrainError::Data(format!(
                "the rows of {name} are series by themselves: leave --window out"
            )));
        }
        if rows.consecutive(0..1).is_none() {
            return Err(TrainError::Data(format!(
                "the rows of {name} do not lie one after the other"
            )));
        }
        let repeated = || rows.statistics().repeat(series.window as usize);
        Ok(Windows {
            rows,
            series: Some(series),
            count,
            to_target: series.target_row(0),
            overlap: span(series) - 1,
            statistics: (series.window > 1)
                .then(|| [repeated(), rows.target_statistics().to_vec()]),
        })
    }

    /// The same, with these statistics of the features of a row and of the targets in place of those of all rows.
    pub(crate) fn with_statistics(self, of_row: [Vec<Statistics>; 2]) -> Windows<'d, S> {
        let [features, targets] = of_row;
        let window = self.series.map_or(1, |series| series.window as usize);
        Windows { statistics: Some([features.repeat(window), targets]), ..self }
    }

    /// The rows that the samples are made of.
    pub(crate) fn source(&self) -> &'d S {
        self.rows
    }

    /// Which rows a sample has, if it has several.
    pub fn series(&self) -> Option<Series> {
        self.series
    }
}

/// That a window takes this many rows, in words.
pub(crate) fn takes(series: Series, span: u64) -> String {
    let Series { window, horizon } = series;
    match span > u64::from(window) {
        false => format!("a window takes {window}"),
        true => format!("a window of {window} with its target {horizon} after it takes {span}"),
    }
}

impl<S: Samples> Samples for Windows<'_, S> {
    fn rows(&self) -> u64 {
        self.count
    }
    fn element(&self) -> Element {
        self.rows.element()
    }
    #[inline]
    fn row(&self, row: u64) -> &[u8] {
        match self.series {
            None => self.rows.row(row),
            Some(Series { window, .. }) => {
                self.rows.consecutive(row..row + u64::from(window)).unwrap_or_default()
            }
        }
    }
    #[inline]
    fn label(&self, row: u64) -> u32 {
        self.rows.label(row + self.to_target)
    }
    #[inline]
    fn targets(&self, row: u64, out: &mut [f32]) {
        self.rows.targets(row + self.to_target, out);
    }
    #[inline]
    fn weight(&self, row: u64) -> f32 {
        self.rows.weight(row + self.to_target)
    }
    fn has_weights(&self) -> bool {
        self.rows.has_weights()
    }
    fn encoding(&self) -> &Encoding {
        self.rows.encoding()
    }
    fn statistics(&self) -> &[Statistics] {
        self.statistics.as_ref().map_or(self.rows.statistics(), |[features, _]| features)
    }
    fn target_statistics(&self) -> &[Statistics] {
        self.statistics.as_ref().map_or(self.rows.target_statistics(), |[_, targets]| targets)
    }
    fn fingerprint(&self) -> u64 {
        self.rows.fingerprint()
    }
    /// Steps of the features of a row.
    fn view(&self) -> Option<View> {
        match self.series {
            None => self.rows.view(),
            Some(Series { window, .. }) => {
                let channels = self.rows.features();
                Some(View { height: 1, width: window as usize, channels })
            }
        }
    }
    fn features(&self) -> usize {
        self.series.map_or(1, |series| series.window as usize) * self.rows.features()
    }
    fn index_columns(&self) -> Vec<IndexColumns> {
        let (width, columns) = (self.rows.features(), self.rows.index_columns());
        let steps = 0..self.series.map_or(1, |series| series.window as usize);
        let of_step = |step: usize| {
            columns.iter().map(move |columns| IndexColumns {
                features: step * width + columns.features.start
                    ..step * width + columns.features.end,
                ..columns.clone()
            })
        };
        steps.flat_map(of_step).collect()
    }
    fn cell(&self, row: u64, feature: usize) -> (u64, usize) {
        let width = self.rows.features();
        (row + (feature / width) as u64, feature % width)
    }
    fn target_row(&self, row: u64) -> u64 {
        row + self.to_target
    }
    fn overlap(&self) -> u64 {
        self.overlap
    }
    fn is_ragged(&self) -> bool {
        self.rows.is_ragged()
    }
    fn name(&self) -> String {
        self.rows.name()
    }
    /// Those of the one row by which a window is more than the window before.
    fn row_bytes(&self) -> u64 {
        self.rows.row_bytes()
    }
    fn is_paged(&self) -> bool {
        self.rows.is_paged()
    }
    fn populate(&self, rows: Range<u64>) -> Result<(), gristmill_io::Error> {
        self.rows.populate(self.all_of(rows))
    }
    /// Of the rows that the samples have; but to let go of is what is said, since other samples may have the rest.
    fn advise(&self, rows: Range<u64>, advice: Advice) {
        let rows = if advice == Advice::DontNeed { rows } else { self.all_of(rows) };
        self.rows.advise(rows, advice);
    }
    fn check_unchanged(&self) -> Result<(), gristmill_io::Error> {
        self.rows.check_unchanged()
    }
}

impl<S> Windows<'_, S> {
    /// All rows that these samples have.
    fn all_of(&self, samples: Range<u64>) -> Range<u64> {
        match samples.is_empty() {
            true => samples,
            false => samples.start..samples.end + self.overlap,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::samples::Table;

    const SERIES: Series = Series { window: 3, horizon: 2 };

    /// Rows of (row, 100 + row), whose target is 10 row.
    fn table(rows: usize) -> Table {
        let features: Vec<f32> = (0..rows).flat_map(|i| [i as f32, 100.0 + i as f32]).collect();
        Table::of_numbers(&features, (0..rows).map(|i| 10.0 * i as f32).collect(), 1).unwrap()
    }

    fn numbers(bytes: &[u8]) -> Vec<f32> {
        bytes.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
    }

    #[test]
    fn a_window_is_its_rows_and_has_the_target_of_a_later_one() {
        let table = table(7);
        let windows = Windows::new(&table, Some(SERIES)).unwrap();
        assert_eq!((windows.rows(), windows.features()), (3, 6));
        assert_eq!(windows.view(), Some(View { height: 1, width: 3, channels: 2 }));
        assert_eq!(numbers(windows.row(2)), [2.0, 102.0, 3.0, 103.0, 4.0, 104.0]);
        let mut target = [0.0];
        windows.targets(2, &mut target);
        assert_eq!((target, windows.target_row(2)), ([60.0], 6));
        assert_eq!(windows.cell(1, 3), (2, 1), "the second number of the second row");
        let [means, _] = [0, 1].map(|i| windows.statistics()[i].mean);
        assert_eq!((means, windows.statistics().len()), (3.0, 6));
        let to_predict = Windows::to_predict(&table, Some(SERIES)).unwrap();
        assert_eq!(to_predict.rows(), 5);
        assert_eq!(numbers(to_predict.row(4))[4..], [6.0, 106.0]);
    }

    #[test]
    fn rows_are_samples_without() {
        let table = table(4);
        let plain = Windows::new(&table, None).unwrap();
        assert_eq!((plain.rows(), plain.features(), plain.view()), (4, 2, None));
        assert_eq!(numbers(plain.row(1)), [1.0, 101.0]);
        assert_eq!(plain.statistics(), table.statistics());
    }

    #[test]
    fn too_few_rows_are_counted() {
        let error = |rows| Windows::new(&table(rows), Some(SERIES)).err().unwrap().to_string();
        assert_eq!(
            error(4),
            "the data has 4 rows, but a window of 3 with its target 2 after it takes 5: give more rows, or take a \
             shorter window"
        );
        let few = table(2);
        let error = Windows::to_predict(&few, Some(SERIES)).err().unwrap().to_string();
        assert!(error.contains("has 2 rows, but a window takes 3"), "{error}");
        assert_eq!(Windows::new(&table(5), Some(SERIES)).unwrap().rows(), 1);
    }
}

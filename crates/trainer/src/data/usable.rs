//! Whether rows can be learned from at all: what would end in numbers that are none is refused before the
//! first step.

use crate::data::counted;
use crate::data::samples::Samples;
use crate::data::subset::Subset;
use crate::error::TrainError;
use crate::objective::Objective;
use gristmill_io::Scale;
use gristmill_io::model::Series;
use gristmill_io::schema::{Statistics, Target};
use gristmill_kernels::embedding::Column;

/// Largest numeric target: sixteen times as much is still an `f32`, so that a prediction may miss it.
const LARGEST_TARGET: f32 = f32::MAX / 16.0;

/// Checks that what is to be predicted is no input, but for its past.
///
/// # Errors
/// It is.
pub(crate) fn check_kept<S: Samples>(
    samples: &S,
    series: Option<Series>,
) -> Result<(), TrainError> {
    let kept = samples.encoding().kept_targets();
    let (name, [column, ..]) = (samples.name(), &kept[..]) else { return Ok(()) };
    match series {
        Some(Series { horizon: 1.., .. }) => Ok(()),
        Some(_) => Err(TrainError::Data(format!(
            "{name}: the column {column} is an input as well as the target, so that with a horizon of 0 the last row of a \
             window has the answer: give --horizon 1 or more, or import with --no-keep-target"
        ))),
        None => Err(TrainError::Data(format!(
            "{name}: the column {column} is an input as well as the target, so that each row has the answer: give --window \
             to learn from the past of it, or import with --no-keep-target"
        ))),
    }
}

/// The first row that counts: whose weight, times that of its class, is above 0.
///
/// # Errors
/// None does.
pub(crate) fn first_counted<S: Samples>(
    rows: &Subset<'_, S>,
    objective: &Objective,
) -> Result<u64, TrainError> {
    let samples = rows.samples();
    // It is the first of all, but for few data sets.
    let mut all = (0..rows.len()).map(|index| rows.row(index));
    if let Some(row) = all.find(|&row| counted::weight(samples, objective, row) > 0.0) {
        return Ok(row);
    }
    let of_class = match objective.class_weights.is_empty() {
        true => "",
        false => ", times the weight of its class,",
    };
    let name = samples.name();
    Err(TrainError::Data(format!(
        "{name}: the weight of every row to learn from{of_class} is 0: nothing can be learned from them"
    )))
}

/// Checks that tokens are below their vocabulary. The index columns of a data set are by themselves; and what is
/// below 0 or not a number is padding.
///
/// # Errors
/// Names the first column with a token beyond it.
pub(crate) fn check_tokens<S: Samples>(
    samples: &S,
    mut columns: impl Iterator<Item = Column>,
) -> Result<(), TrainError> {
    let indices = samples.index_columns();
    let is_beyond = |column: &Column| {
        let is_index = indices.iter().any(|of| of.features.contains(&column.unit));
        !is_index && samples.statistics()[column.unit].max >= column.categories as f32
    };
    let Some(Column { unit, categories, .. }) = columns.find(is_beyond) else { return Ok(()) };
    let (name, column) =
        (samples.name(), &samples.encoding().feature_names()[samples.cell(0, unit).1]);
    let max = samples.statistics()[unit].max;
    Err(TrainError::Data(format!(
        "{name}: column {column} has a token {max}, beyond the vocabulary of {categories} (0 to {}): \
         say vocabulary={} or more, or write -1 for tokens that are not to be looked up",
        categories - 1,
        max as u64 + 1
    )))
}

/// Checks that the scales take all features and targets to finite numbers. A scale is that of a column as
/// it is used: standardised or not.
///
/// # Errors
/// A column reaches too far.
pub(crate) fn check_range<S: Samples>(
    samples: &S,
    features: &[Scale],
    targets: &[Scale],
) -> Result<(), TrainError> {
    let refuse = |column: &str, statistics: &Statistics, reason: &str| {
        let (name, Statistics { min, max, .. }) = (samples.name(), statistics);
        Err(TrainError::Data(format!(
            "{name}: column {column} reaches from {min:e} to {max:e}, {reason}: \
             correct those values, or give the column in a larger unit"
        )))
    };
    let is_scaled = |statistics: &Statistics, scale: &Scale| {
        let scaled = |value: f32| (value - scale.mean) * (1.0 / scale.deviation);
        scaled(statistics.min).is_finite() && scaled(statistics.max).is_finite()
    };
    let statistics = samples.statistics();
    if let Some(i) = (0..features.len()).find(|&i| !is_scaled(&statistics[i], &features[i])) {
        let column = &samples.encoding().feature_names()[samples.cell(0, i).1];
        return refuse(column, &statistics[i], "too far for 32-bit numbers to be standardised");
    }
    let Target::Numbers { columns } = &samples.encoding().target else { return Ok(()) };
    for ((column, statistics), scale) in
        columns.iter().zip(samples.target_statistics()).zip(targets)
    {
        let largest = statistics.min.abs().max(statistics.max.abs());
        if largest > LARGEST_TARGET || !is_scaled(statistics, scale) {
            return refuse(column, statistics, "too far for predictions that are 32-bit numbers");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::samples::Table;
    use crate::objective::TargetKind;
    use gristmill_kernels::Loss;

    fn classes(class_weights: &[f32]) -> Objective {
        Objective {
            loss: Loss::BinaryCrossEntropy,
            targets: TargetKind::Classes,
            class_weights: class_weights.to_vec(),
        }
    }

    #[test]
    fn rows_that_do_not_count_are_refused() {
        let names = vec!["a".to_owned(), "b".to_owned()];
        let table = Table::of_classes(&[1.0, 2.0], vec![0, 1], names).unwrap();
        let rows = Subset::all(&table);
        assert_eq!(first_counted(&rows, &classes(&[])).unwrap(), 0);
        assert_eq!(first_counted(&rows, &classes(&[0.0, 1.0])).unwrap(), 1);
        let error = first_counted(&rows, &classes(&[0.0, 0.0])).unwrap_err();
        assert!(error.to_string().contains("weight of its class"), "{error}");
    }

    #[test]
    fn columns_that_overflow_when_they_are_scaled_are_named() {
        let unscaled = Scale { mean: 0.0, deviation: 1.0 };
        let refused = |features: &[f32], targets: &[f32], scale: &Scale| {
            let table = Table::of_numbers(features, targets.to_vec(), 1).unwrap();
            check_range(&table, std::slice::from_ref(scale), &[unscaled])
        };
        let wide = Scale { mean: -3e38, deviation: 1.0 };
        let error = refused(&[3e38, -3e38], &[0.0, 1.0], &wide).unwrap_err().to_string();
        assert!(error.contains("column x0 reaches from -3e38 to 3e38"), "{error}");
        refused(&[3e38, 1.0], &[0.0, 1.0], &Scale { mean: 1.5e38, deviation: 1.5e38 }).unwrap();
        let error = refused(&[0.0, 1.0], &[3e38, 1.0], &unscaled).unwrap_err().to_string();
        assert!(error.contains("column y0 reaches from 1e0 to 3e38"), "{error}");
        refused(&[0.0, 1.0], &[2e30, 1.0], &unscaled).unwrap();
    }
}

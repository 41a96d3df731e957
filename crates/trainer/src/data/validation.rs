//! Whether the rows to validate on can tell anything of a model.

use crate::config::EarlyStoppingConfig;
use crate::data::samples::Samples;
use crate::data::subset::Subset;
use crate::error::TrainError;
use crate::metrics::Metric;
use gristmill_io::schema::Target;
use std::collections::BTreeSet;

/// One row more that is right moves the accuracy of fewer rows by more than 3 %.
const FEW_ROWS: u64 = 30;

/// Whether a share of the rows was held out, or in words that it is less than was asked for.
///
/// # Errors
/// No row was.
pub(crate) fn shortfall<S: Samples>(
    held_out: &Subset<'_, S>,
    share: f64,
) -> Result<Option<String>, TrainError> {
    let rows = held_out.samples().rows();
    let wanted = ((rows as f64 * share).round() as u64).max(1);
    let reason = match &held_out.samples().encoding().target {
        Target::Classes { .. } => "every class keeps a row to learn from",
        _ => "a row is left to learn from",
    };
    match held_out.len() {
        0 => Err(TrainError::Data(format!(
            "validation.split {share} of {rows} rows holds none out to validate on ({reason}): give more \
             rows, or --validation FILE"
        ))),
        count if count < wanted => {
            Ok(Some(format!("{count} rows are held out, not {wanted}: {reason}")))
        }
        _ => Ok(None),
    }
}

/// Checks that there are rows, that some count, and that they determine the metric that is watched.
///
/// # Errors
/// Something of that is not so.
pub(crate) fn check<S: Samples>(
    rows: &Subset<'_, S>,
    early_stopping: &EarlyStoppingConfig,
) -> Result<(), TrainError> {
    let samples = rows.samples();
    let name = samples.name();
    if rows.is_empty() {
        return Err(TrainError::Data(format!("{name} has no rows to validate on")));
    }
    let mut counted =
        (0..rows.len()).map(|index| rows.row(index)).filter(|&row| samples.weight(row) > 0.0);
    let Some(first) = counted.next() else {
        let reason = "the weight of every row to validate on is 0";
        return Err(TrainError::Data(format!("{name}: {reason}")));
    };
    let watched = Some(early_stopping.metric).filter(|_| early_stopping.patience > 0);
    match (watched, &samples.encoding().target) {
        (Some(Metric::RocAuc), Target::Classes { names, .. }) => {
            let class = samples.label(first);
            let differs = |row: u64| samples.label(row) != class;
            match (counted.any(differs), names.get(class as usize)) {
                (false, Some(class)) => {
                    Err(undefined(Metric::RocAuc, &format!("all are of class {class}")))
                }
                _ => Ok(()),
            }
        }
        (Some(Metric::R2), Target::Numbers { columns }) => {
            let (mut one, mut other) = (vec![0.0; columns.len()], vec![0.0; columns.len()]);
            samples.targets(first, &mut one);
            let mut differs = |row: u64| {
                samples.targets(row, &mut other);
                other != one
            };
            match counted.any(&mut differs) {
                false => Err(undefined(Metric::R2, "all have the same target")),
                true => Ok(()),
            }
        }
        _ => Ok(()),
    }
}

/// That a metric is watched which the rows do not determine, for this reason.
pub(crate) fn undefined(metric: Metric, reason: &str) -> TrainError {
    TrainError::Data(format!(
        "{metric} is not defined on the rows to validate on, {reason}: validate on others, or watch \
         another metric (early_stopping.metric)"
    ))
}

/// Why the metrics of these rows may mislead, in a line.
pub(crate) fn doubt<S: Samples>(rows: &Subset<'_, S>) -> Option<String> {
    if rows.len() < FEW_ROWS {
        let count = rows.len();
        return Some(format!("only {count} rows to validate on: their metrics are mostly chance"));
    }
    let Target::Classes { names, .. } = &rows.samples().encoding().target else { return None };
    let mut absent: BTreeSet<usize> = (0..names.len()).collect();
    for row in 0..rows.len() {
        if absent.is_empty() {
            break;
        }
        absent.remove(&(rows.samples().label(rows.row(row)) as usize));
    }
    let first = &names[*absent.first()?];
    let more = match absent.len() - 1 {
        0 => String::new(),
        more => format!(", nor of {more} more"),
    };
    Some(format!("no row to validate on is of class {first}{more}: the metrics leave it out"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::samples::Table;
    use crate::sampler::Split;

    fn doubt_of(labels: Vec<u32>) -> Option<String> {
        let names = ["aster", "bellis", "crocus"].map(str::to_owned).to_vec();
        let table = Table::of_classes(&vec![0.5; labels.len()], labels, names).unwrap();
        doubt(&Subset::all(&table))
    }

    fn watching(metric: Metric) -> EarlyStoppingConfig {
        EarlyStoppingConfig { patience: 2, metric, ..Default::default() }
    }

    #[test]
    fn metrics_that_the_rows_do_not_determine_are_refused() {
        let names = || ["aster", "bellis"].map(str::to_owned).to_vec();
        let of_classes = |labels: [u32; 3], early_stopping: &EarlyStoppingConfig| {
            let table = Table::of_classes(&[0.5; 3], labels.to_vec(), names()).unwrap();
            check(&Subset::all(&table), early_stopping)
        };
        of_classes([1, 1, 0], &watching(Metric::RocAuc)).unwrap();
        of_classes([1, 1, 1], &watching(Metric::F1)).unwrap();
        let patient = EarlyStoppingConfig { patience: 0, ..watching(Metric::RocAuc) };
        of_classes([1, 1, 1], &patient).unwrap();
        let error = of_classes([1, 1, 1], &watching(Metric::RocAuc)).unwrap_err().to_string();
        assert!(error.contains("roc_auc is not defined"), "{error}");
        assert!(error.contains("all are of class bellis"), "{error}");

        let of_numbers = |targets: [f32; 4]| {
            let table = Table::of_numbers(&[0.5; 2], targets.to_vec(), 2).unwrap();
            check(&Subset::all(&table), &watching(Metric::R2))
        };
        of_numbers([1.0, 2.0, 1.0, 3.0]).unwrap();
        let error = of_numbers([1.0, 2.0, 1.0, 2.0]).unwrap_err().to_string();
        assert!(error.contains("r2 is not defined"), "{error}");
    }

    #[test]
    fn a_split_that_holds_out_too_little_is_told() {
        let names = || ["aster", "bellis"].map(str::to_owned).to_vec();
        let held_out = |labels: &[u32], counts: [u64; 2], share: f64| {
            let table =
                Table::of_classes(&vec![0.5; labels.len()], labels.to_vec(), names()).unwrap();
            let split = Split::stratified(&counts, |row| table.label(row), share, 1);
            let (_, held_out) = Subset::both(&table, split);
            shortfall(&held_out, share)
        };
        assert_eq!(held_out(&[0, 1, 0, 1], [2, 2], 0.5).unwrap(), None);
        let error = held_out(&[0, 1], [1, 1], 0.5).unwrap_err().to_string();
        assert!(error.contains("validation.split 0.5 of 2 rows holds none out"), "{error}");
        let told = held_out(&[0, 1, 0, 1], [2, 2], 0.75).unwrap().unwrap();
        assert!(told.starts_with("2 rows are held out, not 3"), "{told}");
    }

    #[test]
    fn few_rows_and_absent_classes_are_doubted() {
        let labels = |classes: u32, rows: u32| (0..rows).map(|row| row % classes).collect();
        assert_eq!(doubt_of(labels(3, 30)), None);
        assert!(doubt_of(labels(3, 29)).unwrap().starts_with("only 29 rows"));
        let of_two = doubt_of(labels(2, 100)).unwrap();
        assert!(of_two.contains("class crocus: "), "{of_two}");
        let of_one = doubt_of(labels(1, 100)).unwrap();
        assert!(of_one.contains("class bellis, nor of 1 more"), "{of_one}");
        let numbers = Table::of_numbers(&[0.5; 40], vec![1.0; 40], 1).unwrap();
        assert_eq!(doubt(&Subset::all(&numbers)), None);
    }
}

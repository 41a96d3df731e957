//! What is measured of predictions: meters that take rows one by one, and the reports they end in.
//!
//! Meters of parts of the rows can be merged; merged in the same order they give the same bits.

mod classes;
mod metric;
mod numbers;
mod ranking;

pub(crate) use classes::JudgedClass;
pub use classes::{ClassMeter, ClassReport, ClassScores};
pub use metric::Metric;
pub use numbers::{NumberMeter, NumberReport, NumberScores};

use gristmill_kernels::Loss;

/// Everything measured of a model's predictions.
#[derive(Debug, Clone, PartialEq)]
pub enum Report {
    /// Where classes are predicted.
    Classes(ClassReport),
    /// Where numbers are predicted.
    Numbers(NumberReport),
}

impl Report {
    /// One metric; `None` if this task has no such metric or the rows do not determine it.
    pub fn get(&self, metric: Metric) -> Option<f64> {
        match self {
            Report::Classes(report) => report.get(metric),
            Report::Numbers(report) => report.get(metric),
        }
    }

    /// Every metric that there is, in the order of [`Metric::OF_CLASSES`] or
    /// [`Metric::OF_NUMBERS`].
    pub fn values(&self) -> Vec<(Metric, f64)> {
        let metrics = match self {
            Report::Classes(_) => Metric::OF_CLASSES,
            Report::Numbers(_) => Metric::OF_NUMBERS,
        };
        metrics.iter().filter_map(|&metric| Some((metric, self.get(metric)?))).collect()
    }
}

/// The loss over many batches.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct LossMeter {
    sum: f64,
    weight: f64,
}

impl LossMeter {
    /// Adds rows whose losses times weights sum to `sum`, and whose weights sum to `weight`.
    pub fn add(&mut self, sum: f64, weight: f64) {
        self.sum += sum;
        self.weight += weight;
    }

    /// Adds what another meter took.
    pub(crate) fn merge(&mut self, other: LossMeter) {
        self.add(other.sum, other.weight);
    }

    /// The loss of all rows as if they were one batch: the weighted mean, but for
    /// [`Loss::HalfSumSquares`] the sum.
    pub fn value(&self, loss: Loss) -> f64 {
        match loss {
            Loss::HalfSumSquares => self.sum,
            _ => self.sum / self.weight,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_average_unless_they_are_sums() {
        let mut meter = LossMeter::default();
        meter.add(3.0, 2.0);
        meter.add(1.0, 6.0);
        assert_eq!(meter.value(Loss::MeanSquared), 0.5);
        assert_eq!(meter.value(Loss::HalfSumSquares), 4.0);
    }

    #[test]
    fn reports_list_the_metrics_of_their_task() {
        let mut meter = NumberMeter::new(1);
        meter.add(&[1.0], &[2.0], 1.0);
        meter.add(&[1.0], &[0.0], 1.0);
        let report = Report::Numbers(meter.report(0.25));
        let values = report.values();
        assert_eq!(values.iter().map(|(m, _)| *m).collect::<Vec<_>>(), Metric::OF_NUMBERS);
        assert_eq!(values[0].1, 0.25);
        assert_eq!(report.get(Metric::Accuracy), None);

        let mut meter = ClassMeter::new(2);
        meter.add(&[0.75], 1, 1.0);
        let report = Report::Classes(meter.report(0.25));
        // One class alone determines no ranking.
        assert_eq!(report.get(Metric::RocAuc), None);
        assert_eq!(report.values().len(), Metric::OF_CLASSES.len() - 1);
        assert_eq!(report.get(Metric::Accuracy), Some(1.0));
    }
}

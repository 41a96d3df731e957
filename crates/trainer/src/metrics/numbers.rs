//! Metrics of predicted numbers.

use super::metric::Metric;

/// Takes predicted numbers row by row, in constant memory.
#[derive(Debug, Clone)]
pub struct NumberMeter {
    rows: u64,
    targets: Vec<Sums>,
}

/// What is summed for one target.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    weight: f64,
    /// Mean of the true values.
    mean: f64,
    /// Weighted squared distances of the true values from their mean (West's method: it does not
    /// cancel as sums of squares do).
    spread: f64,
    squared_error: f64,
    absolute_error: f64,
}

/// How well one target is predicted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NumberScores {
    /// Root of the mean squared error, in the target's unit.
    pub rmse: f64,
    /// Mean absolute error, in the target's unit.
    pub mae: f64,
    /// 1 - squared error / spread around the mean; of a constant target 1 if every prediction is
    /// right, else 0.
    pub r2: f64,
}

/// Metrics of predicted numbers. Rows count by their weights.
#[derive(Debug, Clone, PartialEq)]
pub struct NumberReport {
    /// How many rows were measured.
    pub rows: u64,
    /// The loss that training minimises.
    pub loss: f64,
    /// Root of the squared error's mean over rows and targets.
    pub rmse: f64,
    /// The absolute error's mean over rows and targets.
    pub mae: f64,
    /// Mean over the targets.
    pub r2: f64,
    /// Per target, in their order.
    pub per_target: Vec<NumberScores>,
}

impl NumberMeter {
    /// For this many targets, at least 1.
    pub fn new(targets: usize) -> NumberMeter {
        NumberMeter { rows: 0, targets: vec![Sums::default(); targets] }
    }

    /// How many targets there are.
    pub(crate) fn targets(&self) -> usize {
        self.targets.len()
    }

    /// Adds a row: a prediction and a true value per target, in the target's own unit, and the
    /// row's weight.
    ///
    /// # Panics
    /// The numbers of predictions, truths and targets differ.
    pub fn add(&mut self, predictions: &[f32], truths: &[f32], weight: f64) {
        assert_eq!(predictions.len(), self.targets.len(), "a prediction per target");
        assert_eq!(truths.len(), self.targets.len(), "a true value per target");
        self.rows += 1;
        // What does not count may be no number, and 0 times that is none either.
        if weight == 0.0 {
            return;
        }
        for ((sums, &prediction), &truth) in self.targets.iter_mut().zip(predictions).zip(truths) {
            let (prediction, truth) = (f64::from(prediction), f64::from(truth));
            let error = prediction - truth;
            sums.merge(&Sums {
                weight,
                mean: truth,
                spread: 0.0,
                squared_error: weight * error * error,
                absolute_error: weight * error.abs(),
            });
        }
    }

    /// Adds what another meter of the same targets took.
    ///
    /// # Panics
    /// The numbers of targets differ.
    pub fn merge(&mut self, other: &NumberMeter) {
        assert_eq!(self.targets.len(), other.targets.len(), "meters of the same targets");
        self.rows += other.rows;
        self.targets.iter_mut().zip(&other.targets).for_each(|(sums, more)| sums.merge(more));
    }

    /// All metrics of the rows so far, beside their `loss`.
    pub fn report(&self, loss: f64) -> NumberReport {
        let per_target: Vec<NumberScores> = self.targets.iter().map(Sums::scores).collect();
        let count = per_target.len() as f64;
        let mean =
            |score: fn(&NumberScores) -> f64| per_target.iter().map(score).sum::<f64>() / count;
        NumberReport {
            rows: self.rows,
            loss,
            rmse: mean(|target| target.rmse * target.rmse).sqrt(),
            mae: mean(|target| target.mae),
            r2: mean(|target| target.r2),
            per_target,
        }
    }
}

impl Sums {
    fn merge(&mut self, more: &Sums) {
        let weight = self.weight + more.weight;
        if weight > 0.0 {
            let distance = more.mean - self.mean;
            self.mean += distance * more.weight / weight;
            self.spread += more.spread + distance * distance * self.weight * more.weight / weight;
        }
        self.weight = weight;
        self.squared_error += more.squared_error;
        self.absolute_error += more.absolute_error;
    }

    fn scores(&self) -> NumberScores {
        let r2 = if self.spread > 0.0 {
            1.0 - self.squared_error / self.spread
        } else {
            f64::from(u8::from(self.squared_error == 0.0))
        };
        NumberScores {
            rmse: (self.squared_error / self.weight).sqrt(),
            mae: self.absolute_error / self.weight,
            r2,
        }
    }
}

impl NumberReport {
    /// One metric; `None` for those of classes.
    pub fn get(&self, metric: Metric) -> Option<f64> {
        match metric {
            Metric::Loss => Some(self.loss),
            Metric::Rmse => Some(self.rmse),
            Metric::Mae => Some(self.mae),
            Metric::R2 => Some(self.r2),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // At random; the metrics of sklearn.metrics.
    const TRUTHS: [[f32; 2]; 8] = [
        [-2.97, 98.52],
        [0.36, 100.69],
        [1.92, -97.99],
        [-1.6, -20.33],
        [1.5, 85.1],
        [-1.42, -60.72],
        [-1.6, -58.42],
        [-0.48, -13.18],
    ];
    const PREDICTIONS: [[f32; 2]; 8] = [
        [-1.94, 68.14],
        [0.22, 128.2],
        [1.44, -120.11],
        [-1.59, 26.12],
        [0.84, 167.39],
        [-1.6, -50.56],
        [-1.18, -18.77],
        [0.05, -2.79],
    ];
    const WEIGHTS: [f64; 8] = [2.0, 0.5, 0.5, 0.5, 0.5, 2.0, 2.0, 1.0];
    const PER_TARGET: [[f64; 3]; 2] = [
        [0.5928415582880224, 0.4927777983248234, 0.8136462452215205],
        [33.98072488693915, 28.88388771480984, 0.7809219673549762],
    ];
    const OVERALL: [f64; 3] = [24.031657505830506, 14.688332756567332, 0.7972841062882483];

    fn meter(rows: std::ops::Range<usize>) -> NumberMeter {
        let mut meter = NumberMeter::new(2);
        rows.for_each(|i| meter.add(&PREDICTIONS[i], &TRUTHS[i], WEIGHTS[i]));
        meter
    }

    fn assert_close(got: [f64; 3], expected: [f64; 3]) {
        for (g, e) in got.iter().zip(expected) {
            assert!((g - e).abs() < 1e-12, "{got:?} instead of {expected:?}");
        }
    }

    #[test]
    fn errors_match_scikit_learn() {
        let report = meter(0..8).report(0.5);
        for (scores, expected) in report.per_target.iter().zip(PER_TARGET) {
            assert_close([scores.rmse, scores.mae, scores.r2], expected);
        }
        assert_close([report.rmse, report.mae, report.r2], OVERALL);
        assert_eq!((report.rows, report.loss), (8, 0.5));
    }

    #[test]
    fn merged_meters_are_one_meter() {
        let mut merged = meter(0..3);
        merged.merge(&meter(3..8));
        let report = merged.report(0.0);
        assert_eq!(report.rows, 8);
        assert_close([report.rmse, report.mae, report.r2], OVERALL);
    }

    #[test]
    fn rows_of_weight_0_are_counted_and_nothing_else() {
        let mut with_more = meter(0..8);
        with_more.add(&[f32::NAN, f32::INFINITY], &[3e38, f32::NEG_INFINITY], 0.0);
        let (report, expected) = (with_more.report(0.5), meter(0..8).report(0.5));
        assert_eq!(report, NumberReport { rows: 9, ..expected });
    }

    #[test]
    fn r2_holds_far_from_zero_and_for_constants() {
        let mut far = NumberMeter::new(1);
        [1.0, 2.0, 3.0, 4.0].iter().for_each(|y| far.add(&[1e6 + y], &[1e6 + 5.0 - y], 1.0));
        // Errors -3, -1, 1, 3 around deviations -1.5, -0.5, 0.5, 1.5.
        assert!((far.report(0.0).r2 - (1.0 - 20.0 / 5.0)).abs() < 1e-9);
        let constant = |prediction| {
            let mut meter = NumberMeter::new(1);
            (0..3).for_each(|_| meter.add(&[prediction], &[7.0], 1.0));
            meter.report(0.0).r2
        };
        assert_eq!((constant(7.0), constant(8.0)), (1.0, 0.0));
    }
}

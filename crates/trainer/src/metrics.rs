//! What is measured of predictions.

use crate::names::named;

named! {
    /// A metric by name.
    pub enum Metric {
        /// The loss that is minimised, without penalties.
        Loss = "loss",
        /// Share of the rows whose most probable class is right.
        Accuracy = "accuracy",
        /// Mean over the classes of the share that is recognised.
        BalancedAccuracy = "balanced_accuracy",
        /// Share of the predictions of a class that are right.
        Precision = "precision",
        /// Share of the rows of a class that are recognised.
        Recall = "recall",
        /// Harmonic mean of precision and recall.
        F1 = "f1",
        /// Area under the receiver operating characteristic.
        RocAuc = "roc_auc",
        /// Mean negative logarithm of the probability of the right class.
        LogLoss = "log_loss",
        /// Root of the mean squared error.
        Rmse = "rmse",
        /// Mean absolute error.
        Mae = "mae",
        /// Share of the variance that is explained.
        R2 = "r2",
    }
}

impl Metric {
    /// What is measured where classes are predicted.
    pub const OF_CLASSES: &'static [Metric] = &[
        Metric::Loss,
        Metric::Accuracy,
        Metric::BalancedAccuracy,
        Metric::Precision,
        Metric::Recall,
        Metric::F1,
        Metric::RocAuc,
        Metric::LogLoss,
    ];

    /// What is measured where numbers are predicted.
    pub const OF_NUMBERS: &'static [Metric] =
        &[Metric::Loss, Metric::Rmse, Metric::Mae, Metric::R2];

    /// Whether more of it is better.
    pub fn higher_is_better(self) -> bool {
        !matches!(self, Metric::Loss | Metric::LogLoss | Metric::Rmse | Metric::Mae)
    }
}

/// temporary
pub struct Measuring {
    loss: f64,
    weight: f64,
    right: f64,
    n: f64,
    classes: bool,
}
/// temporary
pub struct Measured(Vec<(Metric, f64)>);
#[allow(missing_docs)]
impl Measuring {
    pub fn classes(_: usize) -> Self {
        Measuring { loss: 0.0, weight: 0.0, right: 0.0, n: 0.0, classes: true }
    }
    pub fn numbers(_: usize) -> Self {
        Measuring { loss: 0.0, weight: 0.0, right: 0.0, n: 0.0, classes: false }
    }
    pub fn add_loss(&mut self, loss: f64, weight: f64) {
        self.loss += loss;
        self.weight += weight;
    }
    pub fn add_class(&mut self, p: &[f32], label: usize, weight: f64) {
        let best = if p.len() == 1 {
            usize::from(p[0] > 0.5)
        } else {
            (0..p.len()).max_by(|&a, &b| p[a].total_cmp(&p[b])).unwrap()
        };
        self.n += weight;
        if best == label {
            self.right += weight
        }
    }
    pub fn add_numbers(&mut self, p: &[f32], y: &[f32], weight: f64) {
        self.n += weight;
        self.right +=
            p.iter().zip(y).map(|(a, b)| f64::from((a - b) * (a - b))).sum::<f64>() * weight;
    }
    pub fn finish(self) -> Measured {
        Measured(vec![
            (Metric::Loss, self.loss / self.weight),
            if self.classes {
                (Metric::Accuracy, self.right / self.n)
            } else {
                (Metric::Rmse, (self.right / self.n).sqrt())
            },
        ])
    }
}
#[allow(missing_docs)]
impl Measured {
    pub fn values(&self) -> Vec<(Metric, f64)> {
        self.0.clone()
    }
}

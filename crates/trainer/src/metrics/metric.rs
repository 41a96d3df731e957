//! The metrics by name, and which of them a task has.

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

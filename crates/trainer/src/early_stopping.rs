//! When to stop before the last epoch, and which epoch was the best.

use crate::config::EarlyStoppingConfig;

/// The best epoch so far. A checkpoint holds it; the rest is configuration.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Best {
    /// The value of the watched metric.
    pub value: f64,
    /// Number of the epoch, from 1.
    pub epoch: u32,
}

/// What an epoch means for the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The best so far: keep its parameters.
    Improved,
    /// Not better, but within patience.
    Waiting,
    /// Not better for as many epochs as patience allows.
    Stop,
}

/// Watches one metric over the epochs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct EarlyStopping {
    config: EarlyStoppingConfig,
    best: Option<Best>,
}

impl EarlyStopping {
    /// From the start of a run, or with the `best` of the checkpoint that it resumes from.
    pub(crate) fn new(config: EarlyStoppingConfig, best: Option<Best>) -> EarlyStopping {
        EarlyStopping { config, best }
    }

    /// The best epoch so far; `None` before the first one whose metric is a number.
    pub(crate) fn best(&self) -> Option<Best> {
        self.best
    }

    /// Takes note of the metric's value in an epoch, numbered from 1.
    ///
    /// A value that is not a number never improves. Without patience the verdict is never
    /// [`Verdict::Stop`].
    pub(crate) fn observe(&mut self, epoch: u32, value: f64) -> Verdict {
        let gain = |best: Best| {
            let more = value - best.value;
            if self.config.metric.higher_is_better() { more } else { -more }
        };
        let improved = match self.best {
            None => !value.is_nan(),
            Some(best) => gain(best) > self.config.min_delta,
        };
        if improved {
            self.best = Some(Best { value, epoch });
            return Verdict::Improved;
        }
        let waited = epoch - self.best.map_or(0, |best| best.epoch);
        if self.config.patience > 0 && waited >= self.config.patience {
            Verdict::Stop
        } else {
            Verdict::Waiting
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Metric;
    use Verdict::{Improved, Stop, Waiting};

    fn verdicts(config: EarlyStoppingConfig, values: &[f64]) -> (Vec<Verdict>, Option<Best>) {
        let mut stopping = EarlyStopping::new(config, None);
        let verdicts = (1..).zip(values).map(|(epoch, &v)| stopping.observe(epoch, v)).collect();
        (verdicts, stopping.best())
    }

    fn config(patience: u32, metric: Metric, min_delta: f64) -> EarlyStoppingConfig {
        EarlyStoppingConfig { patience, metric, min_delta, restore_best: true }
    }

    #[test]
    fn a_loss_must_fall_and_an_accuracy_rise() {
        let values = [0.5, 0.4, 0.6, 0.45, 0.7];
        let (got, best) = verdicts(config(2, Metric::Loss, 0.0), &values);
        assert_eq!(got, [Improved, Improved, Waiting, Stop, Stop]);
        assert_eq!(best, Some(Best { value: 0.4, epoch: 2 }));
        let (got, best) = verdicts(config(2, Metric::Accuracy, 0.0), &values);
        assert_eq!(got, [Improved, Waiting, Improved, Waiting, Improved]);
        assert_eq!(best, Some(Best { value: 0.7, epoch: 5 }));
    }

    #[test]
    fn small_gains_and_ties_do_not_count() {
        let (got, best) = verdicts(config(3, Metric::Loss, 0.1), &[1.0, 0.95, 0.9, 0.85, 0.8]);
        assert_eq!(got, [Improved, Waiting, Waiting, Improved, Waiting]);
        assert_eq!(best.unwrap().epoch, 4);
        assert_eq!(verdicts(config(1, Metric::Loss, 0.0), &[1.0, 1.0]).0, [Improved, Stop]);
    }

    #[test]
    fn without_patience_it_only_watches() {
        let (got, best) = verdicts(config(0, Metric::Loss, 0.0), &[1.0, 2.0, 3.0]);
        assert_eq!(got, [Improved, Waiting, Waiting]);
        assert_eq!(best.unwrap().epoch, 1);
    }

    #[test]
    fn what_is_not_a_number_never_improves() {
        let (got, best) = verdicts(config(2, Metric::Loss, 0.0), &[f64::NAN, f64::NAN, 1.0]);
        assert_eq!(got, [Waiting, Stop, Improved]);
        assert_eq!(best.unwrap().epoch, 3);
        assert_eq!(verdicts(config(1, Metric::Loss, 0.0), &[1.0, f64::NAN]).0, [Improved, Stop]);
    }

    #[test]
    fn resuming_goes_on_where_it_was() {
        let best = Some(Best { value: 0.5, epoch: 3 });
        let mut stopping = EarlyStopping::new(config(2, Metric::Loss, 0.0), best);
        assert_eq!(stopping.observe(4, 0.6), Waiting);
        assert_eq!(stopping.observe(5, 0.6), Stop);
    }
}

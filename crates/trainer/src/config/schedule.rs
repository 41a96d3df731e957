//! The `[schedule]` section: how the learning rate changes during the run.

use super::error::{ConfigError, check_options, require};
use crate::names::named;
use crate::schedule::{self, Curve, Schedule};
use serde::{Deserialize, Serialize};

named! {
    /// A schedule by name.
    pub enum ScheduleKind {
        /// The learning rate stays.
        Constant = "constant",
        /// Times `factor` after every `every` epochs.
        Step = "step",
        /// Times `factor` per epoch, evenly at every step.
        Exponential = "exponential",
        /// Half a cosine down to `end_factor` at the end of the run.
        Cosine = "cosine",
        /// Up from `start_factor` within the first `rise` of the run, then down to `end_factor`.
        OneCycle = "one-cycle",
        /// Times `factor` when the watched metric has not improved for `patience` epochs.
        Plateau = "plateau",
    }
}

/// The `[schedule]` section. Factors are fractions of the optimiser's learning rate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScheduleConfig {
    /// Which schedule; default `constant`.
    pub kind: ScheduleKind,
    /// Epochs over which the learning rate rises evenly to its start, before the schedule begins;
    /// may be a fraction; default 0.
    pub warmup: f64,
    /// step: epochs between two reductions; default 10.
    pub every: Option<f64>,
    /// step (default 0.1), exponential (0.95), plateau (0.5): what the learning rate is multiplied by.
    pub factor: Option<f64>,
    /// one-cycle: where it starts; default 0.04.
    pub start_factor: Option<f64>,
    /// cosine (default 0), one-cycle (0.000004), plateau (0): below which it does not fall.
    pub end_factor: Option<f64>,
    /// one-cycle: the fraction of the run in which it rises; default 0.3.
    pub rise: Option<f64>,
    /// plateau: epochs without improvement before a reduction; default 5.
    pub patience: Option<u32>,
    /// plateau: how much less the loss must be to count as improved; default 0.0001.
    pub min_delta: Option<f64>,
}

impl Default for ScheduleConfig {
    fn default() -> Self {
        ScheduleConfig {
            kind: ScheduleKind::Constant,
            warmup: 0.0,
            every: None,
            factor: None,
            start_factor: None,
            end_factor: None,
            rise: None,
            patience: None,
            min_delta: None,
        }
    }
}

impl ScheduleConfig {
    /// The schedule, and this section with nothing left open.
    pub(super) fn resolve(&self, epochs: u32) -> Result<(ScheduleConfig, Schedule), ConfigError> {
        use ScheduleKind::*;
        let mut complete = self.clone();
        let ScheduleConfig {
            every,
            factor,
            start_factor,
            end_factor,
            rise,
            patience,
            min_delta,
            ..
        } = &mut complete;
        let curve = match self.kind {
            Constant => Curve::Constant,
            Step => Curve::Step {
                every: *every.get_or_insert(10.0),
                factor: *factor.get_or_insert(0.1),
            },
            Exponential => Curve::Exponential { factor: *factor.get_or_insert(0.95) },
            Cosine => Curve::Cosine { end: *end_factor.get_or_insert(0.0) },
            OneCycle => Curve::OneCycle {
                start: *start_factor.get_or_insert(0.04),
                end: *end_factor.get_or_insert(4e-6),
                rise: *rise.get_or_insert(0.3),
            },
            Plateau => Curve::Plateau(schedule::Plateau {
                factor: *factor.get_or_insert(0.5),
                patience: *patience.get_or_insert(5),
                min_delta: *min_delta.get_or_insert(1e-4),
                end: *end_factor.get_or_insert(0.0),
            }),
        };

        let limit = f64::from(epochs);
        require(
            "schedule.warmup",
            self.warmup,
            self.warmup >= 0.0 && self.warmup < limit,
            &format!("0 to below {epochs}, the epochs of the run"),
        )?;
        let positive = |x: f64| x > 0.0;
        let not_negative = |x: f64| x >= 0.0;
        let share = |x: f64| (0.0..=1.0).contains(&x);
        let reducing = |x: f64| x > 0.0 && x <= 1.0;
        let falling = &[Cosine, OneCycle, Plateau][..];
        check_options(
            "schedule",
            self.kind,
            &[
                ("every", complete.every, &[Step], positive, "a positive number of epochs"),
                (
                    "factor",
                    complete.factor,
                    &[Step, Exponential, Plateau],
                    reducing,
                    "above 0, to 1",
                ),
                ("start_factor", complete.start_factor, &[OneCycle], share, "0 to 1"),
                ("end_factor", complete.end_factor, falling, share, "0 to 1"),
                ("rise", complete.rise, &[OneCycle], share, "0 to 1"),
                (
                    "patience",
                    complete.patience.map(f64::from),
                    &[Plateau],
                    not_negative,
                    "at least 0",
                ),
                ("min_delta", complete.min_delta, &[Plateau], not_negative, "at least 0"),
            ],
        )?;
        Ok((complete, Schedule { warmup: self.warmup, curve }))
    }
}

//! The `[schedule]` section: how the learning rate changes during the run.

use crate::names::named;
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
        OneCycle = "one_cycle",
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
    /// one_cycle: where it starts; default 0.04.
    pub start_factor: Option<f64>,
    /// cosine (default 0), one_cycle (0.000004), plateau (0): below which it does not fall.
    pub end_factor: Option<f64>,
    /// one_cycle: the fraction of the run in which it rises; default 0.3.
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

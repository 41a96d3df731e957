//! The names of the files of a run.

pub(super) const CONFIG: &str = "config.toml";
pub(super) const METRICS: &str = "metrics.csv";
pub(super) const CHECKPOINTS: &str = "checkpoints";
pub(super) const MODEL: &str = "model.gristmill";
pub(super) const LOCK: &str = "lock";
/// The imported rows to learn from.
pub const DATA: &str = "data.grist";
/// The imported rows to validate on.
pub const VALIDATION: &str = "validation.grist";

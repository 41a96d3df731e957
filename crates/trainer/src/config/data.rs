//! The `[data]` section.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The `[data]` section. The rows to validate on are in [`ValidationConfig`](super::ValidationConfig).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DataConfig {
    /// The data set to learn from.
    pub path: Option<PathBuf>,
}

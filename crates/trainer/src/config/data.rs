//! The `[data]` section.

use super::error::ConfigError;
use crate::layer::View;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The `[data]` section. The rows to validate on are in [`ValidationConfig`](super::ValidationConfig).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DataConfig {
    /// The data set to learn from.
    pub path: Option<PathBuf>,
    /// How the features of a row are arranged: `[28, 28, 1]` is height, width and channels, `[100, 13]` steps
    /// and channels. Left out, they are as the data set has them where a layer goes over positions, else plain
    /// numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shape: Option<Vec<usize>>,
}

impl DataConfig {
    /// How the `features` of a row are arranged.
    ///
    /// # Errors
    /// The shape has another number of features, or no or too many dimensions.
    pub(super) fn view(&self, features: usize) -> Result<View, ConfigError> {
        let Some(shape) = &self.shape else { return Ok(View::flat(features)) };
        let wrong = |expected: String| {
            let given: Vec<String> = shape.iter().map(usize::to_string).collect();
            Err(ConfigError::value("data.shape", given.join("x"), expected))
        };
        let (height, width, channels) = match *shape.as_slice() {
            [channels] => (1, 1, channels),
            [steps, channels] => (1, steps, channels),
            [height, width, channels] => (height, width, channels),
            _ => return wrong("expected HEIGHTxWIDTHxCHANNELS or STEPSxCHANNELS".to_owned()),
        };
        let product = height.checked_mul(width).and_then(|n| n.checked_mul(channels));
        match product == Some(features) {
            true => Ok(View { height, width, channels }),
            false => wrong(format!(
                "a row has {features} features; expected numbers whose product is that"
            )),
        }
    }
}

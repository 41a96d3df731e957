//! The `[data]` section.

use super::augment::AugmentConfig;
use super::error::ConfigError;
use crate::layer::View;
use gristmill_io::model::Series;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The `[data]` section. The rows to validate on are in [`ValidationConfig`](super::ValidationConfig).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DataConfig {
    /// The data set to learn from.
    pub path: Option<PathBuf>,
    /// How the features of a row are arranged: `[28, 28, 1]` is height, width and channels, `[100, 13]` steps
    /// and channels. Left out, they are as the data set has them where a layer goes over positions, else plain
    /// numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shape: Option<Vec<usize>>,
    /// Rows of a sample, where the rows are a series in the order of time: every `window` consecutive rows are one, whose
    /// features are steps x those of a row. Left out, each row is a sample.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<u32>,
    /// How many rows after the last of a window its target stands; 1 if left out, 0 is that last row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub horizon: Option<u32>,
    /// How rows are changed each time they are learned from.
    #[serde(skip_serializing_if = "AugmentConfig::is_off")]
    pub augment: AugmentConfig,
}

/// Most rows that a window may reach over.
const MOST_ROWS: u32 = 1 << 24;

impl DataConfig {
    /// What is checked without data.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        match (self.window, self.horizon) {
            (Some(window), _) if !(1..=MOST_ROWS).contains(&window) => {
                Err(ConfigError::value("data.window", window, format!("expected 1 to {MOST_ROWS}")))
            }
            (Some(_), Some(horizon)) if horizon > MOST_ROWS => Err(ConfigError::value(
                "data.horizon",
                horizon,
                format!("expected 0 to {MOST_ROWS}"),
            )),
            (None, Some(horizon)) => {
                let expected =
                    "it is counted from the last row of a window: give data.window as well";
                Err(ConfigError::value("data.horizon", horizon, expected))
            }
            _ => Ok(()),
        }
    }

    /// Which rows a sample has, if it has several.
    pub fn series(&self) -> Option<Series> {
        self.window.map(|window| Series { window, horizon: self.horizon.unwrap_or(1) })
    }

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

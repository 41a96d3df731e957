//! Pooling: the largest or the mean of each window, channel by channel.

use super::attributes::{Attributes, only};
use super::window::Window;
use crate::model::view::View;
use serde::{Deserialize, Serialize};

/// What becomes of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PoolFunction {
    /// Its largest value.
    Max,
    /// The mean of its values; what lies beyond the input does not count.
    Average,
}

/// One value for each window and channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pool {
    /// What becomes of each window.
    pub function: PoolFunction,
    /// The windows.
    pub window: Window,
}

impl Attributes for Pool {
    const KIND: &'static str = "pool";

    fn tensors(&self) -> Vec<(&'static str, Vec<usize>)> {
        Vec::new()
    }

    fn output(&self, inputs: &[View]) -> Result<View, String> {
        let input = only(inputs)?;
        self.window.fits(input)?;
        if self.window.dilation != [1, 1] {
            return Err(format!("has a dilation of {:?}, which no pool has", self.window.dilation));
        }
        let [height, width] = self.window.output;
        Ok(View { height, width, ..input })
    }
}

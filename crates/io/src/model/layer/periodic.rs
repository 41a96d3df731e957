//! Each number with mixtures of waves of it.

use super::attributes::{Attributes, of_channels};
use crate::model::view::View;
use serde::{Deserialize, Serialize};

/// Of each number x of a channel `size` values: x, and mixtures of the waves cos(2 pi frequency x + phase).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Periodic {
    /// Channels of its input.
    pub channels: usize,
    /// Values that become of a number; at least 2.
    pub size: usize,
    /// Waves of each channel.
    pub waves: usize,
}

impl Attributes for Periodic {
    const KIND: &'static str = "periodic";

    fn tensors(&self) -> Vec<(&'static str, Vec<usize>)> {
        let Periodic { channels, waves, .. } = *self;
        let mixtures = self.size.saturating_sub(1);
        vec![
            ("frequency", vec![channels, waves]),
            ("phase", vec![channels, waves]),
            ("weight", vec![channels, waves, mixtures]),
            ("bias", vec![channels, mixtures]),
        ]
    }

    fn output(&self, inputs: &[View]) -> Result<View, String> {
        let input = of_channels(inputs, self.channels)?;
        if self.size < 2 || self.waves == 0 {
            let Periodic { size, waves, .. } = self;
            return Err(format!(
                "has {waves} waves and gives {size} values, expected at least 1 and 2"
            ));
        }
        Ok(View { channels: input.channels.saturating_mul(self.size), ..input })
    }
}

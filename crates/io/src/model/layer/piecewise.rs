//! Each number as functions that bend at the edges of bins.

use super::attributes::{Attributes, of_channels};
use crate::model::view::View;
use serde::{Deserialize, Serialize};

/// Of each number x of a channel `size` values: a linear function of x, and one of its codes in `bins` bins. A code is
/// (x - start) / width, within 0 and 1; of the first bin also below 0 and of the last also above 1; 0 in a bin without
/// width.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PiecewiseLinear {
    /// Channels of its input.
    pub channels: usize,
    /// Values that become of a number.
    pub size: usize,
    /// Bins of each channel.
    pub bins: usize,
}

impl Attributes for PiecewiseLinear {
    const KIND: &'static str = "piecewise-linear";

    fn tensors(&self) -> Vec<(&'static str, Vec<usize>)> {
        let PiecewiseLinear { channels, size, bins } = *self;
        vec![
            ("edges", vec![channels, bins.saturating_add(1)]),
            ("slope", vec![channels, size]),
            ("bias", vec![channels, size]),
            ("weight", vec![channels, bins, size]),
        ]
    }

    fn output(&self, inputs: &[View]) -> Result<View, String> {
        let input = of_channels(inputs, self.channels)?;
        if self.size == 0 || self.bins == 0 {
            let PiecewiseLinear { size, bins, .. } = self;
            return Err(format!("has {bins} bins and gives {size} values, expected at least 1"));
        }
        Ok(View { channels: input.channels.saturating_mul(self.size), ..input })
    }
}

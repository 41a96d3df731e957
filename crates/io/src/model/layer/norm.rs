//! Normalisation: of the channels of each position (layer norm, RMS norm), and of each channel by statistics of
//! the training (batch norm).

use super::attributes::{Attributes, of_channels};
use crate::model::view::View;
use serde::{Deserialize, Serialize};

/// The channels of each position at mean 0 and deviation 1, then a gain and a bias.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayerNorm {
    /// Channels.
    pub channels: usize,
    /// Is added to the variance.
    pub epsilon: f64,
}

/// The channels of each position at root mean square 1, then a gain.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RmsNorm {
    /// Channels.
    pub channels: usize,
    /// Is added to the mean square.
    pub epsilon: f64,
}

/// Each channel less its mean, by its deviation, then a gain and a bias.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchNorm {
    /// Channels.
    pub channels: usize,
    /// Is added to the variance.
    pub epsilon: f64,
    /// Share of a minibatch in the running statistics, in training.
    pub momentum: f64,
}

fn check_epsilon(epsilon: f64) -> Result<(), String> {
    match epsilon as f32 > 0.0 && epsilon.is_finite() {
        true => Ok(()),
        false => Err(format!("has an epsilon of {epsilon}, expected a positive number")),
    }
}

impl Attributes for LayerNorm {
    const KIND: &'static str = "layer-norm";

    fn tensors(&self) -> Vec<(&'static str, Vec<usize>)> {
        ["gain", "bias"].map(|name| (name, vec![self.channels])).to_vec()
    }

    fn output(&self, inputs: &[View]) -> Result<View, String> {
        check_epsilon(self.epsilon)?;
        of_channels(inputs, self.channels)
    }
}

impl Attributes for RmsNorm {
    const KIND: &'static str = "rms-norm";

    fn tensors(&self) -> Vec<(&'static str, Vec<usize>)> {
        vec![("gain", vec![self.channels])]
    }

    fn output(&self, inputs: &[View]) -> Result<View, String> {
        check_epsilon(self.epsilon)?;
        of_channels(inputs, self.channels)
    }
}

impl Attributes for BatchNorm {
    const KIND: &'static str = "batch-norm";

    fn tensors(&self) -> Vec<(&'static str, Vec<usize>)> {
        ["gain", "bias", "mean", "variance"].map(|name| (name, vec![self.channels])).to_vec()
    }

    fn output(&self, inputs: &[View]) -> Result<View, String> {
        check_epsilon(self.epsilon)?;
        of_channels(inputs, self.channels)
    }
}

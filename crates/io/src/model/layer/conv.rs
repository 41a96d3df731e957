//! Convolution: `activation(weight * x + bias)` at every place of a window.

use super::attributes::{Attributes, of_channels};
use super::window::Window;
use crate::model::activation::Activation;
use crate::model::view::View;
use serde::{Deserialize, Serialize};

/// A convolution of images or series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conv {
    /// Channels that it takes.
    pub channels: usize,
    /// Channels that it gives.
    pub filters: usize,
    /// Groups of channels that do not see each other.
    pub groups: usize,
    /// The window of each output.
    pub window: Window,
    /// Applied to each sum.
    pub activation: Activation,
    /// Whether each filter has a bias.
    pub bias: bool,
}

impl Attributes for Conv {
    const KIND: &'static str = "conv";

    fn tensors(&self) -> Vec<(&'static str, Vec<usize>)> {
        let [height, width] = self.window.size;
        let of_group = self.channels.checked_div(self.groups).unwrap_or(0);
        let mut tensors = vec![("weight", vec![self.filters, of_group, height, width])];
        tensors.extend(self.bias.then(|| ("bias", vec![self.filters])));
        tensors
    }

    fn output(&self, inputs: &[View]) -> Result<View, String> {
        let (channels, filters, groups) = (self.channels, self.filters, self.groups);
        let divides = |count: usize| groups > 0 && count > 0 && count.is_multiple_of(groups);
        if !divides(channels) || !divides(filters) {
            return Err(format!(
                "has {groups} groups, which do not divide {channels} channels and {filters} filters"
            ));
        }
        self.window.fits(of_channels(inputs, channels)?)?;
        let [height, width] = self.window.output;
        Ok(View { height, width, channels: filters })
    }
}

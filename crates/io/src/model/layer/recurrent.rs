//! Recurrent layers over the steps of a series. The sums of GRU are those of r, z and n, of LSTM those of i, f, g
//! and o; `bias` is what PyTorch's two biases come to, but for n of GRU, whose second is `hidden_bias`.

use super::attributes::{Attributes, of_channels};
use crate::model::view::View;
use serde::{Deserialize, Serialize};

/// A gated recurrent unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gru {
    /// Channels of a step.
    pub channels: usize,
    /// Units of its state.
    pub units: usize,
    /// Whether it begins at the last step.
    pub reversed: bool,
    /// Whether it gives the states after all steps, and not that after the last one alone.
    pub all: bool,
}

/// A long short-term memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lstm {
    /// Channels of a step.
    pub channels: usize,
    /// Units of its state.
    pub units: usize,
    /// Whether it begins at the last step.
    pub reversed: bool,
    /// Whether it gives the states after all steps, and not that after the last one alone.
    pub all: bool,
}

fn output(inputs: &[View], channels: usize, units: usize, all: bool) -> Result<View, String> {
    let input = of_channels(inputs, channels)?;
    match input.height == 1 && input.width > 1 {
        true => Ok(View { height: 1, width: if all { input.width } else { 1 }, channels: units }),
        false => Err(format!("takes a series of steps but gets {input}")),
    }
}

impl Attributes for Gru {
    const KIND: &'static str = "gru";

    fn tensors(&self) -> Vec<(&'static str, Vec<usize>)> {
        let sums = self.units.saturating_mul(3);
        vec![
            ("input_weight", vec![sums, self.channels]),
            ("hidden_weight", vec![sums, self.units]),
            ("bias", vec![sums]),
            ("hidden_bias", vec![self.units]),
        ]
    }

    fn output(&self, inputs: &[View]) -> Result<View, String> {
        output(inputs, self.channels, self.units, self.all)
    }
}

impl Attributes for Lstm {
    const KIND: &'static str = "lstm";

    fn tensors(&self) -> Vec<(&'static str, Vec<usize>)> {
        let sums = self.units.saturating_mul(4);
        vec![
            ("input_weight", vec![sums, self.channels]),
            ("hidden_weight", vec![sums, self.units]),
            ("bias", vec![sums]),
        ]
    }

    fn output(&self, inputs: &[View]) -> Result<View, String> {
        output(inputs, self.channels, self.units, self.all)
    }
}

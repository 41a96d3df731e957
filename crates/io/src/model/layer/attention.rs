//! Attention between positions, and learned positions.

use super::attributes::{Attributes, only};
use crate::model::view::View;
use serde::{Deserialize, Serialize};

/// Attention between the positions of a sample. The channels of its input are the queries of all heads, then the
/// keys, then the values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attention {
    /// Channels that it gives: a third of those that it takes.
    pub channels: usize,
    /// Attentions of their own, side by side.
    pub heads: usize,
    /// Whether a position attends to none after it.
    pub causal: bool,
    /// Whether queries and keys are turned by their positions: unit c of the first half of a head and unit c of the
    /// second are a pair, turned by position / 10000^(2 c / width).
    pub rotary: bool,
}

/// A learned vector that is added to each position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Positions {
    /// Positions of a sample.
    pub positions: usize,
    /// Values at each.
    pub channels: usize,
}

/// What the angles of a turn are powers of.
const BASE: f64 = 10_000.0;

impl Attention {
    /// Values of a query, a key or a value of one head.
    pub fn width(&self) -> usize {
        self.channels / self.heads
    }

    /// Cosines and sines of the angles by which pairs of units are turned: `[positions][width / 2]`.
    pub fn turns(&self, positions: usize) -> [Vec<f32>; 2] {
        let pairs = self.width() / 2;
        let angle = |index: usize| {
            let power = (2 * (index % pairs)) as f64 / self.width() as f64;
            (index / pairs) as f64 / BASE.powf(power)
        };
        let of = |function: fn(f64) -> f64| {
            (0..positions * pairs).map(|index| function(angle(index)) as f32).collect()
        };
        [of(f64::cos), of(f64::sin)]
    }
}

impl Attributes for Attention {
    const KIND: &'static str = "attention";

    fn tensors(&self) -> Vec<(&'static str, Vec<usize>)> {
        Vec::new()
    }

    fn output(&self, inputs: &[View]) -> Result<View, String> {
        let input = only(inputs)?;
        let Attention { channels, heads, rotary, .. } = *self;
        let unit = heads.saturating_mul(if rotary { 2 } else { 1 });
        if unit == 0 || channels == 0 || !channels.is_multiple_of(unit) {
            return Err(format!("has {heads} heads, which do not divide {channels} channels"));
        }
        match channels.checked_mul(3) == Some(input.channels) {
            true => Ok(View { channels, ..input }),
            false => Err(format!("takes 3 x {channels} channels but gets {input}")),
        }
    }
}

impl Attributes for Positions {
    const KIND: &'static str = "positions";

    fn tensors(&self) -> Vec<(&'static str, Vec<usize>)> {
        vec![("position", vec![self.positions, self.channels])]
    }

    fn output(&self, inputs: &[View]) -> Result<View, String> {
        let input = only(inputs)?;
        match input.channels == self.channels && input.height * input.width == self.positions {
            true => Ok(input),
            false => Err(format!(
                "takes {} positions of {} channels but gets {input}",
                self.positions, self.channels
            )),
        }
    }
}

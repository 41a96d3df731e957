//! Layers of few words: shapes, sums, and functions of each value by itself.

use super::attributes::{Attributes, of_channels, only};
use crate::model::activation::Activation;
use crate::model::view::View;
use serde::{Deserialize, Serialize};

/// Says how plain features are arranged: `height` x `width` x `channels`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reshape {
    /// Rows of positions.
    pub height: usize,
    /// Positions of a row.
    pub width: usize,
    /// Values at each position.
    pub channels: usize,
    /// Whether rows are series that may end before their last step.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub padded: bool,
}

/// All values as channels of a single position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flatten {}

/// A function of each value.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Activate {
    /// The function.
    pub function: Activation,
}

/// The smooth clip x / sqrt(1 + (x / 3)^2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmoothClip {}

/// Drops values in training; in a trained network it is nothing.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dropout {
    /// Share of the values that was dropped.
    pub rate: f64,
}

/// The sum of its inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Add {}

/// The channels of its inputs, one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Concat {}

/// Each value times a number of its channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scale {
    /// Channels.
    pub channels: usize,
}

/// ReLU whose slope below 0 is a number of the channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prelu {
    /// Channels.
    pub channels: usize,
}

/// Declares attributes of a layer that has no tensors.
macro_rules! without_tensors {
    ($type:ident = $kind:literal, |$self:ident, $inputs:ident| $output:expr) => {
        impl Attributes for $type {
            const KIND: &'static str = $kind;

            fn tensors(&self) -> Vec<(&'static str, Vec<usize>)> {
                Vec::new()
            }

            fn output(&$self, $inputs: &[View]) -> Result<View, String> {
                $output
            }
        }
    };
}

without_tensors!(Reshape = "reshape", |self, inputs| {
    let Reshape { height, width, channels, .. } = *self;
    let (view, input) = (View { height, width, channels }, only(inputs)?);
    match view.units() == input.units() {
        true => Ok(view),
        false => Err(format!("makes {view} of {input}, which are not as many values")),
    }
});
without_tensors!(Flatten = "flatten", |self, inputs| Ok(View::flat(only(inputs)?.units())));
without_tensors!(Activate = "activation", |self, inputs| only(inputs));
without_tensors!(SmoothClip = "smooth-clip", |self, inputs| only(inputs));
without_tensors!(Dropout = "dropout", |self, inputs| only(inputs));
without_tensors!(Add = "add", |self, inputs| {
    let Some((first, others)) = inputs.split_first() else {
        return Err("takes no inputs, expected some".to_owned());
    };
    match others.iter().find(|other| *other != first) {
        Some(other) => Err(format!("adds {other} to {first}")),
        None => Ok(*first),
    }
});
without_tensors!(Concat = "concat", |self, inputs| {
    let Some((first, others)) = inputs.split_first() else {
        return Err("takes no inputs, expected some".to_owned());
    };
    let mut view = *first;
    for other in others {
        if (other.height, other.width) != (first.height, first.width) {
            return Err(format!("puts {other} beside {first}"));
        }
        view.channels = view.channels.saturating_add(other.channels);
    }
    Ok(view)
});

impl Attributes for Scale {
    const KIND: &'static str = "scale";

    fn tensors(&self) -> Vec<(&'static str, Vec<usize>)> {
        vec![("scale", vec![self.channels])]
    }

    fn output(&self, inputs: &[View]) -> Result<View, String> {
        of_channels(inputs, self.channels)
    }
}

impl Attributes for Prelu {
    const KIND: &'static str = "prelu";

    fn tensors(&self) -> Vec<(&'static str, Vec<usize>)> {
        vec![("slope", vec![self.channels])]
    }

    fn output(&self, inputs: &[View]) -> Result<View, String> {
        of_channels(inputs, self.channels)
    }
}

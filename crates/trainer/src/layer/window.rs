//! Windows that move over images and series, as convolution and pooling have them: what a configuration may
//! say of them, and what it comes to.

use super::View;
use super::settings::Planning;
use crate::config::error::ConfigError;
use serde::{Deserialize, Serialize};
use std::fmt;

/// One number for both dimensions, or height and width.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Lengths {
    /// For both; of a series, whose height is 1, for its width.
    One(usize),
    /// Height and width.
    Both([usize; 2]),
}

impl Default for Lengths {
    fn default() -> Lengths {
        Lengths::One(1)
    }
}

impl fmt::Display for Lengths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Lengths::One(length) => write!(f, "{length}"),
            Lengths::Both([height, width]) => write!(f, "{height}x{width}"),
        }
    }
}

/// What surrounds an image.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Padding {
    /// `valid` or `same`.
    Named(String),
    /// As many on each side.
    Sides(Lengths),
}

/// A window and its places, decided in every point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Window {
    pub(crate) size: [usize; 2],
    pub(crate) stride: [usize; 2],
    pub(crate) dilation: [usize; 2],
    /// Rows above and columns left of the image.
    pub(crate) padding: [usize; 2],
    /// Places, vertically and horizontally.
    pub(crate) output: [usize; 2],
}

/// Fits a window into an input.
///
/// # Errors
/// A length is 0, the padding has another name, or the window is larger than what it moves over.
pub(crate) fn fit(
    at: &Planning<'_>,
    input: View,
    (name, size): (&str, &Lengths),
    stride: Option<&Lengths>,
    dilation: Option<&Lengths>,
    padding: Option<&Padding>,
) -> Result<Window, ConfigError> {
    let is_series = input.height == 1;
    let lengths = |name: &str, lengths: &Lengths, along_one: usize| {
        let both = match *lengths {
            Lengths::One(length) if is_series => [along_one, length],
            Lengths::One(length) => [length; 2],
            Lengths::Both(both) => both,
        };
        let least = along_one.min(1);
        match both.iter().any(|&length| length < least) {
            true => Err(at.wrong(name, lengths, "expected at least 1")),
            false => Ok(both),
        }
    };
    let one = Lengths::One(1);
    let size = lengths(name, size, 1)?;
    let stride = lengths("stride", stride.unwrap_or(&one), 1)?;
    let dilation = lengths("dilation", dilation.unwrap_or(&one), 1)?;
    let image = [input.height, input.width];
    let span: [usize; 2] = std::array::from_fn(|d| (size[d] - 1).saturating_mul(dilation[d]) + 1);
    let is_same = match padding {
        None => false,
        Some(Padding::Sides(_)) => false,
        Some(Padding::Named(text)) => match text.to_ascii_lowercase().as_str() {
            "valid" => false,
            "same" => true,
            _ => {
                let expected = "expected valid, same or a number";
                return Err(at.wrong("padding", format!("{text:?}"), expected));
            }
        },
    };
    let sides = match padding {
        Some(Padding::Sides(sides)) => lengths("padding", sides, 0)?,
        _ => [0; 2],
    };
    let mut window = Window { size, stride, dilation, padding: sides, output: [0; 2] };
    for d in 0..2 {
        if is_same {
            // As many outputs as strides fit; what the padding lacks to be even is at the far side.
            window.output[d] = image[d].div_ceil(stride[d]);
            let covered = (window.output[d] - 1) * stride[d] + span[d];
            window.padding[d] = covered.saturating_sub(image[d]) / 2;
            continue;
        }
        let padded = image[d] + 2 * sides[d];
        if span[d] > padded {
            let needs = format!(
                "at least {} positions in {} for a window of {}x{}",
                span[d],
                if d == 0 { "height" } else { "width" },
                size[0],
                size[1]
            );
            return Err(at.misfit(input, needs));
        }
        window.output[d] = (padded - span[d]) / stride[d] + 1;
    }
    Ok(window)
}

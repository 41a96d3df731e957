//! Windows that move over images and series: what convolution and pooling have in common.

use super::attributes::MAX_UNITS;
use crate::model::view::View;
use serde::{Deserialize, Serialize};

/// A window and its places; pairs are vertical and horizontal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// Height and width.
    pub size: [usize; 2],
    /// From one place to the next.
    pub stride: [usize; 2],
    /// From one position of a window to the next.
    pub dilation: [usize; 2],
    /// Positions above and left of the input.
    pub padding: [usize; 2],
    /// Places.
    pub output: [usize; 2],
}

impl Window {
    /// Checks that every place of the window sees some of an input.
    pub(super) fn fits(&self, input: View) -> Result<(), String> {
        let Window { size, stride, dilation, padding, output } = *self;
        let is_huge =
            [size, stride, dilation, padding, output].concat().into_iter().any(|n| n > MAX_UNITS);
        for (d, length) in [input.height, input.width].into_iter().enumerate() {
            let is_empty = [size[d], stride[d], dilation[d], output[d]].contains(&0);
            let span = size[d].saturating_sub(1).saturating_mul(dilation[d]);
            let last = output[d].saturating_sub(1).saturating_mul(stride[d]);
            let padded = length.saturating_add(padding[d]);
            let is_far = span > padded.saturating_add(padding[d]).saturating_add(1);
            if is_huge || is_empty || is_far || padding[d] > span || last >= padded {
                return Err(format!(
                    "has a window {self:?} that does not fit its input of {input}"
                ));
            }
        }
        Ok(())
    }
}

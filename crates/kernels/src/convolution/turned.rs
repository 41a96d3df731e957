//! Weights as the backward pass reads them: those of the convolution that leads from outputs to inputs.
//!
//! Its kernel is the other one turned by 180 degrees, its inputs are the other's outputs, and its weights
//! are laid out as any convolution's: a row for each (ky, kx, output of the group), a lane for each input. They
//! are made anew for every pass, which costs little beside a pass over an image.

// Indices of blocks read like the layout above.
#![allow(clippy::needless_range_loop)]

use super::shape::Convolution;
use crate::panels::{Panels, panels};
use crate::simd::{Kernel, LANES, Row, Simd};

/// Lays out the weights of `conv` in `turned`, which has [`turned_rows`].
pub(super) struct Turn<'a> {
    pub(super) conv: &'a Convolution,
    pub(super) weights: Panels<'a>,
    pub(super) turned: &'a mut [Row],
}

/// Rows of a panel of turned weights: the outputs that see an input, at all taps.
pub(super) fn turned_features(conv: &Convolution) -> usize {
    taps(conv) * conv.group_outputs()
}

/// Rows that hold the turned weights.
pub(super) fn turned_rows(conv: &Convolution) -> usize {
    turned_features(conv) * panels(conv.shape().channels)
}

fn taps(conv: &Convolution) -> usize {
    conv.shape().kernel[0] * conv.shape().kernel[1]
}

impl Kernel for Turn<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        match self.conv.shape().groups {
            1 => self.blocks(simd),
            _ => self.elements(),
        }
    }
}

impl Turn<'_> {
    /// One group: blocks of 16 inputs and outputs are transposed.
    #[inline(always)]
    fn blocks<S: Simd>(&mut self, simd: S) {
        let (channels, outputs) = (self.conv.shape().channels, self.conv.shape().outputs);
        for tap in 0..taps(self.conv) {
            for channel in (0..channels).step_by(LANES) {
                let width = LANES.min(channels - channel);
                let mut block = [[0.0; LANES]; LANES];
                for output in (0..outputs).step_by(LANES) {
                    let weights = self.weights.panel(output / LANES);
                    block[..width].copy_from_slice(&weights[tap * channels + channel..][..width]);
                    let mut turned = [[0.0; LANES]; LANES];
                    simd.transpose(&block, &mut turned);
                    let height = LANES.min(outputs - output);
                    let row = self.row(channel, tap, output);
                    self.turned[row..][..height].copy_from_slice(&turned[..height]);
                }
            }
        }
    }

    /// Any groups.
    fn elements(&mut self) {
        self.turned.fill([0.0; LANES]);
        let (group_channels, group_outputs) =
            (self.conv.group_channels(), self.conv.group_outputs());
        for output in 0..self.conv.shape().outputs {
            let group = output / group_outputs;
            for tap in 0..taps(self.conv) {
                for i in 0..group_channels {
                    let weight = self.weights.panel(output / LANES)[tap * group_channels + i];
                    let channel = group * group_channels + i;
                    let row = self.row(channel, tap, output % group_outputs);
                    self.turned[row][channel % LANES] = weight[output % LANES];
                }
            }
        }
    }

    /// The row of turned weights of this input, at this tap before it is turned, of this output of the group.
    fn row(&self, channel: usize, tap: usize, output: usize) -> usize {
        let turned = taps(self.conv) - 1 - tap;
        channel / LANES * turned_features(self.conv) + turned * self.conv.group_outputs() + output
    }
}

//! The shape of a convolution, what follows from it, and the layout of its weights.

use super::taps::{Axis, Run};
use crate::panels::panels;
use crate::simd::{LANES, Row};

/// What a convolution is said to be. Pairs are (vertical, horizontal); a signal has height 1.
///
/// Output (y, x) sees input `(y * stride[0] + ky * dilation[0] - padding[0], ...)` at tap (ky, kx). What
/// lies outside the image is zero, on every side; `out` alone says how far the outputs go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Height and width of the input.
    pub size: [usize; 2],
    /// Channels of the input.
    pub channels: usize,
    /// Channels of the output.
    pub outputs: usize,
    /// Height and width of the kernel.
    pub kernel: [usize; 2],
    /// From the inputs of one output to those of the next.
    pub stride: [usize; 2],
    /// From one tap to the next: 1 for neighbours.
    pub dilation: [usize; 2],
    /// Rows of zeros above the image, and columns of zeros left of it.
    pub padding: [usize; 2],
    /// Height and width of the output.
    pub out: [usize; 2],
    /// Groups of channels that do not see each other: 1 for all, `channels` for a depthwise convolution.
    pub groups: usize,
}

/// A convolution, planned once: [`Shape`], and which outputs see which inputs.
///
/// Values have samples as lanes: a panel of an image has a row for each unit, and the unit (y, x,
/// channel) is row `(y * width + x) * channels + channel`.
///
/// Weights are one matrix in panels: a row for each (ky, kx, channel of the group), a column (lane) for
/// each output. Bias terms are sixteen a row. Lanes beyond the outputs hold zeros.
#[derive(Debug, Clone)]
pub struct Convolution {
    shape: Shape,
    /// Vertically and horizontally: the outputs with the inputs that they see.
    pub(super) outputs: [Vec<Run>; 2],
    /// Vertically and horizontally: the inputs with the outputs that see them.
    pub(super) inputs: [Vec<Run>; 2],
}

/// All follows from the shape.
impl PartialEq for Convolution {
    fn eq(&self, other: &Convolution) -> bool {
        self.shape == other.shape
    }
}

impl Convolution {
    /// Plans a convolution.
    ///
    /// # Panics
    /// Something but the padding is 0, or the groups do not divide the channels and the outputs.
    pub fn new(shape: Shape) -> Convolution {
        let Shape { size, channels, outputs, kernel, stride, dilation, padding, out, groups } =
            shape;
        assert!(channels > 0 && outputs > 0 && groups > 0, "channels, outputs and groups");
        assert!(channels.is_multiple_of(groups), "{channels} channels in {groups} groups");
        assert!(outputs.is_multiple_of(groups), "{outputs} outputs in {groups} groups");
        let axis = |i: usize| {
            let sizes = [size[i], kernel[i], stride[i], dilation[i], out[i]];
            assert!(sizes.iter().all(|&size| size > 0), "sizes, kernels, strides and dilations");
            Axis {
                input: size[i],
                output: out[i],
                kernel: kernel[i],
                stride: stride[i],
                dilation: dilation[i],
                padding: padding[i],
            }
        };
        let axes = [axis(0), axis(1)];
        Convolution {
            shape,
            outputs: axes.map(|axis| axis.outputs()),
            inputs: axes.map(|axis| axis.inputs()),
        }
    }

    /// What it was planned for.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Rows of a panel of inputs.
    pub fn input_rows(&self) -> usize {
        self.shape.size[0] * self.shape.size[1] * self.shape.channels
    }

    /// Rows of a panel of outputs.
    pub fn output_rows(&self) -> usize {
        self.shape.out[0] * self.shape.out[1] * self.shape.outputs
    }

    /// Inputs that an output sees: rows of a panel of weights.
    pub fn features(&self) -> usize {
        self.shape.kernel[0] * self.shape.kernel[1] * self.group_channels()
    }

    /// Rows that hold the weights.
    pub fn weight_rows(&self) -> usize {
        self.features() * panels(self.shape.outputs)
    }

    /// Rows that hold the bias terms.
    pub fn bias_rows(&self) -> usize {
        panels(self.shape.outputs)
    }

    /// Multiply-adds for one sample, those with padding left out.
    pub fn work(&self) -> usize {
        let [vertical, horizontal] = &self.outputs;
        let taps = |runs: &[Run]| runs.iter().map(|run| run.count * run.taps.count).sum::<usize>();
        taps(vertical) * taps(horizontal) * self.group_channels() * self.shape.outputs
    }

    /// Lays out weights that are in the order [output][channel of the group][ky][kx].
    ///
    /// # Panics
    /// If either has another length than it should.
    pub fn arrange_weights(&self, listed: &[f32], rows: &mut [Row]) {
        assert_eq!(listed.len(), self.features() * self.shape.outputs, "weights");
        assert_eq!(rows.len(), self.weight_rows(), "rows of weights");
        rows.fill([0.0; LANES]);
        for (number, &weight) in listed.iter().enumerate() {
            let (row, lane) = self.place(number);
            rows[row][lane] = weight;
        }
    }

    /// The weights in the order [output][channel of the group][ky][kx].
    ///
    /// # Panics
    /// If either has another length than it should.
    pub fn list_weights(&self, rows: &[Row], listed: &mut [f32]) {
        assert_eq!(listed.len(), self.features() * self.shape.outputs, "weights");
        assert_eq!(rows.len(), self.weight_rows(), "rows of weights");
        for (number, weight) in listed.iter_mut().enumerate() {
            let (row, lane) = self.place(number);
            *weight = rows[row][lane];
        }
    }

    /// Row and lane of the weight of this number in the order of [`list_weights`](Self::list_weights).
    fn place(&self, number: usize) -> (usize, usize) {
        let taps = self.shape.kernel[0] * self.shape.kernel[1];
        let (output, feature) = (number / self.features(), number % self.features());
        let (channel, tap) = (feature / taps, feature % taps);
        let row = output / LANES * self.features() + tap * self.group_channels() + channel;
        (row, output % LANES)
    }

    /// Channels of a group.
    pub(super) fn group_channels(&self) -> usize {
        self.shape.channels / self.shape.groups
    }

    /// Outputs of a group.
    pub(super) fn group_outputs(&self) -> usize {
        self.shape.outputs / self.shape.groups
    }

    /// Whether each output sees a channel of its own.
    pub(super) fn is_depthwise(&self) -> bool {
        self.shape.groups > 1 && self.group_channels() == 1 && self.group_outputs() == 1
    }
}

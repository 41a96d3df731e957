//! Convolution: f(W * x + b), zeros around the image.

use super::formula::{At, Formula, place, seen};
use super::functions;
use super::number::Number;
use crate::layer::Conv;
use gristmill_kernels::convolution::Shape;

impl Formula for Conv {
    fn values<N: Number>(&self, at: At<'_, N>) -> Vec<Vec<N>> {
        let (weights, bias) = (&at.parameters[0], at.parameters.get(1));
        let &Shape { out, outputs, .. } = self.shape();
        at.each(|image, kinks| {
            let mut values = Vec::new();
            for y in 0..out[0] {
                for x in 0..out[1] {
                    for filter in 0..outputs {
                        let start = bias.map_or(N::from(0.0), |bias| bias[filter]);
                        let sum = start + window(self.shape(), weights, image, [y, x, filter]);
                        values.push(functions::activation(self.activation, sum, kinks));
                    }
                }
            }
            values
        })
    }
}

/// The sum of one filter's weights times what its window sees.
fn window<N: Number>(shape: &Shape, weights: &[N], image: &[N], [y, x, filter]: [usize; 3]) -> N {
    let Shape { size, channels, outputs, kernel, stride, dilation, padding, groups, .. } = *shape;
    // A filter sees the channels of its group.
    let seen_channels = channels / groups;
    let first = filter / (outputs / groups) * seen_channels;
    let mut sum = N::from(0.0);
    for channel in 0..seen_channels {
        for tap_y in 0..kernel[0] {
            for tap_x in 0..kernel[1] {
                let at = |axis: usize, window, tap| {
                    seen(size[axis], [stride[axis], dilation[axis], padding[axis]], window, tap)
                };
                let (Some(row), Some(column)) = (at(0, y, tap_y), at(1, x, tap_x)) else {
                    continue;
                };
                let weight =
                    ((filter * seen_channels + channel) * kernel[0] + tap_y) * kernel[1] + tap_x;
                let input = place(size[1], channels, [row, column, first + channel]);
                sum = sum + weights[weight] * image[input];
            }
        }
    }
    sum
}

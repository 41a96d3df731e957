//! Convolutions, with zeros around the image.

use super::body::Body;
use crate::model::{Conv, View, Window};

const TEMPLATE: &str = "
    for (int row = 0; row < rows; row++)
    for (int column = 0; column < columns; column++)
    for (int filter = 0; filter < filters; filter++) {
        /* A filter sees the channels of its group. */
        const int first = filter / (filters / groups) * seen;
        float sum = BIAS;
        for (int i = 0; i < kernel_height; i++) {
            const int at_row = row * stride_down + i * dilation_down - padding_above;
            if (at_row < 0 || at_row >= height) continue;
            for (int j = 0; j < kernel_width; j++) {
                const int at_column = column * stride_right + j * dilation_right - padding_left;
                if (at_column < 0 || at_column >= width) continue;
                const float *at = x + (at_row * width + at_column) * channels + first;
                const float *tap = weight + (filter * seen * kernel_height + i) * kernel_width + j;
                for (int c = 0; c < seen; c++) sum += tap[c * kernel_height * kernel_width] * at[c];
            }
        }
        y[(row * columns + column) * filters + filter] = ACTIVATION(sum);
    }
";

pub(super) fn body(conv: &Conv, input: View) -> Body {
    let Window { size, stride, dilation, padding, output } = conv.window;
    let sizes = [
        ("height", input.height),
        ("width", input.width),
        ("channels", conv.channels),
        ("filters", conv.filters),
        ("groups", conv.groups),
        ("seen", conv.channels / conv.groups),
        ("rows", output[0]),
        ("columns", output[1]),
        ("kernel_height", size[0]),
        ("kernel_width", size[1]),
        ("stride_down", stride[0]),
        ("stride_right", stride[1]),
        ("dilation_down", dilation[0]),
        ("dilation_right", dilation[1]),
        ("padding_above", padding[0]),
        ("padding_left", padding[1]),
    ];
    let bias = if conv.bias { "bias[filter]" } else { "0.0f" };
    Body::new(TEMPLATE, &sizes).with("BIAS", bias).with_activation(conv.activation)
}

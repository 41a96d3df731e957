//! The largest or the mean of each window; what lies beyond the image does not count.

use super::body::Body;
use crate::model::{Pool, PoolFunction, View, Window};

const TEMPLATE: &str = "
    for (int row = 0; row < rows; row++)
    for (int column = 0; column < columns; column++)
    for (int c = 0; c < channels; c++) {
        float found = 0.0f;
        int count = 0;
        for (int i = 0; i < window_height; i++) {
            const int at_row = row * stride_down + i - padding_above;
            if (at_row < 0 || at_row >= height) continue;
            for (int j = 0; j < window_width; j++) {
                const int at_column = column * stride_right + j - padding_left;
                if (at_column < 0 || at_column >= width) continue;
                const float value = x[(at_row * width + at_column) * channels + c];
                TAKE
                count++;
            }
        }
        y[(row * columns + column) * channels + c] = RESULT;
    }
";

pub(super) fn body(pool: &Pool, input: View) -> Body {
    let Window { size, stride, padding, output, .. } = pool.window;
    let sizes = [
        ("height", input.height),
        ("width", input.width),
        ("channels", input.channels),
        ("rows", output[0]),
        ("columns", output[1]),
        ("window_height", size[0]),
        ("window_width", size[1]),
        ("stride_down", stride[0]),
        ("stride_right", stride[1]),
        ("padding_above", padding[0]),
        ("padding_left", padding[1]),
    ];
    let (take, result) = match pool.function {
        PoolFunction::Max => ("if (count == 0 || value > found) found = value;", "found"),
        PoolFunction::Average => ("found += value;", "found / (float)count"),
    };
    Body::new(TEMPLATE, &sizes).with("TAKE", take).with("RESULT", result)
}

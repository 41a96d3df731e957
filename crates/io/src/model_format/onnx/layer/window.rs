//! The attributes of windows.

use crate::model::{View, Window};
use crate::model_format::onnx::graph::integers;
use crate::model_format::onnx::proto::AttributeProto;

/// `kernel_shape`, `strides` and `pads` of a window that moves over `input`.
///
/// # Errors
/// There are fewer places than ONNX has for windows of such steps.
pub(super) fn attributes(window: &Window, input: View) -> Result<Vec<AttributeProto>, String> {
    let Window { size, stride, dilation, padding, output } = *window;
    let mut after = [0; 2];
    for (d, length) in [input.height, input.width].into_iter().enumerate() {
        let window = (size[d] - 1) * dilation[d] + 1;
        let (end, padded) = ((output[d] - 1) * stride[d] + window, length + padding[d]);
        after[d] = end.saturating_sub(padded);
        if (padded + after[d] - window) / stride[d] + 1 != output[d] {
            return Err(format!(
                "has a window {window:?} that ends before its input of {input} does, which ONNX cannot say"
            ));
        }
    }
    let pads = [padding, after].concat();
    Ok(vec![integers("kernel_shape", &size), integers("strides", &stride), integers("pads", &pads)])
}

//! The channels of several inputs side by side.

use super::body::Body;
use crate::model::View;

pub(super) fn body(inputs: &[View], view: View) -> Body {
    let mut code = "    for (int i = 0; i < positions; i++) {\n".to_owned();
    for (index, input) in inputs.iter().enumerate() {
        let x = if inputs.len() == 1 { "x".to_owned() } else { format!("x{index}") };
        let channels = input.channels;
        code += &format!(
            "        for (int c = 0; c < {channels}; c++) *y++ = {x}[i * {channels} + c];\n"
        );
    }
    Body::new(&(code + "    }\n"), &[("positions", view.height * view.width)])
}

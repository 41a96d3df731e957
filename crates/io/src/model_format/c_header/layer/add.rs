//! The sum of several inputs.

use super::body::Body;
use crate::model::View;

pub(super) fn body(inputs: usize, view: View) -> Body {
    let terms = match inputs {
        1 => "x[i]".to_owned(),
        _ => Vec::from_iter((0..inputs).map(|input| format!("x{input}[i]"))).join(" + "),
    };
    Body::new("    for (int i = 0; i < units; i++) y[i] = SUM;\n", &[("units", view.units())])
        .with("SUM", &terms)
}

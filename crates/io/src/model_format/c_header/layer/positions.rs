//! Learned positions.

use super::body::Body;
use crate::model::View;

pub(super) fn body(view: View) -> Body {
    let template = "    for (int i = 0; i < units; i++) y[i] = x[i] + position[i];\n";
    Body::new(template, &[("units", view.units())])
}

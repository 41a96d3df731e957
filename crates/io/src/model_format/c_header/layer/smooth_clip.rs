//! The smooth clip.

use super::body::Body;
use crate::model::View;

pub(super) fn body(view: View) -> Body {
    let template = "    for (int i = 0; i < units; i++) y[i] = x[i] / hypotf(1.0f, x[i] / 3.0f);\n";
    Body::new(template, &[("units", view.units())])
}

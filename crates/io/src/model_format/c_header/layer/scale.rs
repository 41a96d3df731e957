//! Each value times a number of its channel.

use super::body::Body;
use crate::model::View;

const TEMPLATE: &str = "
    for (int i = 0; i < units; i++) y[i] = scale[i % channels] * x[i];
";

pub(super) fn body(view: View) -> Body {
    Body::new(TEMPLATE, &[("units", view.units()), ("channels", view.channels)])
}

//! Numbers with mixtures of waves of them.

use super::body::Body;
use crate::model::{Periodic, View};
use std::f32::consts::TAU;

const TEMPLATE: &str = "
    for (int i = 0; i < numbers; i++, y += 1 + mixtures) {
        const int c = i % channels;
        y[0] = x[i];
        for (int m = 0; m < mixtures; m++) y[1 + m] = bias[c * mixtures + m];
        for (int k = c * waves; k < (c + 1) * waves; k++) {
            const float wave = cosf(TAU * (frequency[k] * x[i]) + phase[k]);
            for (int m = 0; m < mixtures; m++) y[1 + m] += weight[k * mixtures + m] * wave;
        }
    }
";

pub(super) fn body(periodic: &Periodic, input: View) -> Body {
    let sizes = [
        ("numbers", input.units()),
        ("channels", periodic.channels),
        ("waves", periodic.waves),
        ("mixtures", periodic.size - 1),
    ];
    Body::new(TEMPLATE, &sizes).with_number("TAU", TAU)
}

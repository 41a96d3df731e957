//! The smooth clip x / sqrt(1 + (x / 3)^2): about x near 0, and never beyond 3 (Holzmüller et al. 2024,
//! <https://arxiv.org/abs/2407.04491>). It takes the weight from outliers.

use super::interface::{Backward, Forward, Layer};
use super::parameters::Parameters;
use super::settings::{Planned, Planning};
use super::{Kind, View};
use crate::config::error::ConfigError;
use gristmill_kernels::elementwise;
use serde::{Deserialize, Serialize};

/// The smooth clip of each value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SmoothClip {
    /// How its input is arranged, and its values.
    pub view: View,
}

/// Brings each value within 3 of 0, smoothly.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmoothClipConfig {}

impl SmoothClipConfig {
    pub(crate) fn plan(&self, at: &Planning<'_>) -> Result<Planned, ConfigError> {
        Ok(Planned::bare(Kind::SmoothClip(SmoothClip { view: at.input()? })))
    }
}

impl Layer for SmoothClip {
    fn output(&self) -> View {
        self.view
    }

    fn parameters(&self) -> Parameters<'_> {
        Parameters::None
    }

    fn work(&self) -> usize {
        self.view.units()
    }

    fn forward(&self, at: Forward<'_>) {
        elementwise::smooth_clip(at.isa, at.inputs.get(0), at.output);
    }

    fn backward(&self, mut at: Backward<'_>) {
        if let Some(target) = at.upstream.target(0) {
            let (input, rows) = (target.input, target.rows);
            elementwise::smooth_clip_backward(at.isa, input, at.error, rows, target.add);
        }
    }
}

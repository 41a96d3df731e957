//! Dropout by itself: each value is dropped in training with some probability, and the others grow to make
//! up for it.

use super::interface::{Backward, Forward, Layer};
use super::parameters::Parameters;
use super::settings::{Planned, Planning};
use super::{Kind, View};
use crate::config::error::{ConfigError, require};
use gristmill_kernels::{self as kernels, DropoutKey, LANES};
use serde::{Deserialize, Serialize};

/// Drops values while training, and is nothing otherwise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Drop {
    /// How its input is arranged.
    pub view: View,
    /// Share of the values that is dropped, in [0, 1).
    pub rate: f32,
}

/// Drops values of the layer before while training.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DropConfig {
    /// Share of the values that is dropped, 0 to below 1.
    pub rate: f64,
}

impl DropConfig {
    pub(crate) fn plan(&self, at: &Planning<'_>) -> Result<Planned, ConfigError> {
        let holds = (0.0..1.0).contains(&self.rate);
        require(&format!("{}.rate", at.key), self.rate, holds, "0 to below 1")?;
        Ok(Planned::bare(Kind::Drop(Drop { view: at.input()?, rate: self.rate as f32 })))
    }
}

impl Layer for Drop {
    fn output(&self) -> View {
        self.view
    }

    fn parameters(&self) -> Parameters<'_> {
        Parameters::None
    }

    fn work(&self) -> usize {
        0
    }

    fn has_slopes(&self) -> bool {
        self.rate > 0.0
    }

    fn forward(&self, at: Forward<'_>) {
        at.output.copy_from_slice(at.inputs.get(0));
        if let Some(masks) = at.masks.filter(|_| self.has_slopes()) {
            at.slopes.fill([1.0; LANES]);
            let (key, units) = (DropoutKey(masks.seed), self.view.units());
            kernels::dropout(at.isa, key, self.rate, masks.first, units, at.output, at.slopes);
        }
    }

    fn backward(&self, mut at: Backward<'_>) {
        if let Some(target) = at.upstream.target(0) {
            target.hand_on(at.isa, at.error);
        }
    }
}

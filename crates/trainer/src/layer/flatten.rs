//! Flatten: all values as channels of a single position. They are numbered as before.

use super::interface::{Backward, Forward, Layer};
use super::parameters::Parameters;
use super::settings::{Planned, Planning};
use super::{Kind, View};
use crate::config::error::ConfigError;
use serde::{Deserialize, Serialize};

/// Its input as plain numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Flatten {
    /// How many numbers there are.
    pub units: usize,
}

/// All pixels or steps as channels of a single position. Dense layers do so by themselves.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlattenConfig {}

impl FlattenConfig {
    pub(crate) fn plan(&self, at: &Planning<'_>) -> Result<Planned, ConfigError> {
        Ok(Planned::bare(Kind::Flatten(Flatten { units: at.input()?.units() })))
    }
}

impl Layer for Flatten {
    fn output(&self) -> View {
        View::flat(self.units)
    }

    fn parameters(&self) -> Parameters<'_> {
        Parameters::None
    }

    fn work(&self) -> usize {
        0
    }

    fn forward(&self, at: Forward<'_>) {
        at.output.copy_from_slice(at.inputs.get(0));
    }

    fn backward(&self, mut at: Backward<'_>) {
        if let Some(target) = at.upstream.target(0) {
            target.hand_on(at.isa, at.error);
        }
    }
}

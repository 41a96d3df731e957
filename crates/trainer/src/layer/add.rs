//! Add: the sum of several values of one shape, a residual connection.

use super::interface::{Backward, Forward, Layer};
use super::parameters::Parameters;
use super::settings::{Planned, Planning};
use super::{Kind, View};
use crate::config::error::ConfigError;
use gristmill_kernels::elementwise;
use serde::{Deserialize, Serialize};

/// The sum of its inputs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Add {
    /// How each input is arranged.
    pub view: View,
}

/// The sum of the layers named in `from`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddConfig {}

impl AddConfig {
    pub(crate) fn plan(&self, at: &Planning<'_>) -> Result<Planned, ConfigError> {
        let &[first, ref others @ ..] = at.inputs else {
            return Err(at.wrong("from", "empty", "name at least two layers"));
        };
        if others.is_empty() {
            return Err(at.wrong("from", "1 layer", "name at least two layers"));
        }
        match others.iter().find(|other| **other != first) {
            Some(other) => Err(at.misfit(*other, format!("{first}, as of the first in `from`"))),
            None => Ok(Planned::bare(Kind::Add(Add { view: first }))),
        }
    }
}

impl Layer for Add {
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
        match at.inputs.len() {
            1 => at.output.copy_from_slice(at.inputs.get(0)),
            _ => elementwise::sum(at.isa, at.inputs.get(0), at.inputs.get(1), at.output),
        }
        for input in 2..at.inputs.len() {
            elementwise::add(at.isa, at.inputs.get(input), at.output);
        }
    }

    fn backward(&self, mut at: Backward<'_>) {
        for input in 0..at.upstream.len() {
            if let Some(target) = at.upstream.target(input) {
                target.hand_on(at.isa, at.error);
            }
        }
    }
}

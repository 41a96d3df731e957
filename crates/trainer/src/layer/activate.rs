//! Activation: a function of each value by itself. Dense and convolutional layers have theirs built in.

use super::interface::{Backward, Forward, Layer};
use super::parameters::Parameters;
use super::settings::{Planned, Planning, parse_activation};
use super::{Kind, View};
use crate::config::error::ConfigError;
use gristmill_kernels::{self as kernels, Activation};
use serde::{Deserialize, Serialize};

/// A function of each value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Activate {
    /// How its input is arranged.
    pub view: View,
    /// The function.
    pub activation: Activation,
}

/// An activation by itself.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActivateConfig {
    /// A name, with a parameter as in `leaky-relu(0.01)`.
    pub function: String,
}

impl ActivateConfig {
    pub(crate) fn plan(&self, at: &Planning<'_>) -> Result<Planned, ConfigError> {
        let activation = parse_activation(&format!("{}.function", at.key), &self.function)?;
        Ok(Planned::bare(Kind::Activate(Activate { view: at.input()?, activation })))
    }
}

impl Layer for Activate {
    fn output(&self) -> View {
        self.view
    }

    fn parameters(&self) -> Parameters<'_> {
        Parameters::None
    }

    fn work(&self) -> usize {
        self.view.units()
    }

    fn has_slopes(&self) -> bool {
        self.activation != Activation::Identity
    }

    fn forward(&self, at: Forward<'_>) {
        let (isa, input) = (at.isa, at.inputs.get(0));
        match at.slopes {
            [] => kernels::activation::of(isa, self.activation, input, at.output),
            slopes => {
                kernels::activation::of_train(isa, self.activation, input, at.output, slopes);
            }
        }
    }

    fn backward(&self, mut at: Backward<'_>) {
        if let Some(target) = at.upstream.target(0) {
            target.hand_on(at.isa, at.error);
        }
    }
}

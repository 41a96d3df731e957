//! Functions of each value with a learned number for each channel: scale, and the slope of PReLU.

use super::interface::{Backward, Forward, Layer};
use super::parameters::{Block, Parameters, Role};
use super::settings::{Planned, Planning};
use super::{Kind, View};
use crate::config::error::{ConfigError, require};
use crate::network::init::Init;
use gristmill_kernels::per_channel::{self as kernel, Function};
use gristmill_kernels::{LANES, elementwise, panels};
use serde::{Deserialize, Serialize};

/// What becomes of a value x of a channel whose number is a.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LearnedFunction {
    /// a x
    Scale,
    /// x above 0, a x below (He et al. 2015, <https://arxiv.org/abs/1502.01852>).
    Prelu,
}

/// A function of each value with a number for each channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Learned {
    view: View,
    /// The function.
    pub function: LearnedFunction,
    block: [Block; 1],
}

/// Multiplies each channel by a learned number: on the features it learns which of them matter.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScaleConfig {}

/// ReLU whose slope below 0 is learned for each channel.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PreluConfig {
    /// Where the slopes start; 0.25 if left out.
    pub slope: Option<f64>,
}

impl ScaleConfig {
    pub(crate) fn plan(&self, at: &Planning<'_>) -> Result<Planned, ConfigError> {
        let layer = Learned::new(at.input()?, LearnedFunction::Scale);
        Ok(Planned { layer: Kind::Learned(layer), start: vec![Init::Constant(1.0)] })
    }
}

impl PreluConfig {
    pub(crate) fn plan(&self, at: &Planning<'_>) -> Result<Planned, ConfigError> {
        let slope = self.slope.unwrap_or(0.25);
        require(&format!("{}.slope", at.key), slope, (slope as f32).is_finite(), "a number")?;
        let layer = Learned::new(at.input()?, LearnedFunction::Prelu);
        Ok(Planned { layer: Kind::Learned(layer), start: vec![Init::Constant(slope as f32)] })
    }
}

impl Learned {
    /// How its input is arranged, and its values.
    pub fn view(&self) -> View {
        self.view
    }

    /// For an input arranged so.
    pub fn new(view: View, function: LearnedFunction) -> Learned {
        let name = match function {
            LearnedFunction::Scale => "scale",
            LearnedFunction::Prelu => "slope",
        };
        let (shape, rows) = (vec![view.channels], panels(view.channels));
        Learned { view, function, block: [Block { name, shape, rows, role: Role::Offset }] }
    }

    fn kernel(&self) -> Function {
        match self.function {
            LearnedFunction::Scale => Function::Scale,
            LearnedFunction::Prelu => Function::LeakyRelu,
        }
    }
}

impl Layer for Learned {
    fn output(&self) -> View {
        self.view
    }

    fn parameters(&self) -> Parameters<'_> {
        Parameters::Shared(&self.block)
    }

    fn work(&self) -> usize {
        self.view.units()
    }

    /// A sum for each channel, with the lanes apart.
    fn scratch(&self, _columns: usize) -> usize {
        self.view.channels
    }

    fn forward(&self, at: Forward<'_>) {
        let (channels, learned) = (self.view.channels, at.weights.shared);
        let input = at.inputs.get(0);
        kernel::forward(at.isa, self.kernel(), channels, learned, input, at.output);
    }

    fn backward(&self, mut at: Backward<'_>) {
        let (channels, learned) = (self.view.channels, at.weights.shared);
        let sums = &mut at.scratch[..channels];
        sums.fill([0.0; LANES]);
        kernel::gradient(at.isa, self.kernel(), at.upstream.input(0), at.error, sums);
        elementwise::add_totals(at.isa, sums, at.gradient);
        let Some(target) = at.upstream.target(0) else { return };
        let backward = kernel::Backward {
            x: target.input,
            errors: at.error,
            input_errors: target.rows,
            add: target.add,
        };
        kernel::backward(at.isa, self.kernel(), channels, learned, backward);
    }
}

//! Layer norm and RMS norm: the channels of each position at deviation 1, then a gain for each channel
//! (Ba et al. 2016, <https://arxiv.org/abs/1607.06450>; Zhang and Sennrich 2019,
//! <https://arxiv.org/abs/1910.07467>).

use super::interface::{Backward, Forward, Layer};
use super::parameters::{Block, Parameters, Role};
use super::settings::{Planned, Planning};
use super::{Kind, View};
use crate::config::error::{ConfigError, require};
use crate::network::init::Init;
use gristmill_kernels::normalise::{self as kernel, Centre};
use gristmill_kernels::{LANES, Panels, Row, accumulate_rows, elementwise, panels};
use serde::{Deserialize, Serialize};

/// Normalises the channels of each position.
#[derive(Debug, Clone, PartialEq)]
pub struct Norm {
    view: View,
    /// Whether the mean is subtracted, as layer norm does and RMS norm does not.
    pub is_centred: bool,
    /// Is added to the variance.
    pub epsilon: f32,
    /// A gain, and in layer norm a bias.
    blocks: Vec<Block>,
}

/// Channels at mean 0 and deviation 1, at each position by itself.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayerNormConfig {
    /// Is added to the variance; 1e-5 if left out.
    pub epsilon: Option<f64>,
}

/// Channels at root mean square 1, at each position by itself.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RmsNormConfig {
    /// Is added to the mean square; 1e-5 if left out.
    pub epsilon: Option<f64>,
}

impl LayerNormConfig {
    pub(crate) fn plan(&self, at: &Planning<'_>) -> Result<Planned, ConfigError> {
        plan(at, true, self.epsilon)
    }
}

impl RmsNormConfig {
    pub(crate) fn plan(&self, at: &Planning<'_>) -> Result<Planned, ConfigError> {
        plan(at, false, self.epsilon)
    }
}

fn plan(at: &Planning<'_>, is_centred: bool, epsilon: Option<f64>) -> Result<Planned, ConfigError> {
    let epsilon = epsilon.unwrap_or(1e-5);
    require(&format!("{}.epsilon", at.key), epsilon, epsilon > 0.0, "a positive number")?;
    let mut start = vec![Init::Constant(1.0)];
    start.extend(is_centred.then_some(Init::Zeros));
    let norm = Norm::new(at.input()?, is_centred, epsilon as f32);
    Ok(Planned { layer: Kind::Norm(norm), start })
}

impl Norm {
    /// How its input is arranged, and its values.
    pub fn view(&self) -> View {
        self.view
    }

    /// For an input arranged so.
    pub fn new(view: View, is_centred: bool, epsilon: f32) -> Norm {
        let block = |name| Block {
            name,
            shape: vec![view.channels],
            rows: panels(view.channels),
            role: Role::Offset,
        };
        let mut blocks = vec![block("gain")];
        blocks.extend(is_centred.then(|| block("bias")));
        Norm { view, is_centred, epsilon, blocks }
    }

    fn kernel<'w>(&self, weights: &'w [Row]) -> kernel::Norm<'w> {
        let (gain, bias) = weights.split_at(panels(self.view.channels));
        kernel::Norm {
            centre: if self.is_centred { Centre::Mean } else { Centre::Zero },
            channels: self.view.channels,
            epsilon: self.epsilon,
            gain,
            bias: self.is_centred.then_some(bias),
        }
    }
}

impl Layer for Norm {
    fn output(&self) -> View {
        self.view
    }

    fn parameters(&self) -> Parameters<'_> {
        Parameters::Shared(&self.blocks)
    }

    fn work(&self) -> usize {
        3 * self.view.units()
    }

    /// Mean and 1 / deviation of each position.
    fn kept(&self) -> usize {
        2 * self.view.positions()
    }

    /// A sum for each channel, with the lanes apart.
    fn scratch(&self, _columns: usize) -> usize {
        self.view.channels
    }

    fn forward(&self, at: Forward<'_>) {
        let norm = self.kernel(at.weights.shared);
        kernel::forward(at.isa, &norm, at.inputs.get(0), at.output, at.kept);
    }

    fn backward(&self, mut at: Backward<'_>) {
        let norm = self.kernel(at.weights.shared);
        let channels = self.view.channels;
        let (gain, bias) = at.gradient.split_at_mut(panels(channels));
        let sums = &mut at.scratch[..channels];
        sums.fill([0.0; LANES]);
        kernel::gain_gradient(at.isa, &norm, at.upstream.input(0), at.kept, at.error, sums);
        elementwise::add_totals(at.isa, sums, gain);
        if self.is_centred {
            sums.fill([0.0; LANES]);
            accumulate_rows(at.isa, Panels::new(at.error, channels), sums);
            elementwise::add_totals(at.isa, sums, bias);
        }
        let Some(target) = at.upstream.target(0) else { return };
        let (input, rows) = (target.input, target.rows);
        kernel::backward(at.isa, &norm, input, at.kept, at.error, rows, target.add);
    }
}

//! Piecewise linear embeddings of numbers: of each feature a linear function, and one that bends at the quantiles of
//! the rows that are learned from, so that a network may treat each range of a number in its own way (Gorishniy et al.
//! 2022, <https://arxiv.org/abs/2203.05556>; as it is here, Gorishniy et al. 2024, <https://arxiv.org/abs/2410.24210>).

use super::interface::{Backward, Forward, Layer, block_rows};
use super::parameters::{Block, Parameters, Role};
use super::settings::{MAX_PARAMETERS, MAX_UNITS, Planned, Planning};
use super::{Kind, View};
use crate::config::error::ConfigError;
use crate::network::init::Init;
use gristmill_kernels::piecewise::{self as kernel, Gradient};
use gristmill_kernels::{Row, panels};
use serde::{Deserialize, Serialize};

/// Each feature as values that bend at the edges of its bins.
#[derive(Debug, Clone, PartialEq)]
pub struct Piecewise {
    /// How the features are arranged.
    input: View,
    /// Values that become of a feature.
    pub size: usize,
    /// Bins of each channel.
    pub bins: usize,
    blocks: Vec<Block>,
}

/// Makes of each feature values that bend at its quantiles, each channel having its own.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PiecewiseConfig {
    /// Values that become of a feature; 12 if left out.
    pub size: Option<usize>,
    /// Bins between quantiles; 48 if left out.
    pub bins: Option<usize>,
}

/// Where the edges are before there are data, within what most standardised features are.
const EDGE: f32 = 2.0;

impl PiecewiseConfig {
    pub(crate) fn plan(&self, at: &Planning<'_>) -> Result<Planned, ConfigError> {
        let input = at.input()?;
        let size = at.at_least_one("size", self.size.unwrap_or(12))?;
        let bins = at.at_least_one("bins", self.bins.unwrap_or(48))?;
        if !at.takes_features {
            return Err(ConfigError::value(
                at.key,
                "given the values of a layer",
                "its bins are between quantiles of features; put it first, or say from = [\"features\"]",
            ));
        }
        let values = input.units().saturating_mul(size);
        let weights = input.channels.saturating_mul(bins).saturating_mul(size);
        if values > MAX_UNITS || weights > MAX_PARAMETERS {
            let given = format!("{size}, of {bins} bins");
            return Err(at.wrong("size", given, format!("too many for the features {input}")));
        }
        let edge = |t: usize| EDGE * (2.0 * (t % (bins + 1)) as f32 / bins as f32 - 1.0);
        let start = vec![
            Init::Explicit((0..input.channels * (bins + 1)).map(edge).collect()),
            Init::Uniform { limit: 1.0 },
            Init::Uniform { limit: 1.0 },
            Init::Zeros,
        ];
        Ok(Planned { layer: Kind::Piecewise(Piecewise::new(input, size, bins)), start })
    }
}

impl Piecewise {
    /// For features arranged so.
    pub fn new(input: View, size: usize, bins: usize) -> Piecewise {
        let channels = input.channels;
        let block = |name, shape: Vec<usize>, role| {
            let rows = panels(shape.iter().product());
            Block { name, shape, rows, role }
        };
        let blocks = vec![
            block("edges", vec![channels, bins + 1], Role::Statistic),
            block("slope", vec![channels, size], Role::Weight),
            block("bias", vec![channels, size], Role::Offset),
            block("weight", vec![channels, bins, size], Role::Weight),
        ];
        Piecewise { input, size, bins, blocks }
    }

    /// How the features are arranged.
    pub fn input(&self) -> View {
        self.input
    }

    fn kernel<'w>(&self, weights: &'w [Row]) -> kernel::Piecewise<'w> {
        let mut blocks = block_rows(&self.blocks).zip(&self.blocks);
        let mut next = || {
            let (rows, block) = blocks.next().expect("four blocks");
            &weights[rows].as_flattened()[..block.numbers()]
        };
        kernel::Piecewise {
            channels: self.input.channels,
            bins: self.bins,
            size: self.size,
            edges: next(),
            slope: next(),
            bias: next(),
            weight: next(),
        }
    }
}

impl Layer for Piecewise {
    fn output(&self) -> View {
        View { channels: self.input.channels * self.size, ..self.input }
    }

    fn parameters(&self) -> Parameters<'_> {
        Parameters::Shared(&self.blocks)
    }

    fn work(&self) -> usize {
        self.input.units() * (self.bins + 1) * (self.size + 2)
    }

    /// A code at each position.
    fn scratch(&self, columns: usize) -> usize {
        columns * self.input.positions()
    }

    fn forward(&self, at: Forward<'_>) {
        kernel::forward(at.isa, &self.kernel(at.weights.shared), at.inputs.get(0), at.output);
    }

    /// Nobody wants the errors of features.
    fn backward(&self, at: Backward<'_>) {
        let mut rest = &mut at.gradient[self.blocks[0].rows..];
        let mut blocks = self.blocks[1..].iter();
        let mut next = || {
            let block = blocks.next().expect("three blocks");
            let (rows, others) = std::mem::take(&mut rest).split_at_mut(block.rows);
            rest = others;
            &mut rows.as_flattened_mut()[..block.numbers()]
        };
        let gradient = Gradient { slope: next(), bias: next(), weight: next() };
        let (piecewise, x) = (self.kernel(at.weights.shared), at.upstream.input(0));
        kernel::gradient(at.isa, &piecewise, x, at.error, at.scratch, gradient);
    }
}

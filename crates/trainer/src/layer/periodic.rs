//! Periodic embeddings of numbers: each number and mixtures of learned waves of it, so that a network sees fine
//! differences of a number (Gorishniy et al. 2022, <https://arxiv.org/abs/2203.05556>; as it is here, Holzmüller et
//! al. 2024, <https://arxiv.org/abs/2407.04491>).

use super::interface::{Backward, Forward, Layer, block_rows};
use super::parameters::{Block, Parameters, Role};
use super::settings::{MAX_UNITS, Planned, Planning};
use super::{Kind, View};
use crate::config::error::{ConfigError, require};
use crate::network::init::Init;
use gristmill_kernels::periodic::{self as kernel, Gradient};
use gristmill_kernels::{Row, panels};
use serde::{Deserialize, Serialize};
use std::f64::consts::PI;

/// Each number as itself and mixtures of waves.
#[derive(Debug, Clone, PartialEq)]
pub struct Periodic {
    /// How its input is arranged.
    input: View,
    /// Values that become of a number.
    pub size: usize,
    /// Waves of each channel.
    pub waves: usize,
    blocks: Vec<Block>,
}

/// Makes of each number itself and mixtures of waves of it, each channel having its own.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeriodicConfig {
    /// Values that become of a number, itself being one; 4 if left out.
    pub size: Option<usize>,
    /// Waves of each channel; 16 if left out.
    pub frequencies: Option<usize>,
    /// Deviation of the frequencies that it starts with; 0.1 if left out.
    pub deviation: Option<f64>,
}

impl PeriodicConfig {
    pub(crate) fn plan(&self, at: &Planning<'_>) -> Result<Planned, ConfigError> {
        let (input, size) = (at.input()?, self.size.unwrap_or(4));
        if size < 2 {
            return Err(at.wrong(
                "size",
                size,
                "expected at least 2: a number and a mixture of waves",
            ));
        }
        let waves = at.at_least_one("frequencies", self.frequencies.unwrap_or(16))?;
        let deviation = self.deviation.unwrap_or(0.1);
        require(&format!("{}.deviation", at.key), deviation, deviation > 0.0, "a positive number")?;
        for (key, value, count) in
            [("size", size, size), ("frequencies", waves, waves.saturating_mul(size))]
        {
            if input.units().saturating_mul(count) > MAX_UNITS {
                let most = MAX_UNITS / input.units();
                return Err(at.wrong(
                    key,
                    value,
                    format!("too many for {input} numbers; expected fewer than {most} in all"),
                ));
            }
        }
        let mixture = Init::Uniform { limit: 0.25 };
        let start =
            vec![Init::Normal { deviation }, Init::Uniform { limit: PI }, mixture.clone(), mixture];
        Ok(Planned { layer: Kind::Periodic(Periodic::new(input, size, waves)), start })
    }
}

impl Periodic {
    /// For an input arranged so; `size` is at least 2.
    pub fn new(input: View, size: usize, waves: usize) -> Periodic {
        let (channels, mixtures) = (input.channels, size - 1);
        let block = |name, shape: Vec<usize>, role| {
            let rows = panels(shape.iter().product());
            Block { name, shape, rows, role }
        };
        let blocks = vec![
            block("frequency", vec![channels, waves], Role::Offset),
            block("phase", vec![channels, waves], Role::Offset),
            block("weight", vec![channels, waves, mixtures], Role::Weight),
            block("bias", vec![channels, mixtures], Role::Offset),
        ];
        Periodic { input, size, waves, blocks }
    }

    /// How its input is arranged.
    pub fn input(&self) -> View {
        self.input
    }

    fn kernel<'w>(&self, weights: &'w [Row]) -> kernel::Periodic<'w> {
        let mut blocks = block_rows(&self.blocks).zip(&self.blocks);
        let mut next = || {
            let (rows, block) = blocks.next().expect("four blocks");
            &weights[rows].as_flattened()[..block.numbers()]
        };
        kernel::Periodic {
            channels: self.input.channels,
            waves: self.waves,
            mixtures: self.size - 1,
            frequency: next(),
            phase: next(),
            weight: next(),
            bias: next(),
        }
    }
}

impl Layer for Periodic {
    fn output(&self) -> View {
        View { channels: self.input.channels * self.size, ..self.input }
    }

    fn parameters(&self) -> Parameters<'_> {
        Parameters::Shared(&self.blocks)
    }

    /// A wave takes about as long as ten multiply-adds.
    fn work(&self) -> usize {
        self.input.units() * self.waves * (10 + self.size)
    }

    /// A wave at each position.
    fn scratch(&self, columns: usize) -> usize {
        columns * self.input.positions()
    }

    fn forward(&self, at: Forward<'_>) {
        kernel::forward(at.isa, &self.kernel(at.weights.shared), at.inputs.get(0), at.output);
    }

    fn backward(&self, mut at: Backward<'_>) {
        let mut rest = at.gradient;
        let mut blocks = self.blocks.iter();
        let mut next = || {
            let block = blocks.next().expect("four blocks");
            let (rows, others) = std::mem::take(&mut rest).split_at_mut(block.rows);
            rest = others;
            &mut rows.as_flattened_mut()[..block.numbers()]
        };
        let gradient = Gradient { frequency: next(), phase: next(), weight: next(), bias: next() };
        let periodic = self.kernel(at.weights.shared);
        let (errors, scratch) = (at.error, at.scratch);
        let backward = match at.upstream.target(0) {
            Some(target) => kernel::Backward {
                x: target.input,
                errors,
                scratch,
                gradient,
                input_errors: Some(target.rows),
                add: target.add,
            },
            None => {
                let x = at.upstream.input(0);
                kernel::Backward { x, errors, scratch, gradient, input_errors: None, add: false }
            }
        };
        kernel::backward(at.isa, &periodic, backward);
    }
}

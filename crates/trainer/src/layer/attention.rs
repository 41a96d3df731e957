//! Self-attention between the positions of a sample, head by head, on queries, keys and values that the layer
//! before gives (Vaswani et al. 2017, <https://arxiv.org/abs/1706.03762>).
//!
//! It learns nothing itself: the matrices before and after it are convolutions of kernel 1. Queries and keys may be
//! turned by their positions (Su et al. 2021, <https://arxiv.org/abs/2104.09864>).

use super::interface::{Backward, Forward, Layer};
use super::parameters::Parameters;
use super::settings::{Planned, Planning};
use super::{Kind, View};
use crate::config::error::ConfigError;
use gristmill_kernels::attention::{self as kernels, Attention as Shape};
use gristmill_kernels::rotary::{self, Turn};
use gristmill_kernels::{Isa, Row};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Attention of every position to all, or to those before it.
#[derive(Debug, Clone, PartialEq)]
pub struct Attention {
    /// How its values are arranged; its input has three times the channels.
    view: View,
    /// Attentions of their own, side by side.
    pub heads: usize,
    /// Whether a position attends to none after it.
    pub is_causal: bool,
    /// Whether queries and keys are turned by their positions.
    pub is_rotary: bool,
    /// Cosine and sine of each turn; empty unless rotary.
    angles: Vec<[f32; 2]>,
}

/// Attention between positions: the channels that come are the queries, keys and values of all heads.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttentionConfig {
    /// Attentions side by side; 1 if left out.
    pub heads: Option<usize>,
    /// Whether a position attends to none after it; false if left out.
    pub causal: Option<bool>,
    /// Whether queries and keys are turned by their positions; false if left out.
    pub rotary: Option<bool>,
}

/// What the angles of a turn are powers of.
const BASE: f32 = 10_000.0;

impl AttentionConfig {
    pub(crate) fn plan(&self, at: &Planning<'_>) -> Result<Planned, ConfigError> {
        let input = at.input()?;
        let heads = at.at_least_one("heads", self.heads.unwrap_or(1))?;
        let is_rotary = self.rotary.unwrap_or(false);
        let unit = if is_rotary { 6 } else { 3 } * heads;
        if input.positions() < 2 || !input.channels.is_multiple_of(unit) {
            let needs = format!(
                "several positions of queries, keys and values for {heads} heads: a multiple of {unit} channels"
            );
            return Err(at.misfit(input, needs));
        }
        let layer = Attention::new(input, heads, self.causal.unwrap_or(false), is_rotary);
        Ok(Planned::bare(Kind::Attention(layer)))
    }
}

impl Attention {
    /// For an input of queries, keys and values.
    ///
    /// # Panics
    /// The channels are not three for each unit of each head, or turns have no pairs of units.
    pub fn new(input: View, heads: usize, is_causal: bool, is_rotary: bool) -> Attention {
        assert!(input.channels.is_multiple_of(3 * heads), "{heads} heads of {input}");
        let view = View { channels: input.channels / 3, ..input };
        let angles = match is_rotary {
            true => rotary::angles(view.positions(), view.channels / heads, BASE),
            false => Vec::new(),
        };
        Attention { view, heads, is_causal, is_rotary, angles }
    }

    /// How its values are arranged.
    pub fn view(&self) -> View {
        self.view
    }

    fn shape<'a>(&self, lengths: Option<&'a [Row]>) -> Shape<'a> {
        Shape {
            positions: self.view.positions(),
            heads: self.heads,
            width: self.view.channels / self.heads,
            causal: self.is_causal,
            lengths,
        }
    }

    /// Turns queries and keys.
    fn turn(&self, isa: Isa, turn: Turn, rows: &mut [Row]) {
        let (width, channels) = (self.view.channels / self.heads, self.view.channels);
        let range: Range<usize> = 0..2 * channels;
        rotary::rotate(isa, turn, &self.angles, width, rows, 3 * channels, range);
    }

    /// Rows of queries, keys and values that it keeps turned.
    fn turned_rows(&self) -> usize {
        if self.is_rotary { 3 * self.view.units() } else { 0 }
    }

    /// What it keeps: turned queries, keys and values, if they are turned; and probabilities.
    fn split<'k>(&self, kept: &'k mut [Row]) -> (&'k mut [Row], &'k mut [Row]) {
        let panels = kept.len() / self.kept();
        kept.split_at_mut(panels * self.turned_rows())
    }
}

impl Layer for Attention {
    fn output(&self) -> View {
        self.view
    }

    fn parameters(&self) -> Parameters<'_> {
        Parameters::None
    }

    fn work(&self) -> usize {
        2 * self.view.positions() * self.view.units()
    }

    fn kept(&self) -> usize {
        self.turned_rows() + self.shape(None).probability_rows()
    }

    fn scratch(&self, columns: usize) -> usize {
        self.shape(None).scratch_rows() + columns * self.turned_rows()
    }

    fn forward(&self, at: Forward<'_>) {
        let input = at.inputs.get(0);
        let (turned, probabilities) = self.split(at.kept);
        let qkv = match self.is_rotary {
            true => {
                turned.copy_from_slice(input);
                self.turn(at.isa, Turn::Forward, turned);
                &*turned
            }
            false => input,
        };
        kernels::forward(at.isa, &self.shape(at.ends), qkv, probabilities, at.output);
    }

    fn backward(&self, mut at: Backward<'_>) {
        let Some(target) = at.upstream.target(0) else { return };
        let (turned, probabilities) = self.split(at.kept);
        let (scratch, rest) = at.scratch.split_at_mut(self.shape(None).scratch_rows());
        if !self.is_rotary {
            let backward = kernels::Backward {
                qkv: target.input,
                probabilities,
                errors: at.error,
                scratch,
                input_errors: target.rows,
                add: target.add,
            };
            return kernels::backward(at.isa, &self.shape(at.ends), backward);
        }
        let errors = &mut rest[..turned.len()];
        let backward = kernels::Backward {
            qkv: turned,
            probabilities,
            errors: at.error,
            scratch,
            input_errors: errors,
            add: false,
        };
        kernels::backward(at.isa, &self.shape(at.ends), backward);
        self.turn(at.isa, Turn::Backward, errors);
        target.hand_on(at.isa, errors);
    }
}

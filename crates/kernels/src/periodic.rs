//! Periodic embeddings of numbers: each number itself, and mixtures of waves of it.
//!
//! ```text
//! wave[k]  = cos(2 pi frequency[k] x + phase[k])
//! y[0]     = x
//! y[1 + m] = bias[m] + Σ wave[k] weight[k][m]
//! ```
//!
//! Samples are lanes. Each channel has waves and mixtures of its own, which all positions share. Sums over samples
//! are chains over the panels of a shard, in their order, before the lanes are folded.

use crate::isa::Isa;
use crate::math;
use crate::simd::{Kernel, Row, Simd};
use std::f32::consts::TAU;

/// The shape and the parameters of an embedding.
#[derive(Clone, Copy)]
pub struct Periodic<'a> {
    /// Numbers of a position.
    pub channels: usize,
    /// Waves of each.
    pub waves: usize,
    /// Mixtures of these.
    pub mixtures: usize,
    /// Turns for each unit of x: `[channels][waves]`.
    pub frequency: &'a [f32],
    /// In radians: `[channels][waves]`.
    pub phase: &'a [f32],
    /// `[channels][waves][mixtures]`.
    pub weight: &'a [f32],
    /// `[channels][mixtures]`.
    pub bias: &'a [f32],
}

impl Periodic<'_> {
    /// Rows that become of a channel.
    fn size(&self) -> usize {
        1 + self.mixtures
    }

    fn check(&self, x: &[Row], y: &[Row]) -> usize {
        let Periodic { channels, waves, mixtures, .. } = *self;
        assert!(channels > 0 && waves > 0 && mixtures > 0, "channels, waves and mixtures");
        assert!(x.len().is_multiple_of(channels), "positions of {channels} rows");
        assert_eq!(y.len(), x.len() * self.size(), "the results of each number");
        assert_eq!(self.frequency.len(), channels * waves, "a frequency for each wave");
        assert_eq!(self.phase.len(), channels * waves, "a phase for each wave");
        assert_eq!(self.weight.len(), channels * waves * mixtures, "weights of waves");
        assert_eq!(self.bias.len(), channels * mixtures, "a bias for each mixture");
        x.len() / channels
    }
}

/// Sets `y` to the embedding of `x`: panel after panel, position after position, channel after channel.
///
/// # Panics
/// A slice does not fit.
pub fn forward(isa: Isa, periodic: &Periodic<'_>, x: &[Row], y: &mut [Row]) {
    periodic.check(x, y);
    isa.run(Forward { periodic, x, y });
}

/// What the backward pass reads and writes.
pub struct Backward<'a> {
    /// What was embedded.
    pub x: &'a [Row],
    /// The errors of what became of it.
    pub errors: &'a [Row],
    /// Room for a row for each position of each panel.
    pub scratch: &'a mut [Row],
    /// Are added to.
    pub gradient: Gradient<'a>,
    /// Where the error of x goes, if anybody wants it.
    pub input_errors: Option<&'a mut [Row]>,
    /// Whether it is added there, and not set.
    pub add: bool,
}

/// Derivatives by the parameters, laid out as these are.
pub struct Gradient<'a> {
    /// By the frequencies.
    pub frequency: &'a mut [f32],
    /// By the phases.
    pub phase: &'a mut [f32],
    /// By the weights.
    pub weight: &'a mut [f32],
    /// By the biases.
    pub bias: &'a mut [f32],
}

/// The errors of x and the gradient.
///
/// # Panics
/// A slice does not fit.
pub fn backward(isa: Isa, periodic: &Periodic<'_>, at: Backward<'_>) {
    let places = periodic.check(at.x, at.errors);
    let Gradient { frequency, phase, weight, bias } = &at.gradient;
    assert_eq!(frequency.len(), periodic.frequency.len(), "a derivative for each frequency");
    assert_eq!(phase.len(), periodic.phase.len(), "a derivative for each phase");
    assert_eq!(weight.len(), periodic.weight.len(), "a derivative for each weight");
    assert_eq!(bias.len(), periodic.bias.len(), "a derivative for each bias");
    assert!(at.scratch.len() >= places, "a row for each position of each panel");
    if let Some(rows) = &at.input_errors {
        assert_eq!(rows.len(), at.x.len(), "an error for each number");
    }
    isa.run(BackwardKernel { periodic, at });
}

struct Forward<'a> {
    periodic: &'a Periodic<'a>,
    x: &'a [Row],
    y: &'a mut [Row],
}

impl Kernel for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Periodic { channels, waves, mixtures, frequency, phase, weight, bias } = *self.periodic;
        let results = self.y.chunks_exact_mut(1 + mixtures);
        for (number, (x, y)) in self.x.iter().zip(results).enumerate() {
            let c = number % channels;
            let (x, mixed) = (s.load(x), &mut y[1..]);
            for (mixed, bias) in mixed.iter_mut().zip(&bias[c * mixtures..]) {
                s.store(mixed, s.splat(*bias));
            }
            for k in c * waves..(c + 1) * waves {
                let turns = s.mul_add(x, s.splat(frequency[k]), s.splat(phase[k] / TAU));
                let (wave, _) = math::wave(s, turns);
                for (mixed, weight) in mixed.iter_mut().zip(&weight[k * mixtures..]) {
                    s.store(mixed, s.mul_add(wave, s.splat(*weight), s.load(mixed)));
                }
            }
            s.store(&mut y[0], x);
        }
    }
}

struct BackwardKernel<'a> {
    periodic: &'a Periodic<'a>,
    at: Backward<'a>,
}

impl Kernel for BackwardKernel<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Periodic { channels, waves, mixtures, .. } = *self.periodic;
        let Backward { x, errors, scratch, gradient, mut input_errors, add } = self.at;
        let (places, size) = (x.len() / channels, 1 + mixtures);
        let width = channels * size;
        for c in 0..channels {
            if let Some(rows) = &mut input_errors {
                for place in 0..places {
                    let error = s.load(&errors[place * width + c * size]);
                    let row = &mut rows[place * channels + c];
                    let held = if add { s.add(s.load(row), error) } else { error };
                    s.store(row, held);
                }
            }
            for m in 0..mixtures {
                let mut sum = s.splat(0.0);
                for place in 0..places {
                    sum = s.add(sum, s.load(&errors[place * width + c * size + 1 + m]));
                }
                gradient.bias[c * mixtures + m] += s.sum(sum);
            }
            for k in c * waves..(c + 1) * waves {
                let frequency = self.periodic.frequency[k];
                let phase = self.periodic.phase[k] / TAU;
                let weights = &self.periodic.weight[k * mixtures..][..mixtures];
                let (mut by_frequency, mut by_phase) = (s.splat(0.0), s.splat(0.0));
                for place in 0..places {
                    let x = s.load(&x[place * channels + c]);
                    let turns = s.mul_add(x, s.splat(frequency), s.splat(phase));
                    let (wave, slope) = math::wave(s, turns);
                    s.store(&mut scratch[place], wave);
                    let mut error = s.splat(0.0);
                    let mixed = &errors[place * width + c * size + 1..][..mixtures];
                    for (mixed, weight) in mixed.iter().zip(weights) {
                        error = s.mul_add(s.load(mixed), s.splat(*weight), error);
                    }
                    let error = s.mul(error, slope);
                    by_phase = s.add(by_phase, error);
                    by_frequency = s.mul_add(error, x, by_frequency);
                    if let Some(rows) = &mut input_errors {
                        let row = &mut rows[place * channels + c];
                        let held = s.mul_add(error, s.splat(TAU * frequency), s.load(row));
                        s.store(row, held);
                    }
                }
                gradient.frequency[k] += TAU * s.sum(by_frequency);
                gradient.phase[k] += s.sum(by_phase);
                for m in 0..mixtures {
                    let mut sum = s.splat(0.0);
                    for (place, wave) in scratch[..places].iter().enumerate() {
                        let error = s.load(&errors[place * width + c * size + 1 + m]);
                        sum = s.mul_add(error, s.load(wave), sum);
                    }
                    gradient.weight[k * mixtures + m] += s.sum(sum);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;

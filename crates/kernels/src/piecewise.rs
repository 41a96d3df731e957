//! Piecewise linear embeddings of numbers: a linear function, and one that bends at the edges of bins.
//!
//! ```text
//! code[t] = (x - edge[t]) / (edge[t + 1] - edge[t]), within 0 and 1; of the first bin also below 0, of the last also
//!           above 1; 0 in a bin without width
//! y[j]    = bias[j] + slope[j] x + Σ code[t] weight[t][j]
//! ```
//!
//! Samples are lanes. Each channel has bins and functions of its own, which all positions share. Sums over samples are
//! chains over the panels of a shard, in their order, before the lanes are folded.

use crate::isa::Isa;
use crate::simd::{Kernel, Row, Simd};

/// The shape and the parameters of an embedding.
#[derive(Clone, Copy)]
pub struct Piecewise<'a> {
    /// Numbers of a position.
    pub channels: usize,
    /// Bins of each.
    pub bins: usize,
    /// Values that become of each.
    pub size: usize,
    /// Ascending: `[channels][bins + 1]`.
    pub edges: &'a [f32],
    /// `[channels][size]`.
    pub slope: &'a [f32],
    /// `[channels][size]`.
    pub bias: &'a [f32],
    /// `[channels][bins][size]`.
    pub weight: &'a [f32],
}

/// How numbers are coded in a bin.
#[derive(Clone, Copy)]
struct Bin {
    start: f32,
    /// 1 / width, or 0 where it has none.
    factor: f32,
    least: f32,
    most: f32,
}

impl Bin {
    #[inline(always)]
    fn code<S: Simd>(self, s: S, x: S::V) -> S::V {
        let code = s.mul(s.sub(x, s.splat(self.start)), s.splat(self.factor));
        // NaN is the second argument: kept.
        s.max(s.splat(self.least), s.min(s.splat(self.most), code))
    }
}

impl Piecewise<'_> {
    #[inline(always)]
    fn bin(&self, channel: usize, bin: usize) -> Bin {
        let edges = &self.edges[channel * (self.bins + 1) + bin..];
        let (start, width) = (edges[0], edges[1] - edges[0]);
        Bin {
            start,
            factor: if width > 0.0 { 1.0 / width } else { 0.0 },
            least: if bin == 0 { f32::NEG_INFINITY } else { 0.0 },
            most: if bin + 1 == self.bins { f32::INFINITY } else { 1.0 },
        }
    }

    fn check(&self, x: &[Row], y: &[Row]) -> usize {
        let Piecewise { channels, bins, size, .. } = *self;
        assert!(channels > 0 && bins > 0 && size > 0, "channels, bins and values");
        assert!(x.len().is_multiple_of(channels), "positions of {channels} rows");
        assert_eq!(y.len(), x.len() * size, "the results of each number");
        assert_eq!(self.edges.len(), channels * (bins + 1), "the edges of each bin");
        assert_eq!(self.slope.len(), channels * size, "a slope for each value");
        assert_eq!(self.bias.len(), channels * size, "a bias for each value");
        assert_eq!(self.weight.len(), channels * bins * size, "weights of bins");
        x.len() / channels
    }
}

/// Sets `y` to the embedding of `x`: panel after panel, position after position, channel after channel.
///
/// # Panics
/// A slice does not fit.
pub fn forward(isa: Isa, piecewise: &Piecewise<'_>, x: &[Row], y: &mut [Row]) {
    piecewise.check(x, y);
    isa.run(Forward { piecewise, x, y });
}

/// Derivatives by the parameters, laid out as these are.
pub struct Gradient<'a> {
    /// By the slopes.
    pub slope: &'a mut [f32],
    /// By the biases.
    pub bias: &'a mut [f32],
    /// By the weights.
    pub weight: &'a mut [f32],
}

/// Adds to the gradient what these errors of the results give. `scratch` is room for a row for each position of each
/// panel.
///
/// # Panics
/// A slice does not fit.
pub fn gradient(
    isa: Isa,
    piecewise: &Piecewise<'_>,
    x: &[Row],
    errors: &[Row],
    scratch: &mut [Row],
    gradient: Gradient<'_>,
) {
    let places = piecewise.check(x, errors);
    assert!(scratch.len() >= places, "a row for each position of each panel");
    assert_eq!(gradient.slope.len(), piecewise.slope.len(), "a derivative for each slope");
    assert_eq!(gradient.bias.len(), piecewise.bias.len(), "a derivative for each bias");
    assert_eq!(gradient.weight.len(), piecewise.weight.len(), "a derivative for each weight");
    isa.run(GradientKernel { piecewise, x, errors, scratch: &mut scratch[..places], gradient });
}

struct Forward<'a> {
    piecewise: &'a Piecewise<'a>,
    x: &'a [Row],
    y: &'a mut [Row],
}

impl Kernel for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Piecewise { channels, bins, size, slope, bias, weight, .. } = *self.piecewise;
        for c in 0..channels {
            let (slope, bias) = (&slope[c * size..][..size], &bias[c * size..][..size]);
            let numbers = self.x.iter().zip(self.y.chunks_exact_mut(size));
            for (x, y) in numbers.skip(c).step_by(channels) {
                let x = s.load(x);
                for ((y, slope), bias) in y.iter_mut().zip(slope).zip(bias) {
                    s.store(y, s.mul_add(x, s.splat(*slope), s.splat(*bias)));
                }
            }
            for t in 0..bins {
                let bin = self.piecewise.bin(c, t);
                let weight = &weight[(c * bins + t) * size..][..size];
                let numbers = self.x.iter().zip(self.y.chunks_exact_mut(size));
                for (x, y) in numbers.skip(c).step_by(channels) {
                    let code = bin.code(s, s.load(x));
                    for (y, weight) in y.iter_mut().zip(weight) {
                        s.store(y, s.mul_add(code, s.splat(*weight), s.load(y)));
                    }
                }
            }
        }
    }
}

struct GradientKernel<'a> {
    piecewise: &'a Piecewise<'a>,
    x: &'a [Row],
    errors: &'a [Row],
    scratch: &'a mut [Row],
    gradient: Gradient<'a>,
}

impl GradientKernel<'_> {
    /// The sum of the errors of value `j` of channel `c`, each times its row of scratch.
    #[inline(always)]
    fn product<S: Simd>(&self, s: S, c: usize, j: usize) -> f32 {
        let Piecewise { channels, size, .. } = *self.piecewise;
        let mut sum = s.splat(0.0);
        for (place, factor) in self.scratch.iter().enumerate() {
            let error = s.load(&self.errors[(place * channels + c) * size + j]);
            sum = s.mul_add(error, s.load(factor), sum);
        }
        s.sum(sum)
    }
}

impl Kernel for GradientKernel<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Piecewise { channels, bins, size, .. } = *self.piecewise;
        for c in 0..channels {
            for place in 0..self.scratch.len() {
                s.store(&mut self.scratch[place], s.splat(1.0));
            }
            for j in 0..size {
                self.gradient.bias[c * size + j] += self.product(s, c, j);
            }
            for place in 0..self.scratch.len() {
                self.scratch[place] = self.x[place * channels + c];
            }
            for j in 0..size {
                self.gradient.slope[c * size + j] += self.product(s, c, j);
            }
            for t in 0..bins {
                let bin = self.piecewise.bin(c, t);
                for place in 0..self.scratch.len() {
                    let code = bin.code(s, s.load(&self.x[place * channels + c]));
                    s.store(&mut self.scratch[place], code);
                }
                for j in 0..size {
                    self.gradient.weight[(c * bins + t) * size + j] += self.product(s, c, j);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;

//! Batch normalisation: each channel over the positions and samples of a minibatch, in parts.
//!
//! Sums over a minibatch are taken shard by shard and put together by the caller, in the order of the
//! shards, in `f64`. With n = positions times samples, and x̂ = (x - mean) / deviation:
//!
//! ```text
//! mean       = sums(x) / n
//! deviation² = square_sums(x, mean) / n + epsilon
//! y          = gain x̂ + bias                                         (forward)
//! dx         = gain / deviation (e - mean(e) - x̂ mean(e x̂))          (backward)
//! dbias, dgain = error_sums(e, x̂)
//! ```
//!
//! A shard is panels of sixteen samples, positions times channels rows each. Lanes beyond the samples
//! enter no sum. A sum is a chain of additions per lane and panel whose rounding errors are summed
//! beside it, so it is as good as one in `f64`, and is added to what is there panel by panel: equal
//! bits whichever way the panels are cut into calls.

use crate::isa::Isa;
use crate::panels::panels;
use crate::simd::{Kernel, LANES, Row, Simd};

/// Channels whose sums are kept in registers: their rows are consecutive.
const BLOCK: usize = 4;

/// Adds to `sums[c]` the sum of channel `c` of `x` over positions and the first `samples` lanes.
///
/// # Panics
/// `x` is no whole number of positions in each of the panels of `samples`.
pub fn sums(isa: Isa, x: &[Row], samples: usize, sums: &mut [f64]) {
    check(x, samples, sums.len());
    isa.run(Sums { terms: Value { x }, rows: x.len(), samples, sums: [sums] });
}

/// Adds to `sums[c]` the sum of (x - mean)², as [`sums`](fn@sums); `mean` has sixteen channels a row.
///
/// # Panics
/// A slice does not fit.
pub fn square_sums(isa: Isa, x: &[Row], mean: &[Row], samples: usize, sums: &mut [f64]) {
    check(x, samples, sums.len());
    assert_eq!(mean.len(), panels(sums.len()), "sixteen means a row");
    let mean = mean.as_flattened();
    isa.run(Sums { terms: Square { x, mean }, rows: x.len(), samples, sums: [sums] });
}

/// What normalises a channel, sixteen channels a row.
#[derive(Clone, Copy)]
pub struct Moments<'a> {
    /// Is subtracted.
    pub mean: &'a [Row],
    /// 1 / deviation; then multiplies.
    pub inverse: &'a [Row],
}

/// Adds to `sums[c]` the sum of e and to `products[c]` that of e x̂, as [`sums`](fn@sums).
///
/// # Panics
/// A slice does not fit.
pub fn error_sums(
    isa: Isa,
    x: &[Row],
    moments: Moments<'_>,
    errors: &[Row],
    samples: usize,
    sums: &mut [f64],
    products: &mut [f64],
) {
    check(x, samples, sums.len());
    assert_eq!(x.len(), errors.len(), "an error per value");
    assert_eq!(sums.len(), products.len(), "both sums of a channel");
    moments.check(sums.len());
    let (mean, inverse) = (moments.mean.as_flattened(), moments.inverse.as_flattened());
    let terms = Errors { x, mean, inverse, errors };
    isa.run(Sums { terms, rows: x.len(), samples, sums: [sums, products] });
}

/// Sets `y` to gain x̂ + bias: `channels` rows a position, parameters sixteen channels a row.
///
/// # Panics
/// A slice does not fit.
pub fn forward(
    isa: Isa,
    channels: usize,
    moments: Moments<'_>,
    gain: &[Row],
    bias: &[Row],
    x: &[Row],
    y: &mut [Row],
) {
    assert!(channels > 0 && x.len().is_multiple_of(channels), "positions of {channels} rows");
    assert_eq!(x.len(), y.len(), "a result per value");
    moments.check(channels);
    assert_eq!(gain.len(), panels(channels), "sixteen gains a row");
    assert_eq!(bias.len(), panels(channels), "sixteen bias terms a row");
    isa.run(Forward { channels, moments, gain, bias, x, y });
}

/// What the backward pass reads, sixteen channels a row.
#[derive(Clone, Copy)]
pub struct Terms<'a> {
    /// Of the forward pass.
    pub moments: Moments<'a>,
    /// Of the forward pass.
    pub gain: &'a [Row],
    /// mean(e) over positions and samples.
    pub mean_error: &'a [Row],
    /// mean(e x̂) over positions and samples.
    pub mean_product: &'a [Row],
}

/// Sets or adds to `input_errors` the error of `x`; that of lanes beyond the samples is 0.
///
/// # Panics
/// A slice does not fit.
#[allow(clippy::too_many_arguments)]
pub fn backward(
    isa: Isa,
    channels: usize,
    terms: Terms<'_>,
    samples: usize,
    x: &[Row],
    errors: &[Row],
    input_errors: &mut [Row],
    add: bool,
) {
    check(x, samples, channels);
    assert_eq!(x.len(), errors.len(), "an error per result");
    assert_eq!(x.len(), input_errors.len(), "an error per value");
    terms.moments.check(channels);
    for rows in [terms.gain, terms.mean_error, terms.mean_product] {
        assert_eq!(rows.len(), panels(channels), "sixteen channels a row");
    }
    isa.run(Backward { channels, terms, samples, x, errors, input_errors, add });
}

fn check(x: &[Row], samples: usize, channels: usize) {
    let positions = panels(samples) * channels;
    let whole = positions > 0 && x.len().is_multiple_of(positions);
    assert!(whole, "panels of {samples} samples, {channels} channels a position: {}", x.len());
}

impl Moments<'_> {
    fn check(&self, channels: usize) {
        assert_eq!(self.mean.len(), panels(channels), "sixteen means a row");
        assert_eq!(self.inverse.len(), panels(channels), "sixteen inverses a row");
    }
}

/// What is summed: `K` terms for each value.
trait Summand<const K: usize>: Copy {
    /// Of this row, which is of this channel.
    fn at<S: Simd>(self, s: S, row: usize, channel: usize) -> [S::V; K];
}

#[derive(Clone, Copy)]
struct Value<'a> {
    x: &'a [Row],
}

impl Summand<1> for Value<'_> {
    #[inline(always)]
    fn at<S: Simd>(self, s: S, row: usize, _: usize) -> [S::V; 1] {
        [s.load(&self.x[row])]
    }
}

#[derive(Clone, Copy)]
struct Square<'a> {
    x: &'a [Row],
    mean: &'a [f32],
}

impl Summand<1> for Square<'_> {
    #[inline(always)]
    fn at<S: Simd>(self, s: S, row: usize, channel: usize) -> [S::V; 1] {
        let x = s.sub(s.load(&self.x[row]), s.splat(self.mean[channel]));
        [s.mul(x, x)]
    }
}

#[derive(Clone, Copy)]
struct Errors<'a> {
    x: &'a [Row],
    mean: &'a [f32],
    inverse: &'a [f32],
    errors: &'a [Row],
}

impl Summand<2> for Errors<'_> {
    #[inline(always)]
    fn at<S: Simd>(self, s: S, row: usize, channel: usize) -> [S::V; 2] {
        let x = s.sub(s.load(&self.x[row]), s.splat(self.mean[channel]));
        let error = s.load(&self.errors[row]);
        [error, s.mul(error, s.mul(x, s.splat(self.inverse[channel])))]
    }
}

struct Sums<'a, T, const K: usize> {
    terms: T,
    rows: usize,
    samples: usize,
    sums: [&'a mut [f64]; K],
}

impl<const K: usize, T: Summand<K>> Kernel for Sums<'_, T, K> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        let channels = self.sums[0].len();
        let units = self.rows / panels(self.samples);
        for panel in 0..panels(self.samples) {
            let rows = panel * units..(panel + 1) * units;
            let lanes = LANES.min(self.samples - panel * LANES);
            let mut channel = 0;
            while channel + BLOCK <= channels {
                self.block::<S, BLOCK>(s, rows.clone(), channel, lanes);
                channel += BLOCK;
            }
            while channel < channels {
                self.block::<S, 1>(s, rows.clone(), channel, lanes);
                channel += 1;
            }
        }
    }
}

impl<const K: usize, T: Summand<K>> Sums<'_, T, K> {
    /// Adds what these rows have of `N` channels.
    #[inline(always)]
    fn block<S: Simd, const N: usize>(
        &mut self,
        s: S,
        rows: std::ops::Range<usize>,
        channel: usize,
        lanes: usize,
    ) {
        let mut sums = [[s.splat(0.0); K]; N];
        // What rounding took from the sums.
        let mut lost = [[s.splat(0.0); K]; N];
        for first in rows.step_by(self.sums[0].len()) {
            for i in 0..N {
                let terms = self.terms.at(s, first + channel + i, channel + i);
                for k in 0..K {
                    let sum = s.add(sums[i][k], terms[k]);
                    let added = s.sub(sum, sums[i][k]);
                    let of_sum = s.sub(sums[i][k], s.sub(sum, added));
                    lost[i][k] = s.add(lost[i][k], s.add(of_sum, s.sub(terms[k], added)));
                    sums[i][k] = sum;
                }
            }
        }
        for i in 0..N {
            for k in 0..K {
                let [mut high, mut low] = [[0.0; LANES]; 2];
                s.store(&mut high, sums[i][k]);
                s.store(&mut low, lost[i][k]);
                let total = &mut self.sums[k][channel + i];
                for (high, low) in high[..lanes].iter().zip(&low[..lanes]) {
                    *total += f64::from(*high) + f64::from(*low);
                }
            }
        }
    }
}

struct Forward<'a> {
    channels: usize,
    moments: Moments<'a>,
    gain: &'a [Row],
    bias: &'a [Row],
    x: &'a [Row],
    y: &'a mut [Row],
}

impl Kernel for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let channels = self.channels;
        let positions = self.x.chunks_exact(channels).zip(self.y.chunks_exact_mut(channels));
        for (x, y) in positions {
            let moments = self.moments.mean.as_flattened().iter();
            let moments = moments.zip(self.moments.inverse.as_flattened());
            let affine = self.gain.as_flattened().iter().zip(self.bias.as_flattened());
            let rows = x.iter().zip(y).zip(moments).zip(affine);
            for (((x, y), (mean, inverse)), (gain, bias)) in rows {
                let x = s.mul(s.sub(s.load(x), s.splat(*mean)), s.splat(*inverse));
                s.store(y, s.mul_add(x, s.splat(*gain), s.splat(*bias)));
            }
        }
    }
}

struct Backward<'a> {
    channels: usize,
    terms: Terms<'a>,
    samples: usize,
    x: &'a [Row],
    errors: &'a [Row],
    input_errors: &'a mut [Row],
    add: bool,
}

impl Kernel for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Backward { channels, terms, samples, x, errors, input_errors, add } = self;
        let units = x.len() / panels(samples);
        let zero = s.splat(0.0);
        let mut numbers = [0.0; LANES];
        for (lane, number) in numbers.iter_mut().enumerate() {
            *number = lane as f32;
        }
        let ins = x.chunks_exact(units).zip(errors.chunks_exact(units));
        let panels = ins.zip(input_errors.chunks_exact_mut(units));
        for (panel, ((x, errors), input_errors)) in panels.enumerate() {
            let live = s.lt(s.load(&numbers), s.splat((samples - panel * LANES) as f32));
            let ins = x.chunks_exact(channels).zip(errors.chunks_exact(channels));
            for ((x, errors), input_errors) in ins.zip(input_errors.chunks_exact_mut(channels)) {
                let moments = terms.moments.mean.as_flattened().iter();
                let moments = moments.zip(terms.moments.inverse.as_flattened());
                let means = terms.mean_error.as_flattened().iter();
                let means = means.zip(terms.mean_product.as_flattened());
                let parameters = moments.zip(means).zip(terms.gain.as_flattened());
                let rows = x.iter().zip(errors).zip(input_errors).zip(parameters);
                for (((x, error), input_error), (((mean, inverse), (by_one, by_x)), gain)) in rows {
                    let inverse = s.splat(*inverse);
                    let x = s.mul(s.sub(s.load(x), s.splat(*mean)), inverse);
                    let error = s.sub(s.load(error), s.splat(*by_one));
                    let error = s.neg_mul_add(x, s.splat(*by_x), error);
                    let error = s.mul(error, s.mul(inverse, s.splat(*gain)));
                    let held = if add { s.load(input_error) } else { zero };
                    s.store(input_error, s.add(held, s.select(live, error, zero)));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;

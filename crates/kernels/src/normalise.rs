//! Layer and RMS normalisation: over the channels of each position of each sample.
//!
//! Samples are lanes, and the channels of a position are consecutive rows, so a matrix is a sequence
//! of positions whatever its panels are. With x̂ = (x - mean) / deviation, where the mean is 0 for
//! RMS, and the deviation the root of epsilon and the mean square of x - mean:
//!
//! ```text
//! y  = gain x̂ + bias
//! dx = (gain e - mean(gain e) - x̂ mean(gain e x̂)) / deviation    (RMS: without the first mean)
//! ```

use crate::isa::Isa;
use crate::panels::panels;
use crate::simd::{Kernel, Row, Simd};

/// What is taken from the values before they are scaled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Centre {
    /// Their mean: layer normalisation.
    Mean,
    /// Nothing: RMS normalisation.
    Zero,
}

/// A normalisation and its parameters, sixteen channels a row.
#[derive(Clone, Copy)]
pub struct Norm<'a> {
    /// What is taken from the values.
    pub centre: Centre,
    /// Values of a position.
    pub channels: usize,
    /// Is added to the mean square.
    pub epsilon: f32,
    /// Multiplies each channel.
    pub gain: &'a [Row],
    /// Is added to each channel, if anything is.
    pub bias: Option<&'a [Row]>,
}

impl Norm<'_> {
    fn check(&self, x: &[Row], moments: &[Row]) {
        let Norm { channels, gain, bias, .. } = *self;
        assert!(channels > 0 && x.len().is_multiple_of(channels), "positions of {channels} rows");
        assert_eq!(moments.len(), 2 * (x.len() / channels), "two moments a position");
        assert_eq!(gain.len(), panels(channels), "sixteen gains a row");
        assert!(bias.is_none_or(|bias| bias.len() == gain.len()), "sixteen bias terms a row");
    }
}

/// Sets `y` to the normalised `x`, both with `channels` rows a position, and `moments` to what the
/// backward pass needs: two rows a position, the mean and 1 / deviation.
///
/// # Panics
/// A slice does not fit.
pub fn forward(isa: Isa, norm: &Norm<'_>, x: &[Row], y: &mut [Row], moments: &mut [Row]) {
    norm.check(x, moments);
    assert_eq!(x.len(), y.len(), "a result per value");
    isa.run(Forward { norm, x, y, moments });
}

/// Sets or adds to `input_errors` the error of `x`, from that of the result.
///
/// # Panics
/// A slice does not fit.
pub fn backward(
    isa: Isa,
    norm: &Norm<'_>,
    x: &[Row],
    moments: &[Row],
    errors: &[Row],
    input_errors: &mut [Row],
    add: bool,
) {
    norm.check(x, moments);
    assert_eq!(x.len(), errors.len(), "an error per result");
    assert_eq!(x.len(), input_errors.len(), "an error per value");
    isa.run(Backward { norm, x, moments, errors, input_errors, add });
}

/// Adds to row `c` of `sums` the gradient of the gain of channel `c`: e x̂ over the positions, in
/// order. The lanes stay apart, for [`crate::elementwise::add_totals`] to fold.
///
/// That of the bias is the sum of e, which [`crate::accumulate_rows`] takes.
///
/// # Panics
/// A slice does not fit.
pub fn gain_gradient(
    isa: Isa,
    norm: &Norm<'_>,
    x: &[Row],
    moments: &[Row],
    errors: &[Row],
    sums: &mut [Row],
) {
    norm.check(x, moments);
    assert_eq!(x.len(), errors.len(), "an error per result");
    assert_eq!(sums.len(), norm.channels, "a sum per channel");
    isa.run(GainGradient { x, moments, errors, sums });
}

/// The sum of the squares of rows less their centre, in four chains that need not wait for each other.
#[inline(always)]
fn squares<S: Simd>(s: S, rows: &[Row], centre: S::V) -> S::V {
    let mut sums = [s.splat(0.0); 4];
    let (quads, rest) = rows.as_chunks::<4>();
    for quad in quads {
        for (sum, row) in sums.iter_mut().zip(quad) {
            let x = s.sub(s.load(row), centre);
            *sum = s.mul_add(x, x, *sum);
        }
    }
    for (sum, row) in sums.iter_mut().zip(rest) {
        let x = s.sub(s.load(row), centre);
        *sum = s.mul_add(x, x, *sum);
    }
    s.add(s.add(sums[0], sums[1]), s.add(sums[2], sums[3]))
}

/// The sum of rows, in four chains as well.
#[inline(always)]
fn total<S: Simd>(s: S, rows: &[Row]) -> S::V {
    let mut sums = [s.splat(0.0); 4];
    let (quads, rest) = rows.as_chunks::<4>();
    for quad in quads {
        for (sum, row) in sums.iter_mut().zip(quad) {
            *sum = s.add(s.load(row), *sum);
        }
    }
    for (sum, row) in sums.iter_mut().zip(rest) {
        *sum = s.add(s.load(row), *sum);
    }
    s.add(s.add(sums[0], sums[1]), s.add(sums[2], sums[3]))
}

struct Forward<'a> {
    norm: &'a Norm<'a>,
    x: &'a [Row],
    y: &'a mut [Row],
    moments: &'a mut [Row],
}

impl Kernel for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Norm { centre, channels, epsilon, gain, bias } = *self.norm;
        let count = s.splat(channels as f32);
        let positions = self.x.chunks_exact(channels).zip(self.y.chunks_exact_mut(channels));
        for ((x, y), moments) in positions.zip(self.moments.as_chunks_mut::<2>().0) {
            let mean = match centre {
                Centre::Mean => s.div(total(s, x), count),
                Centre::Zero => s.splat(0.0),
            };
            let square = s.add(s.div(squares(s, x, mean), count), s.splat(epsilon));
            let inverse = s.div(s.splat(1.0), s.sqrt(square));
            s.store(&mut moments[0], mean);
            s.store(&mut moments[1], inverse);
            let rows = x.iter().zip(y).zip(gain.as_flattened());
            match bias {
                Some(bias) => {
                    for (((x, y), gain), bias) in rows.zip(bias.as_flattened()) {
                        let x = s.mul(s.sub(s.load(x), mean), inverse);
                        s.store(y, s.mul_add(x, s.splat(*gain), s.splat(*bias)));
                    }
                }
                None => {
                    for ((x, y), gain) in rows {
                        let x = s.mul(s.sub(s.load(x), mean), inverse);
                        s.store(y, s.mul(x, s.splat(*gain)));
                    }
                }
            }
        }
    }
}

struct Backward<'a> {
    norm: &'a Norm<'a>,
    x: &'a [Row],
    moments: &'a [Row],
    errors: &'a [Row],
    input_errors: &'a mut [Row],
    add: bool,
}

impl Kernel for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Norm { centre, channels, gain, .. } = *self.norm;
        let gain = &gain.as_flattened()[..channels];
        let count = s.splat(channels as f32);
        let ins = self.x.chunks_exact(channels).zip(self.moments.as_chunks::<2>().0);
        let outs = self.errors.chunks_exact(channels);
        let outs = outs.zip(self.input_errors.chunks_exact_mut(channels));
        for ((x, moments), (errors, input_errors)) in ins.zip(outs) {
            let [mean, inverse] = [s.load(&moments[0]), s.load(&moments[1])];
            let (mut sum, mut product) = (s.splat(0.0), s.splat(0.0));
            for ((x, error), gain) in x.iter().zip(errors).zip(gain) {
                let error = s.mul(s.load(error), s.splat(*gain));
                let x = s.mul(s.sub(s.load(x), mean), inverse);
                sum = s.add(sum, error);
                product = s.mul_add(error, x, product);
            }
            let product = s.div(product, count);
            let sum = match centre {
                Centre::Mean => s.div(sum, count),
                Centre::Zero => s.splat(0.0),
            };
            let rows = x.iter().zip(errors).zip(gain).zip(input_errors);
            for (((x, error), gain), input_error) in rows {
                let x = s.mul(s.sub(s.load(x), mean), inverse);
                let error = s.sub(s.mul(s.load(error), s.splat(*gain)), sum);
                let error = s.mul(s.neg_mul_add(x, product, error), inverse);
                let held = if self.add { s.load(input_error) } else { s.splat(0.0) };
                s.store(input_error, s.add(held, error));
            }
        }
    }
}

struct GainGradient<'a> {
    x: &'a [Row],
    moments: &'a [Row],
    errors: &'a [Row],
    sums: &'a mut [Row],
}

impl Kernel for GainGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let channels = self.sums.len();
        let positions = self.x.chunks_exact(channels).zip(self.errors.chunks_exact(channels));
        for ((x, errors), moments) in positions.zip(self.moments.as_chunks::<2>().0) {
            let [mean, inverse] = [s.load(&moments[0]), s.load(&moments[1])];
            for ((x, error), sum) in x.iter().zip(errors).zip(&mut *self.sums) {
                let x = s.mul(s.sub(s.load(x), mean), inverse);
                s.store(sum, s.mul_add(s.load(error), x, s.load(sum)));
            }
        }
    }
}

#[cfg(test)]
mod tests;

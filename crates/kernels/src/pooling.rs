//! Pooling: the largest value or the mean of each channel in windows that slide over an image.
//!
//! Samples are lanes. A row of a panel is a unit (y, x, channel): row (y * width + x) * channels +
//! channel. A series is an image of height 1.

use crate::isa::Isa;
use crate::simd::{Kernel, LANES, Row, Simd};
use std::ops::Range;

/// What is taken of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pool {
    /// The largest value; NaN if there is one. Its error goes to the first of the largest values,
    /// and to none if it is NaN.
    Max,
    /// The mean of the values inside the image: padding does not count.
    Average,
}

/// Windows over an image. Where there are two numbers, the first is of y, the second of x.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Windows {
    /// Values of a pixel.
    pub channels: usize,
    /// Height and width of the image.
    pub image: [usize; 2],
    /// Height and width of a window.
    pub window: [usize; 2],
    /// Pixels from a window to the next.
    pub stride: [usize; 2],
    /// Pixels by which the first window begins before the image.
    pub padding: [usize; 2],
    /// How many windows there are; the last may end beyond the image.
    pub output: [usize; 2],
}

impl Windows {
    /// A single window: the whole image.
    pub fn global(channels: usize, image: [usize; 2]) -> Windows {
        Windows { channels, image, window: image, stride: [1; 2], padding: [0; 2], output: [1; 2] }
    }

    /// Rows of a panel of the image.
    pub fn inputs(&self) -> usize {
        self.image[0] * self.image[1] * self.channels
    }

    /// Rows of a panel of the result.
    pub fn outputs(&self) -> usize {
        self.output[0] * self.output[1] * self.channels
    }

    /// Where window `at` and the image overlap.
    #[inline(always)]
    fn span(&self, axis: usize, at: usize) -> Range<usize> {
        let first = at * self.stride[axis];
        let end = (first + self.window[axis]).saturating_sub(self.padding[axis]);
        first.saturating_sub(self.padding[axis])..end.min(self.image[axis])
    }

    fn check(&self, x: &[Row], y: &[Row]) {
        assert!(self.inputs() > 0 && self.outputs() > 0, "an image and windows: {self:?}");
        for axis in 0..2 {
            let ends = [0, self.output[axis] - 1];
            let inside = ends.iter().all(|&at| !self.span(axis, at).is_empty());
            assert!(inside, "every window has a pixel of the image: {self:?}");
        }
        assert!(x.len().is_multiple_of(self.inputs()), "whole panels of images");
        assert_eq!(x.len() / self.inputs(), y.len() / self.outputs(), "panels of both sides");
        assert!(y.len().is_multiple_of(self.outputs()), "whole panels of results");
    }
}

/// Sets `y` to what is taken of each window of `x`.
///
/// `x` has [`Windows::inputs`] rows per panel, `y` [`Windows::outputs`].
///
/// # Panics
/// A slice does not fit, or a window has no pixel of the image.
pub fn forward(isa: Isa, pool: Pool, windows: &Windows, x: &[Row], y: &mut [Row]) {
    windows.check(x, y);
    isa.run(Forward { pool, windows, x, y });
}

/// What the backward pass reads and writes.
pub struct Backward<'a> {
    /// What was pooled.
    pub x: &'a [Row],
    /// What came of it.
    pub y: &'a [Row],
    /// The error of `y`.
    pub errors: &'a [Row],
    /// The error of `x`.
    pub input_errors: &'a mut [Row],
    /// Whether `input_errors` is added to, and not set.
    pub add: bool,
}

/// The error of what was pooled, from that of the result.
///
/// # Panics
/// As [`forward`].
pub fn backward(isa: Isa, pool: Pool, windows: &Windows, at: Backward<'_>) {
    windows.check(at.x, at.y);
    assert_eq!(at.x.len(), at.input_errors.len(), "an error per input");
    assert_eq!(at.y.len(), at.errors.len(), "an error per output");
    isa.run(BackwardKernel { pool, windows, at });
}

struct Forward<'a> {
    pool: Pool,
    windows: &'a Windows,
    x: &'a [Row],
    y: &'a mut [Row],
}

impl Kernel for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let windows = self.windows;
        let [height, width] = windows.output;
        let panels = self.x.chunks_exact(windows.inputs());
        for (x, y) in panels.zip(self.y.chunks_exact_mut(windows.outputs())) {
            let mut pixels = y.chunks_exact_mut(windows.channels);
            for oy in 0..height {
                for ox in 0..width {
                    let y = pixels.next().expect("a pixel per window");
                    let spans = [windows.span(0, oy), windows.span(1, ox)];
                    match self.pool {
                        Pool::Max => largest(s, windows, spans, x, y),
                        Pool::Average => mean(s, windows, spans, x, y),
                    }
                }
            }
        }
    }
}

#[inline(always)]
fn largest<S: Simd>(
    s: S,
    windows: &Windows,
    [ys, xs]: [Range<usize>; 2],
    x: &[Row],
    y: &mut [Row],
) {
    y.fill([f32::NEG_INFINITY; LANES]);
    for iy in ys {
        for ix in xs.clone() {
            let pixel = &x[(iy * windows.image[1] + ix) * windows.channels..];
            for (y, x) in y.iter_mut().zip(pixel) {
                let held = s.load(y);
                // The second argument wins where either is NaN; what is NaN already stays so.
                let larger = s.max(held, s.load(x));
                s.store(y, s.select(s.eq(held, held), larger, held));
            }
        }
    }
}

#[inline(always)]
fn mean<S: Simd>(s: S, windows: &Windows, [ys, xs]: [Range<usize>; 2], x: &[Row], y: &mut [Row]) {
    let count = s.splat((ys.len() * xs.len()) as f32);
    y.fill([0.0; LANES]);
    for iy in ys {
        for ix in xs.clone() {
            let pixel = &x[(iy * windows.image[1] + ix) * windows.channels..];
            for (y, x) in y.iter_mut().zip(pixel) {
                s.store(y, s.add(s.load(y), s.load(x)));
            }
        }
    }
    for y in y {
        s.store(y, s.div(s.load(y), count));
    }
}

struct BackwardKernel<'a> {
    pool: Pool,
    windows: &'a Windows,
    at: Backward<'a>,
}

impl Kernel for BackwardKernel<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let BackwardKernel { pool, windows, at } = self;
        let (inputs, outputs) = (windows.inputs(), windows.outputs());
        let ins = at.x.chunks_exact(inputs).zip(at.input_errors.chunks_exact_mut(inputs));
        let outs = at.y.chunks_exact(outputs).zip(at.errors.chunks_exact(outputs));
        for ((x, input_errors), (y, errors)) in ins.zip(outs) {
            if !at.add {
                input_errors.fill([0.0; LANES]);
            }
            let channels = windows.channels;
            let mut pixels = y.chunks_exact(channels).zip(errors.chunks_exact(channels));
            for oy in 0..windows.output[0] {
                for ox in 0..windows.output[1] {
                    let (y, errors) = pixels.next().expect("a pixel per window");
                    let spans = [windows.span(0, oy), windows.span(1, ox)];
                    match pool {
                        Pool::Max => to_first(s, windows, spans, x, y, errors, input_errors),
                        Pool::Average => to_all(s, windows, spans, errors, input_errors),
                    }
                }
            }
        }
    }
}

/// Adds each error to that of the first value of its window that is the result.
#[inline(always)]
fn to_first<S: Simd>(
    s: S,
    windows: &Windows,
    [ys, xs]: [Range<usize>; 2],
    x: &[Row],
    y: &[Row],
    errors: &[Row],
    input_errors: &mut [Row],
) {
    let zero = s.splat(0.0);
    for (channel, (y, error)) in y.iter().zip(errors).enumerate() {
        let y = s.load(y);
        // What no value has taken yet.
        let mut left = s.load(error);
        for iy in ys.clone() {
            for ix in xs.clone() {
                let unit = (iy * windows.image[1] + ix) * windows.channels + channel;
                let hit = s.eq(s.load(&x[unit]), y);
                let error = &mut input_errors[unit];
                s.store(error, s.add(s.load(error), s.select(hit, left, zero)));
                left = s.select(hit, zero, left);
            }
        }
    }
}

/// Adds to the error of each value of a window its share.
#[inline(always)]
fn to_all<S: Simd>(
    s: S,
    windows: &Windows,
    [ys, xs]: [Range<usize>; 2],
    errors: &[Row],
    input_errors: &mut [Row],
) {
    let count = s.splat((ys.len() * xs.len()) as f32);
    for iy in ys {
        for ix in xs.clone() {
            let pixel = &mut input_errors[(iy * windows.image[1] + ix) * windows.channels..];
            for (input, error) in pixel.iter_mut().zip(errors) {
                let share = s.div(s.load(error), count);
                s.store(input, s.add(s.load(input), share));
            }
        }
    }
}

#[cfg(test)]
mod tests;

//! The gradient of a convolution's weights where an output sees few inputs: outer products of errors and inputs,
//! summed over all positions and samples.
//!
//! The sums of a weight stay apart by lanes, in the order of [`crate::outer`]: panel after panel and
//! in each band after band of positions.

// Indices of tiles read like the formulas.
#![allow(clippy::needless_range_loop)]

use super::bands::{Band, bands};
use super::shape::{Convolution, Shape};
use super::taps::{Run, Taps};
use crate::outer::{Lines, Pairs, add_products};
use crate::panels::Panels;
use crate::simd::{Kernel, Row, Simd};

/// Rows of values of a band: as many as a first-level cache of 32 KiB holds...
const BAND_ROWS: usize = 512;

/// ... but positions enough that loading and storing the sums of a block is the lesser part.
const LEAST_POSITIONS: usize = 32;

/// Adds to `lanes[output * features + feature]` the products of all positions and panels.
pub(super) struct Gradient<'a> {
    pub(super) conv: &'a Convolution,
    pub(super) inputs: Panels<'a>,
    pub(super) errors: Panels<'a>,
    pub(super) lanes: &'a mut [Row],
}

/// Positions of a row of output positions, in some neighbouring rows, at the taps of one row of the kernel.
#[derive(Clone, Copy)]
struct Line {
    /// The first position in the first row.
    position: usize,
    /// Where the row of the image begins that the taps of the first row are in.
    start: usize,
    /// The number of the first tap of the row of the kernel.
    tap: usize,
    /// From row to row.
    lines: Lines,
}

impl Kernel for Gradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let Shape { size, out, kernel, channels, outputs, .. } = *self.conv.shape();
        let positions = (BAND_ROWS / (channels + outputs)).max(LEAST_POSITIONS);
        for panel in 0..self.errors.panel_count() {
            for Band { rows, columns } in bands(self.conv, positions) {
                for number in 0..rows.taps.count {
                    let line = Line {
                        position: rows.to * out[1] + columns.to,
                        start: rows.taps.coordinate(number) * size[1],
                        tap: (rows.taps.first + number * rows.taps.step) * kernel[1],
                        lines: Lines {
                            count: rows.count,
                            error_step: rows.to_step * out[1] * outputs,
                            input_step: rows.advance * size[1] * channels,
                        },
                    };
                    match self.conv.is_depthwise() {
                        true => self.depthwise(simd, panel, &columns, line),
                        false => self.grouped(simd, panel, &columns, line),
                    }
                }
            }
        }
    }
}

impl Gradient<'_> {
    #[inline(always)]
    fn grouped<S: Simd>(&mut self, simd: S, panel: usize, run: &Run, band: Line) {
        let conv = self.conv;
        let (channels, outputs) = (conv.shape().channels, conv.shape().outputs);
        let (group_channels, group_outputs) = (conv.group_channels(), conv.group_outputs());
        let Taps { first, step, count, .. } = run.taps;
        // Neighbouring taps that see all channels of neighbouring positions are features in one row.
        let one = conv.shape().groups == 1 && run.taps.are_neighbours();
        let (pieces, features) =
            if one { (count.min(1), count * channels) } else { (count, group_channels) };
        for group in 0..conv.shape().groups {
            for piece in 0..pieces {
                let pairs = Pairs {
                    error: band.position * outputs + group * group_outputs,
                    error_step: run.to_step * outputs,
                    input: (band.start + run.taps.coordinate(piece)) * channels
                        + group * group_channels,
                    input_step: run.advance * channels,
                    count: run.count,
                };
                let feature = (band.tap + first + piece * step) * group_channels;
                let stride = conv.features();
                add_products(
                    simd,
                    self.errors.panel(panel),
                    self.inputs.panel(panel),
                    (band.lines, pairs),
                    [group_outputs, features],
                    &mut self.lanes[group * group_outputs * stride + feature..],
                    stride,
                );
            }
        }
    }

    #[inline(always)]
    fn depthwise<S: Simd>(&mut self, simd: S, panel: usize, run: &Run, band: Line) {
        let channels = self.conv.shape().channels;
        let registers = S::TILE_ROWS * S::TILE_PANELS;
        let mut channel = 0;
        while channel < channels {
            let height = if registers >= 24 && channels - channel >= 4 { 4 } else { 1 };
            let mut number = 0;
            while number < run.taps.count {
                let width = if registers >= 6 && run.taps.count - number >= 3 { 3 } else { 1 };
                let at = [channel, number];
                match [height, width] {
                    [4, 3] if registers >= 24 => {
                        self.channels::<S, 4, 3>(simd, panel, run, band, at);
                    }
                    [4, 1] if registers >= 24 => {
                        self.channels::<S, 4, 1>(simd, panel, run, band, at);
                    }
                    [1, 3] if registers >= 6 => {
                        self.channels::<S, 1, 3>(simd, panel, run, band, at);
                    }
                    _ => self.channels::<S, 1, 1>(simd, panel, run, band, at),
                }
                number += width;
            }
            channel += height;
        }
    }

    /// `R` channels at `T` taps of a row, each channel with its own output.
    #[inline(always)]
    fn channels<S: Simd, const R: usize, const T: usize>(
        &mut self,
        simd: S,
        panel: usize,
        run: &Run,
        band: Line,
        [channel, number]: [usize; 2],
    ) {
        let channels = self.conv.shape().channels;
        let features = self.conv.features();
        let (errors, inputs) = (self.errors.panel(panel), self.inputs.panel(panel));
        let mut places = [[0; T]; R];
        let mut sums = [[simd.splat(0.0); T]; R];
        for i in 0..R {
            for t in 0..T {
                let tap = band.tap + run.taps.first + (number + t) * run.taps.step;
                places[i][t] = (channel + i) * features + tap;
                sums[i][t] = simd.load(&self.lanes[places[i][t]]);
            }
        }
        for line in 0..band.lines.count {
            let mut error = band.position * channels + channel + line * band.lines.error_step;
            let mut input = [0; T];
            for t in 0..T {
                let place = (band.start + run.taps.coordinate(number + t)) * channels + channel;
                input[t] = place + line * band.lines.input_step;
            }
            for _ in 0..run.count {
                let e: &[Row; R] = errors[error..].first_chunk().expect("R rows of errors");
                for t in 0..T {
                    let x: &[Row; R] = inputs[input[t]..].first_chunk().expect("R rows of inputs");
                    for i in 0..R {
                        sums[i][t] = simd.mul_add(simd.load(&e[i]), simd.load(&x[i]), sums[i][t]);
                    }
                    input[t] += run.advance * channels;
                }
                error += run.to_step * channels;
            }
        }
        for i in 0..R {
            for t in 0..T {
                simd.store(&mut self.lanes[places[i][t]], sums[i][t]);
            }
        }
    }
}

//! The gradient of a convolution's weights: outer products of errors and inputs, summed over all
//! positions and samples.
//!
//! The sums of a weight stay apart by lanes, in the order of [`crate::outer`]: panel after panel and
//! in each band after band of positions.

// Indices of tiles read like the formulas.
#![allow(clippy::needless_range_loop)]

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

/// A run of positions in some neighbouring rows, at the taps of one row of the kernel.
#[derive(Clone, Copy)]
struct Band {
    /// The first position of the run in the first row.
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
        let [vertical, horizontal] = &self.conv.outputs;
        for panel in 0..self.errors.panel_count() {
            for rows in vertical {
                for run in horizontal {
                    self.bands(simd, panel, rows, run);
                }
            }
        }
    }
}

impl Gradient<'_> {
    /// The positions of a run in each direction, in bands: sums are loaded and stored once a band,
    /// and the values of a band are read once for each block of sums, so it should stay in the caches.
    #[inline(always)]
    fn bands<S: Simd>(&mut self, simd: S, panel: usize, rows: &Run, run: &Run) {
        let conv = self.conv;
        let Shape { size, out, kernel, channels, outputs, .. } = *conv.shape();
        let positions = (BAND_ROWS / (channels + outputs)).max(LEAST_POSITIONS);
        let most = (positions / run.count).max(1);
        let mut down = 0;
        while down < rows.count {
            let y = rows.taps.moved(down * rows.advance);
            let lines = Lines {
                count: most.min(rows.count - down),
                error_step: rows.to_step * out[1] * outputs,
                input_step: rows.advance * size[1] * channels,
            };
            for number in 0..y.count {
                let band = Band {
                    position: (rows.to + down * rows.to_step) * out[1] + run.to,
                    start: y.coordinate(number) * size[1],
                    tap: (y.first + number * y.step) * kernel[1],
                    lines,
                };
                match conv.is_depthwise() {
                    true => self.depthwise(simd, panel, run, band),
                    false => self.grouped(simd, panel, run, band),
                }
            }
            down += lines.count;
        }
    }

    #[inline(always)]
    fn grouped<S: Simd>(&mut self, simd: S, panel: usize, run: &Run, band: Band) {
        let conv = self.conv;
        let (channels, outputs) = (conv.shape().channels, conv.shape().outputs);
        let (group_channels, group_outputs) = (conv.group_channels(), conv.group_outputs());
        let Taps { first, step, count, at_step, .. } = run.taps;
        // Neighbouring taps that see all channels of neighbouring positions are features in one row.
        let one = conv.shape().groups == 1 && step == 1 && at_step == 1;
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
    fn depthwise<S: Simd>(&mut self, simd: S, panel: usize, run: &Run, band: Band) {
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
        band: Band,
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

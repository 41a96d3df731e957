//! How weights and values make sums in a sweep: forward, backward, and either way depthwise.

// Indices of tiles read like the formulas.
#![allow(clippy::needless_range_loop)]

use super::sweep::{Column, Reading, Spot, Sweep, Tile};
use crate::simd::{LANES, Row, Simd};

/// Outputs of inputs: an output is a lane of each weight, and sums over the channels of its group.
pub(super) struct Forward;

/// Gradients of inputs by gradients of outputs: an input is a row of weights, and sums over its lanes.
pub(super) struct Backward;

/// Either way where each output sees one channel.
pub(super) struct Depthwise;

impl Reading for Forward {
    const LANES_ARE_CHANNELS: bool = true;

    #[inline(always)]
    fn sums<S: Simd, const R: usize, const P: usize>(
        sweep: &Sweep<'_>,
        simd: S,
        mut tile: Tile<S, R, P>,
        spot: Spot,
        columns: &[Column; P],
    ) -> Tile<S, R, P> {
        let Spot { y, x, .. } = spot;
        let weights = sweep.weights.panel(spot.channel / LANES);
        let lane = spot.channel % LANES;
        let sources = sweep.sources(columns);
        let group = sweep.from_side.group;
        // Neighbouring taps that see all channels of neighbouring positions are one long sum.
        let one = group == sweep.from_side.channels && x.step == 1 && x.at_step == 1;
        let (pieces, length) =
            if one { (x.count.min(1), x.count * group) } else { (x.count, group) };
        for down in 0..y.count {
            let tap_row = (y.first + down * y.step) * sweep.kernel_width;
            let line = y.coordinate(down) * sweep.from_side.width;
            for piece in 0..pieces {
                let tap = tap_row + x.first + piece * x.step;
                let a = &weights[tap * group..][..length];
                let mut b: [&[Row]; P] = [&[]; P];
                for j in 0..P {
                    let source = sweep.source(line, &columns[j], piece) + spot.group * group;
                    b[j] = &sources[j][source..][..length];
                }
                for k in 0..length {
                    let a: &[f32; R] = a[k][lane..].first_chunk().expect("R lanes");
                    let mut bv = [simd.splat(0.0); P];
                    for j in 0..P {
                        bv[j] = simd.load(&b[j][k]);
                    }
                    for i in 0..R {
                        let av = simd.splat(a[i]);
                        for j in 0..P {
                            tile[i][j] = simd.mul_add(av, bv[j], tile[i][j]);
                        }
                    }
                }
            }
        }
        tile
    }
}

impl Reading for Backward {
    const LANES_ARE_CHANNELS: bool = false;

    #[inline(always)]
    fn sums<S: Simd, const R: usize, const P: usize>(
        sweep: &Sweep<'_>,
        simd: S,
        mut tile: Tile<S, R, P>,
        spot: Spot,
        columns: &[Column; P],
    ) -> Tile<S, R, P> {
        let Spot { y, x, .. } = spot;
        let sources = sweep.sources(columns);
        let outputs = spot.group * sweep.from_side.group..(spot.group + 1) * sweep.from_side.group;
        let channel = spot.channel - spot.group * sweep.to_side.group;
        for down in 0..y.count {
            let tap_row = (y.first + down * y.step) * sweep.kernel_width;
            let line = y.coordinate(down) * sweep.from_side.width;
            for number in 0..x.count {
                let tap = tap_row + x.first + number * x.step;
                let mut output = outputs.start;
                while output < outputs.end {
                    let lane = output % LANES;
                    let length = (LANES - lane).min(outputs.end - output);
                    let weights = sweep.weights.panel(output / LANES);
                    let a: &[Row; R] = weights[tap * sweep.to_side.group + channel..]
                        .first_chunk()
                        .expect("R rows of weights");
                    let mut b: [&[Row]; P] = [&[]; P];
                    for j in 0..P {
                        b[j] = &sources[j][sweep.source(line, &columns[j], number) + output..];
                    }
                    tile = lanes(simd, tile, a, lane, length, &b);
                    output += length;
                }
            }
        }
        tile
    }
}

/// Adds the products of `length` lanes of rows of weights, from `lane`, with as many source rows.
#[inline(always)]
fn lanes<S: Simd, const R: usize, const P: usize>(
    simd: S,
    mut tile: Tile<S, R, P>,
    a: &[Row; R],
    lane: usize,
    length: usize,
    b: &[&[Row]; P],
) -> Tile<S, R, P> {
    let mut rows: [&[Row]; P] = [&[]; P];
    for j in 0..P {
        rows[j] = &b[j][..length];
    }
    for k in 0..length {
        let mut bv = [simd.splat(0.0); P];
        for j in 0..P {
            bv[j] = simd.load(&rows[j][k]);
        }
        for i in 0..R {
            let av = simd.splat(a[i][lane + k]);
            for j in 0..P {
                tile[i][j] = simd.mul_add(av, bv[j], tile[i][j]);
            }
        }
    }
    tile
}

impl Reading for Depthwise {
    const LANES_ARE_CHANNELS: bool = true;

    #[inline(always)]
    fn sums<S: Simd, const R: usize, const P: usize>(
        sweep: &Sweep<'_>,
        simd: S,
        mut tile: Tile<S, R, P>,
        spot: Spot,
        columns: &[Column; P],
    ) -> Tile<S, R, P> {
        let Spot { y, x, .. } = spot;
        let weights = sweep.weights.panel(spot.channel / LANES);
        let lane = spot.channel % LANES;
        let sources = sweep.sources(columns);
        for down in 0..y.count {
            let tap_row = (y.first + down * y.step) * sweep.kernel_width;
            let line = y.coordinate(down) * sweep.from_side.width;
            for number in 0..x.count {
                let tap = tap_row + x.first + number * x.step;
                let a: &[f32; R] = weights[tap][lane..].first_chunk().expect("R lanes");
                for j in 0..P {
                    let source = sweep.source(line, &columns[j], number) + spot.channel;
                    let b: &[Row; R] = sources[j][source..].first_chunk().expect("R rows");
                    for i in 0..R {
                        tile[i][j] = simd.mul_add(simd.splat(a[i]), simd.load(&b[i]), tile[i][j]);
                    }
                }
            }
        }
        tile
    }
}

//! How weights and values make sums in a sweep, where outputs see channels of their group, or one each.

// Indices of tiles read like the formulas.
#![allow(clippy::needless_range_loop)]

use super::sweep::{Reading, Spot, Sweep, Tile};
use super::taps::Taps;
use crate::simd::{LANES, Row, Simd};

/// A destination channel is a lane of each weight, and sums over the source channels of its group.
pub(super) struct Grouped;

/// Each destination channel sees one source channel.
pub(super) struct Depthwise;

impl Reading for Grouped {
    #[inline(always)]
    fn sums<S: Simd, const R: usize, const P: usize>(
        sweep: &Sweep<'_>,
        simd: S,
        mut tile: Tile<S, R, P>,
        spot: Spot,
        x: Taps,
        advance: usize,
    ) -> Tile<S, R, P> {
        let y = spot.y;
        let weights = sweep.weights.panel(spot.channel / LANES);
        let lane = spot.channel % LANES;
        let sources = sweep.from.panel(spot.panel);
        let next = advance * sweep.from_side.channels;
        let group = sweep.from_side.group;
        // Neighbouring taps that see all channels of neighbouring positions are one long sum.
        let one = group == sweep.from_side.channels && x.are_neighbours();
        let (pieces, length) =
            if one { (x.count.min(1), x.count * group) } else { (x.count, group) };
        for down in 0..y.count {
            let tap_row = (y.first + down * y.step) * sweep.kernel_width;
            let line = y.coordinate(down) * sweep.from_side.width;
            for piece in 0..pieces {
                let tap = tap_row + x.first + piece * x.step;
                let a = &weights[tap * group..][..length];
                let source = sweep.source(line, &x, piece) + spot.group * group;
                let mut b: [&[Row]; P] = [&[]; P];
                for j in 0..P {
                    b[j] = &sources[source + j * next..][..length];
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

impl Reading for Depthwise {
    #[inline(always)]
    fn sums<S: Simd, const R: usize, const P: usize>(
        sweep: &Sweep<'_>,
        simd: S,
        mut tile: Tile<S, R, P>,
        spot: Spot,
        x: Taps,
        advance: usize,
    ) -> Tile<S, R, P> {
        let y = spot.y;
        let weights = sweep.weights.panel(spot.channel / LANES);
        let lane = spot.channel % LANES;
        let sources = sweep.from.panel(spot.panel);
        let next = advance * sweep.from_side.channels;
        for down in 0..y.count {
            let tap_row = (y.first + down * y.step) * sweep.kernel_width;
            let line = y.coordinate(down) * sweep.from_side.width;
            for number in 0..x.count {
                let tap = tap_row + x.first + number * x.step;
                let a: &[f32; R] = weights[tap][lane..].first_chunk().expect("R lanes");
                let source = sweep.source(line, &x, number) + spot.channel;
                for j in 0..P {
                    let b: &[Row; R] = sources[source + j * next..].first_chunk().expect("R rows");
                    for i in 0..R {
                        tile[i][j] = simd.mul_add(simd.splat(a[i]), simd.load(&b[i]), tile[i][j]);
                    }
                }
            }
        }
        tile
    }
}

//! The sweep over positions that gives the outputs of a convolution, and the gradient of its inputs.
//!
//! ```text
//! for each panel, for each row of positions
//!     for each segment of positions that meet the same taps    (first-level cache)
//!         for each group of destination channels               (R, registers)
//!             for each group of positions                      (P, registers)
//!                 start the tile
//!                 for each tap, for each source channel k:
//!                     for each channel i, position j: tile[i][j] += splat(weight[i][k]) * source[j][k]
//!                 finish the tile
//! ```
//!
//! What a segment sees is read from far once, and from the first-level cache by all channels but the first.
//!
//! A position meets only the taps that lie in the image, so padding costs nothing and is stored nowhere.
//! A weight that was loaded serves all positions of a tile.
//!
//! An element is one chain of multiply-adds, taps in ascending order, so the tile that it falls in
//! does not change a bit of it.

// Indices of tiles read like the formula above.
#![allow(clippy::needless_range_loop)]

use super::taps::{Run, Taps};
use crate::activation::{Activation, apply};
use crate::isa::Isa;
use crate::panels::{Panels, PanelsMut};
use crate::product::Finish;
use crate::simd::{Kernel, LANES, Row, Simd};
use std::marker::PhantomData;

/// Rows of values that a segment sees at most: with weights, they are to stay in a first-level cache of 32 KiB...
const SEGMENT_ROWS: usize = 320;

/// ... but positions enough for two tiles.
const LEAST_POSITIONS: usize = 8;

/// Positions of a side of a convolution: `[rows of positions, positions of a row]` and channels.
pub(super) struct Side {
    pub(super) width: usize,
    /// All channels.
    pub(super) channels: usize,
    /// Channels that see the same channels of the other side.
    pub(super) group: usize,
}

/// A sweep over the positions of `to`, which sums weights times values of `from`.
pub(super) struct Sweep<'a> {
    /// Vertically and horizontally: positions of `to`, with those of `from` that they meet.
    pub(super) runs: [&'a [Run]; 2],
    pub(super) kernel_width: usize,
    pub(super) weights: Panels<'a>,
    /// Where sums begin: at these terms, one a channel, else at what is held, else at zero.
    pub(super) bias: Option<&'a [Row]>,
    pub(super) held: bool,
    pub(super) from_side: Side,
    pub(super) from: Panels<'a>,
    pub(super) to_side: Side,
    pub(super) to: PanelsMut<'a>,
    pub(super) finish: Finish<'a>,
}

/// What the tiles of a segment share.
#[derive(Clone, Copy)]
pub(super) struct Spot {
    pub(super) panel: usize,
    pub(super) to_y: usize,
    /// The taps that the row of positions meets.
    pub(super) y: Taps,
    pub(super) group: usize,
    /// The first channel of the tile.
    pub(super) channel: usize,
}

/// The sums of `R` channels at `P` positions.
pub(super) type Tile<S, const R: usize, const P: usize> = [[<S as Simd>::V; P]; R];

/// How weights and source values make sums.
pub(super) trait Reading {
    /// The tile with the products of all taps added; `x` is what its first position meets, and each of the
    /// others meets what is `advance` further.
    fn sums<S: Simd, const R: usize, const P: usize>(
        sweep: &Sweep<'_>,
        simd: S,
        tile: Tile<S, R, P>,
        spot: Spot,
        x: Taps,
        advance: usize,
    ) -> Tile<S, R, P>;
}

/// The work of [`Sweep::run`].
struct Read<'a, T>(Sweep<'a>, PhantomData<T>);

impl<T: Reading> Kernel for Read<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        self.0.rows::<S, T>(simd);
    }
}

/// The work of [`Sweep::segment`]: a function of its own for each height of tiles, since one of all would
/// take compilers too long.
struct Segment<'s, 'a, T, const R: usize> {
    sweep: &'s mut Sweep<'a>,
    run: Run,
    spot: Spot,
    reading: PhantomData<T>,
}

impl<'s, 'a, T, const R: usize> Segment<'s, 'a, T, R> {
    #[inline(always)]
    fn of(sweep: &'s mut Sweep<'a>, run: Run, spot: Spot) -> Self {
        Segment { sweep, run, spot, reading: PhantomData }
    }
}

impl<T: Reading, const R: usize> Kernel for Segment<'_, '_, T, R> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        self.sweep.segment::<S, T, R>(simd, self.run, self.spot);
    }
}

impl Sweep<'_> {
    /// Does it, reading the weights as `T` says.
    pub(super) fn run<T: Reading>(self, isa: Isa) {
        isa.run(Read::<T>(self, PhantomData));
    }

    /// All positions of all panels.
    #[inline(always)]
    fn rows<S: Simd, T: Reading>(&mut self, simd: S) {
        let [vertical, horizontal] = self.runs;
        for panel in 0..self.to.panel_count() {
            for rows in vertical.iter().flat_map(|rows| rows.parts(1)) {
                for run in horizontal {
                    for part in run.parts(self.segment_positions(&rows.taps, run)) {
                        for group in 0..self.to_side.channels / self.to_side.group {
                            let (to_y, y) = (rows.to, rows.taps);
                            let spot = Spot { panel, to_y, y, group, channel: 0 };
                            self.channels::<S, T>(simd, part, spot);
                        }
                    }
                }
            }
        }
    }

    /// Most positions of a segment of a run.
    #[inline(always)]
    fn segment_positions(&self, y: &Taps, run: &Run) -> usize {
        let column = (y.count * self.from_side.group).max(1);
        // What one position sees, and what each further one sees besides.
        let (first, next) = (run.taps.count, run.advance.clamp(1, run.taps.count.max(1)));
        let columns = (SEGMENT_ROWS / column).saturating_sub(first);
        (columns / next + 1).max(LEAST_POSITIONS)
    }

    /// All channels of a group, at a segment of positions.
    #[inline(always)]
    fn channels<S: Simd, T: Reading>(&mut self, simd: S, run: Run, mut spot: Spot) {
        spot.channel = spot.group * self.to_side.group;
        let end = spot.channel + self.to_side.group;
        while spot.channel < end {
            // The channels of a tile are lanes of one row of weights.
            let stop = end.min((spot.channel / LANES + 1) * LANES);
            let height = tile_height(stop - spot.channel, S::TILE_ROWS);
            match height {
                8 if S::TILE_ROWS >= 8 => simd.vectorize(Segment::<T, 8>::of(self, run, spot)),
                6 if S::TILE_ROWS >= 6 => simd.vectorize(Segment::<T, 6>::of(self, run, spot)),
                4 if S::TILE_ROWS >= 4 => simd.vectorize(Segment::<T, 4>::of(self, run, spot)),
                3 if S::TILE_ROWS >= 3 => simd.vectorize(Segment::<T, 3>::of(self, run, spot)),
                2 if S::TILE_ROWS >= 2 => simd.vectorize(Segment::<T, 2>::of(self, run, spot)),
                _ => simd.vectorize(Segment::<T, 1>::of(self, run, spot)),
            }
            spot.channel += height;
        }
    }

    /// All positions of a segment, `R` channels of each.
    #[inline(always)]
    fn segment<S: Simd, T: Reading, const R: usize>(&mut self, simd: S, run: Run, spot: Spot) {
        let most = (S::TILE_ROWS * S::TILE_PANELS / R).clamp(1, 4);
        let mut position = 0;
        while position < run.count {
            let left = run.count - position;
            let width = left.div_ceil(left.div_ceil(most));
            match width {
                4 if most >= 4 => self.tile::<S, T, R, 4>(simd, &run, spot, position),
                3 if most >= 3 => self.tile::<S, T, R, 3>(simd, &run, spot, position),
                2 if most >= 2 => self.tile::<S, T, R, 2>(simd, &run, spot, position),
                _ => self.tile::<S, T, R, 1>(simd, &run, spot, position),
            }
            position += width;
        }
    }

    #[inline(always)]
    fn tile<S: Simd, T: Reading, const R: usize, const P: usize>(
        &mut self,
        simd: S,
        run: &Run,
        spot: Spot,
        first: usize,
    ) {
        let x = run.taps.moved(first * run.advance);
        let mut rows = [0; P];
        for j in 0..P {
            let place = spot.to_y * self.to_side.width + run.to + (first + j) * run.to_step;
            rows[j] = place * self.to_side.channels + spot.channel;
        }
        let tile = self.start::<S, R, P>(simd, spot, &rows);
        let tile = T::sums(self, simd, tile, spot, x, run.advance);
        self.finish(simd, spot.panel, &rows, tile);
    }

    #[inline(always)]
    fn start<S: Simd, const R: usize, const P: usize>(
        &self,
        simd: S,
        spot: Spot,
        rows: &[usize; P],
    ) -> Tile<S, R, P> {
        let mut tile = [[simd.splat(0.0); P]; R];
        if let Some(terms) = self.bias {
            let terms: &[f32; R] =
                terms.as_flattened()[spot.channel..].first_chunk().expect("R bias terms");
            for i in 0..R {
                tile[i] = [simd.splat(terms[i]); P];
            }
        } else if self.held {
            for j in 0..P {
                let held: &[Row; R] =
                    self.to.panel(spot.panel)[rows[j]..].first_chunk().expect("R rows");
                for i in 0..R {
                    tile[i][j] = simd.load(&held[i]);
                }
            }
        }
        tile
    }

    #[inline(always)]
    fn finish<S: Simd, const R: usize, const P: usize>(
        &mut self,
        simd: S,
        panel: usize,
        rows: &[usize; P],
        tile: Tile<S, R, P>,
    ) {
        // Each loop is short enough to be unrolled, so that the tile stays in registers.
        let to = &mut self.to;
        match &mut self.finish {
            Finish::Store => {
                for j in 0..P {
                    let to = tile_rows::<R>(to, panel, rows[j]);
                    for i in 0..R {
                        simd.store(&mut to[i], tile[i][j]);
                    }
                }
            }
            Finish::Relu => {
                for j in 0..P {
                    let to = tile_rows::<R>(to, panel, rows[j]);
                    for i in 0..R {
                        let (value, _) = apply(simd, Activation::Relu, tile[i][j]);
                        simd.store(&mut to[i], value);
                    }
                }
            }
            Finish::ReluTrain(slopes) => {
                for j in 0..P {
                    let to = tile_rows::<R>(to, panel, rows[j]);
                    let slopes = tile_rows::<R>(slopes, panel, rows[j]);
                    for i in 0..R {
                        let (value, slope) = apply(simd, Activation::Relu, tile[i][j]);
                        simd.store(&mut to[i], value);
                        simd.store(&mut slopes[i], slope);
                    }
                }
            }
            Finish::Chain(errors) => {
                for j in 0..P {
                    let errors = tile_rows::<R>(errors, panel, rows[j]);
                    for i in 0..R {
                        let product = simd.mul(tile[i][j], simd.load(&errors[i]));
                        simd.store(&mut errors[i], product);
                    }
                }
            }
        }
    }

    /// Where in a panel of `from` the first channel of what a position meets at a tap stands.
    #[inline(always)]
    pub(super) fn source(&self, line: usize, x: &Taps, tap: usize) -> usize {
        (line + x.coordinate(tap)) * self.from_side.channels
    }
}

/// How many of the channels that are left the next tile takes: 1, 2, 3, 4, 6 or 8, at most `most`, so
/// that tiles are of nearly equal height. (Each height is code of its own, so there is not every one.)
#[inline(always)]
fn tile_height(left: usize, most: usize) -> usize {
    let equal = left.div_ceil(left.div_ceil(most.min(8)));
    match equal {
        5 | 7 if left > equal && most > equal => equal + 1,
        5 => 3,
        7 => 4,
        height => height,
    }
}

#[inline(always)]
fn tile_rows<'a, const R: usize>(
    matrix: &'a mut PanelsMut<'_>,
    panel: usize,
    row: usize,
) -> &'a mut [Row; R] {
    matrix.panel_mut(panel)[row..].first_chunk_mut().expect("R rows")
}

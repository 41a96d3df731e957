//! The sweep over positions that gives the outputs of a convolution, and the gradient of its inputs.
//!
//! ```text
//! for each position of a destination that has the same taps as its neighbours
//!     for each group of destination channels               (R, registers)
//!         for each group of such positions and of panels   (P, registers)
//!             start the tile
//!             for each tap, for each source channel k:
//!                 for each channel i, position j: tile[i][j] += splat(weight[i][k]) * source[j][k]
//!             finish the tile
//! ```
//!
//! A position meets only the taps that lie in the image, so padding costs nothing and is stored nowhere.
//! Neighbouring positions and neighbouring panels are alike to a tile: a weight that was loaded
//! serves all of them.
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

/// What the columns of a tile share.
#[derive(Clone, Copy)]
pub(super) struct Spot {
    pub(super) to_y: usize,
    pub(super) y: Taps,
    /// Those of the first position; the others differ in `at`.
    pub(super) x: Taps,
    pub(super) group: usize,
    /// The first channel of the tile.
    pub(super) channel: usize,
}

/// A column of a tile: a position of a row of positions, in a panel.
#[derive(Clone, Copy)]
pub(super) struct Column {
    pub(super) panel: usize,
    pub(super) to_x: usize,
    pub(super) x: Taps,
}

/// The sums of `R` channels at `P` columns.
pub(super) type Tile<S, const R: usize, const P: usize> = [[<S as Simd>::V; P]; R];

/// How weights and source values make sums.
pub(super) trait Reading {
    /// Whether the channels of a tile are lanes of one row of weights.
    const LANES_ARE_CHANNELS: bool;

    /// The tile with the products of all taps added.
    fn sums<S: Simd, const R: usize, const P: usize>(
        sweep: &Sweep<'_>,
        simd: S,
        tile: Tile<S, R, P>,
        spot: Spot,
        columns: &[Column; P],
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

/// The work of [`Sweep::columns`]: a function of its own for each height of tiles, since one of all would
/// take compilers too long.
struct Columns<'s, 'a, T, const R: usize> {
    sweep: &'s mut Sweep<'a>,
    run: &'s Run,
    spot: Spot,
    reading: PhantomData<T>,
}

impl<'s, 'a, T, const R: usize> Columns<'s, 'a, T, R> {
    #[inline(always)]
    fn of(sweep: &'s mut Sweep<'a>, run: &'s Run, spot: Spot) -> Self {
        Columns { sweep, run, spot, reading: PhantomData }
    }
}

impl<T: Reading, const R: usize> Kernel for Columns<'_, '_, T, R> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        self.sweep.columns::<S, T, R>(simd, self.run, self.spot);
    }
}

impl Sweep<'_> {
    /// Does it, reading the weights as `T` says.
    pub(super) fn run<T: Reading>(self, isa: Isa) {
        isa.run(Read::<T>(self, PhantomData));
    }

    /// All positions.
    #[inline(always)]
    fn rows<S: Simd, T: Reading>(&mut self, simd: S) {
        let [vertical, horizontal] = self.runs;
        for rows in vertical {
            for down in 0..rows.count {
                let to_y = rows.to + down * rows.to_step;
                let y = rows.taps.moved(down * rows.advance);
                for run in horizontal {
                    for group in 0..self.to_side.channels / self.to_side.group {
                        let spot = Spot { to_y, y, x: run.taps, group, channel: 0 };
                        self.channels::<S, T>(simd, run, spot);
                    }
                }
            }
        }
    }

    /// All channels of a group, at a row of positions.
    #[inline(always)]
    fn channels<S: Simd, T: Reading>(&mut self, simd: S, run: &Run, mut spot: Spot) {
        spot.channel = spot.group * self.to_side.group;
        let end = spot.channel + self.to_side.group;
        while spot.channel < end {
            let stop = match T::LANES_ARE_CHANNELS {
                true => end.min((spot.channel / LANES + 1) * LANES),
                false => end,
            };
            let height = tile_height(stop - spot.channel, S::TILE_ROWS);
            match height {
                8 if S::TILE_ROWS >= 8 => simd.vectorize(Columns::<T, 8>::of(self, run, spot)),
                6 if S::TILE_ROWS >= 6 => simd.vectorize(Columns::<T, 6>::of(self, run, spot)),
                4 if S::TILE_ROWS >= 4 => simd.vectorize(Columns::<T, 4>::of(self, run, spot)),
                3 if S::TILE_ROWS >= 3 => simd.vectorize(Columns::<T, 3>::of(self, run, spot)),
                2 if S::TILE_ROWS >= 2 => simd.vectorize(Columns::<T, 2>::of(self, run, spot)),
                _ => simd.vectorize(Columns::<T, 1>::of(self, run, spot)),
            }
            spot.channel += height;
        }
    }

    /// All positions of a run and all panels, `R` channels of each.
    #[inline(always)]
    fn columns<S: Simd, T: Reading, const R: usize>(&mut self, simd: S, run: &Run, spot: Spot) {
        let most = (S::TILE_ROWS * S::TILE_PANELS / R).clamp(1, 4);
        let count = run.count * self.to.panel_count();
        let mut column = 0;
        while column < count {
            let left = count - column;
            let width = left.div_ceil(left.div_ceil(most));
            match width {
                4 if most >= 4 => self.tile::<S, T, R, 4>(simd, run, spot, column),
                3 if most >= 3 => self.tile::<S, T, R, 3>(simd, run, spot, column),
                2 if most >= 2 => self.tile::<S, T, R, 2>(simd, run, spot, column),
                _ => self.tile::<S, T, R, 1>(simd, run, spot, column),
            }
            column += width;
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
        let mut columns = [Column { panel: 0, to_x: 0, x: spot.x }; P];
        let (mut panel, mut position) = (first / run.count, first % run.count);
        for column in &mut columns {
            column.panel = panel;
            column.to_x = run.to + position * run.to_step;
            column.x.at += position * run.advance;
            position += 1;
            if position == run.count {
                (panel, position) = (panel + 1, 0);
            }
        }
        let mut rows = [0; P];
        for j in 0..P {
            let place = spot.to_y * self.to_side.width + columns[j].to_x;
            rows[j] = place * self.to_side.channels + spot.channel;
        }
        let tile = self.start::<S, R, P>(simd, spot, &columns, &rows);
        let tile = T::sums(self, simd, tile, spot, &columns);
        self.finish(simd, &columns, &rows, tile);
    }

    #[inline(always)]
    fn start<S: Simd, const R: usize, const P: usize>(
        &self,
        simd: S,
        spot: Spot,
        columns: &[Column; P],
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
                    self.to.panel(columns[j].panel)[rows[j]..].first_chunk().expect("R rows");
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
        columns: &[Column; P],
        rows: &[usize; P],
        tile: Tile<S, R, P>,
    ) {
        // Each loop is short enough to be unrolled, so that the tile stays in registers.
        let to = &mut self.to;
        match &mut self.finish {
            Finish::Store => {
                for j in 0..P {
                    let to = tile_rows::<R>(to, columns[j].panel, rows[j]);
                    for i in 0..R {
                        simd.store(&mut to[i], tile[i][j]);
                    }
                }
            }
            Finish::Relu => {
                for j in 0..P {
                    let to = tile_rows::<R>(to, columns[j].panel, rows[j]);
                    for i in 0..R {
                        let (value, _) = apply(simd, Activation::Relu, tile[i][j]);
                        simd.store(&mut to[i], value);
                    }
                }
            }
            Finish::ReluTrain(slopes) => {
                for j in 0..P {
                    let to = tile_rows::<R>(to, columns[j].panel, rows[j]);
                    let slopes = tile_rows::<R>(slopes, columns[j].panel, rows[j]);
                    for i in 0..R {
                        let (value, slope) = apply(simd, Activation::Relu, tile[i][j]);
                        simd.store(&mut to[i], value);
                        simd.store(&mut slopes[i], slope);
                    }
                }
            }
            Finish::Chain(errors) => {
                for j in 0..P {
                    let errors = tile_rows::<R>(errors, columns[j].panel, rows[j]);
                    for i in 0..R {
                        let product = simd.mul(tile[i][j], simd.load(&errors[i]));
                        simd.store(&mut errors[i], product);
                    }
                }
            }
        }
    }

    /// Where in its panel of `from` the first channel of a column's group stands, at a tap.
    #[inline(always)]
    pub(super) fn source(&self, line: usize, column: &Column, tap: usize) -> usize {
        (line + column.x.coordinate(tap)) * self.from_side.channels
    }

    #[inline(always)]
    pub(super) fn sources<const P: usize>(&self, columns: &[Column; P]) -> [&[Row]; P] {
        let mut panels: [&[Row]; P] = [&[]; P];
        for j in 0..P {
            panels[j] = self.from.panel(columns[j].panel);
        }
        panels
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

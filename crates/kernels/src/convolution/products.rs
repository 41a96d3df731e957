//! The gradient of a convolution's weights as matrix products, whose inner dimension is samples and positions.
//!
//! ```text
//! for each panel, for each band of output positions           (first-level cache)
//!     transpose the errors of the band                        (samples become rows, outputs lanes)
//!     for each row of taps
//!         for each group of features of the row               (R, registers)
//!             for each group of panels of outputs             (P, registers)
//!                 tile = 0
//!                 for each position, for each sample s:
//!                     for each feature i, panel j: tile[i][j] += splat(input[i][s]) * error[s][j]
//!                 gradient += tile
//! ```
//!
//! Only errors are transposed, once: an error takes part in products with all the inputs that its output
//! sees. What a tile comes to is added to the gradient where it stands, so sums are taken in two steps, which also
//! keeps them exact.

// Indices of tiles read like the formula above.
#![allow(clippy::needless_range_loop)]

use super::bands::{Band, bands};
use super::shape::Convolution;
use crate::outer::sum_rows;
use crate::panels::{Panels, PanelsMut, panels};
use crate::simd::{Kernel, LANES, Row, Simd};

/// Rows of values of a band, with transposed errors: a first-level cache of 32 KiB holds them beside sums...
const BAND_ROWS: usize = 384;

/// ... but positions enough that adding tiles to the gradient is the lesser part.
const LEAST_POSITIONS: usize = 4;

/// Adds to the gradients of the weights and of the bias terms the sums over all positions and panels; for
/// convolutions of one group.
pub(super) struct Products<'a> {
    pub(super) conv: &'a Convolution,
    pub(super) inputs: Panels<'a>,
    pub(super) errors: Panels<'a>,
    pub(super) gradient: PanelsMut<'a>,
    /// Sixteen outputs a row.
    pub(super) bias_gradient: Option<&'a mut [Row]>,
    /// For the errors of a band, of [`scratch_rows`].
    pub(super) turned: &'a mut [Row],
}

/// Rows that [`Products`] works in.
pub(super) fn scratch_rows(conv: &Convolution) -> usize {
    band_positions(conv) * panels(conv.shape().outputs) * LANES
}

/// Most positions of a band.
fn band_positions(conv: &Convolution) -> usize {
    let position = panels(conv.shape().outputs) * LANES + conv.shape().channels;
    (BAND_ROWS / position).max(LEAST_POSITIONS)
}

/// A tile's operands in a band: those of the first position, and the steps to the next.
#[derive(Clone, Copy)]
struct Operands<'a> {
    inputs: &'a [Row],
    /// From row to row of positions.
    line_step: usize,
    /// From position to position.
    input_step: usize,
    errors: &'a [Row],
    error_step: usize,
    /// Rows of positions, and positions of a row.
    count: [usize; 2],
}

impl Kernel for Products<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let conv = self.conv;
        for panel in 0..self.errors.panel_count() {
            for band in bands(conv, band_positions(conv)) {
                self.turn(simd, panel, &band);
                for number in 0..band.rows.taps.count {
                    self.tap_row(simd, panel, &band, number);
                }
            }
        }
    }
}

impl Products<'_> {
    /// Transposes the errors of a band: sixteen rows, of a sample each, for each position and panel of outputs.
    #[inline(always)]
    fn turn<S: Simd>(&mut self, simd: S, panel: usize, band: &Band) {
        let (width, outputs) = (self.conv.shape().out[1], self.conv.shape().outputs);
        let errors = self.errors.panel(panel);
        let (blocks, _) = self.turned.as_chunks_mut::<LANES>();
        let mut block = 0;
        for row in band.rows.coordinates() {
            for column in band.columns.coordinates() {
                let errors = &errors[(row * width + column) * outputs..][..outputs];
                let (whole, rest) = errors.as_chunks::<LANES>();
                for errors in whole {
                    simd.transpose(errors, &mut blocks[block]);
                    block += 1;
                }
                if !rest.is_empty() {
                    let mut padded = [[0.0; LANES]; LANES];
                    padded[..rest.len()].copy_from_slice(rest);
                    simd.transpose(&padded, &mut blocks[block]);
                    block += 1;
                }
            }
        }
        if let Some(terms) = &mut self.bias_gradient {
            let count = panels(outputs);
            for j in 0..count {
                let mut sum = simd.splat(0.0);
                for rows in blocks[..block].iter().skip(j).step_by(count) {
                    sum = simd.add(sum, sum_rows(simd, rows));
                }
                let sum = simd.add(simd.load(&terms[j]), sum);
                simd.store(&mut terms[j], sum);
            }
        }
    }

    /// The products of a band with what it meets at a row of taps.
    #[inline(always)]
    fn tap_row<S: Simd>(&mut self, simd: S, panel: usize, band: &Band, number: usize) {
        let shape = self.conv.shape();
        let Band { rows, columns } = band;
        // Neighbouring taps that see neighbouring positions are features in one row.
        let one = columns.taps.are_neighbours();
        let count = columns.taps.count;
        let (pieces, features) = match one {
            true => (count.min(1), count * shape.channels),
            false => (count, shape.channels),
        };
        for piece in 0..pieces {
            let tap = (rows.taps.first + number * rows.taps.step) * shape.kernel[1]
                + columns.taps.first
                + piece * columns.taps.step;
            let at = rows.taps.coordinate(number) * shape.size[1] + columns.taps.coordinate(piece);
            let operands = Operands {
                inputs: &self.inputs.panel(panel)[at * shape.channels..],
                line_step: rows.advance * shape.size[1] * shape.channels,
                input_step: columns.advance * shape.channels,
                errors: self.turned,
                error_step: panels(shape.outputs) * LANES,
                count: [rows.count, columns.count],
            };
            add_tiles(simd, &mut self.gradient, operands, tap * shape.channels, features);
        }
    }
}

/// Adds to `features` rows of the gradient, from row `first`, the products of as many inputs and all outputs.
#[inline(always)]
fn add_tiles<S: Simd>(
    simd: S,
    gradient: &mut PanelsMut<'_>,
    operands: Operands<'_>,
    first: usize,
    features: usize,
) {
    let tiles = features.div_ceil(S::TILE_ROWS);
    let mut feature = 0;
    for tile in 0..tiles {
        let height = (features - feature).div_ceil(tiles - tile).min(S::TILE_ROWS);
        let operands = Operands { inputs: &operands.inputs[feature..], ..operands };
        let row = first + feature;
        let mut panel = 0;
        while panel < gradient.panel_count() {
            let width = S::TILE_PANELS.min(gradient.panel_count() - panel);
            match width {
                1 => add_tile::<S, 1>(simd, gradient, operands, height, [row, panel]),
                _ => add_tile::<S, 2>(simd, gradient, operands, height, [row, panel]),
            }
            panel += width;
        }
        feature += height;
    }
}

#[inline(always)]
fn add_tile<S: Simd, const P: usize>(
    simd: S,
    gradient: &mut PanelsMut<'_>,
    operands: Operands<'_>,
    height: usize,
    at: [usize; 2],
) {
    match height {
        12 => simd.vectorize(Tile::<12, P> { operands, at, gradient }),
        11 => simd.vectorize(Tile::<11, P> { operands, at, gradient }),
        10 => simd.vectorize(Tile::<10, P> { operands, at, gradient }),
        9 => simd.vectorize(Tile::<9, P> { operands, at, gradient }),
        8 => simd.vectorize(Tile::<8, P> { operands, at, gradient }),
        7 => simd.vectorize(Tile::<7, P> { operands, at, gradient }),
        6 => simd.vectorize(Tile::<6, P> { operands, at, gradient }),
        5 => simd.vectorize(Tile::<5, P> { operands, at, gradient }),
        4 => simd.vectorize(Tile::<4, P> { operands, at, gradient }),
        3 => simd.vectorize(Tile::<3, P> { operands, at, gradient }),
        2 => simd.vectorize(Tile::<2, P> { operands, at, gradient }),
        _ => simd.vectorize(Tile::<1, P> { operands, at, gradient }),
    }
}

/// The products of `R` features and `P` panels of outputs: a function of its own for each size, since one
/// of all would take compilers too long.
struct Tile<'t, 'a, const R: usize, const P: usize> {
    operands: Operands<'t>,
    /// Row and panel of the gradient.
    at: [usize; 2],
    gradient: &'t mut PanelsMut<'a>,
}

impl<const R: usize, const P: usize> Kernel for Tile<'_, '_, R, P> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Operands { inputs, line_step, input_step, errors, error_step, count } = self.operands;
        let [row, panel] = self.at;
        let mut tile = [[simd.splat(0.0); P]; R];
        let mut error = panel * LANES;
        for line in 0..count[0] {
            for column in 0..count[1] {
                let x: &[Row; R] = inputs[line * line_step + column * input_step..]
                    .first_chunk()
                    .expect("R rows of inputs");
                let mut e = [&[[0.0; LANES]; LANES]; P];
                for j in 0..P {
                    e[j] = errors[error + j * LANES..].first_chunk().expect("16 rows of errors");
                }
                for s in 0..LANES {
                    let mut ev = [simd.splat(0.0); P];
                    for j in 0..P {
                        ev[j] = simd.load(&e[j][s]);
                    }
                    for i in 0..R {
                        let xv = simd.splat(x[i][s]);
                        for j in 0..P {
                            tile[i][j] = simd.mul_add(xv, ev[j], tile[i][j]);
                        }
                    }
                }
                error += error_step;
            }
        }
        for j in 0..P {
            let gradient: &mut [Row; R] = self.gradient.panel_mut(panel + j)[row..]
                .first_chunk_mut()
                .expect("R rows of the gradient");
            for i in 0..R {
                let sum = simd.add(simd.load(&gradient[i]), tile[i][j]);
                simd.store(&mut gradient[i], sum);
            }
        }
    }
}

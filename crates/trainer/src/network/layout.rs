//! Where every weight stands: the tiles of each layer and their places in the flat arenas.
//!
//! A layer's weight matrix (rows = outputs, lanes = inputs, see [`gristmill_kernels::panels`]) is cut
//! into tiles of at most 128 outputs by 256 inputs. A tile is one contiguous run of rows in the arena, so that a task
//! can own it, a product finds it in the second-level cache, and its update is one pass over one slice.
//! Bias terms follow the weights of the first input tile of their outputs.
//!
//! The layout depends on the shape of the network alone. Files hold matrices row by row instead
//! ([`Layout::read_weights`], [`Layout::write_weights`]).

use gristmill_kernels::{LANES, Row, panels};
use std::convert::Infallible;
use std::ops::Range;

/// Most inputs and most outputs of a tile: 128 KiB of weights, a share of the second-level cache. The
/// inputs are the inner dimension of the forward product and the panels of the gradient, the outputs
/// the inner dimension of the backward product.
const TILE_INPUTS: usize = 256;
const TILE_OUTPUTS: usize = 128;

/// Most inputs of a part of a tile that one task updates: with 128 outputs a gradient that fits the
/// first-level cache, and parts enough to share out evenly.
const PART_INPUTS: usize = 64;

/// The shape of a dense layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Features that come in.
    pub inputs: usize,
    /// Units.
    pub outputs: usize,
    /// Whether each unit has a bias term.
    pub bias: bool,
}

/// One layer's values: the matrix row by row (outputs x inputs), and the bias terms (empty where the
/// layer has none).
pub type LayerValues = (Vec<f32>, Vec<f32>);

/// A block of one layer's weights, contiguous in the arenas.
#[derive(Debug, Clone)]
pub(crate) struct Tile {
    pub(crate) layer: usize,
    pub(crate) inputs: Range<usize>,
    pub(crate) outputs: Range<usize>,
    /// The weights: panels of the input range, each with a row per output.
    pub(crate) weights: Range<usize>,
    /// The bias terms of the output range, sixteen a row; empty where another tile has them.
    pub(crate) bias: Range<usize>,
}

impl Tile {
    /// All rows of the tile in an arena.
    pub(crate) fn rows(&self) -> Range<usize> {
        self.weights.start..self.bias.end
    }

    /// The tile cut where parts of at most `PART_INPUTS` inputs end, and near these rows of an arena.
    /// The bias terms, which stand last, are the last part's.
    fn cut_at(&self, rows: &[usize]) -> Vec<Tile> {
        let height = self.outputs.len();
        let parts = cut(self.inputs.len(), PART_INPUTS, PART_INPUTS);
        let mut ends: Vec<usize> = parts.into_iter().map(|part| part.end).collect();
        let inside = rows.iter().filter(|row| self.weights.contains(row));
        ends.extend(
            inside.map(|row| (2 * (row - self.weights.start) + height) / (2 * height) * LANES),
        );
        ends.retain(|&end| 0 < end && end <= self.inputs.len());
        ends.sort_unstable();
        ends.dedup();
        let mut begin = 0;
        let part = |end: usize| {
            let row = |input: usize| self.weights.start + panels(input) * height;
            let (inputs, weights) = (begin..end, row(begin)..row(end));
            begin = end;
            let is_last = end == self.inputs.len();
            Tile {
                layer: self.layer,
                inputs: self.inputs.start + inputs.start..self.inputs.start + inputs.end,
                outputs: self.outputs.clone(),
                bias: if is_last { self.bias.clone() } else { weights.end..weights.end },
                weights,
            }
        };
        ends.into_iter().map(part).collect()
    }

    /// Bias terms of the tile; none where another has them.
    pub(crate) fn bias_terms(&self) -> usize {
        if self.bias.is_empty() { 0 } else { self.outputs.len() }
    }

    /// The panels that the input range covers in a matrix whose lanes are inputs.
    pub(crate) fn input_panels(&self) -> Range<usize> {
        self.inputs.start / LANES..panels(self.inputs.end)
    }
}

/// The tiles of a network and the size of its arenas.
#[derive(Debug, Clone)]
pub struct Layout {
    pub(crate) shapes: Vec<Shape>,
    tiles: Vec<Tile>,
    layer_tiles: Vec<Range<usize>>,
}

/// All tiles of a network as the tasks of the second phase, in the order of the arenas.
#[derive(Debug)]
pub(crate) struct TileTasks {
    tiles: Vec<Tile>,
    bounds: Vec<usize>,
    sum_bounds: Vec<usize>,
}

impl TileTasks {
    /// The tile, or part of one, that a task owns.
    pub(crate) fn tile(&self, task: usize) -> &Tile {
        &self.tiles[task]
    }

    /// Where the rows of each task begin in the arenas, and where those of the last one end.
    pub(crate) fn bounds(&self) -> &[usize] {
        &self.bounds
    }

    /// As [`bounds`](Self::bounds), in an arena with a row per bias term: its gradient, with the lanes
    /// of the samples still apart.
    pub(crate) fn sum_bounds(&self) -> &[usize] {
        &self.sum_bounds
    }

    /// Bias terms of the network.
    pub(crate) fn bias_terms(&self) -> usize {
        self.tiles.iter().map(Tile::bias_terms).sum()
    }
}

impl Layout {
    /// Lays out layers of these shapes, first to last.
    pub fn new(shapes: &[Shape]) -> Layout {
        let mut tiles = Vec::new();
        let mut layer_tiles = Vec::new();
        let mut row = 0;
        for (layer, shape) in shapes.iter().enumerate() {
            let first = tiles.len();
            for outputs in cut(shape.outputs, 1, TILE_OUTPUTS) {
                for inputs in cut(shape.inputs, LANES, TILE_INPUTS) {
                    let weights = row..row + outputs.len() * panels(inputs.len());
                    let has_bias = shape.bias && inputs.start == 0;
                    let bias_rows = if has_bias { panels(outputs.len()) } else { 0 };
                    let bias = weights.end..weights.end + bias_rows;
                    row = bias.end;
                    tiles.push(Tile { layer, inputs, outputs: outputs.clone(), weights, bias });
                }
            }
            layer_tiles.push(first..tiles.len());
        }
        Layout { shapes: shapes.to_vec(), tiles, layer_tiles }
    }

    /// Rows of an arena.
    pub fn rows(&self) -> usize {
        self.tiles.last().map_or(0, |tile| tile.bias.end)
    }

    /// Number of weights and bias terms, without padding.
    pub fn parameters(&self) -> usize {
        self.shapes.iter().map(|s| s.outputs * (s.inputs + usize::from(s.bias))).sum()
    }

    /// The shapes of the layers.
    pub fn shapes(&self) -> &[Shape] {
        &self.shapes
    }

    /// The tasks of the second phase: all tiles, cut where the shares of two of `threads` threads meet.
    pub(crate) fn tasks(&self, threads: usize) -> TileTasks {
        let shares: Vec<usize> = (1..threads).map(|i| self.rows() * i / threads).collect();
        let tiles: Vec<Tile> = self.tiles.iter().flat_map(|tile| tile.cut_at(&shares)).collect();
        let (mut bounds, mut sum_bounds) = (vec![0], vec![0]);
        let mut sums = 0;
        for part in &tiles {
            bounds.push(part.rows().end);
            sums += part.bias_terms();
            sum_bounds.push(sums);
        }
        TileTasks { tiles, bounds, sum_bounds }
    }

    /// The tiles of one layer, output blocks outermost.
    pub(crate) fn layer(&self, layer: usize) -> &[Tile] {
        &self.tiles[self.layer_tiles[layer].clone()]
    }

    /// Copies one layer's values out of an arena.
    pub fn read_weights(&self, layer: usize, arena: &[Row]) -> LayerValues {
        let shape = self.shapes[layer];
        let mut weights = Vec::with_capacity(shape.outputs * shape.inputs);
        let copied = self.each_matrix_row(layer, arena, &mut |row| {
            weights.extend_from_slice(row);
            Ok::<(), Infallible>(())
        });
        match copied {
            Ok(()) => (weights, self.read_bias(layer, arena)),
        }
    }

    /// Hands one layer's matrix to `sink`, a row for each output.
    ///
    /// # Errors
    /// That of the sink.
    pub fn each_matrix_row<E>(
        &self,
        layer: usize,
        arena: &[Row],
        sink: &mut dyn FnMut(&[f32]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut row = vec![0.0; self.shapes[layer].inputs];
        for tiles in self.layer(layer).chunk_by(|a, b| a.outputs == b.outputs) {
            for output in 0..tiles[0].outputs.len() {
                for tile in tiles {
                    for (panel, i) in tile.inputs.clone().step_by(LANES).enumerate() {
                        let lanes = LANES.min(tile.inputs.end - i);
                        let at = tile.weights.start + panel * tile.outputs.len() + output;
                        row[i..i + lanes].copy_from_slice(&arena[at][..lanes]);
                    }
                }
                sink(&row)?;
            }
        }
        Ok(())
    }

    /// Copies one layer's bias terms out of an arena; none where it has none.
    pub fn read_bias(&self, layer: usize, arena: &[Row]) -> Vec<f32> {
        let shape = self.shapes[layer];
        let mut bias = vec![0.0; if shape.bias { shape.outputs } else { 0 }];
        for tile in self.layer(layer) {
            for (k, o) in tile.outputs.clone().enumerate().take(tile.bias_terms()) {
                bias[o] = arena[tile.bias.start + k / LANES][k % LANES];
            }
        }
        bias
    }

    /// Copies one layer's values into an arena, as [`read_weights`](Self::read_weights) gives them.
    ///
    /// # Panics
    /// If the slices have another size than the layer.
    pub fn write_weights(&self, layer: usize, weights: &[f32], bias: &[f32], arena: &mut [Row]) {
        let shape = self.shapes[layer];
        assert_eq!(weights.len(), shape.outputs * shape.inputs, "weights of layer {layer}");
        assert_eq!(bias.len(), if shape.bias { shape.outputs } else { 0 }, "bias of layer {layer}");
        for tile in self.layer(layer) {
            for (o, row, i, lanes) in tile.matrix_rows() {
                let at = o * shape.inputs + i;
                arena[row][..lanes].copy_from_slice(&weights[at..at + lanes]);
            }
            for (k, o) in tile.outputs.clone().enumerate().take(tile.bias_terms()) {
                arena[tile.bias.start + k / LANES][k % LANES] = bias[o];
            }
        }
    }
}

impl Tile {
    /// For each row of the tile: (output, row in the arena, first input, number of inputs).
    fn matrix_rows(&self) -> impl Iterator<Item = (usize, usize, usize, usize)> + '_ {
        self.inputs.clone().step_by(LANES).enumerate().flat_map(move |(p, i)| {
            let lanes = LANES.min(self.inputs.end - i);
            let panel = self.weights.start + p * self.outputs.len();
            self.outputs.clone().enumerate().map(move |(r, o)| (o, panel + r, i, lanes))
        })
    }
}

/// Cuts `0..len` into nearly equal ranges of at most `longest` that start at multiples of `unit`.
fn cut(len: usize, unit: usize, longest: usize) -> Vec<Range<usize>> {
    let units = len.div_ceil(unit);
    let parts = units.div_ceil(longest / unit);
    let bound = |part: usize| (units * part / parts * unit).min(len);
    (0..parts).map(|part| bound(part)..bound(part + 1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_cover_and_are_nearly_equal() {
        for unit in [1, 16] {
            for len in 1..700 {
                let parts = cut(len, unit, 128);
                assert_eq!(parts[0].start, 0);
                assert_eq!(parts.last().unwrap().end, len);
                for pair in parts.windows(2) {
                    assert_eq!(pair[0].end, pair[1].start);
                    assert_eq!(pair[0].end % unit, 0);
                }
                assert!(parts.iter().all(|p| !p.is_empty() && p.len() <= 128));
                let sizes = parts.iter().map(|p| p.len().div_ceil(unit));
                assert!(sizes.clone().max().unwrap() - sizes.min().unwrap() <= 1, "{len} {unit}");
            }
        }
    }

    #[test]
    fn parts_follow_each_other() {
        for (inputs, outputs) in [(1, 1), (64, 64), (65, 130), (300, 129), (784, 512)] {
            let shape = Shape { inputs, outputs, bias: true };
            let layout = Layout::new(&[shape, Shape { inputs: outputs, outputs: 3, bias: false }]);
            for threads in [1, 2, 3, 64] {
                let tasks = layout.tasks(threads);
                let mut row = 0;
                for (part, bounds) in tasks.tiles.iter().zip(tasks.bounds().windows(2)) {
                    assert_eq!(part.rows(), bounds[0]..bounds[1]);
                    assert_eq!(part.weights.start, row);
                    assert_eq!(part.weights.len(), part.input_panels().len() * part.outputs.len());
                    assert_eq!(part.inputs.start % LANES, 0);
                    assert_eq!(part.bias.start, part.weights.end);
                    assert!(!part.inputs.is_empty() && part.inputs.len() <= PART_INPUTS);
                    row = part.rows().end;
                }
                assert_eq!(row, layout.rows());
                let terms = |tiles: &[Tile]| tiles.iter().map(|t| t.bias.len()).sum::<usize>();
                assert_eq!(terms(&tasks.tiles), terms(layout.layer(0)));
            }
        }
    }

    /// Each of two threads has rows to within a panel as many as the other.
    #[test]
    fn parts_can_be_shared_evenly() {
        for widths in [[28, 64, 64], [100, 30, 7], [17, 33, 100]] {
            let layer = |pair: &[usize]| Shape { inputs: pair[0], outputs: pair[1], bias: true };
            let layout = Layout::new(&widths.windows(2).map(layer).collect::<Vec<_>>());
            let tasks = layout.tasks(2);
            let half = layout.rows() / 2;
            let nearest = tasks.bounds().iter().map(|&row| row.abs_diff(half)).min();
            assert!(nearest.is_some_and(|distance| distance <= widths[1].max(widths[2]) / 2 + 1));
        }
    }

    #[test]
    fn weights_written_are_read_back() {
        for (inputs, outputs, bias) in
            [(1, 1, true), (3, 1, false), (300, 129, true), (17, 260, true)]
        {
            let other = Shape { inputs: 5, outputs: inputs, bias: true };
            let layout = Layout::new(&[other, Shape { inputs, outputs, bias }]);
            let weights: Vec<f32> = (0..inputs * outputs).map(|x| x as f32 + 1.0).collect();
            let terms: Vec<f32> =
                (0..if bias { outputs } else { 0 }).map(|x| -(x as f32) - 1.0).collect();
            let mut arena = vec![[0.0; LANES]; layout.rows()];
            layout.write_weights(1, &weights, &terms, &mut arena);
            assert_eq!(layout.read_weights(1, &arena), (weights, terms));
            assert!(layout.read_weights(0, &arena).0.iter().all(|&x| x == 0.0));
            let written = arena.iter().flatten().filter(|&&x| x != 0.0).count();
            assert_eq!(written, outputs * (inputs + usize::from(bias)));
        }
    }
}

//! Where every weight stands: the tiles of each layer and their places in the flat arenas.
//!
//! A layer's weight matrix (rows = outputs, lanes = inputs, see [`gristmill_kernels::panels`]) is cut
//! into tiles of at most 128 outputs by 256 inputs. A tile is one contiguous run of rows in the arena, so that a task
//! can own it, a product finds it in the second-level cache, and its update is one pass over one slice.
//! Bias terms follow the weights of the first input tile of their outputs. Shared blocks are one run of rows
//! each.
//!
//! The layout depends on the shape of the network alone. Files hold matrices row by row instead
//! ([`Layout::read_weights`], [`Layout::write_weights`]).

mod cut;
mod table;

use crate::layer::parameters::{Parameters, Role};
use cut::cut;
use gristmill_kernels::{LANES, Row, panels};
use std::convert::Infallible;
use std::ops::Range;

pub use crate::layer::parameters::Shape;
pub(crate) use table::TablePart;

/// Most inputs and most outputs of a tile: 128 KiB of weights, a share of the second-level cache. The
/// inputs are the inner dimension of the forward product and the panels of the gradient, the outputs
/// the inner dimension of the backward product.
const TILE_INPUTS: usize = 256;
const TILE_OUTPUTS: usize = 128;

/// Most inputs of a part of a tile that one task updates: with 128 outputs a gradient that fits the
/// first-level cache, and parts enough to share out evenly.
const PART_INPUTS: usize = 64;

/// Most rows of shared blocks that one task updates: with the optimiser's state they fit the first-level cache.
const PART_ROWS: usize = 128;

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

/// Where the parameters of one node stand.
#[derive(Debug, Clone)]
struct Place {
    shape: Option<Shape>,
    /// Of its matrix.
    tiles: Range<usize>,
    /// All its rows in the arenas.
    rows: Range<usize>,
    /// The rows of its shared blocks among those of all nodes.
    shared: Range<usize>,
}

/// A run of rows of shared blocks.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    /// In the arenas.
    pub(crate) rows: Range<usize>,
    /// Among the rows of all shared blocks.
    pub(crate) shared: Range<usize>,
    pub(crate) role: Role,
}

/// What one task of the second phase updates.
#[derive(Debug, Clone)]
pub(crate) enum Task {
    /// A tile, or a part of one.
    Tile(Tile),
    /// A part of a shared block.
    Shared(Run),
    /// A part of a table.
    Table(TablePart),
}

impl Task {
    /// Its rows in the arenas.
    pub(crate) fn rows(&self) -> Range<usize> {
        match self {
            Task::Tile(tile) => tile.rows(),
            Task::Shared(run) => run.rows.clone(),
            Task::Table(part) => part.rows.clone(),
        }
    }

    /// Bias terms whose lanes are summed apart.
    pub(crate) fn bias_terms(&self) -> usize {
        match self {
            Task::Tile(tile) => tile.bias_terms(),
            Task::Shared(_) | Task::Table(_) => 0,
        }
    }

    /// Rows that its gradient takes in an arena of all gradients: that of a table is elsewhere.
    pub(crate) fn gradient_rows(&self) -> usize {
        match self {
            Task::Tile(_) | Task::Shared(_) => self.rows().len(),
            Task::Table(_) => 0,
        }
    }
}

/// The tiles and blocks of a network, and the size of its arenas.
#[derive(Debug, Clone)]
pub struct Layout {
    places: Vec<Place>,
    tiles: Vec<Tile>,
    runs: Vec<Run>,
    tables: Vec<TablePart>,
    parameters: usize,
}

/// All parameters of a network as the tasks of the second phase, in the order of the arenas.
#[derive(Debug)]
pub(crate) struct Tasks {
    tasks: Vec<Task>,
    bounds: Vec<usize>,
    gradient_bounds: Vec<usize>,
    sum_bounds: Vec<usize>,
}

impl Tasks {
    /// What a task owns.
    pub(crate) fn task(&self, task: usize) -> &Task {
        &self.tasks[task]
    }

    /// Where the rows of each task begin in the arenas, and where those of the last one end.
    pub(crate) fn bounds(&self) -> &[usize] {
        &self.bounds
    }

    /// As [`bounds`](Self::bounds), in an arena of all gradients but those of tables.
    pub(crate) fn gradient_bounds(&self) -> &[usize] {
        &self.gradient_bounds
    }

    /// As [`bounds`](Self::bounds), in an arena with a row per bias term: its gradient, with the lanes
    /// of the samples still apart.
    pub(crate) fn sum_bounds(&self) -> &[usize] {
        &self.sum_bounds
    }

    /// Bias terms of the matrices.
    pub(crate) fn bias_terms(&self) -> usize {
        self.tasks.iter().map(Task::bias_terms).sum()
    }
}

impl Layout {
    /// Lays out the parameters of nodes, first to last.
    pub fn new<'p>(nodes: impl IntoIterator<Item = Parameters<'p>>) -> Layout {
        let mut layout = Layout {
            places: Vec::new(),
            tiles: Vec::new(),
            runs: Vec::new(),
            tables: Vec::new(),
            parameters: 0,
        };
        let (mut row, mut shared) = (0, 0);
        for parameters in nodes {
            let (first_row, first_shared, first_tile) = (row, shared, layout.tiles.len());
            let mut shape = None;
            layout.parameters += parameters.learned();
            match parameters {
                Parameters::None => {}
                Parameters::Matrix(matrix) => {
                    shape = Some(matrix);
                    row = layout.add_matrix(matrix, row);
                }
                Parameters::Table(table) => {
                    let node = layout.places.len();
                    let before = layout.tables.len();
                    layout.tables.extend(TablePart::parts(node, table, row, before));
                    row += table.numbers().div_ceil(LANES);
                }
                Parameters::Shared(blocks) => {
                    for block in blocks {
                        let (rows, among) = (row..row + block.rows, shared..shared + block.rows);
                        (row, shared) = (rows.end, among.end);
                        layout.runs.push(Run { rows, shared: among, role: block.role });
                    }
                }
            }
            layout.places.push(Place {
                shape,
                tiles: first_tile..layout.tiles.len(),
                rows: first_row..row,
                shared: first_shared..shared,
            });
        }
        layout
    }

    /// Lays out a matrix from this row on; returns where it ends.
    fn add_matrix(&mut self, shape: Shape, mut row: usize) -> usize {
        let layer = self.places.len();
        for outputs in cut(shape.outputs, 1, TILE_OUTPUTS) {
            for inputs in cut(shape.inputs, LANES, TILE_INPUTS) {
                let weights = row..row + outputs.len() * panels(inputs.len());
                let has_bias = shape.bias && inputs.start == 0;
                let bias_rows = if has_bias { panels(outputs.len()) } else { 0 };
                let bias = weights.end..weights.end + bias_rows;
                row = bias.end;
                self.tiles.push(Tile { layer, inputs, outputs: outputs.clone(), weights, bias });
            }
        }
        row
    }

    /// Rows of an arena.
    pub fn rows(&self) -> usize {
        self.places.last().map_or(0, |place| place.rows.end)
    }

    /// Rows of all shared blocks.
    pub(crate) fn shared_rows(&self) -> usize {
        self.places.last().map_or(0, |place| place.shared.end)
    }

    /// Number of weights and bias terms, without padding; statistics are none.
    pub fn parameters(&self) -> usize {
        self.parameters
    }

    /// The tasks of the second phase: all tiles, cut where the shares of two of `threads` threads meet, and all
    /// shared blocks.
    pub(crate) fn tasks(&self, threads: usize) -> Tasks {
        let shares: Vec<usize> = (1..threads).map(|i| self.rows() * i / threads).collect();
        let tiles = self.tiles.iter().flat_map(|tile| tile.cut_at(&shares)).map(Task::Tile);
        let runs = self.runs.iter().flat_map(Run::parts).map(Task::Shared);
        let tables = self.tables.iter().cloned().map(Task::Table);
        let mut tasks: Vec<Task> = tiles.chain(runs).chain(tables).collect();
        tasks.sort_by_key(|task| task.rows().start);
        let (mut bounds, mut gradient_bounds, mut sum_bounds) = (vec![0], vec![0], vec![0]);
        let (mut gradients, mut sums) = (0, 0);
        for task in &tasks {
            bounds.push(task.rows().end);
            gradients += task.gradient_rows();
            gradient_bounds.push(gradients);
            sums += task.bias_terms();
            sum_bounds.push(sums);
        }
        Tasks { tasks, bounds, gradient_bounds, sum_bounds }
    }

    /// The parts of all tables.
    pub(crate) fn tables(&self) -> &[TablePart] {
        &self.tables
    }

    /// The tiles of one node's matrix, output blocks outermost.
    pub(crate) fn layer(&self, layer: usize) -> &[Tile] {
        &self.tiles[self.places[layer].tiles.clone()]
    }

    /// The shape of one node's matrix.
    ///
    /// # Panics
    /// The node has none.
    pub(crate) fn shape(&self, layer: usize) -> Shape {
        self.places[layer].shape.expect("a layer with a matrix")
    }

    /// All rows of one node in the arenas.
    pub(crate) fn node_rows(&self, node: usize) -> Range<usize> {
        self.places[node].rows.clone()
    }

    /// The rows of one node's shared blocks among those of all nodes.
    pub(crate) fn node_shared(&self, node: usize) -> Range<usize> {
        self.places[node].shared.clone()
    }

    /// Copies one layer's values out of an arena.
    pub fn read_weights(&self, layer: usize, arena: &[Row]) -> LayerValues {
        let shape = self.shape(layer);
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
        let mut row = vec![0.0; self.shape(layer).inputs];
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
        let shape = self.shape(layer);
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
        let shape = self.shape(layer);
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

impl Run {
    /// The run cut into parts of at most `PART_ROWS` rows.
    fn parts(&self) -> impl Iterator<Item = Run> + '_ {
        cut(self.rows.len(), 1, PART_ROWS).into_iter().map(|part| Run {
            rows: self.rows.start + part.start..self.rows.start + part.end,
            shared: self.shared.start + part.start..self.shared.start + part.end,
            role: self.role,
        })
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

#[cfg(test)]
mod tests;

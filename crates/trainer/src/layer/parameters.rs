//! What a layer learns, and how its gradient is summed over a minibatch.

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

/// The parameters of a layer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Parameters<'a> {
    /// It has none.
    None,
    /// A matrix that multiplies the only input. Its gradient, the product of the layer's error and its
    /// input, is summed by the tasks that own its tiles.
    Matrix(Shape),
    /// A table of which a minibatch uses a few rows: only these are updated, and only their gradient is summed,
    /// in the order of the minibatch, by the tasks that own parts of the table.
    Table(Table),
    /// Blocks whose gradient the layer sums over the positions and samples of a shard; the shards' sums are
    /// added up in the order of the minibatch.
    Shared(&'a [Block]),
}

impl Parameters<'_> {
    /// Numbers that are learned, without padding; statistics are none.
    pub fn learned(self) -> usize {
        match self {
            Parameters::None => 0,
            Parameters::Matrix(shape) => shape.outputs * (shape.inputs + usize::from(shape.bias)),
            Parameters::Table(table) => table.numbers(),
            Parameters::Shared(blocks) => {
                let learned = blocks.iter().filter(|block| block.role != Role::Statistic);
                learned.map(Block::numbers).sum()
            }
        }
    }
}

/// The shape of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Table {
    /// Its rows.
    pub categories: usize,
    /// Numbers of a row.
    pub width: usize,
    /// Errors of rows that one sample gives.
    pub errors: usize,
}

impl Table {
    /// Numbers in it.
    pub fn numbers(self) -> usize {
        self.categories * self.width
    }

    /// Categories of each of its parts, as a power of two, so that the part of a row is found by a shift.
    pub(crate) fn part_bits(self) -> u32 {
        let least = self.categories.div_ceil(MOST_PARTS).max(LEAST_CATEGORIES);
        least.next_power_of_two().trailing_zeros()
    }

    /// Parts into which it is cut; the last one may have fewer categories.
    pub(crate) fn parts(self) -> usize {
        self.categories.div_ceil(1 << self.part_bits())
    }
}

/// Most parts of a table: enough to share out evenly on many threads.
const MOST_PARTS: usize = 256;

/// Fewest categories of a part, so that small tables are not cut up.
const LEAST_CATEGORIES: usize = 64;

/// Parameters that are stored and treated as one.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// What it is called in files, within its layer.
    pub name: &'static str,
    /// Its shape in files, row-major.
    pub shape: Vec<usize>,
    /// Rows that it takes in an arena.
    pub rows: usize,
    /// How it is learned.
    pub role: Role,
}

/// How a block is learned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// By its gradient, with penalties and weight decay.
    Weight,
    /// By its gradient alone, as bias terms and gains are.
    Offset,
    /// Not by a gradient: the layer keeps it itself, as batch norm does its running statistics.
    Statistic,
}

impl Block {
    /// Numbers in it, without padding.
    pub fn numbers(&self) -> usize {
        self.shape.iter().product()
    }
}

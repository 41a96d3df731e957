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
}

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

//! The edges of a network: what a node takes, and where it hands errors back to.

/// What a node takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The features of a row.
    Features,
    /// The values of the node with this index, which comes before.
    Node(usize),
}

/// How a node hands the error of one of its inputs back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Delivery {
    /// The node that gave the input.
    pub(crate) to: usize,
    /// Whether others have handed theirs back already: then it is added.
    pub(crate) add: bool,
    pub(crate) way: Way,
}

/// Where an error goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// It is the error.
    Error,
    /// Into sums, which the slopes are multiplied by when all are there.
    Sums,
    /// The only receiver of the node's values multiplies the slopes itself.
    Slopes,
}

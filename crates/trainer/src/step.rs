//! One training step: rows forward and backward, then the gradient and update of each tile of weights.

pub mod engine;
pub(crate) mod pace;
pub mod profile;
pub(crate) mod scratch;
pub(crate) mod shard;
pub(crate) mod tables;
pub(crate) mod update;

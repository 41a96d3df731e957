//! Training of feed-forward networks by backpropagation on minibatches.

#![forbid(unsafe_code)]

mod engine;
pub mod layout;
pub mod network;
pub mod objective;
pub mod preprocess;
pub mod samples;
mod shard;
mod update;

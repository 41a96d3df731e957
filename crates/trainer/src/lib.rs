//! Backpropagation on minibatches: networks, optimisers, metrics and the fit loop.

#![forbid(unsafe_code)]

pub mod config;
pub mod early_stopping;
pub mod engine;
mod error;
pub mod evaluation;
pub mod feed;
pub mod gradcheck;
pub mod inference;
pub mod init;
pub mod layout;
pub mod memory;
pub mod metrics;
mod mixing;
pub mod model;
pub mod names;
pub mod network;
pub mod objective;
pub mod observer;
pub mod preprocess;
pub mod profile;
pub mod random;
pub mod reference;
pub mod run;
pub mod sampler;
pub mod samples;
pub mod schedule;
pub mod session;
mod shard;
pub mod subset;
mod threads;
mod update;

pub use error::TrainError;
pub use gristmill_kernels::Isa;
pub use session::{Outcome, Reason, Session};
pub use threads::on_threads;

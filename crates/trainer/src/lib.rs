//! Backpropagation on minibatches: networks, optimisers, metrics and the fit loop.

#![forbid(unsafe_code)]

pub mod config;
pub mod early_stopping;
pub mod init;
pub mod metrics;
pub mod names;
pub mod observer;
pub mod random;
pub mod reference;
pub mod sampler;
pub mod schedule;

//! Backpropagation on minibatches: networks, optimisers, metrics and the fit loop.

#![forbid(unsafe_code)]

pub mod config;
pub mod metrics;
pub mod names;

//! Memory-mapped data sets, model files, checkpoints, and the formats they are read from.

#![deny(unsafe_code)]

pub mod schema;

//! All tests of this crate that can run in one process: a program for each would be linked for each. Tests that
//! start themselves again, or that look at what the process takes, are programs of their own beside this one.

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/model_samples.rs"]
mod model_samples;
#[path = "../common/network_samples.rs"]
mod network_samples;
#[path = "../common/samples.rs"]
mod samples;

mod asides;
mod changed;
mod columnar;
mod dataset;
mod export;
mod format_table;
mod formats;
mod golden;
mod guesses;
mod import;
mod index_columns;
mod model;
mod model_formats;
mod networks;
mod properties;
mod subset;
mod synth;
mod text_tables;
mod weights;

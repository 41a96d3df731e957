//! The program as its users see it: each test runs the real binary in a directory of its own.

mod changed;
mod data;
mod divergence;
mod export;
mod extremes;
mod ignored;
mod import;
mod import_stopped;
mod inputs;
mod like;
mod limits;
mod memory;
mod model_source;
mod options;
mod outputs;
mod place;
mod plugins;
mod predict;
mod prediction_files;
mod resume;
mod run_directory;
mod sources;
mod stopping;
mod text_tables;
mod train;
mod usage;

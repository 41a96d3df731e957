//! The program as its users see it: each test runs the real binary in a directory of its own.

mod changed;
mod data;
mod export;
mod import;
mod import_stopped;
mod memory;
mod place;
mod plugins;
mod predict;
mod resume;
mod sources;
mod train;
mod usage;

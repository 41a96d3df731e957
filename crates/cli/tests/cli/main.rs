//! The program as its users see it: each test runs the real binary in a directory of its own.

mod changed;
mod import;
mod place;
mod predict;
mod resume;
mod train;
mod usage;

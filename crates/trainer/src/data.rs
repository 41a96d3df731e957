//! Rows: where they come from, which of them take part, in which order, and how they get into memory.

pub mod augment;
pub(crate) mod counted;
pub mod feed;
pub(crate) mod in_time;
pub(crate) mod memory;
pub(crate) mod mixing;
pub mod order;
pub mod pass;
pub(crate) mod picked;
pub mod samples;
mod statistics;
pub mod subset;
pub(crate) mod suspects;
pub(crate) mod usable;
pub(crate) mod validation;
pub mod windows;

//! All tests of this crate from outside but for those that count allocations, which need a process of their own:
//! a program for each file would be linked for each.

#[path = "../common/mod.rs"]
mod common;

mod article;
mod augment;
mod denormals;
mod determinism;
mod earlier_versions;
mod golden;
mod gradients;
mod inference;
mod kinds;
mod layers;
mod numbers;
mod ragged;
mod refused;
mod rollback;
mod run;
mod series;
mod stop_after;
mod weightless;

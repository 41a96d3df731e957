//! `cargo xtask`: what a maintainer does twice.
fn main() {}

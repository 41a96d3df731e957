//! SIMD arithmetic for dense networks: lanes, panels and tiles.
//!
//! Knows no network, no file and no thread. Every kernel is written once, generic over a
//! [`Simd`] token, and instantiated per instruction set; [`Isa`] picks one at run time.

pub mod activation;
pub mod gather;
pub mod isa;
pub mod loss;
pub mod optimizer;
pub mod reduce;
pub mod simd;

mod arch;
mod math;
mod name;

#[cfg(test)]
mod testing;

pub use activation::Activation;
pub use gather::{Element, RowSource};
pub use isa::{Isa, UnknownIsa};
pub use loss::{Loss, Probabilities, Targets};
pub use name::NameError;
pub use optimizer::{Step, UpdateRule};
pub use simd::{Kernel, LANES, Row, Simd};

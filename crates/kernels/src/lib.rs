//! SIMD arithmetic for dense networks: lanes, panels and tiles.
//!
//! Knows no network, no file and no pool of threads. Every kernel is written once, generic over a
//! [`Simd`] token, and instantiated per instruction set; [`Isa`] picks one at run time.

#![deny(unsafe_code)]

pub mod activation;
pub mod attention;
pub mod batch_norm;
pub mod bias;
pub mod ceiling;
pub mod convolution;
pub mod crew;
pub mod dropout;
pub mod elementwise;
pub mod embedding;
pub mod gather;
pub mod isa;
pub mod loss;
pub mod normalise;
pub mod optimizer;
pub mod outer;
pub mod panels;
pub mod per_channel;
pub mod periodic;
pub mod piecewise;
pub mod pooling;
pub mod product;
pub mod recurrent;
pub mod reduce;
pub mod rotary;
pub mod rows;
pub mod simd;

mod arch;
mod math;
mod name;

#[cfg(test)]
mod testing;

pub use activation::Activation;
pub use arch::float_mode::FlushDenormals;
pub use bias::{accumulate_rows, total_lanes};
pub use crew::{Crew, Post};
pub use dropout::{DropoutKey, dropout};
pub use gather::{Element, RowSource};
pub use isa::{Isa, UnknownIsa};
pub use loss::{Loss, Probabilities, Targets};
pub use name::NameError;
pub use optimizer::{Step, UpdateRule};
pub use panels::{Panels, PanelsMut, panels};
pub use product::{Finish, Start, multiply, transposed_multiply};
pub use rows::Rows;
pub use simd::{Kernel, LANES, Row, Simd, sum_lanes};

//! SIMD arithmetic for dense networks: lanes, panels and tiles.
//!
//! Knows no network, no file and no thread. Every kernel is written once, generic over a
//! [`Simd`](simd::Simd) token, and instantiated per instruction set; [`Isa`] picks one at run time.

pub mod isa;
pub mod simd;

pub mod bias;
pub mod dropout;
pub mod panels;
pub mod product;
pub mod rows;

mod arch;

pub use bias::{accumulate_rows, spread_bias, total_lanes};
pub use dropout::{DropoutKey, dropout};
pub use isa::{Isa, UnknownIsa};
pub use panels::{Panels, PanelsMut, panels};
pub use product::{multiply_add, transposed_multiply_add};
pub use rows::Rows;
pub use simd::{Kernel, LANES, Row, Simd};

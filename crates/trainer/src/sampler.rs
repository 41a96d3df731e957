//! Which row comes when: the seeded order of an epoch, and the rows held out for validation.
//!
//! Only numbers of rows; nothing here reads a row.

mod permutation;
mod split;
mod window;

pub use permutation::Permutation;
pub use split::Split;
pub use window::{Window, WindowShape, Windows};

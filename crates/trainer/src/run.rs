//! The directory of a run: what is in it, who may write to it, and how it is resumed.
//!
//! ```text
//! config.toml        every option, every default spelled out
//! data.grist         the imported data set, if the source was none (validation.grist likewise)
//! metrics.csv        a line per epoch
//! checkpoints/       step-000000001234.checkpoint, the newest few
//! model.gristmill    the trained model, once the run has ended
//! lock               held while a process trains here
//! ```
//!
//! A new run takes no directory in which anything is that it did not make, and removes nothing else.

mod directory;
mod draft;
mod error;
mod files;
mod lock;
mod metrics;
mod small;

pub use directory::Run;
pub use draft::Draft;
pub use error::RunError;
pub use files::{DATA, VALIDATION};

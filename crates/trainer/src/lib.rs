//! Backpropagation on minibatches: networks, optimisers, metrics and the fit loop.
//!
//! ```
//! use gristmill_trainer::{Isa, Session, config::RunConfig, samples::Table};
//!
//! let table = Table::of_classes(
//!     &[0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0],
//!     vec![0, 1, 1, 0],
//!     vec!["equal".into(), "different".into()],
//! )?;
//! let config = RunConfig::from_toml("network.hidden = [8]\ntraining.epochs = 300")?;
//! let mut session = Session::new(&config, Isa::from_env()?, &table, None)?;
//! session.fit(&mut (), &mut |_checkpoint| Ok(()))?;
//! assert!(session.history().len() == 300);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`observer::Observer`] follows a run step by step; `()` follows in silence.

#![forbid(unsafe_code)]

pub mod config;
mod data;
pub mod early_stopping;
mod error;
pub mod evaluation;
pub mod gradcheck;
pub mod inference;
pub mod metrics;
pub mod model;
pub mod names;
pub mod network;
pub mod objective;
pub mod observer;
pub mod preprocess;
pub mod random;
pub mod reference;
pub mod run;
pub mod sampler;
pub mod schedule;
pub mod session;
mod step;
mod threads;

pub use data::{feed, memory, order, pass, samples, subset};
pub use error::TrainError;
pub use gristmill_kernels::Isa;
pub use network::{init, layout};
pub use session::{Limit, Outcome, Reason, Session};
pub use step::{engine, profile};
pub use threads::{on_threads, start_threads, useful as useful_threads, with_crew};

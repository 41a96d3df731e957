//! Backpropagation on minibatches: networks, optimisers, metrics and the fit loop.
//!
//! What a program needs that trains and predicts is in the [`prelude`]. Training, on a table in memory or
//! just so on a [`Dataset`](gristmill_io::Dataset), which is a mapped file of any size:
//!
//! ```
//! use gristmill_trainer::prelude::*;
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
//! An [`Observer`](observer::Observer) in place of the first `()` follows a run step by step and can end it.
//! A [`Run`](run::Run) trains a session in a directory of its own, with checkpoints and metrics.
//!
//! Predicting, and measuring how good predictions are:
//!
//! ```
//! use gristmill_trainer::prelude::*;
//!
//! # let features = [0.0, 1.0, 2.0, 3.0];
//! # let names = vec!["low".into(), "high".into()];
//! # let table = Table::of_classes(&features, vec![0, 0, 1, 1], names)?;
//! # let config = RunConfig::from_toml("training.epochs = 200\noptimizer.learning_rate = 0.1")?;
//! # let mut session = Session::new(&config, Isa::from_env()?, &table, None)?;
//! # session.fit(&mut (), &mut |_| Ok(()))?;
//! let model = session.model(); // or Model::load(path)
//! let mut predictor = Predictor::new(Isa::from_env()?, Trained::from_model(&model)?);
//! let mut probabilities = vec![0.0; 4 * predictor.outputs()];
//! predictor.predict(&table, 0..4, &mut probabilities);
//! assert!(probabilities[0] < 0.5 && probabilities[3] > 0.5, "{probabilities:?}");
//!
//! let report = evaluate(Isa::from_env()?, &model, &table, None, &mut |_rows_done| ())?;
//! assert_eq!(report.get(Metric::Accuracy), Some(1.0));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

pub mod config;
pub mod data;
mod early_stopping;
mod error;
pub mod evaluation;
pub mod inference;
pub mod metrics;
pub mod model;
mod names;
pub mod observer;
pub mod run;
mod schedule;
pub mod session;
mod threads;

// What this workspace measures, compares and checks by itself. It may change with any version.
#[doc(hidden)]
pub mod gradcheck;
#[doc(hidden)]
pub mod layer;
#[doc(hidden)]
pub mod network;
#[doc(hidden)]
pub mod objective;
#[doc(hidden)]
pub mod preprocess;
#[doc(hidden)]
pub mod random;
#[doc(hidden)]
pub mod reference;
#[doc(hidden)]
pub mod sampler;
#[doc(hidden)]
pub mod step;

pub use error::TrainError;
pub use gristmill_kernels::Isa;
pub use session::{CheckpointView, Limit, Outcome, Reason, Session};
pub use threads::{on_threads, start_threads, useful as useful_threads, with_crew};

/// Names of activations, as a configuration takes them.
#[doc(hidden)]
pub const ACTIVATIONS: [&str; 9] = gristmill_kernels::Activation::NAMES;

/// What a program needs that trains, predicts and evaluates.
pub mod prelude {
    pub use crate::config::RunConfig;
    pub use crate::data::samples::{Samples, Table};
    pub use crate::error::TrainError;
    pub use crate::evaluation::evaluate;
    pub use crate::inference::Predictor;
    pub use crate::metrics::{Metric, Report};
    pub use crate::model::Trained;
    pub use crate::observer::{Control, EpochReport, Observer, StepReport};
    pub use crate::run::{Draft, Run};
    pub use crate::session::{Outcome, Reason, Session};
    pub use crate::threads::on_threads;
    pub use gristmill_io::{Dataset, Model};
    pub use gristmill_kernels::Isa;
}

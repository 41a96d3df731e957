//! A training run as its user describes it: every option, its default, and its TOML form.
//!
//! Each section stands in a file of its own under `config/`. [`RunConfig::resolve`] decides
//! what is left out and gives the [`TrainingPlan`] that the trainer follows. Nothing here touches data or trains.

mod arranged;
mod assign;
mod assignment;
mod augment;
mod byte_size;
mod class_weights;
mod complete;
mod data;
pub(crate) mod error;
mod gives_way;
mod keys;
mod layers;
mod loss;
mod network;
mod optimizer;
mod options;
mod paths;
mod plan;
mod schedule;
mod shape;
mod short;
mod training;
mod unused;

pub use crate::layer::dense_settings::DenseConfig;
pub use crate::layer::start::InitKind;
pub use crate::names::UnknownName;
pub use assignment::Assignment;
pub use augment::{AugmentConfig, augment_of_line};
pub use byte_size::ByteSize;
pub use class_weights::ClassWeights;
pub use data::DataConfig;
pub use error::ConfigError;
pub use gives_way::GaveWay;
pub use layers::{LayerConfig, LayerKind};
pub use loss::{LossConfig, LossKind};
pub use network::{LayerPlan, NetworkConfig, OutputConfig};
pub use optimizer::{OptimizerConfig, OptimizerKind, OptimizerPlan};
pub use options::RunConfig;
pub use plan::TrainingPlan;
pub use schedule::{ScheduleConfig, ScheduleKind};
pub use shape::{DataShape, TargetShape};
pub use short::layers_of_line;
pub use training::{
    CheckpointConfig, EarlyStoppingConfig, OnNan, Shuffle, TrainingConfig, ValidationConfig,
};

pub use toml::Value;

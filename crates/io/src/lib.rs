//! Memory-mapped data sets, model files, checkpoints, and the formats they are read from.

#![deny(unsafe_code)]

mod atomic;
pub mod checkpoint;
mod choice;
pub mod dataset;
mod dtype;
mod error;
pub mod export;
pub mod format;
mod frame;
pub mod histogram;
pub mod import;
mod map;
pub mod model;
pub mod model_format;
pub mod plugin;
mod progress;
mod random;
mod region;
pub mod schema;
mod source;
mod statistics;
pub mod subset;
pub mod synth;
mod wire;
pub mod writer;

pub use atomic::{AtomicFile, is_temporary_name, remove_stale_files};
pub use checkpoint::{Checkpoint, HistoryRow};
pub use choice::FormatChoice;
pub use dataset::Dataset;
pub use dataset::verify::Defect;
pub use dtype::Dtype;
pub use error::{Error, Place, Result, RowNumber};
pub use export::{ExportSummary, export};
pub use format::{FORMATS, Format};
pub use frame::FileKind;
pub use histogram::{Histogram, histograms};
pub use import::{ImportOptions, Missing, Plan, Task, import, preview};
pub use map::Advice;
pub use model::{ActivationSpec, DenseLayer, Model, OutputKind, Scale};
pub use model_format::{
    ExportedModel, MODEL_FORMATS, ModelFormat, ModelReader, export_model, import_model,
};
pub use plugin::{Plugin, Plugins};
pub use progress::ImportProgress;
pub use source::{Source, expand, refuse_overwriting};
pub use subset::{SplitOptions, first_rows, head, split};
pub use synth::{SynthOptions, SynthTarget, synth};
pub use writer::{DatasetWriter, ImportSummary, Layout, Rows};

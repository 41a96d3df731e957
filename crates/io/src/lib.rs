//! Memory-mapped data sets, model files, checkpoints, and the formats they are read from.
//!
//! Reading a table of any format into a data set, which is then mapped and not loaded:
//!
//! ```
//! use gristmill_io::{Dataset, ImportOptions, Plan, import};
//!
//! # let folder = tempfile::tempdir()?;
//! let (table, file) = (folder.path().join("iris.csv"), folder.path().join("iris.grist"));
//! std::fs::write(&table, "length,species\n1.5,setosa\n4.5,versicolor\n")?;
//! import(&[table], &file, &Plan::Learn(ImportOptions::default()), &())?;
//!
//! let data = Dataset::open(&file)?;
//! assert_eq!((data.rows(), data.features()), (2, 1));
//! assert_eq!(data.class_counts(), [1, 1]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A format that is not built in is a program of its own: the crate `gristmill-format-plugin` begins with an example.

#![deny(unsafe_code)]

mod atomic;
pub mod checkpoint;
mod choice;
pub mod dataset;
mod destination;
mod dtype;
mod error;
pub mod export;
pub mod format;
mod frame;
mod gzip;
pub mod histogram;
mod identity;
pub mod import;
mod kind;
mod map;
pub mod model;
pub mod model_format;
mod open;
pub mod plugin;
mod progress;
mod random;
mod region;
pub mod schema;
mod shown;
mod source;
mod statistics;
pub mod subset;
pub mod suggest;
pub mod synth;
mod temporary;
mod tensor;
mod tensor_file;
mod threads;
mod wire;
pub mod writer;

pub use atomic::AtomicFile;
pub use checkpoint::{Checkpoint, HistoryRow};
pub use choice::FormatChoice;
pub use dataset::Dataset;
pub use dataset::verify::Defect;
pub use dtype::Dtype;
pub use error::{Error, Place, Result, RowNumber};
pub use export::{ExportSummary, array_header, check_export, export};
pub use format::{Decimal, FORMATS, Format};
pub use histogram::{Histogram, histograms};
pub use import::{ImportOptions, Missing, Plan, Task, import, preview};
pub use kind::FileKind;
pub use map::Advice;
pub use model::{Dense, Layer, Model, Node, OutputKind, Scale};
pub use model_format::{
    ExportedModel, MODEL_FORMATS, ModelFormat, ModelReader, export_model, import_model,
};
pub use open::open;
pub use plugin::{Plugin, Plugins};
pub use progress::ImportProgress;
pub use shown::{shown, shown_lines, shown_path};
pub use source::{Source, expand, refuse_overwriting};
pub use subset::{SplitOptions, first_rows, head, split};
pub use synth::{SynthOptions, SynthTarget, synth};
pub use temporary::{abandon_files, is_temporary_name, remove_stale_files};
pub use tensor::{Sink, Tensor, TensorData, TensorInfo, TensorStream};
pub use writer::{DatasetLayout, DatasetWriter, ImportSummary, RowBatch};

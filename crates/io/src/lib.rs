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
//! Its rows are read where they lie in the file:
//!
//! ```
//! use gristmill_io::{Dataset, SynthOptions, synth};
//!
//! # let folder = tempfile::tempdir()?;
//! # let file = folder.path().join("rows.grist");
//! synth(&file, &SynthOptions { rows: 100, features: 3, ..Default::default() }, &())?;
//! let data = Dataset::open(&file)?;
//! let mut features = [0.0; 3];
//! for row in 0..data.rows() {
//!     data.dtype().decode(data.row(row), &mut features);
//!     assert!(features.iter().all(|x| x.is_finite()) && data.label(row) < 2);
//! }
//! // Whoever reads a file that others may write to asks at the end whether it was the same all the time.
//! data.check_unchanged()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! And written as a file of any format:
//!
//! ```
//! use gristmill_io::{FormatChoice, export};
//!
//! # use gristmill_io::{Dataset, SynthOptions, synth};
//! # let folder = tempfile::tempdir()?;
//! # let (file, lines) = (folder.path().join("rows.grist"), folder.path().join("rows.jsonl"));
//! # synth(&file, &SynthOptions { rows: 100, features: 3, ..Default::default() }, &())?;
//! # let data = Dataset::open(&file)?;
//! export(&data, &lines, &FormatChoice::default(), &())?;
//! assert_eq!(std::fs::read_to_string(&lines)?.lines().count(), 100);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Predictions and training are in `gristmill-trainer`, whose first page has an example of each.
//!
//! A format that is not built in is a program of its own: the crate `gristmill-format-plugin` begins with an example.

#![deny(unsafe_code)]

mod atomic;
mod checkpoint;
mod choice;
mod dataset;
mod destination;
mod dtype;
mod error;
mod export;
pub mod format;
mod frame;
mod gzip;
mod histogram;
mod identity;
mod import;
mod kind;
mod map;
pub mod model;
mod model_format;
mod open;
pub mod plugin;
mod progress;
mod random;
mod region;
pub mod schema;
mod shown;
mod source;
mod statistics;
mod subset;
mod synth;
mod temporary;
mod tensor;
mod tensor_file;
mod threads;
mod wire;
mod words;
pub mod writer;

pub use atomic::AtomicFile;
pub use checkpoint::{Checkpoint, HistoryRow};
pub use choice::FormatChoice;
pub use dataset::Dataset;
pub use dataset::verify::Defect;
pub use dtype::Dtype;
pub use error::{Error, Place, Result, RowNumber};
pub use export::{Again, ExportSummary, export};
pub use format::{Decimal, FORMATS, Format};
pub use histogram::{Histogram, histograms};
pub use import::{ImportOptions, Missing, Plan, Task, WordOptions, import, preview};
pub use kind::FileKind;
pub use map::Advice;
pub use model::{Dense, Layer, Model, Node, OutputKind, Scale};
pub use model_format::{
    ExportedModel, MODEL_FORMATS, ModelFormat, ModelReader, export_model, import_model,
};
pub use plugin::{Plugin, Plugins};
pub use progress::ImportProgress;
pub use source::{Source, expand};
pub use subset::{SplitOptions, first_rows, head, split};
pub use synth::{SynthOptions, SynthTarget, synth};
pub use tensor::{Sink, Tensor, TensorData, TensorInfo, TensorStream};
pub use writer::{DatasetLayout, DatasetWriter, ImportSummary, RowBatch};

// What the other crates of this workspace need and share. It may change with any version.
#[doc(hidden)]
pub mod suggest;
#[doc(hidden)]
pub use export::{Exported, Exporter, array_header, check_export};
#[doc(hidden)]
pub use open::open;
#[doc(hidden)]
pub use shown::{shown, shown_lines, shown_path};
#[doc(hidden)]
pub use source::refuse_overwriting;
#[doc(hidden)]
pub use statistics::Moments;
#[doc(hidden)]
pub use temporary::{abandon_files, is_temporary_name, remove_stale_files};

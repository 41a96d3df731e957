//! `gristmill export`: a trained model out, in the format of another program.

use crate::args::TableArgs;
use crate::failure::Failure;
use crate::output::Output;
use crate::progress::RowsBar;
use crate::source::ModelRows;
use crate::table::{number, thousands};
use gristmill_io::{Dataset, ImportOptions, Model, ModelFormat, export_model, import_model};
use gristmill_trainer::inference::Predictor;
use gristmill_trainer::model::Trained;
use gristmill_trainer::{Isa, on_threads};
use std::path::{Path, PathBuf};

/// Most by which a prediction of the file may differ from the model's, as a share of it where it is
/// beyond 1.
const TOLERANCE: f64 = 1e-5;

/// Write a model as ONNX, safetensors, NPZ or a C header
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  gristmill export runs/iris-1/model.gristmill -o iris.onnx
  gristmill export runs/iris-1/model.gristmill -o iris.onnx --verify iris.csv
  gristmill export runs/iris-1/model.gristmill --to c -o iris_model.h
  gristmill export runs/iris-1/model.gristmill -o iris.safetensors

An ONNX file takes raw rows and gives probabilities or numbers: standardisation and the coding of
text are in its graph. safetensors and NPZ hold the weights under PyTorch's names and load with
five lines. A C header is one function without dependencies. docs/model-formats.md has the details.")]
pub(crate) struct Export {
    /// A trained model
    model: PathBuf,
    /// Format: onnx, safetensors, npz or c [default: by the ending of FILE]
    #[arg(long, value_name = "FORMAT")]
    to: Option<String>,
    /// The file to write
    #[arg(short, long = "output", value_name = "FILE")]
    output: PathBuf,
    /// Read the file back, predict these rows with it and with the model, and report the largest
    /// difference; exit with 1 if it is above 0.00001 (of the prediction, where that is beyond 1)
    #[arg(long, value_name = "DATA")]
    verify: Vec<PathBuf>,
    /// Threads [default: every core]
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    threads: usize,
    #[command(flatten)]
    table: TableArgs,
}

impl Export {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        let isa = Isa::from_env().map_err(|error| Failure::new(error.to_string()))?;
        let model = Model::load(&self.model)?;
        let trained = Trained::from_model(&model).map_err(Failure::at(&self.model))?;
        let format = export_model(&model, &self.output, self.to.as_deref())?;
        let (what, path) = (format.description(), self.output.display());
        output.talk(format_args!("wrote {path}: {what}"));
        if self.verify.is_empty() {
            return Ok(());
        }
        let Some((back, trained_back)) = read_back(&model, format, &self.output)? else {
            output.warn(format_args!("{path} is not verified: {what} is not read back"));
            return Ok(());
        };
        let options = self.table.options();
        let rows = Rows::open(self.verify, &model, &back, options, output)?;
        let largest = on_threads(self.threads, || {
            let predictors = [trained, trained_back].map(|trained| Predictor::new(isa, trained));
            largest_difference(predictors, &rows.dataset, output)
        })?;
        let count = thousands(rows.dataset.rows());
        let difference = format!("largest difference over {count} rows: {}", number(largest));
        if largest <= TOLERANCE {
            return output.print(difference);
        }
        let allowed = number(TOLERANCE);
        Err(Failure::at(&self.output)(format!("{difference}, allowed are {allowed}")))
    }
}

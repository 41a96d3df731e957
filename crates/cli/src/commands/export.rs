//! `gristmill export`: a trained model out, in the format of another program.

use crate::args::{PluginArgs, TableArgs, count};
use crate::failure::Failure;
use crate::model_source;
use crate::output::Output;
use crate::progress::RowsBar;
use crate::source::{Opened, Source};
use crate::table::{number, thousands};
use gristmill_io::{Dataset, FormatChoice, Plugins, export_model, import_model, refuse_overwriting};
use gristmill_trainer::data::samples::Samples;
use gristmill_trainer::data::windows::Windows;
use gristmill_trainer::inference::Predictor;
use gristmill_trainer::model::Trained;
use gristmill_trainer::{Isa, on_threads};
use std::path::{Path, PathBuf};

/// Most by which a prediction of the file may differ from the model's: as it is up to 1, beyond as a
/// share of it.
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
five lines. A C header is one function without dependencies. docs/formats.md says more.

--verify accepts differences up to 0.00001, of the prediction where that is beyond 1.")]
pub(crate) struct Export {
    /// A trained model, or the directory or a checkpoint of a run
    model: PathBuf,
    /// Format: onnx, safetensors, npz, c or a plugin [default: by the ending of FILE]
    #[arg(long, value_name = "FORMAT")]
    to: Option<String>,
    /// The file to write
    #[arg(short, long = "output", value_name = "FILE")]
    output: PathBuf,
    /// Read the file back, predict these rows with it and with the model, and print the largest
    /// difference; again for each further table
    #[arg(long, value_name = "DATA")]
    verify: Vec<PathBuf>,
    /// Threads of --verify [default: every core]
    #[arg(long, value_name = "N", value_parser = count::<usize>, requires = "verify")]
    threads: Option<usize>,
    #[command(flatten)]
    table: TableArgs,
    #[command(flatten)]
    plugins: PluginArgs,
}

impl Export {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        let model_file = model_source::file_of(&self.model, output)?;
        refuse_overwriting(std::slice::from_ref(&model_file), &self.output)?;
        refuse_overwriting(&self.verify, &self.output)?;
        let mut reading = self.table.with(Plugins::default());
        if self.verify.is_empty() {
            reading.refuse_all_for("only tables for --verify are read; leave it out, or give --verify")?;
        } else if let Source::Native(path) = Source::find(self.verify.clone())? {
            reading.refuse_all(&path)?;
        }
        let model = model_source::load(&model_file)?;
        let choice = self.plugins.choice(self.to)?;
        let format = export_model(&model, &self.output, &choice)?;
        let (what, path) = (&format.description, self.output.display());
        output.talk(format_args!("wrote {path}: {what}"));
        if self.verify.is_empty() {
            return Ok(());
        }
        if !format.is_read {
            let line = format!("{path} is not verified: this program writes {what} but does not read one");
            output.warn(line);
            return Ok(());
        }
        // The options are those of the file; tables that a plugin reads are read without.
        let plugins = choice.plugins.clone();
        let choice = FormatChoice { name: Some(format.format), ..choice };
        let back = import_model(&self.output, &choice)?;
        if let Some(reason) = model.encoding.mismatch(&back.encoding, true) {
            return Err(Failure::at(&self.output)(format!("does not read back: {reason}")));
        }
        if model.series != back.series {
            return Err(Failure::at(&self.output)("does not read back: it has other windows"));
        }
        let networks = [
            Trained::from_model(&model).map_err(Failure::at(&model_file))?,
            Trained::from_model(&back).map_err(Failure::at(&self.output))?,
        ];
        reading.options.format.plugins = plugins;
        let rows = Opened::for_model(self.verify, &model, false, reading, output)?;
        let dataset = &rows.dataset;
        if dataset.rows() == 0 {
            let reason = "has no rows, so nothing is verified: name data that has";
            return Err(Failure::at(dataset.path())(reason));
        }
        let largest = on_threads(self.threads.unwrap_or(0), || largest_difference(networks, dataset, output))??;
        let rows = dataset.rows();
        let count = model.series.map_or(rows, |series| series.windows_to_predict(rows));
        judge(largest, count, &self.output, output)
    }
}

fn judge(largest: f64, rows: u64, path: &Path, output: &Output) -> Result<(), Failure> {
    let found = format!("largest difference over {} rows: {}", thousands(rows), number(largest));
    match largest <= TOLERANCE {
        true => output.print(found),
        false => {
            let allowed = number(TOLERANCE);
            Err(Failure::at(path)(format!("{found}, at most {allowed} is accepted")))
        }
    }
}

/// By how much two networks differ on any row; not a number where one of them gives none.
fn largest_difference(
    networks: [Trained; 2],
    dataset: &Dataset,
    output: &Output,
) -> Result<f64, Failure> {
    let rows = Windows::to_predict(dataset, networks[0].series)?;
    let isa = Isa::from_env().map_err(|error| Failure::new(error.to_string()))?;
    let [mut ours, mut theirs] = networks.map(|network| Predictor::new(isa, network));
    let bar = RowsBar::new(output, "verifying", rows.rows());
    let batch = ours.batch().min(theirs.batch());
    let mut values = [vec![0.0; batch * ours.outputs()], vec![0.0; batch * theirs.outputs()]];
    let mut largest = 0.0;
    for start in (0..rows.rows()).step_by(batch) {
        let end = rows.rows().min(start + batch as u64);
        let count = (end - start) as usize * ours.outputs();
        let [expected, found] = values.each_mut().map(|values| &mut values[..count]);
        ours.predict(&rows, start..end, expected);
        theirs.predict(&rows, start..end, found);
        for (&expected, &found) in expected.iter().zip(&*found) {
            largest = worse(largest, difference(expected, found));
        }
        bar.advance(end);
    }
    dataset.check_unchanged()?;
    Ok(largest)
}

fn difference(expected: f32, found: f32) -> f64 {
    let (expected, found) = (f64::from(expected), f64::from(found));
    (expected - found).abs() / expected.abs().max(1.0)
}

/// The greater, where what is no number counts as the greatest.
fn worse(a: f64, b: f64) -> f64 {
    if b > a || b.is_nan() { b } else { a }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gristmill_io::{SynthOptions, synth};
    use gristmill_trainer::Session;
    use gristmill_trainer::config::RunConfig;
    use std::fs;

    #[test]
    fn nothing_is_verified_by_data_that_change_meanwhile() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("rows.grist");
        let write = |path: &Path, rows| {
            let options = SynthOptions { rows, features: 3, ..Default::default() };
            synth(path, &options, &()).unwrap();
        };
        write(&file, 600);
        let dataset = Dataset::open(&file).unwrap();
        let model = {
            let session = Session::new(&RunConfig::default(), Isa::from_env().unwrap(), &dataset, None);
            session.unwrap().model()
        };
        let compare = || {
            let networks = [&model, &model].map(|model| Trained::from_model(model).unwrap());
            largest_difference(networks, &dataset, &Output::new(true))
        };
        assert_eq!(compare().unwrap(), 0.0);
        // Overwritten in place: the rows that are mapped are then others.
        let other = directory.path().join("other.grist");
        write(&other, 700);
        fs::write(&file, fs::read(&other).unwrap()).unwrap();
        let error = compare().unwrap_err().message().unwrap();
        assert!(error.contains("rows.grist") && error.contains("changed"), "{error}");
    }

    #[test]
    fn differences_are_shares_of_large_predictions() {
        assert_eq!(difference(0.5, 0.25), 0.25);
        assert_eq!(difference(-200.0, -201.0), 0.005);
        assert_eq!(worse(0.1, 0.2), 0.2);
        assert_eq!(worse(0.2, 0.1), 0.2);
    }

    #[test]
    fn what_is_no_number_is_never_accepted() {
        let largest = [difference(f32::NAN, 0.0), 0.0].into_iter().fold(0.0, worse);
        assert!(largest.is_nan());
        let output = Output::new(true);
        assert!(judge(largest, 1, Path::new("m.onnx"), &output).is_err());
        assert!(judge(2.0 * TOLERANCE, 1, Path::new("m.onnx"), &output).is_err());
    }
}

//! `gristmill gradcheck`: are the gradients of a network right?

use crate::args::{Given, Network, count};
use crate::failure::Failure;
use crate::model_source;
use crate::output::Output;
use crate::report;
use crate::table::thousands;
use gristmill_trainer::Isa;
use gristmill_trainer::config::{DataShape, RunConfig, TargetShape};
use gristmill_trainer::gradcheck::{GradientReport, check_model, check_plan};
use serde_json::json;
use std::path::PathBuf;

/// More than this between backpropagation and differences, both in f64, is a mistake.
const DIFFERENCES_LIMIT: f64 = 1e-6;
/// More than this between f32 and f64 is a mistake.
const KERNELS_LIMIT: f64 = 1e-4;

/// Most features, outputs, classes and rows: differences take a pass for each parameter.
const MOST: usize = 1 << 16;

/// Compare gradients with differences of the loss, on random rows
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  gristmill gradcheck
  gristmill gradcheck --hidden 20,10 --activation gelu --loss huber
  gristmill gradcheck --features 30 --classes 5 --hidden 64
  gristmill gradcheck runs/iris-1/model.gristmill

Two errors are shown: of backpropagation in f64 against central differences of the loss, and of
the f32 kernels against backpropagation in f64. Exit code 1 if one is too large.")]
pub(crate) struct Gradcheck {
    /// Check the network of this model, or of the directory or a checkpoint of a run
    #[arg(conflicts_with_all = ["Network", "features", "outputs", "classes"])]
    model: Option<PathBuf>,
    /// Features of the network
    #[arg(long, value_name = "N", value_parser = count::<usize>, default_value_t = 10)]
    features: usize,
    /// Numbers that it predicts
    #[arg(
        long, value_name = "N", value_parser = count::<usize>,
        default_value_t = 3,
        conflicts_with = "classes"
    )]
    outputs: usize,
    /// Classes that it tells apart, in place of numbers
    #[arg(long, value_name = "N", value_parser = count::<usize>)]
    classes: Option<usize>,
    /// Random rows
    #[arg(long, value_name = "N", value_parser = count::<usize>, default_value_t = 16)]
    rows: usize,
    /// Number that weights and rows follow from
    #[arg(long, value_name = "N", value_parser = count::<u32>, default_value_t = 0)]
    seed: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    network: Given<Network>,
}

impl Gradcheck {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        let isa = Isa::from_env().map_err(|error| Failure::new(error.to_string()))?;
        if self.features == 0 || self.outputs == 0 || self.rows == 0 {
            return Err(Failure::usage("--features, --outputs and --rows must be at least 1"));
        }
        let counts = [
            ("features", self.features),
            ("outputs", self.outputs),
            ("classes", self.classes.unwrap_or(0)),
            ("rows", self.rows),
        ];
        if let Some((flag, count)) = counts.into_iter().find(|(_, count)| *count > MOST) {
            let text = format!("--{flag} is {count}: expected at most {MOST}, which take long enough");
            return Err(Failure::usage(text));
        }
        let json = self.json;
        let report = match &self.model {
            Some(path) => {
                let model = model_source::load(&model_source::file_of(path, output)?)?;
                output.talk(format_args!("network {}", report::model_line(&model)));
                check_model(isa, &model, self.rows, self.seed.into())?
            }
            None => self.check_described(isa)?,
        };
        let right = report.differences.largest_relative_error <= DIFFERENCES_LIMIT
            && report.kernels <= KERNELS_LIMIT;
        match json {
            true => output.print_data(as_json(isa, &report))?,
            false => output.print(as_text(isa, &report))?,
        }
        if right { Ok(()) } else { Err(Failure::new("the gradients do not agree")) }
    }

    fn check_described(self, isa: Isa) -> Result<GradientReport, Failure> {
        let config = RunConfig { seed: self.seed, ..Default::default() };
        let (config, _) = config.assign(&self.network.assignments)?;
        config.check_heeded(&self.network.assignments)?;
        let names: Vec<String> = (0..self.classes.unwrap_or(0)).map(|c| c.to_string()).collect();
        let target = match self.classes {
            Some(_) => TargetShape::Classes(&names),
            None => TargetShape::Numbers(self.outputs),
        };
        let plan = config.resolve(&DataShape { features: self.features, index_columns: &[], target })?;
        Ok(check_plan(isa, &plan, self.classes.is_some(), self.rows)?)
    }
}

fn as_text(isa: Isa, report: &GradientReport) -> String {
    let GradientReport { differences, kernels, worst } = report;
    format!(
        "f64 backpropagation against central differences: {:.2e}\n  \
         largest relative error of {} parameters, {} beside a kink left out\n\
         f32 kernels ({isa}) against f64 backpropagation: {kernels:.2e}\n  \
         largest error, in {worst}, relative to the largest element there\n\
         in training, with the statistics of the rows and without dropout",
        differences.largest_relative_error,
        thousands(differences.compared as u64),
        thousands(differences.skipped as u64),
    )
}

fn as_json(isa: Isa, report: &GradientReport) -> serde_json::Value {
    let GradientReport { differences, kernels, worst } = report;
    json!({
        "largest_relative_error": differences.largest_relative_error,
        "compared": differences.compared,
        "skipped": differences.skipped,
        "kernels_error": kernels,
        "kernels_worst": worst,
        "isa": isa.name(),
    })
}

//! `gristmill gradcheck`: are the gradients of a network right?

use crate::args::{Described, count};
use crate::failure::Failure;
use crate::model_source;
use crate::output::Output;
use crate::report;
use crate::table::thousands;
use gristmill_trainer::Isa;
use gristmill_trainer::config::TrainingPlan;
use gristmill_trainer::gradcheck::{GradientReport, check_model, check_plan};
use serde_json::json;
use std::path::PathBuf;

/// More than this between backpropagation and differences, both in f64, is a mistake.
const DIFFERENCES_LIMIT: f64 = 1e-6;
/// More than this between f32 and f64 is a mistake.
const KERNELS_LIMIT: f64 = 1e-4;

/// Most features, outputs and rows: differences take a pass for each parameter.
const MOST: usize = 1 << 16;

/// Compare gradients with differences of the loss, on random rows
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  gristmill gradcheck
  gristmill gradcheck --hidden 20,10 --activation gelu --loss huber
  gristmill gradcheck --features 30 --classes 5 --hidden 64
  gristmill gradcheck --shape 9x7x3 --layers \"conv 8 3x3, batch-norm, relu, pool 2\"
  gristmill gradcheck --config run.toml --classes 5
  gristmill gradcheck runs/iris-1/model.gristmill

Two errors are shown: of backpropagation in f64 against central differences of the loss, and of
the f32 kernels against backpropagation in f64. Exit code 1 if one is too large.")]
pub(crate) struct Gradcheck {
    /// Check the network of this model, or of the directory or a checkpoint of a run
    #[arg(conflicts_with_all = ["Network", "config", "data", "features", "outputs", "classes"])]
    model: Option<PathBuf>,
    /// Random rows
    #[arg(long, value_name = "N", value_parser = count::<usize>, default_value_t = 16)]
    rows: usize,
    /// Number that weights and rows follow from [default: that of the configuration, or 0]
    #[arg(long, value_name = "N", value_parser = count::<u32>)]
    seed: Option<u32>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    described: Described,
}

impl Gradcheck {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        let isa = Isa::from_env().map_err(|error| Failure::new(error.to_string()))?;
        if !(1..=MOST).contains(&self.rows) {
            let text = format!("--rows is {}: expected 1 to {MOST}, which take long enough", self.rows);
            return Err(Failure::usage(text));
        }
        let json = self.json;
        let report = match &self.model {
            Some(path) => {
                let model = model_source::load(&model_source::file_of(path, output)?)?;
                output.talk(format_args!("network {}", report::model_line(&model)));
                check_model(isa, &model, self.rows, self.seed.unwrap_or(0).into())?
            }
            None => {
                let plan = self.described.plan(self.seed)?;
                if let Some((what, count)) = too_many(&plan) {
                    return Err(Failure::usage(format!(
                        "the network has {count} {what}: expected at most {MOST}, which take long enough"
                    )));
                }
                check_plan(isa, &plan, self.rows)?
            }
        };
        let right = report.differences.largest_relative_error <= DIFFERENCES_LIMIT
            && report.kernels <= KERNELS_LIMIT;
        match json {
            true => output.print_data(as_json(isa, &report))?,
            false => output.print(as_text(isa, &report))?,
        }
        if right { Ok(()) } else { Err(Failure::new("the gradients do not agree")) }
    }
}

/// What a network has more of than can be checked in reasonable time.
fn too_many(plan: &TrainingPlan) -> Option<(&'static str, usize)> {
    let counts = [("features", plan.features.units()), ("outputs", plan.outputs())];
    counts.into_iter().find(|(_, count)| *count > MOST)
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

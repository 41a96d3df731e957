//! A network as options describe it, and the data that it would be for.

use super::count;
use super::{Given, Network};
use crate::config_file;
use crate::failure::Failure;
use gristmill_io::Dataset;
use gristmill_trainer::config::{DataShape, RunConfig, TargetShape, TrainingPlan};
use gristmill_trainer::data::samples::Samples;
use gristmill_trainer::data::windows::Windows;
use gristmill_trainer::layer::View;
use std::path::PathBuf;

/// Most features, outputs and classes.
const MOST: usize = 1 << 24;

/// Options of what is no run.
#[derive(clap::Args)]
pub(crate) struct Described {
    /// The network of this configuration, which may be the config.toml of a run; flags override it
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// For the features and the target of this data set
    #[arg(long, value_name = "DATA.grist", conflicts_with_all = ["features", "outputs", "classes"])]
    data: Option<PathBuf>,
    /// Features of a row [default: those of the shape, or 10]
    #[arg(long, value_name = "N", value_parser = count::<usize>)]
    features: Option<usize>,
    /// Numbers that it predicts [default: 3]
    #[arg(long, value_name = "N", value_parser = count::<usize>, conflicts_with = "classes")]
    outputs: Option<usize>,
    /// Classes that it tells apart, in place of numbers
    #[arg(long, value_name = "N", value_parser = count::<usize>)]
    classes: Option<usize>,
    #[command(flatten)]
    network: Given<Network>,
}

impl Described {
    /// The plan that a run would have.
    pub(crate) fn plan(&self, seed: Option<u32>) -> Result<TrainingPlan, Failure> {
        let of_file = self.config.as_deref().map(config_file::read).transpose()?;
        let mut config = of_file.unwrap_or_default();
        if let Some(seed) = seed {
            config.seed = seed;
        }
        let (config, _) = config.assign(&self.network.assignments)?;
        config.check_heeded(&self.network.assignments)?;
        match &self.data {
            Some(path) => Self::for_data(&config, &Dataset::open(path)?),
            None => self.for_counts(&config),
        }
    }

    fn for_data(config: &RunConfig, data: &Dataset) -> Result<TrainingPlan, Failure> {
        let rows = Windows::new(data, config.data.series())?;
        let Some(target) = TargetShape::of(&data.encoding().target) else {
            let path = data.path().display();
            return Err(Failure::new(format!("{path} has no target: name --outputs or --classes")));
        };
        let (features, index_columns) = (rows.features(), &rows.index_columns());
        let config = config.clone().on_data_of(rows.view());
        Ok(config.resolve(&DataShape { features, index_columns, target })?)
    }

    fn for_counts(&self, config: &RunConfig) -> Result<TrainingPlan, Failure> {
        let of_shape = config.data.shape.as_ref().map(|lengths| {
            // What is too large for a number is refused below.
            lengths.iter().fold(1usize, |product, &length| product.saturating_mul(length))
        });
        let of_row = self.features.unwrap_or(10);
        let window = config.data.window.map_or(1, |window| window as usize);
        let features = match (self.features, of_shape) {
            (None, Some(all)) => all,
            _ => of_row.saturating_mul(window),
        };
        let outputs = self.outputs.unwrap_or(3);
        let counts =
            [("features", features), ("outputs", outputs), ("classes", self.classes.unwrap_or(2))];
        if let Some((flag, count)) = counts.into_iter().find(|(_, n)| !(1..=MOST).contains(n)) {
            return Err(Failure::usage(format!("--{flag} is {count}: expected 1 to {MOST}")));
        }
        let names: Vec<String> = (0..self.classes.unwrap_or(0)).map(|c| c.to_string()).collect();
        let target = match self.classes {
            Some(_) => TargetShape::Classes(&names),
            None => TargetShape::Numbers(outputs),
        };
        let view = View { height: 1, width: window, channels: of_row };
        let config = config.clone().on_data_of((window > 1 && of_shape.is_none()).then_some(view));
        Ok(config.resolve(&DataShape { features, index_columns: &[], target })?)
    }
}

//! `gristmill synth`: a data set of any size that a network can learn.

use crate::args::count;
use crate::failure::Failure;
use crate::output::Output;
use crate::progress::DataBar;
use crate::table::thousands;
use gristmill_io::{Dtype, SynthOptions, SynthTarget, synth};
use std::path::PathBuf;

/// Make a synthetic data set that can be learned, for benchmarks and tests
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  gristmill synth -o higgs.grist --rows 4000000
  gristmill synth -o sorted.grist --rows 1000000 --classes 10 --sorted
  gristmill synth -o curve.grist --rows 100000 --features 8 --regression --noise 0.1
  gristmill synth -o bytes.grist --rows 2000000 --features 784 --classes 10 --dtype u8

The first 8 features decide the target, the others are noise. Each class lies around two
centres, so that no straight line tells classes apart; a number to predict is a quadratic function.
A row depends on the seed and its number alone: the same options make the same bytes.")]
pub(crate) struct Synth {
    /// The data set to write
    #[arg(short, long = "output", value_name = "DATA.grist")]
    output: PathBuf,
    /// Number of rows
    #[arg(
        long, value_name = "N", value_parser = count::<u64>,
        default_value_t = SynthOptions::default().rows
    )]
    rows: u64,
    /// Features per row
    #[arg(
        long, value_name = "N", value_parser = count::<usize>,
        default_value_t = SynthOptions::default().features
    )]
    features: usize,
    /// Number of classes
    #[arg(long, value_name = "N", value_parser = count::<u32>, default_value_t = 2)]
    classes: u32,
    /// A number to predict in place of a class
    #[arg(long, conflicts_with_all = ["classes", "sorted"])]
    regression: bool,
    /// Deviation of rows around the centre of their class, or of what is added to the number
    #[arg(long, value_name = "F", default_value_t = SynthOptions::default().noise)]
    noise: f32,
    /// Number that all rows follow from
    #[arg(long, value_name = "N", value_parser = count::<u64>, default_value_t = 0)]
    seed: u64,
    /// Put rows in the order of their classes
    #[arg(long)]
    sorted: bool,
    /// How features are stored: u8, f16 or f32
    #[arg(long, value_name = "TYPE", default_value_t = SynthOptions::default().dtype)]
    dtype: Dtype,
}

impl Synth {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        let target = match self.regression {
            true => SynthTarget::Number,
            false => SynthTarget::Classes(self.classes),
        };
        let Synth { rows, features, noise, seed, sorted, dtype, .. } = self;
        let options = SynthOptions { rows, features, target, noise, seed, sorted, dtype };
        let path = self.output.display();
        let bar = DataBar::new(output, format!("making {path}"))?;
        let summary = synth(&self.output, &options, &bar)?;
        drop(bar);
        output.talk(format_args!(
            "wrote {path}: {} rows, {} features stored as {}",
            thousands(summary.rows),
            summary.features,
            summary.dtype
        ));
        Ok(())
    }
}

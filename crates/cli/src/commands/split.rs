//! `gristmill split`: a data set divided at random.

use crate::args::{ReadArgs, count};
use crate::failure::Failure;
use crate::output::Output;
use crate::progress::DataBar;
use crate::source::{Opened, Source};
use crate::table::thousands;
use gristmill_io::{SplitOptions, refuse_overwriting, split};
use std::path::PathBuf;

/// Divide a data set at random, to train on one part and to test on another
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  gristmill split iris.grist
  gristmill split iris.csv --shares 0.7,0.15,0.15 --seed 3
  gristmill split prices.grist --shares 0.9,0.1 -o train.grist -o test.grist
  gristmill split higgs.grist --shares 0.01 -o sample.grist

Without -o the parts are called DATA-train.grist and DATA-test.grist, of three also
DATA-validation.grist, and DATA-1.grist, DATA-2.grist, ... of other numbers. Each has its
share of all rows and of those of each class, but for less than a row, in their old order; the same
seed draws the same rows. Parts may be trained on together: train PART PART.")]
pub(crate) struct Split {
    /// A data set, or tables
    #[arg(required = true, value_name = "DATA")]
    data: Vec<PathBuf>,
    /// The share of each part; what is missing to 1 goes to none
    #[arg(long, value_name = "SHARES", value_delimiter = ',', default_value = "0.8,0.2")]
    shares: Vec<f64>,
    /// A part to write; again for each further one
    #[arg(short, long = "output", value_name = "PART.grist")]
    output: Vec<PathBuf>,
    /// Number that the choice of rows follows from
    #[arg(long, value_name = "N", value_parser = count::<u64>, default_value_t = 0)]
    seed: u64,
    /// Draw rows whatever their class [default: each class is divided by itself]
    #[arg(long)]
    no_stratify: bool,
    #[command(flatten)]
    read: ReadArgs,
}

impl Split {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        let outputs = match self.output.is_empty() {
            false => self.output,
            true => {
                let stem = Source::find(self.data.clone())?.stem();
                let names = names(self.shares.len());
                names.into_iter().map(|name| format!("{stem}-{name}.grist").into()).collect()
            }
        };
        outputs.iter().try_for_each(|path| refuse_overwriting(&self.data, path))?;
        let (fractions, stratified) = (self.shares, !self.no_stratify);
        let mut options = SplitOptions { fractions, seed: self.seed, stratified };
        options.check(&outputs)?;
        let rows = Opened::open(self.data, self.read.reading()?, output)?;
        options.stratified &= !rows.dataset.class_counts().is_empty();
        let bar = DataBar::new(output, "splitting")?;
        let summaries = split(&rows.dataset, &outputs, &options, &bar)?;
        drop(bar);
        for (path, summary) in outputs.iter().zip(summaries) {
            output.talk(format_args!("wrote {}: {} rows", path.display(), thousands(summary.rows)));
        }
        Ok(())
    }
}

/// The names of `parts` parts.
fn names(parts: usize) -> Vec<String> {
    match parts {
        2 => ["train", "test"].map(str::to_owned).to_vec(),
        3 => ["train", "validation", "test"].map(str::to_owned).to_vec(),
        _ => (1..=parts).map(|part| part.to_string()).collect(),
    }
}

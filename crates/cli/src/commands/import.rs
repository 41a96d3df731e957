//! `gristmill import`: tables in, a data set out.

use crate::args::{LearnArgs, PluginArgs, TableArgs};
use crate::failure::Failure;
use crate::output::Output;
use crate::report;
use crate::source;
use gristmill_io::Plan;
use std::path::PathBuf;

/// Make a memory-mapped data set of tables
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  gristmill import iris.csv -o iris.grist
  gristmill import part-1.csv.gz part-2.csv.gz -o prices.grist --target price --drop id
  gristmill import irises.sqlite --option table=iris -o iris.grist
  gristmill import train-images-idx3-ubyte train-labels-idx1-ubyte -o mnist.grist

Text columns become one feature per category. Mean and deviation of every feature are
computed on the way and applied when a model is trained. Rows of several sources follow
one another.")]
pub(crate) struct Import {
    /// Tables to read, in any format of docs/formats.md
    #[arg(required = true, value_name = "SOURCE")]
    sources: Vec<PathBuf>,
    /// The data set to write
    #[arg(short, long = "output", value_name = "DATA.grist")]
    output: PathBuf,
    #[command(flatten)]
    learn: LearnArgs,
    #[command(flatten)]
    table: TableArgs,
    #[command(flatten)]
    plugins: PluginArgs,
}

impl Import {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        let plan = Plan::Learn(self.learn.options(self.table, self.plugins)?);
        let dataset = source::import_tables(&self.sources, &self.output, &plan, output)?;
        output.talk(report::target_line(dataset.encoding()));
        output.talk(format_args!("wrote {}", self.output.display()));
        Ok(())
    }
}

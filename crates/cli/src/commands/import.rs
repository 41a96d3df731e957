//! `gristmill import`: tables in, a data set out.

use crate::args::{ReadArgs, count};
use crate::failure::Failure;
use crate::output::Output;
use crate::report;
use crate::source;
use gristmill_io::model::View;
use gristmill_io::schema::Target;
use gristmill_io::{Plan, refuse_overwriting};
use gristmill_trainer::config::ByteSize;
use gristmill_trainer::on_threads;
use std::path::PathBuf;

/// Make a memory-mapped data set of tables
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  gristmill import iris.csv -o iris.grist
  gristmill import part-1.csv.gz part-2.csv.gz -o prices.grist --target price --drop id
  gristmill import 'clicks/2026-*.csv' -o clicks.grist --missing mean --memory 512M
  gristmill import irises.sqlite --option table=iris -o iris.grist
  gristmill import test.csv -o test.grist --like train.grist
  gristmill import flights.csv -o flights.grist --index airline,origin
  gristmill import train-images-idx3-ubyte train-labels-idx1-ubyte -o mnist.grist

Text columns become one feature per category; a column of --index becomes one, the index of
the category. Mean and deviation of every feature are computed on the way and applied when a
model is trained, but to indices. Rows of several sources follow one another; a pattern stands
for the files that match it, in the order of their names.
The data set has the same bytes for any number of threads and any memory, and appears when
it is complete: Ctrl-C leaves nothing, and what a killed import left is removed by the
next one in the same directory.")]
pub(crate) struct Import {
    /// Tables to read, also compressed by gzip or zstd, or patterns of file names; docs/formats.md lists
    /// the formats
    #[arg(required = true, value_name = "SOURCE")]
    sources: Vec<PathBuf>,
    /// The data set to write
    #[arg(short, long = "output", value_name = "DATA.grist")]
    output: PathBuf,
    /// Most memory to use, as 512M or 2G, at least 32M [default: some MiB a thread]
    #[arg(long, value_name = "SIZE")]
    memory: Option<ByteSize>,
    /// How the features of a row are arranged: 28x28x1 is height, width and channels, 100x13 steps and channels; layers
    /// that go over positions take them so [default: as the source says]
    #[arg(long, value_name = "LENGTHS", value_parser = view)]
    shape: Option<View>,
    /// Threads; the data set does not depend on it [default: every core]
    #[arg(
        long, value_name = "N", value_parser = count::<usize>,
        default_value_t = 0,
        hide_default_value = true
    )]
    threads: usize,
    #[command(flatten)]
    read: ReadArgs,
    /// Encode as this model, run or data set does: the same columns, categories, classes and values in place of
    /// missing ones, as parts of one whole need it
    #[arg(
        long, value_name = "MODEL|DATA",
        conflicts_with_all = ["target", "keep_target", "no_keep_target", "task", "drop", "category", "index", "number", "missing"],
        help_heading = "Reading tables"
    )]
    like: Option<PathBuf>,
}

impl Import {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        refuse_overwriting(&self.sources, &self.output)?;
        refuse_overwriting(self.like.as_slice(), &self.output)?;
        let mut options = self.read.reading()?.options;
        options.memory = self.memory.map(|ByteSize(bytes)| bytes);
        let view_of_like = self.like.as_deref().map(source::view_of).transpose()?.flatten();
        options.view = self.shape.or(view_of_like);
        let like = self.like.as_deref().map(source::encoding_of).transpose()?;
        let plan = match &like {
            Some(encoding) => {
                let with_target = encoding.target != Target::None;
                Plan::Fixed { encoding, with_target, options }
            }
            None => Plan::Learn(options),
        };
        let dataset = on_threads(self.threads, || {
            source::import_tables(&self.sources, &self.output, &plan, output)
        })??;
        if let Some(view) = dataset.view() {
            output.talk(format_args!("features arranged as {}", report::lengths(view)));
        }
        output.talk(report::target_line(dataset.encoding()));
        output.talk(format_args!("wrote {}", self.output.display()));
        Ok(())
    }
}

/// Numbers with an x between them.
fn view(text: &str) -> Result<View, String> {
    let lengths: Result<Vec<usize>, _> = text.split('x').map(|part| part.trim().parse()).collect();
    let (height, width, channels) = match lengths.as_deref() {
        Ok(&[steps, channels]) => (1, steps, channels),
        Ok(&[height, width, channels]) => (height, width, channels),
        _ => return Err("expected HEIGHTxWIDTHxCHANNELS or STEPSxCHANNELS, as 28x28x1 or 100x13".into()),
    };
    match height.min(width).min(channels) {
        0 => Err("expected lengths of at least 1".to_owned()),
        _ => Ok(View { height, width, channels }),
    }
}

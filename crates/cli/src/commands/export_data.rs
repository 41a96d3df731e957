//! `gristmill export-data`: a data set out, as a table that other programs read.

use crate::args::PluginArgs;
use crate::failure::Failure;
use crate::output::Output;
use crate::progress::DataBar;
use crate::report::{list, shell_quoted};
use crate::source::{self, Source};
use crate::table::thousands;
use gristmill_io::{Dataset, ExportSummary, Missing, export, refuse_overwriting};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Write a data set as CSV, Parquet, Arrow, NPZ or JSON Lines
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  gristmill export-data iris.grist -o iris.parquet
  gristmill export-data iris.grist -o iris.csv.gz
  gristmill export-data iris.grist -o iris.npz
  gristmill export-data iris.grist --format arrow -o iris.ipc

The table has the columns that the data set was imported from: text as text, classes by name, then
targets and weights. An import of it, with the options that are printed at the end, gives the same
encoding and numbers, to the bit. What was missing is written as what was filled in. Formats of a stream of bytes
(CSV, JSON Lines, Arrow) are compressed where the name ends in .gz or .zst. docs/formats.md has the
table of formats.")]
pub(crate) struct ExportData {
    /// A data set
    #[arg(value_name = "DATA.grist")]
    data: PathBuf,
    /// The file to write
    #[arg(short, long = "output", value_name = "FILE")]
    output: PathBuf,
    /// Format: csv, jsonl, npz, parquet, arrow or a plugin [default: by the ending of FILE]
    #[arg(long, value_name = "NAME")]
    format: Option<String>,
    #[command(flatten)]
    plugins: PluginArgs,
}

impl ExportData {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        refuse_overwriting(std::slice::from_ref(&self.data), &self.output)?;
        let dataset = match Source::find(vec![self.data.clone()])? {
            Source::Native(path) => source::open_native(&path)?,
            Source::Tables(paths) => {
                let path = paths.first().map_or_else(String::new, |path| path.display().to_string());
                let reason = "is no gristmill data set: a table has to be imported first";
                return Err(Failure::new(format!("{path} {reason}")));
            }
        };
        let bar = DataBar::new(output, format!("writing {}", self.output.display()))?;
        let choice = self.plugins.choice(self.format)?;
        let written = export(&dataset, &self.output, &choice, &bar)?;
        drop(bar);
        let (path, format) = (self.output.display(), &written.format);
        output.talk(format_args!("wrote {path}: {} rows as {format}", thousands(written.rows)));
        match &written.again.words[..] {
            [] => output.talk(format_args!(
                "to import it again, say{}",
                options(&dataset, &self.data, &written)
            )),
            words => output.warn(format_args!(
                "the data set knows the words of {} by their buckets alone, which were written: import their texts to have it again",
                list(words)
            )),
        }
        Ok(())
    }
}

/// What an import has to be told to read the table as the data set that it was.
fn options(dataset: &Dataset, data: &Path, written: &ExportSummary) -> String {
    let mut options = String::new();
    // Writing to a string cannot fail.
    if written.again.like {
        let _ = write!(options, " --like {}", shell_quoted(&data.display().to_string()));
    } else {
        for column in &written.again.category {
            let _ = write!(options, " --category {}", shell_quoted(column));
        }
        for column in &written.again.index {
            let _ = write!(options, " --index {}", shell_quoted(column));
        }
        for column in &written.again.number {
            let _ = write!(options, " --number {}", shell_quoted(column));
        }
        for target in &written.targets {
            let _ = write!(options, " --target {}", shell_quoted(target));
        }
        if written.again.keep_target {
            options += " --keep-target";
        }
        options += match dataset.class_counts() {
            [] => " --task regress",
            _ => " --task classify",
        };
        if written.again.missing == Missing::Mean {
            options += " --missing mean";
        }
    }
    if let Some(weights) = &written.weights {
        let _ = write!(options, " --weights {}", shell_quoted(weights));
    }
    if written.again.header {
        options += " --header";
    }
    options + &format!(" --dtype {}", dataset.dtype())
}

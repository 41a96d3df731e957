//! How a table is to be read.

use super::PluginArgs;
use crate::failure::Failure;
use clap::{Args, ValueEnum};
use gristmill_io::{Decimal, Dtype, FormatChoice, ImportOptions, Missing, Plugins, Task};

/// How a table is read whose encoding is known: a model's.
#[derive(Args)]
#[command(next_help_heading = "Reading tables")]
pub(crate) struct TableArgs {
    /// Format of the source, built in or a plugin; `gristmill formats` lists them
    /// [default: recognised by content, then by extension]
    #[arg(long, value_name = "NAME")]
    format: Option<String>,
    /// The first line is a header [default: recognised]
    #[arg(long, overrides_with = "no_header")]
    header: bool,
    /// The first line is data
    #[arg(long)]
    no_header: bool,
    /// What stands before the fraction of a number in a text: , or . [default: recognised]
    #[arg(long, value_name = ",|.")]
    decimal: Option<Decimal>,
    /// Text that stands for a missing value, beside none, NA, N/A, NaN, null and ?; again for each further one
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    na: Vec<String>,
    /// Column that says how much each row counts
    #[arg(long, value_name = "COL")]
    weights: Option<String>,
}

impl TableArgs {
    /// As the library takes them.
    pub(crate) fn options(self, plugins: PluginArgs) -> Result<ImportOptions, Failure> {
        let format = plugins.choice(self.format.clone())?;
        Ok(ImportOptions { format, ..self.with(Plugins::default()) })
    }

    /// The same, for tables that plugins without options may read.
    pub(crate) fn with(self, plugins: Plugins) -> ImportOptions {
        let header = match (self.header, self.no_header) {
            (false, false) => None,
            (header, _) => Some(header),
        };
        let format = FormatChoice { name: self.format, plugins, ..Default::default() };
        let TableArgs { decimal, na, weights, .. } = self;
        ImportOptions { format, header, decimal, na, weights, ..Default::default() }
    }
}

/// How a table is read whose encoding is to be learned.
#[derive(Args)]
#[group(skip)]
pub(crate) struct ReadArgs {
    #[command(flatten)]
    learn: LearnArgs,
    #[command(flatten)]
    table: TableArgs,
    #[command(flatten)]
    plugins: PluginArgs,
}

/// What is to be learned.
#[derive(Args)]
#[command(next_help_heading = "Reading tables")]
struct LearnArgs {
    /// Column to predict; again for each further numeric one
    /// [default: one named target, label, class or y, else the last]
    #[arg(long, value_name = "COL")]
    target: Vec<String>,
    /// What the target is [default: classes for text and for few whole numbers, else numbers]
    #[arg(long, value_enum)]
    task: Option<TaskName>,
    /// Column to leave out; again for each further one
    #[arg(long, value_name = "COL")]
    drop: Vec<String>,
    /// Column of texts, even if they look like numbers; again for each further one
    #[arg(long, value_name = "COL")]
    category: Vec<String>,
    /// What to do about a missing value: stop, or put the column's mean in its place
    #[arg(long, value_enum, default_value = "error")]
    missing: MissingName,
    /// How features are stored: u8, f16 or f32 [default: the narrowest that loses nothing]
    #[arg(long, value_name = "TYPE")]
    dtype: Option<Dtype>,
}

impl ReadArgs {
    /// As the library takes them.
    pub(crate) fn options(self) -> Result<ImportOptions, Failure> {
        let LearnArgs { target, task, drop, category, missing, dtype } = self.learn;
        Ok(ImportOptions {
            target,
            task: task.map(|task| match task {
                TaskName::Classify => Task::Classify,
                TaskName::Regress => Task::Regress,
            }),
            drop,
            category,
            missing: match missing {
                MissingName::Error => Missing::Error,
                MissingName::Mean => Missing::Mean,
            },
            dtype,
            ..self.table.options(self.plugins)?
        })
    }
}

#[derive(Clone, Copy, ValueEnum)]
enum TaskName {
    Classify,
    Regress,
}

#[derive(Clone, Copy, ValueEnum)]
enum MissingName {
    Error,
    Mean,
}

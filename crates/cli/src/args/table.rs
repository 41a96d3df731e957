//! How a table is to be read.

use super::PluginArgs;
use crate::failure::Failure;
use crate::report::shell_quoted;
use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};
use gristmill_io::{
    Decimal, Dtype, FormatChoice, ImportOptions, Missing, Plugins, Task, WordOptions,
};
use std::path::Path;

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
    /// Most steps of series of unequal length: what is longer is cut [default: those of the longest]
    #[arg(long, value_name = "N")]
    max_length: Option<usize>,
    /// Column that says how much each row counts
    #[arg(long, value_name = "COL")]
    weights: Option<String>,
}

impl TableArgs {
    /// As the library takes them.
    pub(crate) fn reading(self, plugins: PluginArgs) -> Result<Reading, Failure> {
        let format = plugins.choice(self.format.clone())?;
        let mut reading = self.with(Plugins::default());
        let options =
            format.options.iter().map(|(key, value)| given("option", &format!("{key}={value}")));
        reading.of_file.extend(options);
        reading.options.format = format;
        Ok(reading)
    }

    /// The same, for tables that plugins without options may read.
    pub(crate) fn with(self, plugins: Plugins) -> Reading {
        let header = match (self.header, self.no_header) {
            (false, false) => None,
            (header, _) => Some(header),
        };
        let name = self.format.as_deref();
        let of_file = [
            // A data set is of this format.
            name.filter(|name| !name.eq_ignore_ascii_case("grist"))
                .map(|name| given("format", name)),
            self.header.then(|| "--header".to_owned()),
            self.no_header.then(|| "--no-header".to_owned()),
            self.decimal.map(|_| "--decimal".to_owned()),
        ];
        let of_file = of_file.into_iter().flatten();
        let of_file = of_file.chain(self.max_length.map(|n| given("max-length", &n.to_string())));
        let of_file = of_file.chain(self.na.iter().map(|text| given("na", text)));
        let of_columns = self.weights.iter().map(|column| given("weights", column));
        Reading {
            of_file: of_file.collect(),
            of_columns: of_columns.collect(),
            is_missing_given: false,
            options: ImportOptions {
                format: FormatChoice { name: self.format, plugins, ..Default::default() },
                header,
                decimal: self.decimal,
                na: self.na,
                max_length: self.max_length,
                weights: self.weights,
                ..Default::default()
            },
        }
    }
}

fn given(flag: &str, value: &str) -> String {
    format!("--{flag} {}", shell_quoted(value))
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
    /// Make the target an input as well, whose past windows of a series then have [default: with train --window]
    #[arg(long, overrides_with = "no_keep_target")]
    keep_target: bool,
    /// Leave the past of the target out of windows
    #[arg(long)]
    no_keep_target: bool,
    /// What the target is [default: classes for text and for few whole numbers, else numbers]
    #[arg(long, value_enum, ignore_case = true)]
    task: Option<TaskName>,
    /// Column to leave out; again for each further one
    #[arg(long, value_name = "COL")]
    drop: Vec<String>,
    /// Column of texts, even if they look like numbers; again for each further one
    #[arg(long, value_name = "COL")]
    category: Vec<String>,
    /// Column whose values become the index of their category, as embeddings take it: one feature for any number of
    /// categories; also several with commas between
    #[arg(long, value_name = "COL[,COL]")]
    index: Vec<String>,
    /// Column of texts whose words become features, as "embedding 32 combine=mean" takes them; again for each further
    /// one
    #[arg(long, value_name = "COL")]
    text: Vec<String>,
    /// Words that are kept of a text [default: those of the longest, at most 1,024]
    #[arg(long, value_name = "N", requires = "text")]
    text_length: Option<u32>,
    /// Buckets that words are hashed to [default: 262,144]
    #[arg(long, value_name = "N", requires = "text")]
    text_buckets: Option<u32>,
    /// Longest runs of words that are hashed as well, 2 for pairs [default: 1]
    #[arg(long, value_name = "N", requires = "text")]
    text_ngrams: Option<u32>,
    /// Column of numbers, even if they begin with zeros, as codes do; again for each further one
    #[arg(long, value_name = "COL")]
    number: Vec<String>,
    /// What to do about a missing value: stop, or put the column's mean in its place [default: error]
    #[arg(long, value_enum, ignore_case = true)]
    missing: Option<MissingName>,
    /// How features are stored: u8, f16 or f32 [default: the narrowest that loses nothing]
    #[arg(long, value_name = "TYPE")]
    dtype: Option<Dtype>,
}

impl ReadArgs {
    /// As the library takes them.
    pub(crate) fn reading(self) -> Result<Reading, Failure> {
        let LearnArgs {
            target,
            keep_target,
            no_keep_target,
            task,
            drop,
            category,
            index,
            text,
            text_length,
            text_buckets,
            text_ngrams,
            number,
            missing,
            dtype,
        } = self.learn;
        let mut reading = self.table.reading(self.plugins)?;
        let named = |name: Option<PossibleValue>| {
            name.map_or_else(String::new, |n| n.get_name().to_owned())
        };
        let columns = &mut reading.of_columns;
        columns.extend(target.iter().map(|column| given("target", column)));
        columns.extend(keep_target.then(|| "--keep-target".to_owned()));
        columns.extend(no_keep_target.then(|| "--no-keep-target".to_owned()));
        columns.extend(drop.iter().map(|column| given("drop", column)));
        columns.extend(category.iter().map(|column| given("category", column)));
        columns.extend(index.iter().map(|column| given("index", column)));
        columns.extend(text.iter().map(|column| given("text", column)));
        columns.extend(number.iter().map(|column| given("number", column)));
        columns.extend(task.map(|task| given("task", &named(task.to_possible_value()))));
        columns
            .extend(missing.map(|missing| given("missing", &named(missing.to_possible_value()))));
        columns.extend(dtype.map(|dtype| given("dtype", dtype.name())));
        let options = &mut reading.options;
        (options.target, options.drop, options.dtype) = (target, drop, dtype);
        (options.category, options.index, options.number) = (category, index, number);
        options.text = text;
        let usual = WordOptions::default();
        options.words = WordOptions {
            length: text_length,
            buckets: text_buckets.unwrap_or(usual.buckets),
            ngrams: text_ngrams.unwrap_or(usual.ngrams),
        };
        options.keep_target = (keep_target || no_keep_target).then_some(keep_target);
        options.task = task.map(|task| match task {
            TaskName::Classify => Task::Classify,
            TaskName::Regress => Task::Regress,
        });
        options.missing = match missing {
            None => options.missing,
            Some(MissingName::Error) => Missing::Error,
            Some(MissingName::Mean) => Missing::Mean,
        };
        reading.is_missing_given = missing.is_some();
        Ok(reading)
    }
}

/// How tables are to be read, and the flags that say so: where no table is read they are refused.
pub(crate) struct Reading {
    /// As the library takes them.
    pub(crate) options: ImportOptions,
    /// Whether it was said what to do about missing values.
    pub(crate) is_missing_given: bool,
    /// Flags about the file: its format and its header.
    of_file: Vec<String>,
    /// Flags about what its columns become.
    of_columns: Vec<String>,
}

impl Reading {
    /// Refuses flags about columns that a table would be learned by, all but that of weights.
    pub(crate) fn refuse_learning(&self, dataset: &Path) -> Result<(), Failure> {
        let learned = self.of_columns.iter().filter(|flag| !flag.starts_with("--weights"));
        refuse_columns(dataset, learned.map(String::as_str))
    }

    /// Refuses any flag for a data set.
    pub(crate) fn refuse_all(&self, dataset: &Path) -> Result<(), Failure> {
        if let Some(first) = self.of_file.first() {
            let dataset = dataset.display();
            return Err(Failure::usage(format!(
                "{first}: {dataset} is a data set, which is not read as a table; leave it out"
            )));
        }
        refuse_columns(dataset, self.of_columns.iter().map(String::as_str))
    }

    /// Refuses flags about columns where they are shown as they are.
    pub(crate) fn refuse_columns_for(&self, reason: &str) -> Result<(), Failure> {
        refuse(self.of_columns.first(), reason)
    }

    /// Refuses any flag where nothing is read.
    pub(crate) fn refuse_all_for(&self, reason: &str) -> Result<(), Failure> {
        refuse(self.of_file.iter().chain(&self.of_columns).next(), reason)
    }
}

fn refuse_columns<'a>(dataset: &Path, flags: impl Iterator<Item = &'a str>) -> Result<(), Failure> {
    let flags: Vec<&str> = flags.collect();
    let [first, ..] = &flags[..] else { return Ok(()) };
    let (flags, dataset) = (flags.join(" "), dataset.display());
    Err(Failure::usage(format!(
        "{first}: {dataset} is a data set, whose columns were settled by its import; leave it out, or \
         make another: gristmill import {dataset} {flags} -o NEW.grist"
    )))
}

fn refuse(flag: Option<&String>, reason: &str) -> Result<(), Failure> {
    match flag {
        Some(flag) => Err(Failure::usage(format!("{flag}: {reason}"))),
        None => Ok(()),
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

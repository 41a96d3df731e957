//! `gristmill train`: a data set and a configuration in, a run directory with a model out.

mod configuration;

use crate::args::{Course, Given, Network, ReadArgs, Training};
use crate::failure::Failure;
use crate::interrupt;
use crate::output::Output;
use crate::progress::FitProgress;
use crate::report;
use crate::source::{self, Source};
use crate::table::{number, thousands};
use gristmill_io::model::Series;
use gristmill_io::{Checkpoint, Dataset, FileKind, ImportOptions, Plan};
use gristmill_trainer::config::Assignment;
use gristmill_trainer::data::feed::Paging;
use gristmill_trainer::run::{DATA, Draft, Run, VALIDATION};
use gristmill_trainer::{Isa, Outcome, Reason, Session, TrainError};
use std::fs;
use std::path::{Path, PathBuf};

/// Where runs go that are not given a place.
const RUNS: &str = "runs";

/// Train a network, or go on with a run that was stopped
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  gristmill train iris.csv --validation-split 0.2
  gristmill train 'day-*.csv' --target clicks --out runs/clicks
  gristmill train prices.grist --hidden 300,300 --activation gelu --loss huber --epochs 50
  gristmill train prices.grist --optimizer adamw --weight-decay 0.05 --schedule one-cycle
  gristmill train mails.csv --config run.toml --set early_stopping.metric=f1 --out runs/mails
  gristmill train prices.csv --target close --window 20 --horizon 1 --validation-split 0.2
  gristmill train --resume runs/mails --epochs 100

A run directory holds config.toml with every option of the run, metrics.csv with a line per
epoch, checkpoints/, and at the end model.gristmill. Tables are imported once, to data.grist
in the run directory. Options, flags and --set alike and in any order, override --config, which may
hold part of a config.toml; what gives way to them is said. An option that is given two values, or that
would do nothing beside the others, is refused.
Ctrl-C saves a checkpoint and ends the run, as does a terminal that is closed, unless by nohup;
a second Ctrl-C ends it at once.")]
pub(crate) struct Train {
    /// A data set, or tables or data sets that are imported as one; also patterns, as 'part-*.csv'
    #[arg(value_name = "DATA", required_unless_present_any = ["resume", "config", "set"])]
    data: Vec<PathBuf>,
    /// Options of the run
    #[arg(long, value_name = "RUN.toml")]
    config: Option<PathBuf>,
    /// Directory of the run, new or empty [default: the first free runs/DATA-1, runs/DATA-2, ...]
    #[arg(long, value_name = "RUN_DIR")]
    out: Option<PathBuf>,
    /// Go on with this run from its last checkpoint
    #[arg(long, value_name = "RUN_DIR", conflicts_with_all = [
        "data", "config", "out", "validation", "set", "Training", "Network", "LearnArgs", "TableArgs",
        "PluginArgs",
    ])]
    resume: Option<PathBuf>,
    /// Go on even if the data set has changed since the checkpoint, as when rows were added
    #[arg(long, requires = "resume")]
    accept_changed_data: bool,
    /// A data set or table to validate on
    #[arg(long, value_name = "FILE")]
    validation: Option<PathBuf>,
    #[command(flatten)]
    course: Given<Course>,
    #[command(flatten)]
    network: Given<Network>,
    #[command(flatten)]
    training: Given<Training>,
    /// Any option of a configuration, as in optimizer.beta1=0.8; again for each further one
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    #[command(flatten)]
    read: ReadArgs,
}

impl Train {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        let isa = Isa::from_env().map_err(|error| Failure::new(error.to_string()))?;
        match self.resume {
            Some(directory) => {
                let restore: Restore = match self.accept_changed_data {
                    true => |session, checkpoint| session.restore_on_changed_data(checkpoint),
                    false => |session, checkpoint| session.restore(checkpoint),
                };
                resume(&directory, &self.course.assignments, restore, isa, output)
            }
            None => self.start(isa, output),
        }
    }

    fn start(self, isa: Isa, output: &Output) -> Result<(), Failure> {
        let mut config = self.configuration(output)?;
        let validates = config.validation.split > 0.0 || config.validation.file.is_some();
        config.early_stopping.check_validation(validates)?;
        let paths = if self.data.is_empty() {
            Vec::from_iter(config.data.path.clone())
        } else {
            self.data
        };
        if paths.is_empty() {
            let hint = "name a file, or give data.path in the configuration";
            return Err(Failure::usage(format!("there is no data to train on: {hint}")));
        }
        let source = Source::find(paths)?;
        let validation = config.validation.file.take();
        let validation = validation.map(|file| Source::find(vec![file])).transpose()?;
        let reading = self.read.reading()?;
        if let Source::Native(path) = &source {
            match validation {
                // Its file is read as a table, by what the data set knows of the columns.
                Some(Source::Tables(_)) => reading.refuse_learning(path)?,
                _ => reading.refuse_all(path)?,
            }
        }
        let mut options = reading.options;
        let series = config.data.series();
        check_parts(&source, series.is_some())?;
        if series.is_some_and(|series| series.horizon > 0) {
            // What users of windows expect, unless they say otherwise or a data set does.
            options.keep_target = options.keep_target.or(Some(true));
        }
        let mut draft = match &self.out {
            Some(path) => Draft::create(path)?,
            None => Draft::numbered(Path::new(RUNS), &source.stem())?,
        };
        let validation_options = ImportOptions {
            format: options.format.clone(),
            header: options.header,
            decimal: options.decimal,
            na: options.na.clone(),
            max_length: options.max_length,
            weights: options.weights.clone(),
            ..Default::default()
        };
        let mut prepare =
            |source, name, plan: &Plan| prepare(source, &mut draft, name, plan, output);
        let (train, path) = prepare(source, DATA, &Plan::Learn(options))?;
        config.data.path = Some(path);
        let validation = match validation {
            None => None,
            Some(source) => {
                let plan = Plan::Fixed {
                    encoding: train.encoding(),
                    with_target: true,
                    options: validation_options,
                };
                let (dataset, path) = prepare(source, VALIDATION, &plan)?;
                config.validation.file = Some(path);
                Some(dataset)
            }
        };
        let session = Session::new(&config, isa, &train, validation.as_ref())?;
        if series.is_none()
            && let (None, Some(shape)) = (&config.data.shape, &session.config().data.shape)
        {
            let lengths: Vec<String> = shape.iter().map(usize::to_string).collect();
            let lengths = lengths.join("x");
            output.talk(format_args!("features arranged as {lengths}, as the data say; --shape says otherwise"));
        }
        let run = draft.start(session.config())?;
        fit(run, session, output)
    }
}

/// Refuses several data sets as one series: which rows follow one another in time is not known.
fn check_parts(source: &Source, is_series: bool) -> Result<(), Failure> {
    let Source::Tables(paths) = source else { return Ok(()) };
    let is_native = |path: &&PathBuf| matches!(FileKind::of(path), Ok(Some(FileKind::Dataset)));
    let count = paths.iter().filter(is_native).count();
    match is_series && count > 1 {
        false => Ok(()),
        true => Err(Failure::usage(format!(
            "--window: {count} data sets are given, and what is in them need not follow one another in time: import \
             them in the order of time as one (gristmill import A.grist B.grist -o ALL.grist), unless they were \
             drawn at random"
        ))),
    }
}

/// Opens a data set, or imports tables into the directory of the run. The path is as the run's
/// configuration is to have it: absolute, or relative to the directory.
fn prepare(
    source: Source,
    draft: &mut Draft,
    name: &str,
    plan: &Plan,
    output: &Output,
) -> Result<(Dataset, PathBuf), Failure> {
    match source {
        Source::Native(path) => {
            let dataset = source::open_native(&path)?;
            let absolute = fs::canonicalize(&path).map_err(Failure::io("open", &path))?;
            Ok((dataset, absolute))
        }
        Source::Tables(paths) => {
            let import = |to: &Path| source::import_tables(&paths, to, plan, output);
            Ok((draft.import(name, import)?, name.into()))
        }
    }
}

/// Brings a session to where a checkpoint was saved.
type Restore = for<'d> fn(&mut Session<'d, Dataset>, &Checkpoint) -> Result<(), TrainError>;

fn resume(
    directory: &Path,
    course: &[Assignment],
    restore: Restore,
    isa: Isa,
    output: &Output,
) -> Result<(), Failure> {
    let (mut run, checkpoint) = Run::open(directory, &mut |warning| output.warn(warning))?;
    let (config, _) = run.config().assign(course)?;
    config.check()?;
    let seen = config.clone().seen_from(directory);
    let Some(path) = seen.data.path else {
        let directory = directory.display();
        return Err(Failure::new(format!("{directory}: config.toml lacks data.path")));
    };
    let train = source::open_native(&path)?;
    let validation = seen.validation.file.map(|path| source::open_native(&path)).transpose()?;
    let mut session = Session::new(&config, isa, &train, validation.as_ref())?;
    match &checkpoint {
        Some(checkpoint) => {
            restore(&mut session, checkpoint).map_err(explain)?;
            let (epoch, step_in_epoch) = session.position();
            let is_given = course.iter().any(|option| option.key() == "training.epochs");
            let epochs = config.training.epochs;
            if is_given
                && (epochs < epoch || epochs == epoch && step_in_epoch > 0)
            {
                return Err(Failure::usage(format!(
                    "--epochs {epochs}: the run has trained {epoch} epochs and {step_in_epoch} steps \
                     already; give more to go on"
                )));
            }
            output.talk(match session.ended() {
                None => format!("resuming after {epoch} epochs and {step_in_epoch} steps"),
                Some(Reason::Finished) => {
                    format!("the run has ended after {epoch} epochs; a larger --epochs goes on")
                }
                Some(_) => format!("the run has ended after {epoch} epochs"),
            });
        }
        None => output.warn("the run had saved no checkpoint yet: it starts from the beginning"),
    }
    run.set_config(&config)?;
    fit(run, session, output)
}

/// Says how to go on where data have changed.
fn explain(error: TrainError) -> Failure {
    match error {
        TrainError::DataChanged { .. } => Failure::new(format!(
            "{error}: restore the file, or go on with what it is now by --accept-changed-data"
        )),
        other => other.into(),
    }
}

/// Trains, and reports the end.
fn fit(
    mut run: Run,
    mut session: Session<'_, Dataset>,
    output: &Output,
) -> Result<(), Failure> {
    if session.ended().is_none() {
        announce(&run, &session, output);
    }
    let interrupted = interrupt::flag();
    let mut progress = FitProgress::new(output, &interrupted);
    let outcome = run.fit(&mut session, &mut progress)?;
    drop(progress);
    if outcome.reason == Reason::Interrupted {
        let directory = run.path().display();
        return Err(Failure::Interrupted(format!(
            "interrupted and saved; to go on: gristmill train --resume {directory}"
        )));
    }
    conclude(&run, &session, outcome, output)
}

/// What is about to be trained, on what.
fn announce(run: &Run, session: &Session<'_, Dataset>, output: &Output) {
    let network = session.network();
    if let Some(series) = session.series() {
        output.talk(series_lines(series, session));
    }
    let (rows, validation) = session.row_counts();
    let (what, per_row) = match session.series() {
        None => ("rows", 1),
        Some(series) => ("windows", series.window as usize),
    };
    let validation = match validation {
        0 => String::new(),
        rows => format!(" and {} to validate on", thousands(rows)),
    };
    let seconds = session.expected_epoch_seconds();
    let disk = match session.paging() {
        Paging::AheadAndDrop => {
            let rate = rows as f64 * session.row_bytes() as f64 / seconds / 1e6;
            format!(" if the disk gives {} MB/s", thousands(rate.ceil() as u64))
        }
        Paging::Scattered => " and the time that the disk takes to find its rows".to_owned(),
        Paging::None | Paging::Load | Paging::Ahead => String::new(),
    };
    output.talk(format_args!(
        "training {} on {} {what} of {} features{validation}\n\
         network {}: {} parameters\n\
         instruction set {}, {} threads\n\
         rows {}; {}",
        run.path().display(),
        thousands(rows),
        thousands((network.inputs() / per_row) as u64),
        report::training_line(network),
        thousands(network.layout().parameters() as u64),
        session.isa(),
        session.threads(),
        report::order_line(session.shuffling(), session.row_bytes()),
        report::paging_line(session.paging()),
    ));
    if seconds >= report::A_MOMENT {
        let seconds = number(seconds);
        output.talk(format_args!("an epoch should take about {seconds} s{disk}"));
    }
}

/// Which rows a sample has, and whether the past of the target is among them.
fn series_lines(series: Series, session: &Session<'_, Dataset>) -> String {
    let encoding = session.encoding();
    let kept = encoding.kept_targets();
    let missing: Vec<&String> =
        encoding.target.columns().iter().filter(|name| !kept.contains(&name.as_str())).collect();
    let past = match (&missing[..], &kept[..]) {
        ([], kept) => format!("the past of {} is among the inputs", kept.join(", ")),
        ([first, ..], _) => format!(
            "the past of {first} is not among the inputs; import with --keep-target to learn from it too"
        ),
    };
    let held_out = match session.config().validation.split > 0.0 {
        true => "\nthe last rows are held out to validate on, as windows that have no row of those learned from",
        false => "",
    };
    format!("windows of {}; {past}{held_out}", report::series_line(series))
}

/// The metrics of the epoch that the model is of, and where it is.
fn conclude(
    run: &Run,
    session: &Session<'_, Dataset>,
    outcome: Outcome,
    output: &Output,
) -> Result<(), Failure> {
    if outcome.reason == Reason::EarlyStopped {
        let epochs = outcome.epochs;
        output.talk(format_args!("stopped early after {epochs} epochs: no more improvement"));
    }
    if let Some(line) = report::time_line(&outcome) {
        output.talk(line);
    }
    let epoch = outcome.restored.unwrap_or(outcome.epochs);
    let mut result = format!("epoch: {epoch}\n");
    if let Some(row) = session.history().iter().find(|row| row.epoch == epoch) {
        for (name, value) in &row.values {
            result += &format!("{name}: {}\n", number(*value));
        }
    }
    output.print(format_args!("{result}model: {}", run.model_path().display()))
}

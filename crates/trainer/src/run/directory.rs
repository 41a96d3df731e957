//! A run on disk: its configuration, its checkpoints, and the metrics and model that a session writes.

use super::error::RunError;
use super::files::{CHECKPOINTS, CONFIG, MODEL};
use super::lock::Lock;
use super::metrics::MetricsFile;
use super::small::{read, write};
use crate::config::RunConfig;
use crate::data::samples::Samples;
use crate::observer::{Control, EpochReport, EpochStart, Observer, StepReport};
use crate::session::{CheckpointView, Outcome, Reason, Session};
use gristmill_io::{Checkpoint, TensorData, remove_stale_files};
use std::path::{Path, PathBuf};

/// The directory of a run, locked against other processes while this value lives.
#[derive(Debug)]
pub struct Run {
    path: PathBuf,
    config: RunConfig,
    metrics: MetricsFile,
    _lock: Lock,
}

impl Run {
    /// What a draft has become.
    pub(super) fn of_draft(
        path: PathBuf,
        config: RunConfig,
        metrics: MetricsFile,
        lock: Lock,
    ) -> Run {
        Run { path, config, metrics, _lock: lock }
    }

    /// Opens a run to resume it, with the newest checkpoint that can be read; `None` if the run was
    /// killed before it had saved any. `warn` is told of those that cannot be read.
    ///
    /// # Errors
    /// There is no run at `path`, another process trains there, its configuration cannot be read, or
    /// it has checkpoints but all are damaged.
    pub fn open(
        path: &Path,
        warn: &mut dyn FnMut(&str),
    ) -> Result<(Run, Option<Checkpoint>), RunError> {
        let config_path = path.join(CONFIG);
        if !config_path.exists() {
            return Err(RunError::NoRun(path.to_owned()));
        }
        let lock = Lock::take(path)?;
        let text = read(&config_path)?;
        let config = RunConfig::from_toml(&text)
            .map_err(|source| RunError::Config { path: config_path, source })?;
        let checkpoints = path.join(CHECKPOINTS);
        remove_stale_files(&checkpoints);
        let found = Checkpoint::newest_valid(&checkpoints)?;
        if let Some((newest, _)) = &found {
            for damaged in Checkpoint::list(&checkpoints)?.iter().take_while(|p| *p != newest) {
                let (damaged, newest) = (damaged.display(), newest.display());
                warn(&format!(
                    "{damaged} cannot be resumed; going on from the one before, {newest}"
                ));
            }
        }
        let checkpoint = found.map(|(_, checkpoint)| checkpoint);
        let metrics = MetricsFile::open(path, checkpoint.as_ref().map_or(0, |c| c.epoch))?;
        Ok((Run { path: path.to_owned(), config, metrics, _lock: lock }, checkpoint))
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The configuration as it is written, its paths relative to the directory.
    pub fn config(&self) -> &RunConfig {
        &self.config
    }

    /// Where the model is, once the run has ended.
    pub fn model_path(&self) -> PathBuf {
        self.path.join(MODEL)
    }

    /// Replaces the configuration, as when a run is to be longer than was planned.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn set_config(&mut self, config: &RunConfig) -> Result<(), RunError> {
        if self.config != *config {
            write(&self.path.join(CONFIG), &config.to_toml())?;
            self.config = config.clone();
        }
        Ok(())
    }

    /// Saves a checkpoint, and deletes those that are older than the newest few.
    ///
    /// # Errors
    /// It cannot be written; those before are then as they were.
    pub fn save_checkpoint<T: TensorData>(
        &self,
        checkpoint: &Checkpoint<T>,
    ) -> Result<(), RunError> {
        Ok(save_checkpoint(&self.path, checkpoint, self.config.checkpoint.keep)?)
    }

    /// Trains the session to its end, and keeps the directory up to date: a line in the metrics per
    /// epoch, checkpoints when they are due, and the model unless the observer stopped the run.
    ///
    /// # Errors
    /// The loss is no longer a number, or a file cannot be written.
    pub fn fit<S: Samples>(
        &mut self,
        session: &mut Session<'_, S>,
        observer: &mut dyn Observer,
    ) -> Result<Outcome, RunError> {
        let (path, keep) = (self.path.clone(), self.config.checkpoint.keep);
        let mut recorder = Recorder { observer, metrics: &mut self.metrics, failure: None };
        let mut save =
            |checkpoint: &CheckpointView<'_>| Ok(save_checkpoint(&path, checkpoint, keep)?);
        let outcome = session.fit(&mut recorder, &mut save)?;
        if let Some(failure) = recorder.failure {
            return Err(failure);
        }
        if outcome.reason != Reason::Interrupted {
            session.model().save(&self.model_path())?;
        }
        Ok(outcome)
    }

    /// Appends an epoch's line to the metrics.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn record(&mut self, report: &EpochReport) -> Result<(), RunError> {
        self.metrics.append(report)
    }
}

fn save_checkpoint<T: TensorData>(
    run: &Path,
    checkpoint: &Checkpoint<T>,
    keep: usize,
) -> Result<(), gristmill_io::Error> {
    let directory = run.join(CHECKPOINTS);
    checkpoint.save(&Checkpoint::path_in(&directory, checkpoint.step))?;
    Checkpoint::prune(&directory, checkpoint.step, keep)
}

/// Passes on what a session tells, and writes the metrics.
struct Recorder<'a> {
    observer: &'a mut dyn Observer,
    metrics: &'a mut MetricsFile,
    /// Why the metrics could not be written; the run stops then.
    failure: Option<RunError>,
}

impl Observer for Recorder<'_> {
    fn epoch_begin(&mut self, start: &EpochStart) {
        self.observer.epoch_begin(start);
    }

    fn step(&mut self, report: &StepReport) -> Control {
        match (self.observer.step(report), &self.failure) {
            (Control::Continue, None) => Control::Continue,
            _ => Control::Stop,
        }
    }

    fn epoch_end(&mut self, report: &EpochReport) {
        self.failure = self.metrics.append(report).err().or(self.failure.take());
        self.observer.epoch_end(report);
    }

    fn warn(&mut self, message: &str) {
        self.observer.warn(message);
    }
}

//! The directory of a run: what is in it, who may write to it, and how it is resumed.
//!
//! ```text
//! config.toml        every option, every default spelled out
//! data.grist         the imported data set, if the source was none (validation.grist likewise)
//! metrics.csv        a line per epoch
//! checkpoints/       step-000000001234.checkpoint, the newest few
//! model.gristmill    the trained model, once the run has ended
//! lock               held while a process trains here
//! ```

use crate::config::{ConfigError, RunConfig};
use crate::data::samples::Samples;
use crate::error::TrainError;
use crate::observer::{Control, EpochReport, EpochStart, Observer, StepReport};
use crate::session::{Outcome, Reason, Session};
use gristmill_io::{AtomicFile, Checkpoint};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

const CONFIG: &str = "config.toml";
const METRICS: &str = "metrics.csv";
const CHECKPOINTS: &str = "checkpoints";
const MODEL: &str = "model.gristmill";
const LOCK: &str = "lock";

/// A run directory that is being prepared: data may be imported into it, but it is no run yet.
/// Unless it becomes one, it is removed again.
#[derive(Debug)]
pub struct Draft {
    lock: File,
    leftover: Leftover,
}

impl Draft {
    /// Prepares `path`, which must not exist, be empty, or be the draft of a killed process.
    ///
    /// # Errors
    /// There is a run or something else at `path`, another process uses it, or it cannot be made.
    pub fn create(path: &Path) -> Result<Draft, RunError> {
        if path.join(CONFIG).exists() {
            return Err(RunError::Exists(path.to_owned()));
        }
        let made = !path.exists();
        fs::create_dir_all(path).map_err(RunError::io("create", path))?;
        let mut entries = fs::read_dir(path).map_err(RunError::io("read", path))?;
        if entries.next().is_some() && !path.join(LOCK).exists() {
            return Err(RunError::NotEmpty(path.to_owned()));
        }
        Draft::lock(path, made)
    }

    /// Prepares the first of `parent/name-1`, `parent/name-2`, ... where there is room.
    ///
    /// # Errors
    /// The directory cannot be made.
    pub fn numbered(parent: &Path, name: &str) -> Result<Draft, RunError> {
        let mut number = 1u64;
        loop {
            match Draft::create(&parent.join(format!("{name}-{number}"))) {
                Err(RunError::Exists(_) | RunError::NotEmpty(_) | RunError::Locked(_)) => {
                    number += 1;
                }
                result => return result,
            }
        }
    }

    fn lock(path: &Path, made: bool) -> Result<Draft, RunError> {
        let lock = lock(path)?;
        Ok(Draft { lock, leftover: Leftover { path: path.to_owned(), made, keep: false } })
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.leftover.path
    }

    /// Makes it a run with this configuration, whose paths are relative to the directory.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn start(mut self, config: &RunConfig) -> Result<Run, RunError> {
        let path = self.path().to_owned();
        let checkpoints = path.join(CHECKPOINTS);
        fs::create_dir_all(&checkpoints).map_err(RunError::io("create", &checkpoints))?;
        let metrics = MetricsFile::open(&path, 0)?;
        write(&path.join(CONFIG), &config.to_toml())?;
        self.leftover.keep = true;
        Ok(Run { path, config: config.clone(), metrics, _lock: self.lock })
    }
}

/// Removes what a draft left, unless it became a run.
#[derive(Debug)]
struct Leftover {
    path: PathBuf,
    /// Whether the directory itself was made for the draft, and not only what is in it.
    made: bool,
    keep: bool,
}

impl Drop for Leftover {
    fn drop(&mut self) {
        // Whatever cannot be removed is taken over by the next draft of this name.
        if self.made && !self.keep {
            let _ = fs::remove_dir_all(&self.path);
        } else if !self.keep {
            for entry in fs::read_dir(&self.path).into_iter().flatten().flatten() {
                let _ = fs::remove_file(entry.path()).or_else(|_| fs::remove_dir(entry.path()));
            }
        }
    }
}

/// The directory of a run, locked against other processes while this value lives.
#[derive(Debug)]
pub struct Run {
    path: PathBuf,
    config: RunConfig,
    metrics: MetricsFile,
    /// The system releases it when it is closed, also if the process is killed.
    _lock: File,
}

impl Run {
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
        if !config_path.is_file() {
            return Err(RunError::NoRun(path.to_owned()));
        }
        let lock = lock(path)?;
        let text = fs::read_to_string(&config_path).map_err(RunError::io("read", &config_path))?;
        let config = RunConfig::from_toml(&text)
            .map_err(|source| RunError::Config { path: config_path, source })?;
        let checkpoints = path.join(CHECKPOINTS);
        remove_temporary_files(&checkpoints);
        let found = Checkpoint::newest_valid(&checkpoints)?;
        if let Some((newest, _)) = &found {
            for damaged in Checkpoint::list(&checkpoints)?.iter().take_while(|p| *p != newest) {
                let (damaged, newest) = (damaged.display(), newest.display());
                warn(&format!("{damaged} is damaged; going on from the one before, {newest}"));
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
    pub fn save_checkpoint(&self, checkpoint: &Checkpoint) -> Result<(), RunError> {
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
        let mut save = |checkpoint: &Checkpoint| Ok(save_checkpoint(&path, checkpoint, keep)?);
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

fn save_checkpoint(
    run: &Path,
    checkpoint: &Checkpoint,
    keep: usize,
) -> Result<(), gristmill_io::Error> {
    let directory = run.join(CHECKPOINTS);
    checkpoint.save(&Checkpoint::path_in(&directory, checkpoint.step))?;
    Checkpoint::prune(&directory, keep)
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

/// The open `metrics.csv`.
#[derive(Debug)]
struct MetricsFile {
    path: PathBuf,
    file: File,
    /// Whether the file is still without its line of names.
    empty: bool,
}

impl MetricsFile {
    /// Opens the file to append to it. The lines of epochs after `epochs` are dropped: the run goes on
    /// from there and will write them again.
    fn open(directory: &Path, epochs: u32) -> Result<MetricsFile, RunError> {
        let path = directory.join(METRICS);
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            text => text.map_err(RunError::io("read", &path))?,
        };
        let is_kept = |line: &str| {
            let epoch = line.split(',').next().and_then(|epoch| epoch.parse::<u32>().ok());
            line.ends_with('\n') && epoch.is_none_or(|epoch| epoch <= epochs)
        };
        let kept: String = text.split_inclusive('\n').filter(|line| is_kept(line)).collect();
        write(&path, &kept)?;
        let file = OpenOptions::new().append(true).open(&path);
        let file = file.map_err(RunError::io("open", &path))?;
        Ok(MetricsFile { path, file, empty: kept.is_empty() })
    }

    fn append(&mut self, report: &EpochReport) -> Result<(), RunError> {
        let columns = columns(report);
        let mut text = String::new();
        if self.empty {
            let names: String = columns.iter().map(|(name, _)| format!(",{name}")).collect();
            text += &format!("epoch{names}\n");
        }
        let values: String = columns.iter().map(|(_, value)| format!(",{value}")).collect();
        text += &format!("{}{values}\n", report.epoch);
        self.empty = false;
        self.file.write_all(text.as_bytes()).map_err(RunError::io("write", &self.path))
    }
}

/// What a line of the metrics has after the number of the epoch.
fn columns(report: &EpochReport) -> Vec<(String, f64)> {
    let mut columns = vec![
        ("learning_rate".to_owned(), report.learning_rate),
        ("train_loss".to_owned(), report.train_loss),
    ];
    columns.extend(report.train.iter().map(|(m, value)| (format!("train_{m}"), *value)));
    columns.extend(report.validation.iter().map(|(m, value)| (format!("val_{m}"), *value)));
    columns.push(("seconds".to_owned(), report.seconds));
    columns.push(("samples_per_second".to_owned(), report.samples_per_second));
    columns
}

/// Writes a small file as a whole or not at all.
fn write(path: &Path, text: &str) -> Result<(), RunError> {
    let mut file = AtomicFile::create(path)?;
    file.write_all(text.as_bytes()).map_err(RunError::io("write", path))?;
    Ok(file.commit()?)
}

/// Takes the lock of a run directory. Where the file system has no locks it is the user's care that
/// no two processes train in one directory.
fn lock(directory: &Path) -> Result<File, RunError> {
    let path = directory.join(LOCK);
    let file = OpenOptions::new().create(true).append(true).open(&path);
    let file = file.map_err(RunError::io("open", &path))?;
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Err(RunError::Locked(directory.to_owned())),
        Ok(()) | Err(TryLockError::Error(_)) => Ok(file),
    }
}

/// Removes what a process that was killed during a save left; the lock says that it is dead.
fn remove_temporary_files(directory: &Path) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with('.') && name.ends_with(".tmp") {
            // One that stays only takes space.
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Why a run cannot be started, resumed or saved.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// A new run would overwrite one.
    #[error("{} already holds a run: resume that one, or choose another directory", .0.display())]
    Exists(PathBuf),
    /// The directory holds something else.
    #[error("{} is not empty: choose another directory for the run", .0.display())]
    NotEmpty(PathBuf),
    /// There is nothing to resume.
    #[error("{} holds no run: there is no {CONFIG} in it", .0.display())]
    NoRun(PathBuf),
    /// Another process has the directory.
    #[error("{} is in use: another process trains there", .0.display())]
    Locked(PathBuf),
    /// The configuration cannot be used.
    #[error("{}: {source}", .path.display())]
    Config {
        /// The configuration file.
        path: PathBuf,
        /// What is wrong with it.
        source: ConfigError,
    },
    /// The training itself failed.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] gristmill_io::Error),
}

impl RunError {
    fn io<'a>(action: &'static str, path: &'a Path) -> impl Fn(io::Error) -> RunError + 'a {
        move |source| {
            RunError::File(gristmill_io::Error::Io { action, path: path.to_owned(), source })
        }
    }
}

//! Checkpoints: everything that the next training step depends on, and the directory they are kept in.

use crate::atomic::sync_directory;
use crate::error::{Error, Result};
use crate::kind::FileKind;
use crate::schema::Encoding;
use crate::tensor::{Tensor, TensorData, TensorInfo, TensorStream};
use crate::tensor_file::{self, TensorFile};
use crate::wire::EncodingWire;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};

/// File name extension of checkpoints.
const EXTENSION: &str = "checkpoint";

/// A run as it stands between two steps. Its tensors are a [`Tensor`] each where they are in memory, a
/// [`TensorStream`] while they are part of a run, and a [`TensorInfo`] where only their names are known.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint<T = Tensor<'static>> {
    /// The run's configuration as TOML.
    pub config: String,
    /// [`crate::Dataset::fingerprint`] of the training data.
    pub fingerprint: u64,
    /// The training data's encoding.
    pub encoding: Encoding,
    /// Epochs completed.
    pub epoch: u32,
    /// Steps done in the epoch under way.
    pub step_in_epoch: u64,
    /// Steps done in all.
    pub step: u64,
    /// Numbers by name: the scheduler's state, early stopping, ...
    pub counters: Vec<(String, f64)>,
    /// What was measured after each epoch.
    pub history: Vec<HistoryRow>,
    /// Parameters, moments and best weights: `parameters.dense1.weight`.
    pub tensors: Vec<T>,
}

/// What was measured after an epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HistoryRow {
    /// Which epoch, from 1.
    pub epoch: u32,
    /// Losses and metrics by name.
    pub values: Vec<(String, f64)>,
}

/// All of a checkpoint but its tensors.
#[derive(Serialize, Deserialize)]
struct CheckpointWire {
    config: String,
    fingerprint: u64,
    encoding: EncodingWire,
    epoch: u32,
    step_in_epoch: u64,
    step: u64,
    counters: Vec<(String, f64)>,
    history: Vec<HistoryRow>,
}

/// The metadata of version 1, in which tensors had no shapes and the numbers of their layers for names.
#[derive(Deserialize)]
struct Version1 {
    checkpoint: CheckpointWire,
    tensor_names: Vec<String>,
}

impl CheckpointWire {
    fn with_tensors<T>(self, tensors: Vec<T>) -> Checkpoint<T> {
        Checkpoint {
            config: self.config,
            fingerprint: self.fingerprint,
            encoding: self.encoding.into(),
            epoch: self.epoch,
            step_in_epoch: self.step_in_epoch,
            step: self.step,
            counters: self.counters,
            history: self.history,
            tensors,
        }
    }
}

impl<T> Checkpoint<T> {
    /// The same run with other tensors.
    fn with_tensors<U>(&self, tensors: Vec<U>) -> Checkpoint<U> {
        Checkpoint {
            config: self.config.clone(),
            fingerprint: self.fingerprint,
            encoding: self.encoding.clone(),
            epoch: self.epoch,
            step_in_epoch: self.step_in_epoch,
            step: self.step,
            counters: self.counters.clone(),
            history: self.history.clone(),
            tensors,
        }
    }
}

impl<T: TensorData> Checkpoint<T> {
    /// Writes the checkpoint; the file appears under its name when it is complete and durable. Tensors
    /// are written as they are handed out: no copy of them is made.
    ///
    /// # Errors
    /// The file cannot be written; nothing is left then.
    pub fn save(&self, path: &Path) -> Result<()> {
        let wire = CheckpointWire {
            config: self.config.clone(),
            fingerprint: self.fingerprint,
            encoding: (&self.encoding).into(),
            epoch: self.epoch,
            step_in_epoch: self.step_in_epoch,
            step: self.step,
            counters: self.counters.clone(),
            history: self.history.clone(),
        };
        tensor_file::save(path, FileKind::Checkpoint, &wire, &self.tensors)
    }
}

impl Checkpoint<TensorStream<'_>> {
    /// A copy that outlives the run.
    pub fn collect(&self) -> Checkpoint {
        let tensors = self.tensors.iter().map(TensorStream::collect).collect();
        self.with_tensors(tensors)
    }
}

impl Checkpoint<TensorInfo> {
    /// Reads what a checkpoint says of itself, but no tensor.
    ///
    /// # Errors
    /// The file cannot be read or is no checkpoint, is of a later version, cut off, or damaged where it was
    /// read.
    pub fn describe(path: &Path) -> Result<Checkpoint<TensorInfo>> {
        Ok(open(path)?.1)
    }
}

/// A checkpoint of any version, of which the tensors are still to be read.
fn open(path: &Path) -> Result<(TensorFile, Checkpoint<TensorInfo>)> {
    let mut file = TensorFile::open(path, FileKind::Checkpoint)?;
    let checkpoint = match file.version() {
        1 => {
            let Version1 { checkpoint, tensor_names } = file.content_of_version_1()?;
            let lengths = file.lengths();
            if tensor_names.len() != lengths.len() {
                return Err(Error::damaged(path, "its tensors are not those its metadata name"));
            }
            let named = tensor_names.iter().zip(lengths);
            let infos = named.map(|(name, length)| TensorInfo::new(current_name(name), [length]));
            checkpoint.with_tensors(infos.collect())
        }
        _ => {
            let (infos, wire): (_, CheckpointWire) = file.content()?;
            wire.with_tensors(infos)
        }
    };
    Ok((file, checkpoint))
}

/// What a tensor of version 1 is called now: `parameters.0.weight` is `parameters.dense1.weight`.
fn current_name(name: &str) -> String {
    let parts: Vec<&str> = name.split('.').collect();
    let &[whose, layer, part] = parts.as_slice() else { return name.to_owned() };
    match layer.parse::<u32>() {
        Ok(layer) => format!("{whose}.dense{}.{part}", u64::from(layer) + 1),
        Err(_) => name.to_owned(),
    }
}

impl Checkpoint {
    /// Reads a checkpoint and checks every byte of it.
    ///
    /// # Errors
    /// The file cannot be read or is no checkpoint, is of a later version, cut off or damaged.
    pub fn load(path: &Path) -> Result<Checkpoint> {
        let (file, checkpoint) = open(path)?;
        let tensors = file.tensors(checkpoint.tensors.clone())?;
        Ok(checkpoint.with_tensors(tensors))
    }

    /// Reads a checkpoint to go on from it.
    ///
    /// # Errors
    /// As [`load`](Self::load) and [`check_resumable`](Self::check_resumable).
    pub fn load_resumable(path: &Path) -> Result<Checkpoint> {
        let checkpoint = Checkpoint::load(path)?;
        let refuse = |reason| {
            Error::Invalid(format!("the checkpoint {} cannot be resumed: {reason}", path.display()))
        };
        checkpoint.check_resumable().map_err(refuse)?;
        Ok(checkpoint)
    }

    /// Whether a run can go on from here: no weight is infinite, and no number of a tensor is NaN.
    ///
    /// # Errors
    /// Names the tensor and the place of a number with which the next step would fail.
    pub fn check_resumable(&self) -> std::result::Result<(), String> {
        let stray = |tensor: &Tensor<'_>| {
            // A mean of squares that overflowed only ends the movement of its weight.
            let is_moment =
                tensor.info.name.split('.').next().is_some_and(|whose| whose.contains("moments"));
            tensor.stray(|value| if is_moment { value.is_nan() } else { !value.is_finite() })
        };
        self.tensors.iter().find_map(stray).map_or(Ok(()), Err)
    }

    /// Where the checkpoint of a step belongs, so that [`Checkpoint::newest_valid`] and
    /// [`Checkpoint::prune`] find it.
    pub fn path_in(directory: &Path, step: u64) -> PathBuf {
        directory.join(file_name(step))
    }

    /// The checkpoint of the latest step in `directory` that a run can go on from; `None` if there are none at all.
    ///
    /// # Errors
    /// The directory cannot be read, or it has checkpoints and none can be resumed: the latest one's error.
    pub fn newest_valid(directory: &Path) -> Result<Option<(PathBuf, Checkpoint)>> {
        let mut newest_error = None;
        for path in Checkpoint::list(directory)? {
            match Checkpoint::load_resumable(&path) {
                Ok(checkpoint) => return Ok(Some((path, checkpoint))),
                Err(error) => newest_error = newest_error.or(Some(error)),
            }
        }
        newest_error.map_or(Ok(None), Err)
    }

    /// Deletes the checkpoints in `directory` that are before `latest`, but for those of the `keep` steps
    /// (at least one) that end with it, once the names of these are durable. To be called when the checkpoint
    /// of the step `latest` was saved. What is called as a checkpoint and is none stays, as do those of later
    /// steps: the run could not go on from them.
    ///
    /// # Errors
    /// The directory cannot be read or synced, or a file cannot be deleted.
    pub fn prune(directory: &Path, latest: u64, keep: usize) -> Result<()> {
        let is_ours = |path: &Path| matches!(FileKind::of(path), Ok(Some(FileKind::Checkpoint)));
        let mut checkpoints = steps_in(directory)?;
        checkpoints.retain(|(step, path)| *step <= latest && is_ours(path));
        sync_directory(directory)?;
        for (_, path) in checkpoints.iter().skip(keep.max(1)) {
            fs::remove_file(path).map_err(Error::io("delete", path))?;
        }
        Ok(())
    }

    /// The files in `directory` that have the names of checkpoints, readable or not, latest step first.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn list(directory: &Path) -> Result<Vec<PathBuf>> {
        Ok(steps_in(directory)?.into_iter().map(|(_, path)| path).collect())
    }
}

fn file_name(step: u64) -> String {
    format!("step-{step:012}.{EXTENSION}")
}

/// The files in a directory that are called exactly as checkpoints are, each with its step, latest first.
fn steps_in(directory: &Path) -> Result<Vec<(u64, PathBuf)>> {
    let step_of = |name: &str| {
        let step = name.strip_prefix("step-")?.split('.').next()?.parse().ok()?;
        (name == file_name(step)).then_some(step)
    };
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).map_err(Error::io("read", directory))? {
        let entry = entry.map_err(Error::io("read", directory))?;
        if let Some(step) = entry.file_name().to_str().and_then(step_of) {
            found.push((step, entry.path()));
        }
    }
    found.sort_unstable_by(|a, b| b.cmp(a));
    Ok(found)
}

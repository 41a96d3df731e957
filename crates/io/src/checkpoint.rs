//! Checkpoints: everything that the next training step depends on, and the directory they are kept in.

use crate::atomic::sync_directory;
use crate::error::{Error, Result};
use crate::frame;
use crate::kind::FileKind;
use crate::schema::Encoding;
use crate::wire::EncodingWire;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};

/// File name extension of checkpoints.
const EXTENSION: &str = "checkpoint";

/// A run as it stands between two steps.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
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
    /// Parameters, moments, best weights, by name.
    pub tensors: Vec<(String, Vec<f32>)>,
}

/// What was measured after an epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HistoryRow {
    /// Which epoch, from 1.
    pub epoch: u32,
    /// Losses and metrics by name.
    pub values: Vec<(String, f64)>,
}

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
    tensor_names: Vec<String>,
}

impl Checkpoint {
    /// Reads a checkpoint and checks every byte of it.
    ///
    /// # Errors
    /// The file cannot be read or is no checkpoint, is of another version, cut off or damaged.
    pub fn load(path: &Path) -> Result<Checkpoint> {
        let (wire, tensors): (CheckpointWire, Vec<_>) = frame::load(path, FileKind::Checkpoint)?;
        if wire.tensor_names.len() != tensors.len() {
            return Err(Error::damaged(path, "its tensors are not those its metadata name"));
        }
        Ok(Checkpoint {
            config: wire.config,
            fingerprint: wire.fingerprint,
            encoding: wire.encoding.into(),
            epoch: wire.epoch,
            step_in_epoch: wire.step_in_epoch,
            step: wire.step,
            counters: wire.counters,
            history: wire.history,
            tensors: wire.tensor_names.into_iter().zip(tensors).collect(),
        })
    }

    /// Writes the checkpoint; the file appears under its name when it is complete and durable.
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
            tensor_names: self.tensors.iter().map(|(name, _)| name.clone()).collect(),
        };
        let tensors: Vec<&[f32]> = self.tensors.iter().map(|(_, t)| t.as_slice()).collect();
        frame::save(path, FileKind::Checkpoint, &wire, &tensors)
    }

    /// Where the checkpoint of a step belongs, so that [`Checkpoint::newest_valid`] and
    /// [`Checkpoint::prune`] find it.
    pub fn path_in(directory: &Path, step: u64) -> PathBuf {
        directory.join(format!("step-{step:012}.{EXTENSION}"))
    }

    /// The checkpoint of the latest step in `directory` that can be read; `None` if there are none at all.
    ///
    /// # Errors
    /// The directory cannot be read, or it has checkpoints and all are damaged: the latest one's error.
    pub fn newest_valid(directory: &Path) -> Result<Option<(PathBuf, Checkpoint)>> {
        let mut newest_error = None;
        for path in Checkpoint::list(directory)? {
            match Checkpoint::load(&path) {
                Ok(checkpoint) => return Ok(Some((path, checkpoint))),
                Err(error) => newest_error = newest_error.or(Some(error)),
            }
        }
        newest_error.map_or(Ok(None), Err)
    }

    /// Deletes all checkpoints in `directory` but those of the latest `keep` steps (at least one), once
    /// the names of these are durable. To be called after a save: the latest is then known to be valid.
    ///
    /// # Errors
    /// The directory cannot be read or synced, or a file cannot be deleted.
    pub fn prune(directory: &Path, keep: usize) -> Result<()> {
        let checkpoints = Checkpoint::list(directory)?;
        sync_directory(directory)?;
        for path in checkpoints.iter().skip(keep.max(1)) {
            fs::remove_file(path).map_err(Error::io("delete", path))?;
        }
        Ok(())
    }

    /// The checkpoints in `directory`, readable or not, latest step first.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn list(directory: &Path) -> Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(directory).map_err(Error::io("read", directory))? {
            let path = entry.map_err(Error::io("read", directory))?.path();
            let has_extension = path.extension().is_some_and(|e| e == EXTENSION);
            let stem = path.file_stem().and_then(|stem| stem.to_str());
            let step = stem.and_then(|stem| stem.strip_prefix("step-")?.parse::<u64>().ok());
            if let (true, Some(step)) = (has_extension, step) {
                found.push((step, path));
            }
        }
        found.sort_unstable_by(|a, b| b.cmp(a));
        Ok(found.into_iter().map(|(_, path)| path).collect())
    }
}

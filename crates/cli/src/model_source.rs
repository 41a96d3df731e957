//! Where a user means a model: a model file, a checkpoint, or the directory of a run.

use crate::failure::Failure;
use crate::output::Output;
use crate::source::open_native;
use gristmill_io::{Checkpoint, FileKind, Model};
use gristmill_trainer::config::RunConfig;
use gristmill_trainer::{Isa, Session};
use std::path::{Path, PathBuf};

/// The model and the checkpoints in the directory of a run.
const MODEL: &str = "model.gristmill";
const CHECKPOINTS: &str = "checkpoints";

/// The file that a path stands for: of a run's directory its model, or else its newest checkpoint that can
/// be read; of anything else the path itself.
pub(crate) fn file_of(path: &Path, output: &Output) -> Result<PathBuf, Failure> {
    if !path.is_dir() {
        return Ok(path.to_owned());
    }
    let model = path.join(MODEL);
    if model.exists() {
        output.talk(format_args!("model: {}", model.display()));
        return Ok(model);
    }
    let checkpoints = path.join(CHECKPOINTS);
    let newest = match checkpoints.is_dir() {
        true => Checkpoint::newest_valid(&checkpoints)?,
        false => None,
    };
    let Some((checkpoint, _)) = newest else {
        let reason =
            "is a directory without a run: there is no model.gristmill or checkpoint in it";
        return Err(Failure::at(path)(reason));
    };
    let shown = checkpoint.display();
    output.talk(format_args!("the run has not ended; its newest checkpoint: {shown}"));
    Ok(checkpoint)
}

/// Every file of a run, or the path itself.
pub(crate) fn files_of(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let named = ["data.grist", "validation.grist", MODEL].map(|name| path.join(name));
    let mut files: Vec<PathBuf> = named.into_iter().filter(|file| file.exists()).collect();
    let checkpoints = path.join(CHECKPOINTS);
    if checkpoints.is_dir() {
        files.extend(Checkpoint::list(&checkpoints)?.into_iter().rev());
    }
    match files.is_empty() {
        true => {
            Err(Failure::at(path)("is a directory without a run: there are no files of ours in it"))
        }
        false => Ok(files),
    }
}

/// The model in a file, or the one that a run would have if it ended with this checkpoint.
pub(crate) fn load(file: &Path) -> Result<Model, Failure> {
    match FileKind::of(file)? {
        Some(FileKind::Checkpoint) => of_checkpoint(file),
        _ => Ok(Model::load(file)?),
    }
}

/// A checkpoint has the weights; how features are scaled follows from the data of its run.
fn of_checkpoint(file: &Path) -> Result<Model, Failure> {
    let checkpoint = Checkpoint::load(file)?;
    let run = file.parent().and_then(Path::parent);
    let run = run.map(|run| if run.as_os_str().is_empty() { Path::new(".") } else { run });
    let config = RunConfig::from_toml(&checkpoint.config).map_err(Failure::at(file))?;
    let seen = config.clone().seen_from(run.unwrap_or(Path::new("..")));
    let about = |failure: Failure| match failure {
        Failure::Error(text) => Failure::new(format!(
            "{}: the data that its run was trained on are needed, which say how inputs are scaled: {text}",
            file.display()
        )),
        other => other,
    };
    let path = seen.data.path.ok_or_else(|| Failure::at(file)("its run has no data.path"))?;
    let train = open_native(&path).map_err(about)?;
    let validation = seen.validation.file.map(|path| open_native(&path)).transpose();
    let validation = validation.map_err(about)?;
    let isa = Isa::from_env().map_err(|error| Failure::new(error.to_string()))?;
    let mut session = Session::new(&config, isa, &train, validation.as_ref())?;
    session.restore(&checkpoint).map_err(Failure::from).map_err(about)?;
    Ok(session.model())
}

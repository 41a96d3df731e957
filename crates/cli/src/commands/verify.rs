//! `gristmill verify`: whether files of ours are as they were written.

use crate::failure::Failure;
use crate::model_source;
use crate::output::Output;
use crate::progress::DataBar;
use crate::table::thousands;
use gristmill_io::{Checkpoint, Dataset, FileKind, Model};
use std::path::{Path, PathBuf};

/// Compare data sets, models and checkpoints with their checksums
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  gristmill verify iris.grist
  gristmill verify runs/iris-1/model.gristmill runs/iris-1/checkpoints/*

Prints a line for each file that is intact, and for each block of 1 MiB that is not, with the
bytes and rows in it. Exits with 1 if anything is damaged.")]
pub(crate) struct Verify {
    /// Data sets, models or checkpoints, or directories of runs: all files in them
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

impl Verify {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        let files = self.files.iter().map(|path| model_source::files_of(path));
        let files = files.collect::<Result<Vec<_>, _>>()?.concat();
        let (mut damaged, mut not_resumable) = (0, 0);
        for path in &files {
            match defects(path, output)? {
                Found::Intact(what) => {
                    output.print(format_args!("{}: {what}: intact", path.display()))?;
                }
                Found::NotResumable(reason) => {
                    damaged += 1;
                    output.print(format_args!(
                        "{}: checkpoint: no run can go on from it: {reason}",
                        path.display()
                    ))?;
                    not_resumable += 1;
                }
                Found::Damaged(defects) => {
                    damaged += 1;
                    for defect in defects {
                        output.print(defect)?;
                    }
                }
            }
        }
        match (damaged, files.len()) {
            (0, _) => Ok(()),
            (_, 1) if not_resumable > 0 => {
                Err(Failure::at(&files[0])("cannot be resumed: go on from an earlier checkpoint"))
            }
            (damaged, count) if not_resumable > 0 => Err(Failure::new(format!(
                "{damaged} of {count} files are damaged or cannot be resumed"
            ))),
            (_, 1) => Err(Failure::at(&files[0])("is damaged: make it anew, or copy it again")),
            (damaged, files) => Err(Failure::new(format!(
                "{damaged} of {files} files are damaged: make them anew, or copy them again"
            ))),
        }
    }
}

enum Found {
    /// What the file is.
    Intact(String),
    /// All that is wrong with it, with its name.
    Damaged(Vec<String>),
    /// Why no run can go on from it, though it is as it was written.
    NotResumable(String),
}

fn defects(path: &Path, output: &Output) -> Result<Found, Failure> {
    let checked = match FileKind::of(path)? {
        Some(FileKind::Dataset) => return dataset(path, output),
        Some(FileKind::Model) => Model::load(path).map(|_| "model".to_owned()),
        Some(FileKind::Checkpoint) => match Checkpoint::load(path) {
            Ok(checkpoint) => {
                return Ok(match checkpoint.check_resumable() {
                    Ok(()) => Found::Intact("checkpoint".to_owned()),
                    Err(reason) => Found::NotResumable(reason),
                });
            }
            Err(error) => Err(error),
        },
        None => {
            let reason = "is no gristmill data set, model or checkpoint: other files have no checksums";
            return Err(Failure::at(path)(reason));
        }
    };
    Ok(found(checked)?)
}

fn dataset(path: &Path, output: &Output) -> Result<Found, Failure> {
    let dataset = match found(Dataset::open(path).map(|_| String::new()))? {
        Found::Intact(_) => Dataset::open(path)?,
        damaged => return Ok(damaged),
    };
    let bar = DataBar::new(output, format!("verifying {}", path.display()))?;
    let defects = dataset.defects(&bar)?;
    Ok(match defects.is_empty() {
        true => Found::Intact(format!("data set of {} rows", thousands(dataset.rows()))),
        false => {
            let line = |defect| format!("{}: {defect}", path.display());
            Found::Damaged(defects.iter().map(line).collect())
        }
    })
}

/// Damage is what is looked for; all else is an error.
fn found(checked: gristmill_io::Result<String>) -> gristmill_io::Result<Found> {
    match checked {
        Ok(what) => Ok(Found::Intact(what)),
        Err(error @ gristmill_io::Error::Damaged { .. }) => {
            Ok(Found::Damaged(vec![error.to_string()]))
        }
        Err(error) => Err(error),
    }
}

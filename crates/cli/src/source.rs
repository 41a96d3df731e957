//! From the files that a user names to data sets: `.grist` files as they are, all else imported.

use crate::args::Reading;
use crate::failure::Failure;
use crate::interrupt;
use crate::output::Output;
use crate::progress::DataBar;
use crate::table::thousands;
use crate::text_columns;
use gristmill_io::model::View;
use gristmill_io::schema::{Encoding, Target};
use gristmill_io::{
    Checkpoint, Dataset, FileKind, ImportOptions, Missing, Model, Plan, expand, import, open,
    remove_stale_files,
};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Most bytes of features that are compared with their checksums before each use.
const VERIFIED_BYTES: u64 = 1 << 30;

/// The model in the directory of a run.
const MODEL: &str = "model.gristmill";

/// What the user named as data.
pub(crate) enum Source {
    /// A data set of ours.
    Native(PathBuf),
    /// Files to be imported as one data set.
    Tables(Vec<PathBuf>),
}

impl Source {
    /// Looks at the beginning of each file. A pattern stands for the files that match it.
    pub(crate) fn find(paths: Vec<PathBuf>) -> Result<Source, Failure> {
        let paths = expand(&paths)?;
        let mut kinds = Vec::with_capacity(paths.len());
        for path in &paths {
            let kind = FileKind::of(path)?;
            if let Some(kind @ (FileKind::Model | FileKind::Checkpoint)) = kind {
                let path = path.display();
                return Err(Failure::new(format!("{path} is a gristmill {kind}, not data")));
            }
            kinds.push(kind);
        }
        if let ([path], [kind]) = (paths.as_slice(), kinds.as_slice()) {
            // A damaged data set is better reported as that than as a table that makes no sense.
            let named_so = path.extension().is_some_and(|extension| extension == "grist");
            if kind.is_some() || named_so {
                return Ok(Source::Native(path.clone()));
            }
        }
        Ok(Source::Tables(paths))
    }

    /// A name for what is made of it: that of the first file without its extensions.
    pub(crate) fn stem(&self) -> String {
        let path = match self {
            Source::Native(path) => Some(path),
            Source::Tables(paths) => paths.first(),
        };
        let name = path.and_then(|path| path.file_name()).unwrap_or_default().to_string_lossy();
        let stem = name.split('.').find(|part| !part.is_empty()).unwrap_or("run");
        stem.to_owned()
    }
}

/// Opens a data set. One that is read in a moment is compared with its checksums first.
pub(crate) fn open_native(path: &Path) -> Result<Dataset, Failure> {
    let dataset = Dataset::open(path)?;
    let bytes = dataset.rows() * (dataset.features() * dataset.dtype().size()) as u64;
    if bytes <= VERIFIED_BYTES {
        dataset.verify()?;
    }
    Ok(dataset)
}

/// How the features of a data set are arranged, if `path` is one and says so.
pub(crate) fn view_of(path: &Path) -> Result<Option<View>, Failure> {
    match FileKind::of(path) {
        Ok(Some(FileKind::Dataset)) => Ok(Dataset::open(path)?.view()),
        _ => Ok(None),
    }
}

/// The encoding of a data set, a model, a checkpoint, or the model of a run.
pub(crate) fn encoding_of(path: &Path) -> Result<Encoding, Failure> {
    let path = &if path.is_dir() { path.join(MODEL) } else { path.to_owned() };
    match FileKind::of(path)? {
        Some(FileKind::Dataset) => Ok(open_native(path)?.encoding().clone()),
        Some(FileKind::Model) => Ok(Model::load(path)?.encoding),
        Some(FileKind::Checkpoint) => Ok(Checkpoint::load(path)?.encoding),
        None => Err(Failure::at(path)("is neither a model nor a data set of gristmill".to_owned())),
    }
}

/// What all of these have in common if they are parts of one whole: data sets of one encoding, of which nothing else
/// is asked. With it comes the column of their weights.
fn whole_of(
    paths: &[PathBuf],
    options: &ImportOptions,
) -> Result<Option<(Encoding, Option<String>)>, Failure> {
    let asks = !options.target.is_empty()
        || options.keep_target.is_some()
        || !options.drop.is_empty()
        || !options.category.is_empty()
        || !options.index.is_empty()
        || !options.number.is_empty()
        || options.task.is_some()
        || options.weights.is_some()
        || options.missing != Missing::Error
        || options.format.name.is_some();
    let mut whole = None;
    for path in &expand(paths)? {
        if asks || FileKind::of(path)? != Some(FileKind::Dataset) {
            return Ok(None);
        }
        let dataset = Dataset::open(path)?;
        let part = (dataset.encoding().clone(), dataset.weight_column());
        if *whole.get_or_insert_with(|| part.clone()) != part {
            return Ok(None);
        }
    }
    Ok(whole)
}

/// Imports tables, and says what came of it. Parts of one whole stay encoded as they are.
pub(crate) fn import_tables(
    paths: &[PathBuf],
    to: &Path,
    plan: &Plan,
    output: &Output,
) -> Result<Dataset, Failure> {
    if let Plan::Learn(options) = plan
        && let Some((encoding, weights)) = &whole_of(paths, options)?
    {
        let with_target = encoding.target != Target::None;
        let options = ImportOptions { weights: weights.clone(), ..options.clone() };
        let plan = Plan::Fixed { encoding, with_target, options };
        return import_tables(paths, to, &plan, output);
    }
    let names = match paths {
        [path] => path.display().to_string(),
        _ => format!("{} files", paths.len()),
    };
    let progress = DataBar::new(output, format!("reading {names}"))?;
    let summary = import(paths, to, plan, &progress)?;
    drop(progress);
    let filled = match summary.filled {
        0 => String::new(),
        filled => format!(", {} missing values filled in", thousands(filled)),
    };
    output.talk(format_args!(
        "read {names}: {} rows, {} features stored as {}{filled}",
        thousands(summary.rows),
        summary.features,
        summary.dtype.name(),
    ));
    let dataset = Dataset::open(to)?;
    if let Plan::Learn(_) = plan {
        text_columns::tell(dataset.encoding(), dataset.rows(), output);
    }
    Ok(dataset)
}

/// Data that were opened to work on, and where the temporary data set is that they may be in.
pub(crate) struct Opened {
    // Dropped, and so closed, before its directory is removed.
    pub(crate) dataset: Dataset,
    _scratch: Option<Scratch>,
}

impl Opened {
    /// Opens a data set, or imports tables as they are to be read.
    pub(crate) fn open(
        paths: Vec<PathBuf>,
        reading: Reading,
        output: &Output,
    ) -> Result<Opened, Failure> {
        match Source::find(paths)? {
            Source::Native(path) => {
                reading.refuse_all(&path)?;
                Ok(Opened { dataset: open_native(&path)?, _scratch: None })
            }
            Source::Tables(paths) => Opened::import(&paths, &Plan::Learn(reading.options), output),
        }
    }

    /// Opens a data set for a model, or encodes tables by what the model stored.
    pub(crate) fn for_model(
        paths: Vec<PathBuf>,
        model: &Model,
        with_target: bool,
        reading: Reading,
        output: &Output,
    ) -> Result<Opened, Failure> {
        if !with_target {
            reading.refuse_columns_for("predictions do not depend on weights; leave it out")?;
        }
        match Source::find(paths)? {
            Source::Native(path) => {
                reading.refuse_all(&path)?;
                let dataset = open_native(&path)?;
                match dataset.mismatch(&model.encoding, with_target) {
                    None => Ok(Opened { dataset, _scratch: None }),
                    Some(reason) => Err(Failure::at(&path)(format!(
                        "not encoded as the model needs it: {reason}; name the source that it was \
                         imported from instead, or import that with --like MODEL"
                    ))),
                }
            }
            Source::Tables(paths) => {
                let options = reading.options;
                let plan = Plan::Fixed { encoding: &model.encoding, with_target, options };
                Opened::import(&paths, &plan, output)
            }
        }
    }

    fn import(paths: &[PathBuf], plan: &Plan, output: &Output) -> Result<Opened, Failure> {
        let scratch = Scratch::create()?;
        let file = scratch.path().join(Scratch::ROWS);
        let dataset = import_tables(paths, &file, plan, output)?;
        Ok(Opened { dataset, _scratch: Some(scratch) })
    }
}

/// A temporary directory, with a file in it that is locked as long as this process lives.
pub(crate) struct Scratch {
    directory: TempDir,
    _lock: File,
}

impl Scratch {
    const PREFIX: &str = "gristmill-rows-";
    const LOCK: &str = ".in-use";
    /// The data set in it, by which a later process knows what to remove.
    pub(crate) const ROWS: &str = "rows.grist";

    /// Makes one where the system keeps temporary files.
    pub(crate) fn create() -> Result<Scratch, Failure> {
        let parent = std::env::temp_dir();
        let scratch = Scratch::within(&parent).map_err(Failure::io("write to", &parent))?;
        interrupt::remove_when_interrupted(scratch.path());
        Ok(scratch)
    }

    /// The directory.
    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Makes one, after removing those that killed processes left.
    fn within(parent: &Path) -> io::Result<Scratch> {
        Scratch::sweep(parent);
        let directory = tempfile::Builder::new().prefix(Scratch::PREFIX).tempdir_in(parent)?;
        let new = directory.path().join(".new");
        let lock = File::create(&new)?;
        // Where there are no locks, what others left is merely not recognised.
        let _ = lock.lock();
        // It gets its name when it is locked: no one takes it for stale before.
        fs::rename(&new, directory.path().join(Scratch::LOCK))?;
        Ok(Scratch { directory, _lock: lock })
    }

    fn sweep(parent: &Path) {
        for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with(Scratch::PREFIX)
                && entry.file_type().is_ok_and(|kind| kind.is_dir())
                && let Ok(lock) = open(&entry.path().join(Scratch::LOCK))
                && lock.try_lock().is_ok()
            {
                let directory = entry.path();
                remove_stale_files(&directory);
                // What cannot be removed is in no one's way, and what someone put there stays.
                for name in [Scratch::ROWS, Scratch::LOCK] {
                    let _ = fs::remove_file(directory.join(name));
                }
                let _ = fs::remove_dir(directory);
            }
        }
    }
}

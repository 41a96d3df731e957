//! Where plugins are found: by name, by magic, by the ending of a file's name.

use super::description::{Description, Operation, is_name};
use super::process::TIMEOUT_VARIABLE;
use super::program::{PREFIX, Plugin, describe};
use crate::error::{Error, Place, Result};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf, absolute};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Holds directories of plugins, separated as those of `PATH`, which are searched before it.
pub const DIRECTORIES_VARIABLE: &str = "GRISTMILL_PLUGINS";
/// How long a plugin may stand still that nothing else is said of: a database may think before it answers.
const PATIENCE: Duration = Duration::from_secs(300);
/// How long a plugin may take to describe itself, in all.
const DESCRIBE_PATIENCE: Duration = Duration::from_secs(30);

/// The plugins that may be used. Cheap to clone; the default is none.
#[derive(Debug, Clone)]
pub struct Plugins {
    directories: Arc<[PathBuf]>,
    patience: Duration,
    /// Those that were asked what they are, by their programs.
    asked: Arc<Mutex<BTreeMap<PathBuf, Asked>>>,
}

/// A plugin, or why it is none.
type Asked = std::result::Result<Arc<Plugin>, String>;

impl Default for Plugins {
    fn default() -> Plugins {
        Plugins::in_directories(Vec::new(), PATIENCE)
    }
}

impl Plugins {
    /// The programs in these directories, of which the first of a name counts. `patience` is how long one may
    /// stand still.
    pub fn in_directories(directories: Vec<PathBuf>, patience: Duration) -> Plugins {
        Plugins { directories: directories.into(), patience, asked: Arc::default() }
    }

    /// The programs in `first`, in the directories of `GRISTMILL_PLUGINS`, and on `PATH`.
    ///
    /// # Errors
    /// One of `first` is no directory that can be read, or `GRISTMILL_PLUGIN_TIMEOUT` is no number of seconds.
    pub fn from_env(first: &[PathBuf]) -> Result<Plugins> {
        let mut directories = Vec::new();
        for directory in first {
            fs::read_dir(directory).map_err(Error::io("read", directory))?;
            directories.push(absolute(directory).map_err(Error::io("open", directory))?);
        }
        for variable in [DIRECTORIES_VARIABLE, "PATH"] {
            let listed = std::env::var_os(variable).unwrap_or_default();
            // What is found must not depend on the directory in which someone happens to be.
            directories.extend(std::env::split_paths(&listed).filter(|path| path.is_absolute()));
        }
        let patience = match std::env::var(TIMEOUT_VARIABLE) {
            Err(_) => PATIENCE,
            Ok(text) => {
                let seconds = text.parse::<f64>().ok().filter(|seconds| *seconds > 0.0);
                let patience = seconds.and_then(|s| Duration::try_from_secs_f64(s).ok());
                patience.ok_or_else(|| {
                    Error::Invalid(format!(
                        "{TIMEOUT_VARIABLE} is \"{text}\", expected seconds, as in 60"
                    ))
                })?
            }
        };
        Ok(Plugins::in_directories(directories, patience))
    }

    /// Whether there are places to look for plugins.
    pub(crate) fn are_searched(&self) -> bool {
        !self.directories.is_empty()
    }

    /// The plugin of a name: the program that is called so, or else one that says it is.
    ///
    /// # Errors
    /// The program that is called so does not describe itself as it should.
    pub fn named(&self, name: &str) -> Result<Option<Arc<Plugin>>> {
        if is_name(name)
            && let Some(program) = self.programs().remove(name)
        {
            return self.ask(name, &program).map(Some);
        }
        let mut found = self.all().into_iter().filter_map(|(_, plugin)| plugin.ok());
        Ok(found.find(|plugin| plugin.description.names.iter().any(|other| other == name)))
    }

    /// All plugins by their programs, and why some are none.
    pub fn all(&self) -> Vec<(PathBuf, Result<Arc<Plugin>>)> {
        let ask = |(name, program): (String, PathBuf)| {
            let plugin = self.ask(&name, &program);
            (program, plugin)
        };
        self.programs().into_iter().map(ask).collect()
    }

    /// The plugin that does `operation` and has a magic that `head` begins with.
    pub(crate) fn by_magic(&self, operation: Operation, head: &[u8]) -> Option<Arc<Plugin>> {
        self.find(operation, |found| found.magic.iter().any(|magic| magic.matches(head)))
    }

    /// The plugin that does `operation` on files of such a name.
    pub(crate) fn by_extension(&self, operation: Operation, path: &Path) -> Option<Arc<Plugin>> {
        let name = path.file_name()?.to_string_lossy().to_lowercase();
        let is_its = |extension: &String| {
            let stem = name.strip_suffix(extension.as_str());
            stem.is_some_and(|stem| stem.ends_with('.'))
        };
        self.find(operation, |found| found.extensions.iter().any(is_its))
    }

    fn find(
        &self,
        operation: Operation,
        is_it: impl Fn(&Description) -> bool,
    ) -> Option<Arc<Plugin>> {
        let mut found = self.all().into_iter().filter_map(|(_, plugin)| plugin.ok());
        found.find(|plugin| plugin.description.can(operation) && is_it(&plugin.description))
    }

    /// What to add to an error about a file of a format that is not known: which plugins could not be asked.
    pub(crate) fn complaints(&self) -> String {
        let errors = self.all().into_iter().filter_map(|(_, plugin)| plugin.err());
        errors.map(|error| format!("; {error}")).collect()
    }

    /// The programs by the names of their formats.
    fn programs(&self) -> BTreeMap<String, PathBuf> {
        let mut programs = BTreeMap::new();
        for directory in self.directories.iter() {
            // Many a PATH names directories that are not there.
            for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
                let name = entry.file_name();
                let name = name.to_str().and_then(|name| name.strip_prefix(PREFIX));
                if let Some(name) = name.filter(|name| is_name(name))
                    && is_program(&entry.path())
                {
                    programs.entry(name.to_owned()).or_insert_with(|| entry.path());
                }
            }
        }
        programs
    }

    fn ask(&self, name: &str, program: &Path) -> Result<Arc<Plugin>> {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = asked.entry(program.to_owned()).or_insert_with(|| {
            let description = describe(name, program, self.patience.min(DESCRIBE_PATIENCE))?;
            let program = program.to_owned();
            Ok(Arc::new(Plugin { program, description, patience: self.patience }))
        });
        answer.clone().map_err(|reason| Error::input(program, Place::FILE, reason))
    }
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| found.is_file())
}

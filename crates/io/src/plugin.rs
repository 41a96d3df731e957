//! Formats that are programs of their own: where they are found, and how they are asked what they are.
//!
//! A program `gristmill-format-NAME` describes itself, gives a table as an Arrow stream or takes one, and
//! models as safetensors likewise. `docs/plugin-protocol.md` is the protocol. What a plugin does wrong is an
//! error that names it; it costs bounded memory and time, and nothing stays of the plugin.

#[cfg(feature = "arrow")]
mod check;
mod description;
mod exchange;
mod models;
mod pipes;
mod process;
#[cfg(feature = "arrow")]
mod tables;
#[cfg(not(feature = "arrow"))]
#[path = "plugin/no_tables.rs"]
mod tables;

pub(crate) use tables::{export, open};

#[cfg(feature = "arrow")]
pub use check::{Clause, Finding, check};
pub use description::{Description, Magic, Operation, OptionKind, OptionSpec, PROTOCOL};
pub use process::kill_plugins;

use crate::error::{Error, Place, Result};
use process::{Call, Running};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf, absolute};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What the names of the programs begin with.
const PREFIX: &str = "gristmill-format-";
/// Holds directories of plugins, separated as those of `PATH`, which are searched before it.
pub const DIRECTORIES_VARIABLE: &str = "GRISTMILL_PLUGINS";
/// Holds how many seconds a plugin may stand still.
pub const TIMEOUT_VARIABLE: &str = "GRISTMILL_PLUGIN_TIMEOUT";
/// How long a plugin may stand still that nothing else is said of: a database may think before it answers.
const PATIENCE: Duration = Duration::from_secs(300);
/// How long a plugin may take to describe itself, in all.
const DESCRIBE_PATIENCE: Duration = Duration::from_secs(30);
/// The most bytes of a description.
const LONGEST_DESCRIPTION: u64 = 1 << 20;

/// A program that is a format.
#[derive(Debug)]
pub struct Plugin {
    program: PathBuf,
    description: Description,
    patience: Duration,
}

impl Plugin {
    /// Where it is.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.description.names[0]
    }

    /// What it says of itself.
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// The program's name, as errors have it.
    fn program_name(&self) -> String {
        format!("{PREFIX}{}", self.name())
    }

    /// How it is asked to do `operation`, with the file that it is to read.
    fn call(
        &self,
        operation: Operation,
        source: Option<&Path>,
        options: &[(String, String)],
    ) -> Result<Call<'_>> {
        if !self.description.can(operation) {
            let known = self.description.operations.iter().map(|known| known.name());
            let (name, known) = (self.name(), known.collect::<Vec<_>>().join(", "));
            return Err(Error::Options(format!(
                "the format {name} has no {operation}; it has {known}"
            )));
        }
        if let Some(reason) = self.description.refuses(operation, options) {
            return Err(Error::Options(reason));
        }
        let mut arguments = vec![OsString::from(operation.name())];
        if let Some(source) = source {
            arguments.push(absolute(source).map_err(Error::io("open", source))?.into());
        }
        arguments.extend(options.iter().map(|(name, value)| process::option(name, value)));
        Ok(Call { program: &self.program, arguments, patience: self.patience })
    }

    /// An error about the work of a plugin on a file.
    fn failed(&self, path: &Path, place: Place, reason: &str) -> Error {
        Error::input(path, place, format!("the plugin {} {reason}", self.program_name()))
    }
}

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
        if description::is_name(name)
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
                if let Some(name) = name.filter(|name| description::is_name(name))
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

/// Asks a program what it is. The error says what is wrong with it.
fn describe(
    name: &str,
    program: &Path,
    patience: Duration,
) -> std::result::Result<Description, String> {
    let call = Call { program, arguments: vec!["describe".into()], patience };
    let (mut running, output) = Running::start(&call).map_err(|error| error.to_string())?;
    let refuse = |reason: String| format!("as a plugin it {reason}");
    let mut output = output.take(LONGEST_DESCRIPTION + 1);
    let (mut text, mut block) = (Vec::new(), [0; 4096]);
    let deadline = Instant::now() + patience;
    loop {
        match output.read(&mut block) {
            Ok(0) => break,
            Ok(count) => text.extend_from_slice(&block[..count]),
            Err(_) => return Err(refuse(running.blame("does not describe itself"))),
        }
        if Instant::now() > deadline {
            let seconds = patience.as_secs_f64();
            return Err(refuse(format!("took more than {seconds} seconds to describe itself")));
        }
    }
    if text.len() as u64 > LONGEST_DESCRIPTION {
        let most = LONGEST_DESCRIPTION >> 20;
        return Err(refuse(format!("describes itself in more than {most} MiB")));
    }
    running.finish().map_err(refuse)?;
    Description::parse(name, &text).map_err(|reason| format!("as a plugin it is wrong: {reason}"))
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

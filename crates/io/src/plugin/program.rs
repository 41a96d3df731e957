//! A program that is a format: what it says of itself, and how it is asked to do something.

use super::description::{Description, Operation};
use super::process::{Call, Running, option};
use crate::error::{Error, Place, Result};
use std::ffi::OsString;
use std::io::Read;
use std::path::{Path, PathBuf, absolute};
use std::time::{Duration, Instant};

/// What the names of the programs begin with.
pub(super) const PREFIX: &str = "gristmill-format-";
/// The most bytes of a description.
const LONGEST_DESCRIPTION: u64 = 1 << 20;

/// A program that is a format.
#[derive(Debug)]
pub struct Plugin {
    pub(super) program: PathBuf,
    pub(super) description: Description,
    pub(super) patience: Duration,
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
    pub(super) fn call(
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
        arguments.extend(options.iter().map(|(name, value)| option(name, value)));
        Ok(Call { program: &self.program, arguments, patience: self.patience })
    }

    /// An error about the work of a plugin on a file.
    pub(super) fn failed(&self, path: &Path, place: Place, reason: &str) -> Error {
        Error::input(path, place, format!("the plugin {} {reason}", self.program_name()))
    }
}

/// Asks a program what it is. The error says what is wrong with it.
pub(super) fn describe(
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

//! Running other programs to their end.

use anyhow::{Context, Result, ensure};
use std::process::{Command, Stdio};

/// Runs a command whose standard output goes to our standard error.
///
/// # Errors
/// It cannot be started, or does not succeed; the message shows the whole command.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command
        .stdout(std::io::stderr())
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("cannot start {command:?}; is it installed?"))?;
    ensure!(status.success(), "{command:?} failed: {status}");
    Ok(())
}

/// Runs a command and returns its standard output.
///
/// # Errors
/// As [`run`], and for output that is not UTF-8.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command
        .stderr(Stdio::inherit())
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start {command:?}; is it installed?"))?;
    ensure!(output.status.success(), "{command:?} failed: {}", output.status);
    String::from_utf8(output.stdout).with_context(|| format!("{command:?} printed no UTF-8"))
}

//! A program that trains a workload on request: the protocol of `benches/peers/README.md`, our side.

use crate::workload::Workload;
use anyhow::{Context, Result, anyhow, bail};
use serde::Deserialize;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A running program that has warmed up. It is ended when dropped.
pub(crate) struct Program {
    /// The framework and variant, as the program says it.
    pub(crate) name: String,
    /// The framework's version.
    pub(crate) version: String,
    child: Child,
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

/// What a program says; any of its lines.
#[derive(Deserialize)]
#[serde(untagged)]
enum Answer {
    Ready { ready: String, version: String },
    Unsupported { unsupported: String },
    Slice { samples: u64, seconds: f64 },
    Losses { losses: Vec<f64> },
    Error { error: String },
}

/// How a program began.
pub(crate) enum Start {
    /// It waits for requests.
    Ready(Program),
    /// It has no such training step, for this reason.
    Unsupported(String),
}

impl Program {
    /// Starts a program on a workload and waits until it has warmed up.
    ///
    /// # Errors
    /// It cannot be started, or ends or talks nonsense before it is ready.
    pub(crate) fn start(mut command: Command, workload: &Workload) -> Result<Start> {
        let shown = format!("{command:?}");
        let mut child = command
            .arg(workload.json())
            // Left-overs for an old BLAS would slow a current one.
            .env_remove("OPENBLAS_CORETYPE")
            .env_remove("OPENBLAS_L2_SIZE")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {shown}"))?;
        let requests = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().context("standard output is piped")?);
        let (name, version) = (shown.clone(), String::new());
        let mut program = Program { name, version, child, requests, answers };
        match program.answer()? {
            Answer::Ready { ready, version } => {
                program.name = ready;
                program.version = version;
                Ok(Start::Ready(program))
            }
            Answer::Unsupported { unsupported } => Ok(Start::Unsupported(unsupported)),
            _ => bail!("{shown} did not say that it is ready"),
        }
    }

    /// Trains for about so many seconds and returns the rows trained on per second.
    ///
    /// # Errors
    /// The program failed.
    pub(crate) fn rate(&mut self, seconds: f64) -> Result<f64> {
        self.request(&format!("run {seconds}"))?;
        match self.answer()? {
            Answer::Slice { samples, seconds } if seconds > 0.0 => Ok(samples as f64 / seconds),
            Answer::Error { error } => Err(anyhow!("{}: {error}", self.name)),
            _ => bail!("{} did not answer with a slice", self.name),
        }
    }

    /// The loss of each step of a trace, or `None` from a program that does not answer that.
    ///
    /// # Errors
    /// The program ended or talked nonsense.
    pub(crate) fn losses(&mut self, steps: usize, trace: &Path) -> Result<Option<Vec<f64>>> {
        self.request(&format!("losses {steps} {}", trace.display()))?;
        match self.answer()? {
            Answer::Losses { losses } => Ok(Some(losses)),
            Answer::Error { .. } => Ok(None),
            _ => bail!("{} did not answer with losses", self.name),
        }
    }

    fn request(&mut self, line: &str) -> Result<()> {
        let requests = self.requests.as_mut().context("the program is being ended")?;
        writeln!(requests, "{line}")
            .and_then(|()| requests.flush())
            .with_context(|| format!("{} has ended", self.name))
    }

    fn answer(&mut self) -> Result<Answer> {
        let mut line = String::new();
        if self.answers.read_line(&mut line)? == 0 {
            bail!("{} ended without an answer: {}", self.name, self.child.wait()?);
        }
        serde_json::from_str(&line).with_context(|| format!("{} said {line:?}", self.name))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.requests.take());
        // End of input ends a program; one that hangs is of no more use either.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

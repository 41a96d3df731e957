//! A plugin as a process: how it is started, how long it is waited for, and that nothing stays of it.
//! Knows bytes and not what they mean.

use super::pipes::{Input, Output, Talk, Traffic};
use crate::error::{Error, Result};
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Holds how many seconds a plugin may stand still.
pub const TIMEOUT_VARIABLE: &str = "GRISTMILL_PLUGIN_TIMEOUT";
/// All that a plugin gets of the environment, beside a `TMPDIR` of its own.
const ENVIRONMENT: &[&str] = &["PATH", "HOME", "USER", "LANG", "LC_ALL", "LC_CTYPE", "TZ"];
/// How long a plugin may take to end of which something else is wrong already.
const GRACE: Duration = Duration::from_millis(100);
/// How long one may take to end that has closed its output before it was complete.
const LAST_BREATH: Duration = Duration::from_secs(5);
/// How often a program is tried that another process is just writing, as an installation does.
const BUSY_TRIES: u32 = 20;

/// What a plugin is asked to do.
pub(super) struct Call<'a> {
    pub(super) program: &'a Path,
    pub(super) arguments: Vec<OsString>,
    /// How long it may neither give nor take a byte.
    pub(super) patience: Duration,
}

/// A plugin at work. It is killed with all that it started when this is dropped.
pub(super) struct Running {
    child: Child,
    traffic: Arc<Traffic>,
    talk: Talk,
    patience: Duration,
    /// Where it works. It goes with it.
    _directory: TempDir,
}

impl Running {
    /// Starts a plugin that is given nothing.
    pub(super) fn start(call: &Call) -> Result<(Running, Output)> {
        Running::spawn(call, Stdio::null())
    }

    /// Starts a plugin that is given a stream.
    pub(super) fn start_fed(call: &Call) -> Result<(Running, Input, Output)> {
        let (mut running, output) = Running::spawn(call, Stdio::piped())?;
        let input = Input::new(running.child.stdin.take(), &running.traffic, call.patience);
        let input = input.map_err(Error::io("start a thread for", call.program))?;
        Ok((running, input, output))
    }

    fn spawn(call: &Call, input: Stdio) -> Result<(Running, Output)> {
        let directory = tempfile::Builder::new().prefix("gristmill-plugin-").tempdir();
        let directory = directory.map_err(Error::io("write to", &std::env::temp_dir()))?;
        let mut command = Command::new(call.program);
        command.args(&call.arguments).current_dir(directory.path()).env_clear();
        command.envs(ENVIRONMENT.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
        command.env("TMPDIR", directory.path());
        command.stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped());
        group::lead(&mut command);
        let mut child = patiently(|| command.spawn()).map_err(Error::io("run", call.program))?;
        live::add(child.id(), directory.path());
        let traffic = Arc::default();
        let output = Output::new(child.stdout.take(), &traffic, call.patience);
        let pumps = output.and_then(|output| Ok((output, Talk::new(child.stderr.take())?)));
        match pumps {
            Ok((output, talk)) => {
                let patience = call.patience;
                Ok((Running { child, traffic, talk, patience, _directory: directory }, output))
            }
            Err(error) => {
                end(&mut child);
                Err(Error::io("start a thread for", call.program)(error))
            }
        }
    }

    /// What moves in its pipes.
    pub(super) fn traffic(&self) -> &Arc<Traffic> {
        &self.traffic
    }

    /// Waits for the end of a plugin that gave all that was expected. The error says how it failed.
    pub(super) fn finish(&mut self) -> std::result::Result<(), String> {
        match self.wait(self.patience) {
            Some(status) if status.success() => Ok(()),
            Some(status) => Err(self.failure(status)),
            None => {
                let reason = "did not end after all was done";
                Err(format!("{reason} and was stopped{}", self.said()))
            }
        }
    }

    /// Whether it ends in time, however it does.
    #[cfg(feature = "arrow")]
    pub(super) fn ends(&mut self) -> bool {
        self.wait(self.patience).is_some()
    }

    /// Waits for the end of a plugin that was asked for what cannot be done. The error says how it failed to
    /// refuse.
    #[cfg(feature = "arrow")]
    pub(super) fn refusal(&mut self) -> std::result::Result<(), String> {
        let Some(status) = self.wait(self.patience) else {
            return Err("did not end".to_owned());
        };
        match (status.code(), self.talk.text().is_empty()) {
            (Some(0), _) => Err("ended with exit code 0, as if all were well".to_owned()),
            (None, _) => Err(format!("ended with {}", group::describe(status))),
            (Some(_), true) => Err("said nothing on standard error".to_owned()),
            (Some(_), false) => Ok(()),
        }
    }

    /// What to say of a plugin about whose work `symptom` was found: that it died or stood still, if it
    /// did, since that is the cause.
    pub(super) fn blame(&mut self, symptom: &str) -> String {
        if self.traffic.is_stalled() {
            self.kill();
            let seconds = self.patience.as_secs_f64();
            return format!(
                "gave and took nothing for {seconds} seconds and was stopped; {} gives it longer{}",
                TIMEOUT_VARIABLE,
                self.said()
            );
        }
        let is_closed = self.traffic.is_closed();
        let is_cause = is_closed || !self.traffic.is_dropped();
        let patience = if is_closed { LAST_BREATH } else { GRACE };
        match self.wait(patience.min(self.patience)) {
            Some(status) if is_cause && !status.success() => self.failure(status),
            _ => {
                self.kill();
                format!("{symptom}{}", self.said())
            }
        }
    }

    fn failure(&mut self, status: ExitStatus) -> String {
        format!("failed with {}{}", group::describe(status), self.said())
    }

    /// What it said on standard error, after a colon.
    fn said(&mut self) -> String {
        let text = self.talk.text();
        match text.contains('\n') {
            _ if text.is_empty() => String::new(),
            false => format!(": {text}"),
            true => format!("; it said:\n  {}", text.replace('\n', "\n  ")),
        }
    }

    /// How it ended, if it does so in time.
    fn wait(&mut self, patience: Duration) -> Option<ExitStatus> {
        let deadline = Instant::now() + patience;
        let mut pause = Duration::from_micros(500);
        loop {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Some(status);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            thread::sleep(pause.min(left));
            pause = (2 * pause).min(Duration::from_millis(20));
        }
    }

    fn kill(&mut self) {
        kill(&mut self.child);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

fn kill(child: &mut Child) {
    group::kill(child.id());
    // Neither can fail for a reason that would matter: it is gone, or about to be.
    let _ = child.kill();
    let _ = child.wait();
}

/// Kills a plugin that is no longer needed.
fn end(child: &mut Child) {
    kill(child);
    live::remove(child.id());
}

/// Runs a program that may just be being written.
fn patiently(mut spawn: impl FnMut() -> io::Result<Child>) -> io::Result<Child> {
    for _ in 1..BUSY_TRIES {
        match spawn() {
            Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy => {
                thread::sleep(Duration::from_millis(5));
            }
            done => return done,
        }
    }
    spawn()
}

/// An argument `--name=value`.
pub(super) fn option(name: &str, value: &str) -> OsString {
    OsStr::new(&format!("--{name}={value}")).to_owned()
}

/// Kills all plugins at work and removes what they left: for a program that is about to end at once.
pub fn kill_plugins() {
    live::kill();
}

/// The plugins at work in this process.
mod live {
    use super::{Mutex, Path, PathBuf, PoisonError, group};

    static LIVE: Mutex<Vec<(u32, PathBuf)>> = Mutex::new(Vec::new());

    pub(super) fn add(id: u32, directory: &Path) {
        LIVE.lock().unwrap_or_else(PoisonError::into_inner).push((id, directory.to_owned()));
    }

    pub(super) fn remove(id: u32) {
        LIVE.lock().unwrap_or_else(PoisonError::into_inner).retain(|(live, _)| *live != id);
    }

    pub(super) fn kill() {
        for (id, directory) in LIVE.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            group::kill(id);
            let _ = std::fs::remove_dir_all(directory);
        }
    }
}

/// A plugin leads a group of processes, so that what it started goes with it.
#[cfg(unix)]
mod group {
    use rustix::process::{Pid, Signal, kill_process_group};
    use std::os::unix::process::{CommandExt, ExitStatusExt};
    use std::process::{Command, ExitStatus};

    pub(super) fn lead(command: &mut Command) {
        command.process_group(0);
    }

    pub(super) fn kill(id: u32) {
        if let Some(id) = i32::try_from(id).ok().and_then(Pid::from_raw) {
            // It fails if nobody is left in the group.
            let _ = kill_process_group(id, Signal::KILL);
        }
    }

    pub(super) fn describe(status: ExitStatus) -> String {
        match (status.code(), status.signal()) {
            (Some(code), _) => format!("exit code {code}"),
            (None, Some(signal)) => format!("signal {signal}"),
            (None, None) => status.to_string(),
        }
    }
}

/// Where there are no groups of processes, the plugin alone is killed.
#[cfg(not(unix))]
mod group {
    use std::process::{Command, ExitStatus};

    pub(super) fn lead(_: &mut Command) {}

    pub(super) fn kill(_: u32) {}

    pub(super) fn describe(status: ExitStatus) -> String {
        status.to_string()
    }
}

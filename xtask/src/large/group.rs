//! A control group that limits the memory of the programs in it, page cache included.

use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the memory controller of version 1 is.
const CONTROLLER: &str = "/sys/fs/cgroup/memory";

/// A group; it is removed when dropped.
pub(super) struct Group {
    path: PathBuf,
}

impl Group {
    /// A group with a limit in bytes; `None` where there is no controller, or no right to use it.
    pub(super) fn new(limit: u64) -> Option<Group> {
        let path = Path::new(CONTROLLER).join(format!("gristmill-large-{}", std::process::id()));
        fs::create_dir(&path).ok()?;
        let group = Group { path };
        fs::write(group.path.join("memory.limit_in_bytes"), limit.to_string()).ok()?;
        Some(group)
    }

    /// A command that runs `command` in the group.
    pub(super) fn wrap(&self, command: &Command) -> Command {
        let mut shell = Command::new("sh");
        let script = "echo $$ > \"$0/cgroup.procs\" && exec \"$@\"";
        shell.args(["-c", script]).arg(&self.path);
        shell.arg(command.get_program()).args(command.get_args());
        shell
    }

    /// The most memory that its programs had since the last call, with and without the page cache.
    pub(super) fn take_peak(&self) -> Result<u64> {
        let file = self.path.join("memory.max_usage_in_bytes");
        let peak = self.number(&file)?;
        fs::write(&file, "0").with_context(|| format!("cannot reset {}", file.display()))?;
        Ok(peak)
    }

    /// How often the limit was hit so far, so that the system had to take pages back.
    pub(super) fn hits(&self) -> Result<u64> {
        self.number(&self.path.join("memory.failcnt"))
    }

    /// Drops what is left in its page cache.
    pub(super) fn empty(&self) -> Result<()> {
        let file = self.path.join("memory.force_empty");
        fs::write(&file, "0").with_context(|| format!("cannot write {}", file.display()))
    }

    fn number(&self, file: &Path) -> Result<u64> {
        let text = fs::read_to_string(file);
        let text = text.with_context(|| format!("cannot read {}", file.display()))?;
        text.trim().parse().with_context(|| format!("{}: {text:?}", file.display()))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.path);
    }
}

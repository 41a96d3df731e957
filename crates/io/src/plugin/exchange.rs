//! Giving a plugin bytes and taking bytes from it at the same time.

use super::pipes::{Input, Output, Traffic};
use super::process::{Call, Running};
use super::program::Plugin;
use crate::error::{Error, Place, Result};
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::thread;

/// Bytes moved at a time.
const BLOCK: usize = 1 << 16;
/// A file may have this many times the bytes that it was made of, and [`SMALL`] more: text is longer than
/// numbers, but output that is longer still is taken for endless.
const MOST_EXPANSION: u64 = 256;
const SMALL: u64 = 16 << 20;

/// Gives a plugin what `feed` writes, and what the plugin gives to `out`, which is to become `path`.
pub(super) fn exchange(
    plugin: &Plugin,
    call: &Call,
    path: &Path,
    out: &mut (dyn Write + Send),
    feed: impl FnOnce(&mut Input) -> Result<()>,
) -> Result<()> {
    let (mut running, mut input, output) = Running::start_fed(call)?;
    let traffic = Arc::clone(running.traffic());
    let (fed, drained) = thread::scope(|scope| {
        let drain = || drain(output, &traffic, out);
        let drain = thread::Builder::new().spawn_scoped(scope, drain)?;
        let fed = feed(&mut input);
        // Closed, whether complete or not: a stream that was cut off has no end mark.
        let _ = input.close();
        Ok((fed, drain.join()))
    })
    .map_err(Error::io("start a thread for", call.program))?;
    let bytes = match drained {
        Ok(drained) => drained.map_err(Error::io("write", path))?,
        Err(panic) => std::panic::resume_unwind(panic),
    };
    let failed = |reason: &str| plugin.failed(path, Place::FILE, reason);
    let Some(bytes) = bytes else {
        return Err(failed(&running.blame("gave no end of bytes and was stopped")));
    };
    if traffic.is_stalled() || traffic.is_refused() {
        return Err(failed(&running.blame("ended before it had read all that it was given")));
    }
    fed?;
    running.finish().map_err(|reason| failed(&reason))?;
    match bytes {
        0 => Err(failed("made nothing of what it was given")),
        _ => Ok(()),
    }
}

/// Moves what a plugin gives and counts its bytes; `None` if they are too many. A plugin that stands still is
/// no error of what is written to: it is known by its traffic.
fn drain(
    mut output: Output,
    traffic: &Traffic,
    out: &mut (dyn Write + Send),
) -> io::Result<Option<u64>> {
    let mut block = vec![0; BLOCK];
    let mut bytes = 0;
    loop {
        match output.read(&mut block) {
            Ok(0) | Err(_) => return Ok(Some(bytes)),
            Ok(count) => {
                out.write_all(&block[..count])?;
                bytes += count as u64;
            }
        }
        if bytes > traffic.taken().saturating_mul(MOST_EXPANSION).saturating_add(SMALL) {
            return Ok(None);
        }
    }
}

//! Ctrl-C, the polite signal of a system that shuts down, and the terminal that hangs up. What was begun
//! is completed or removed at any of them.

use crate::failure::{Failure, INTERRUPTED};
use gristmill_io::abandon_files;
use gristmill_io::plugin::kill_plugins;
use signal_hook::consts::{SIGABRT, SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::flag::{register, register_conditional_shutdown};
use signal_hook::iterator::Signals;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use std::{fs, io, process, thread};

/// A signal so soon after the first is the same one: `timeout` and others send it twice.
const ECHO: Duration = Duration::from_millis(100);

/// What is to be done at the first signal.
struct Orders {
    /// Temporary directories to be removed.
    directories: Vec<PathBuf>,
    /// Is looked at by what runs, which then ends in order.
    flag: Option<Arc<AtomicBool>>,
}

static ORDERS: Mutex<Orders> = Mutex::new(Orders { directories: Vec::new(), flag: None });

fn orders() -> MutexGuard<'static, Orders> {
    ORDERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Has a temporary directory removed if the program is interrupted while it works there.
pub(crate) fn remove_when_interrupted(directory: &Path) {
    orders().directories.push(directory.to_owned());
}

/// The flag that the first signal sets. The second one ends the program at once.
pub(crate) fn flag() -> Arc<AtomicBool> {
    Arc::clone(orders().flag.get_or_insert_default())
}

/// Begins to listen, on a thread of its own. To be called once, before anything else is done.
pub(crate) fn watch() -> Result<(), Failure> {
    let begin = || -> io::Result<()> {
        // With a handler, a write beyond the greatest length of files fails and the program goes on to say so.
        register(SIGXFSZ, Arc::default())?;
        // Where memory has run out, the standard library says so and aborts: that is an error, not a crash.
        register_conditional_shutdown(SIGABRT, 1, Arc::new(AtomicBool::new(true)))?;
        let signals = Signals::new([SIGINT, SIGTERM])?;
        if !is_hang_up_ignored() {
            signals.handle().add_signal(SIGHUP)?;
        }
        thread::Builder::new().name("signals".to_owned()).spawn(move || listen(signals))?;
        Ok(())
    };
    begin().map_err(|error| Failure::new(format!("cannot listen for Ctrl-C: {error}")))
}

/// Whether hang-ups were to be ignored when the program began, as under `nohup`. Where the system does not
/// say, they are left as they were.
fn is_hang_up_ignored() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|signals| u64::from_str_radix(signals.trim(), 16).ok());
    ignored.is_none_or(|signals| signals >> (SIGHUP - 1) & 1 == 1)
}

fn listen(mut signals: Signals) {
    let mut first: Option<Instant> = None;
    for _ in signals.forever() {
        let is_echo = first.is_some_and(|first| first.elapsed() <= ECHO);
        if is_echo {
            continue;
        }
        let orders = orders();
        match &orders.flag {
            Some(flag) if first.is_none() && orders.directories.is_empty() => {
                first = Some(Instant::now());
                // Before the plugins are killed: that they fail is then known to be no fault of theirs.
                flag.store(true, Ordering::Relaxed);
                kill_plugins();
            }
            _ => {
                // Nothing can be completed from here on, so that nothing is that was cut off.
                abandon_files();
                kill_plugins();
                for directory in &orders.directories {
                    let _ = fs::remove_dir_all(directory);
                }
                process::exit(INTERRUPTED.into());
            }
        }
    }
}

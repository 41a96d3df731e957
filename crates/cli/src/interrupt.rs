//! Ctrl-C, the polite signal of a system that shuts down, and the terminal that hangs up.

use crate::failure::Failure;
use gristmill_io::plugin::kill_plugins;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use std::{fs, io, process, thread};

/// Exit code of a program that was interrupted.
pub(crate) const EXIT_CODE: u8 = 130;

/// A signal so soon after the first is the same one: `timeout` and others send it twice.
const ECHO: Duration = Duration::from_millis(100);

/// What is to be done at the first signal.
struct Orders {
    /// Whether a thread listens.
    is_watched: bool,
    /// Temporary files and directories to be removed.
    temporary: Vec<PathBuf>,
    /// Is looked at by what runs, which then ends in order.
    flag: Option<Arc<AtomicBool>>,
}

static ORDERS: Mutex<Orders> =
    Mutex::new(Orders { is_watched: false, temporary: Vec::new(), flag: None });

fn orders() -> MutexGuard<'static, Orders> {
    ORDERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Has a temporary file or directory removed if the program is interrupted while it works there.
pub(crate) fn remove_when_interrupted(path: &Path) {
    let mut orders = orders();
    orders.temporary.push(path.to_owned());
    // Without a watch the system's default holds: the program ends, and what it works with stays.
    let _ = watch(&mut orders);
}

/// Has plugins killed if the program is interrupted while they work: a terminal does not tell them,
/// since they lead groups of their own.
pub(crate) fn end_plugins_when_interrupted() {
    let _ = watch(&mut orders());
}

/// The flag that the first signal sets. The second one ends the program at once.
pub(crate) fn flag() -> Result<Arc<AtomicBool>, Failure> {
    let mut orders = orders();
    watch(&mut orders)
        .map_err(|error| Failure::new(format!("cannot listen for Ctrl-C: {error}")))?;
    Ok(Arc::clone(orders.flag.get_or_insert_default()))
}

fn watch(orders: &mut Orders) -> io::Result<()> {
    if !orders.is_watched {
        let signals = Signals::new([SIGINT, SIGTERM])?;
        if !is_hang_up_ignored() {
            signals.handle().add_signal(SIGHUP)?;
        }
        thread::spawn(move || listen(signals));
        orders.is_watched = true;
    }
    Ok(())
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
        kill_plugins();
        let orders = orders();
        match &orders.flag {
            Some(flag) if first.is_none() && orders.temporary.is_empty() => {
                flag.store(true, Ordering::Relaxed);
                first = Some(Instant::now());
            }
            _ => {
                for path in &orders.temporary {
                    let _ = fs::remove_dir_all(path).or_else(|_| fs::remove_file(path));
                }
                process::exit(EXIT_CODE.into());
            }
        }
    }
}

//! Ctrl-C, and the polite signal of a system that shuts down.

use crate::failure::Failure;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use std::{fs, process, thread};

/// Exit code of a program that was interrupted.
pub(crate) const EXIT_CODE: u8 = 130;

/// A signal so soon after the first is the same one: `timeout` and others send it twice.
const ECHO: Duration = Duration::from_millis(100);

/// Has a temporary directory removed if the program is interrupted while it works there.
pub(crate) fn remove_when_interrupted(directory: &Path) {
    // Without a listener the system's default holds: the program ends, and the directory stays.
    let Ok(mut signals) = Signals::new([SIGINT, SIGTERM]) else { return };
    let directory = directory.to_owned();
    thread::spawn(move || {
        if signals.forever().next().is_some() {
            let _ = fs::remove_dir_all(&directory);
            process::exit(EXIT_CODE.into());
        }
    });
}

/// The flag that the first signal sets. The second one ends the program at once.
pub(crate) fn flag() -> Result<Arc<AtomicBool>, Failure> {
    static FLAG: Mutex<Option<Arc<AtomicBool>>> = Mutex::new(None);
    let mut known = FLAG.lock().unwrap_or_else(PoisonError::into_inner);
    match &*known {
        Some(flag) => Ok(Arc::clone(flag)),
        None => Ok(Arc::clone(known.insert(listen()?))),
    }
}

fn listen() -> Result<Arc<AtomicBool>, Failure> {
    let mut signals = Signals::new([SIGINT, SIGTERM])
        .map_err(|error| Failure::new(format!("cannot listen for Ctrl-C: {error}")))?;
    let flag = Arc::new(AtomicBool::new(false));
    let raised = Arc::clone(&flag);
    thread::spawn(move || {
        let mut first: Option<Instant> = None;
        for _ in signals.forever() {
            match first {
                None => {
                    raised.store(true, Ordering::Relaxed);
                    first = Some(Instant::now());
                }
                Some(first) if first.elapsed() > ECHO => process::exit(EXIT_CODE.into()),
                Some(_) => {}
            }
        }
    });
    Ok(flag)
}

//! Ctrl-C, and the polite signal of a system that shuts down.

use crate::failure::Failure;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::iterator::Signals;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::{fs, io, process, thread};

/// Exit code of a program that was interrupted.
pub(crate) const EXIT_CODE: u8 = 130;

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
    let flag = Arc::new(AtomicBool::new(false));
    let register = |signal| -> io::Result<()> {
        // They run in this order, so that the signal that sets the flag does not see it set.
        flag::register_conditional_shutdown(signal, EXIT_CODE.into(), Arc::clone(&flag))?;
        flag::register(signal, Arc::clone(&flag))?;
        Ok(())
    };
    [SIGINT, SIGTERM]
        .into_iter()
        .try_for_each(register)
        .map_err(|error| Failure::new(format!("cannot listen for Ctrl-C: {error}")))?;
    Ok(flag)
}

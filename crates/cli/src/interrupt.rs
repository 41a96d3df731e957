//! Ctrl-C, and the polite signal of a system that shuts down.

use crate::failure::Failure;
use gristmill_io::plugin::kill_plugins;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::iterator::Signals;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::{fs, io, process, thread};

/// Exit code of a program that was interrupted.
pub(crate) const EXIT_CODE: u8 = 130;

/// Temporary directories to be removed.
static DIRECTORIES: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());
/// Whether somebody ends the program in order, once the signal has come.
static IS_ORDERLY: AtomicBool = AtomicBool::new(false);

/// Has a temporary directory removed if the program is interrupted while it works there.
pub(crate) fn remove_when_interrupted(directory: &Path) {
    DIRECTORIES.lock().unwrap_or_else(PoisonError::into_inner).push(directory.to_owned());
    listen();
}

/// Has plugins killed if the program is interrupted while they work. They are in groups of their own, which a
/// terminal does not tell.
pub(crate) fn end_plugins_when_interrupted() {
    listen();
}

fn listen() {
    static LISTENER: Once = Once::new();
    LISTENER.call_once(|| {
        // Without a listener the system's default holds: the program ends, and what it works with stays.
        let Ok(mut signals) = Signals::new([SIGINT, SIGTERM]) else { return };
        thread::spawn(move || {
            if signals.forever().next().is_none() || IS_ORDERLY.load(Ordering::SeqCst) {
                return;
            }
            kill_plugins();
            for directory in DIRECTORIES.lock().unwrap_or_else(PoisonError::into_inner).iter() {
                let _ = fs::remove_dir_all(directory);
            }
            process::exit(EXIT_CODE.into());
        });
    });
}

/// A flag that the first signal sets. The second one ends the program at once.
pub(crate) fn flag() -> Result<Arc<AtomicBool>, Failure> {
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
    IS_ORDERLY.store(true, Ordering::SeqCst);
    Ok(flag)
}

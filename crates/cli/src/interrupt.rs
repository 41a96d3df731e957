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
/// Whether what runs looks at the flag, and ends in order.
static IS_ORDERLY: AtomicBool = AtomicBool::new(false);

/// Has a temporary directory removed if the program is interrupted while it works there.
pub(crate) fn remove_when_interrupted(directory: &Path) {
    DIRECTORIES.lock().unwrap_or_else(PoisonError::into_inner).push(directory.to_owned());
    watch();
}

/// Has plugins killed if the program is interrupted while they work: a terminal does not tell them, since they
/// lead groups of their own.
pub(crate) fn end_plugins_when_interrupted() {
    watch();
}

fn watch() {
    static WATCH: Once = Once::new();
    WATCH.call_once(|| {
        // Without a watch the system's default holds: the program ends, and what it works with stays.
        let Ok(mut signals) = Signals::new([SIGINT, SIGTERM]) else { return };
        thread::spawn(move || {
            if signals.forever().next().is_none() {
                return;
            }
            kill_plugins();
            let directories = DIRECTORIES.lock().unwrap_or_else(PoisonError::into_inner);
            if directories.is_empty() && IS_ORDERLY.load(Ordering::SeqCst) {
                return;
            }
            for directory in directories.iter() {
                let _ = fs::remove_dir_all(directory);
            }
            process::exit(EXIT_CODE.into());
        });
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
    IS_ORDERLY.store(true, Ordering::SeqCst);
    Ok(flag)
}

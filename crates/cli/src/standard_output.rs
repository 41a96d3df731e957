//! Whether standard output was open when the program was started.
//!
//! Rust opens what is closed of descriptors 0 to 2 as /dev/null before `main`, and what was printed there would
//! be lost without an error. That descriptor cannot be told from a /dev/null that was meant: Python's `DEVNULL`,
//! for one, is opened for reading and writing as well. So it is looked at before Rust does.

use crate::failure::Failure;
use std::io::{Error, ErrorKind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

static WAS_CLOSED: AtomicBool = AtomicBool::new(false);

#[cfg(unix)]
ctor::declarative::ctor! {
    /// Runs before `main` and before Rust's own preparations: it asks the system, and nothing of `std`.
    #[ctor(unsafe, anonymous)]
    fn look() {
        if rustix::io::fcntl_getfd(rustix::stdio::stdout()).is_err() {
            WAS_CLOSED.store(true, Ordering::Relaxed);
        }
    }
}

/// Refuses to print where nothing can be printed to.
pub(crate) fn check() -> Result<(), Failure> {
    match WAS_CLOSED.load(Ordering::Relaxed) {
        true => Err(Failure::standard_output(Error::new(ErrorKind::NotConnected, "it is closed"))),
        false => Ok(()),
    }
}

/// Whether a path is a name of standard output.
pub(crate) fn is_named(path: &Path) -> bool {
    ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"].iter().any(|name| path == Path::new(name))
}

//! The threads that work is done on.

use crate::error::{Error, Result};
use rayon::ThreadPoolBuilder;
use std::error::Error as _;
use std::sync::OnceLock;

/// Starts the threads of the global pool, unless this is called on a pool's thread or they run: else the
/// first work given to them would panic where the system refuses to start them.
///
/// # Errors
/// It does.
pub(crate) fn start() -> Result<()> {
    static STARTED: OnceLock<Option<String>> = OnceLock::new();
    if rayon::current_thread_index().is_some() {
        return Ok(());
    }
    let refusal = STARTED.get_or_init(|| {
        let refusal = ThreadPoolBuilder::new().build_global().err()?;
        // Without a cause, the pool was there before.
        refusal.source().map(ToString::to_string)
    });
    match refusal {
        None => Ok(()),
        Some(reason) => Err(Error::Invalid(format!(
            "cannot start threads: {reason}; allow more of them, or more memory"
        ))),
    }
}

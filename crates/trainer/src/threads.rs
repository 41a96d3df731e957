//! Threads for one piece of work.

use crate::error::TrainError;
use rayon::{ThreadPool, ThreadPoolBuilder};

/// A pool of so many threads; 0 is one per core.
///
/// # Errors
/// The system refuses to start them.
pub(crate) fn pool(threads: usize) -> Result<ThreadPool, TrainError> {
    ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|i| format!("train-{i}"))
        .build()
        .map_err(|e| TrainError::Data(format!("cannot start threads: {e}")))
}

/// Threads of the current pool, but no more than there are cores: more of them take turns and gain nothing.
pub(crate) fn useful() -> usize {
    let cores = std::thread::available_parallelism().map_or(usize::MAX, usize::from);
    rayon::current_num_threads().min(cores)
}

/// Works on so many threads (0 is one per core): predictions and measurements in `work` use them all.
///
/// # Errors
/// The system refuses to start them.
pub fn on_threads<R: Send>(
    threads: usize,
    work: impl FnOnce() -> R + Send,
) -> Result<R, TrainError> {
    Ok(pool(threads)?.install(work))
}

//! Threads for one piece of work.

use crate::error::TrainError;
use gristmill_kernels::Crew;
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

/// Leads a crew of so many, whose helpers are threads of the current pool: they have no other work until
/// `lead` ends.
pub fn with_crew<R>(members: usize, lead: impl FnOnce(&mut Crew) -> R) -> R {
    let mut crew = Crew::new(members);
    if members < 2 {
        return lead(&mut crew);
    }
    let post = crew.post();
    rayon::in_place_scope(|scope| {
        scope.spawn_broadcast(|_, _| post.serve());
        // The helpers leave when it is dropped: here, or by a panic.
        let mut crew = crew;
        lead(&mut crew)
    })
}

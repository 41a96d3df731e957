//! Threads for one piece of work.

use crate::error::TrainError;
use gristmill_kernels::{Crew, FlushDenormals};
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::sync::OnceLock;
use std::thread::{self, Scope, ScopedJoinHandle};

/// Most threads that are ever started: no machine has a use for more.
const MOST_THREADS: usize = 1024;

/// A pool of `threads` threads; 0 is one per core.
///
/// # Errors
/// The system refuses to start them.
pub(crate) fn pool(threads: usize) -> Result<ThreadPool, TrainError> {
    ThreadPoolBuilder::new()
        .num_threads(threads.min(MOST_THREADS))
        .thread_name(|i| format!("train-{i}"))
        .build()
        .map_err(|error| {
            let count = if threads == 0 { String::new() } else { format!("{threads} ") };
            TrainError::Threads(format!("cannot start {count}threads: {error}"))
        })
}

/// Starts the threads that data are read and written on, one per core, before they are wanted: then it would
/// be a panic if the system refused. Calling it again does nothing.
///
/// # Errors
/// The system refuses to start them.
pub fn start_threads() -> Result<(), TrainError> {
    static STARTED: OnceLock<Result<(), String>> = OnceLock::new();
    let start = || ThreadPoolBuilder::new().build_global().map_err(|error| error.to_string());
    let started = STARTED.get_or_init(start).clone();
    started.map_err(|error| {
        TrainError::Threads(format!("cannot start a thread for each core: {error}"))
    })
}

/// Starts a thread of a scope, whose name begins as those of the pools do.
///
/// # Errors
/// The system refuses to.
pub(crate) fn spawn<'scope, R: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    name: &str,
    work: impl FnOnce() -> R + Send + 'scope,
) -> Result<ScopedJoinHandle<'scope, R>, TrainError> {
    let thread = thread::Builder::new().name(format!("train-{name}"));
    thread.spawn_scoped(scope, work).map_err(|error| {
        TrainError::Threads(format!("cannot start a thread to read rows ahead: {error}"))
    })
}

/// Threads of the current pool, but no more than there are cores: more of them take turns and gain nothing.
pub fn useful() -> usize {
    let cores = std::thread::available_parallelism().map_or(usize::MAX, usize::from);
    rayon::current_num_threads().min(cores)
}

/// Runs `work` on a pool of `threads` threads (0 is one per core), which predictions and evaluations use.
///
/// # Errors
/// The system refuses to start them.
pub fn on_threads<R: Send>(
    threads: usize,
    work: impl FnOnce() -> R + Send,
) -> Result<R, TrainError> {
    Ok(pool(threads)?.install(work))
}

/// Leads a crew of `members` threads: this one, and helpers from the current pool. The helpers have no other
/// work until `lead` returns, so nothing in it may wait for another task of the pool. All of them
/// [flush denormals](FlushDenormals) until then.
pub fn with_crew<R>(members: usize, lead: impl FnOnce(&mut Crew) -> R) -> R {
    let _mode = FlushDenormals::on_this_thread();
    let mut crew = Crew::new(members);
    if members < 2 {
        return lead(&mut crew);
    }
    let post = crew.post();
    let leader = rayon::current_thread_index();
    rayon::in_place_scope(|scope| {
        scope.spawn_broadcast(|_, thread| {
            if leader != Some(thread.index()) {
                post.serve();
            }
        });
        // The helpers leave when it is dropped: here, or by a panic.
        let mut crew = crew;
        lead(&mut crew)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    #[test]
    fn a_leader_that_panics_leaves_the_pool_at_work() {
        for threads in [1, 2, 3] {
            on_threads(threads, || {
                let panic = catch_unwind(AssertUnwindSafe(|| {
                    with_crew(threads, |crew| {
                        crew.for_each(&mut [0; 10], |_, item| *item += 1);
                        panic!("the leader fails");
                    });
                }));
                assert!(panic.is_err());
                assert_eq!(rayon::broadcast(|_| ()).len(), threads);
            })
            .expect("threads start");
        }
    }

    #[test]
    fn a_leader_does_not_become_its_own_helper() {
        on_threads(2, || {
            for _ in 0..100 {
                with_crew(2, |_| rayon::yield_now());
            }
        })
        .expect("threads start");
    }
}

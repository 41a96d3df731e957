//! Threads that stay awake between pieces of work of some microseconds, and the sharing out of tasks.
//!
//! A training step of a small network is shorter than the way to a sleeping thread, or through the
//! queues of a general pool. Members of a crew wait in a loop instead, for a moment; then they sleep.
//!
//! ```text
//! the leader:  give each member a share of the tasks
//! each member: while there is a task in the own share (take it from the front), or in another's (from
//!              the back): do it; then count what was done
//! the leader:  wait until all are counted
//! ```
//!
//! Shares are the same every time, so a member finds in its cache what it had there. A member that is
//! late, or sleeps, holds nobody up but by the tasks that it has taken and not yet counted.
#![allow(unsafe_code)]

use crate::arch::float_mode::FlushDenormals;
use crate::simd::Row;
use std::any::Any;
use std::cell::UnsafeCell;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a thread waits in a loop before it gives its core away.
const PATIENCE: Duration = Duration::from_micros(50);

/// Rounds of the loop between two looks at the clock.
const ROUNDS_PER_LOOK: u32 = 64;

/// The leader of a crew: has work done by its helpers and itself.
pub struct Crew {
    shared: Arc<Shared>,
    /// Whether the helpers take part.
    is_helped: bool,
}

/// A place in a crew, to be taken by a thread.
pub struct Post {
    shared: Arc<Shared>,
}

/// A piece of work: does the task of a number.
type Work<'a> = dyn Fn(usize) + Sync + 'a;

struct Shared {
    /// Of the leader, then of each helper.
    shares: Box<[Share]>,
    /// Tasks that helpers have done.
    done: OwnLines<AtomicUsize>,
    /// Helpers that have come.
    helpers: AtomicUsize,
    dismissed: AtomicBool,
    /// What the first task that panicked said.
    panic: Mutex<Option<Box<dyn Any + Send>>>,
    sleepers: AtomicUsize,
    bed: Mutex<()>,
    alarm: Condvar,
}

/// Alone on its cache lines: two, since neighbours are fetched in pairs.
#[derive(Default)]
#[repr(align(128))]
struct OwnLines<T>(T);

/// Some tasks, and what they are tasks of: side by side, to reach a member together.
#[derive(Default)]
#[repr(align(128))]
struct Share {
    /// Those that nobody has taken: the first in the upper half, the end in the lower.
    tasks: AtomicU64,
    /// Read only by who has taken a task of it.
    work: UnsafeCell<Option<*const Work<'static>>>,
}

// SAFETY: `work` is written by the leader alone, which has the only `Crew` (`run` takes it mutably),
// while no task is out; and read only by those who have taken a task since, so that the leader waits
// for them. Taking a task (acquire) follows filling the share (release) after the write, and the
// leader's next write follows (acquire) the count of the tasks done (release). What it points to can be
// called from all threads.
unsafe impl Sync for Share {}
// SAFETY: as above; a pointer to what all threads can call may be sent.
unsafe impl Send for Share {}

impl Share {
    /// # Safety
    /// No task of the share is out, and none stays out after the end of what `work` refers to.
    unsafe fn fill(&self, tasks: Range<usize>, work: &Work<'_>) {
        // SAFETY: nobody else looks at it while no task is out; the lifetime is the caller's care.
        unsafe { *self.work.get() = Some(std::mem::transmute::<&Work<'_>, &Work<'static>>(work)) };
        self.tasks.store((tasks.start as u64) << 32 | tasks.end as u64, Ordering::SeqCst);
    }

    /// Whether there is no task, at a moment after all that this thread wrote.
    fn is_empty(&self) -> bool {
        let (first, end) = split(self.tasks.load(Ordering::SeqCst));
        first >= end
    }

    /// Takes a task from the front, as its owner does, or from the back; with what it is a task of.
    #[inline]
    fn take(&self, front: bool) -> Option<(usize, *const Work<'static>)> {
        let mut left = self.tasks.load(Ordering::Relaxed);
        loop {
            let (first, end) = split(left);
            if first >= end {
                return None;
            }
            let (task, rest) = if front { (first, left + (1 << 32)) } else { (end - 1, left - 1) };
            match self.tasks.compare_exchange_weak(left, rest, Ordering::Acquire, Ordering::Relaxed)
            {
                Ok(_) => {
                    // SAFETY: a task of it was taken.
                    let work = unsafe { *self.work.get() };
                    return Some((task, work.expect("it was put there")));
                }
                Err(now) => left = now,
            }
        }
    }
}

/// First task and end.
fn split(tasks: u64) -> (usize, usize) {
    ((tasks >> 32) as usize, tasks as u32 as usize)
}

/// Where something starts that tasks take parts of.
struct Origin<T>(*mut T);

// SAFETY: it is used to make references to distinct parts, which may be sent where T may.
unsafe impl<T: Send> Sync for Origin<T> {}

impl<T> Origin<T> {
    /// The part `range`.
    ///
    /// # Safety
    /// It lies in what starts here, which outlives 'a, and nothing else refers to it.
    unsafe fn part<'a>(&self, range: Range<usize>) -> &'a mut [T] {
        // SAFETY: as the caller promises.
        unsafe { std::slice::from_raw_parts_mut(self.0.add(range.start), range.len()) }
    }
}

impl Crew {
    /// A crew of `members`, the leader among them. Helpers join it by [`Post::serve`]: see [`post`](Self::post).
    pub fn new(members: usize) -> Crew {
        Crew {
            shared: Arc::new(Shared {
                shares: (0..members.max(1)).map(|_| Share::default()).collect(),
                done: OwnLines::default(),
                helpers: AtomicUsize::new(0),
                dismissed: AtomicBool::new(false),
                panic: Mutex::new(None),
                sleepers: AtomicUsize::new(0),
                bed: Mutex::new(()),
                alarm: Condvar::new(),
            }),
            is_helped: true,
        }
    }

    /// Whether helpers take part in what follows, or the leader works alone.
    pub fn use_helpers(&mut self, yes: bool) {
        self.is_helped = yes;
    }

    fn members(&self) -> usize {
        if self.is_helped { self.shared.shares.len() } else { 1 }
    }

    /// Where threads enlist as helpers.
    pub fn post(&self) -> Post {
        Post { shared: Arc::clone(&self.shared) }
    }

    /// Works on every item. Items nearby are given to the same member, as far as possible.
    ///
    /// # Panics
    /// If `work` does, on any thread; with helpers, after all other items were worked on.
    pub fn for_each<T: Send>(&mut self, items: &mut [T], work: impl Fn(usize, &mut T) + Sync) {
        let (count, members) = (items.len(), self.members());
        if members == 1 || count < 2 {
            return items.iter_mut().enumerate().for_each(|(i, item)| work(i, item));
        }
        let start = Origin(items.as_mut_ptr());
        self.run(count, |member| share(count, member, members), &|task| {
            // SAFETY: `items` is borrowed until all tasks are done, and each task is done once.
            let item = unsafe { start.part(task..task + 1) };
            work(task, &mut item[0]);
        });
    }

    /// Works on every part of some arenas: part `i` of each is its rows `bounds[i]..bounds[i + 1]`, or
    /// nothing where the arena is empty. Each member gets about as many rows of the first arena.
    ///
    /// # Panics
    /// If the bounds of an arena do not ascend, are not as many as those of the others, or go beyond
    /// its end although it is not empty; if `work` does, on any thread.
    pub fn for_each_part<const N: usize>(
        &mut self,
        arenas: [(&[usize], &mut [Row]); N],
        work: impl Fn(usize, [&mut [Row]; N]) + Sync,
    ) {
        let Some(&(leading, _)) = arenas.first() else { return };
        let (Some(&begin), Some(&end)) = (leading.first(), leading.last()) else { return };
        for (bounds, arena) in &arenas {
            assert_eq!(bounds.len(), leading.len(), "as many parts of every arena");
            assert!(bounds.is_sorted(), "bounds ascend");
            let rows = bounds[bounds.len() - 1];
            assert!(arena.is_empty() || arena.len() >= rows, "an arena of {rows} rows");
        }
        let starts = arenas.map(|(bounds, arena)| {
            let is_empty = arena.is_empty();
            (bounds, Origin(arena.as_mut_ptr()), is_empty)
        });
        let (count, members) = (leading.len() - 1, self.members());
        let first = |member: usize| nearest(leading, begin + share(end - begin, member, members));
        self.run(count, first, &|task| {
            let part = |(bounds, start, is_empty): &(&[usize], Origin<Row>, bool)| {
                let rows = if *is_empty { 0..0 } else { bounds[task]..bounds[task + 1] };
                // SAFETY: the arenas are borrowed until all tasks are done, each is as long as its
                // last bound, the bounds ascend, and each task is done once.
                unsafe { start.part(rows) }
            };
            work(task, starts.each_ref().map(part));
        });
    }

    /// Does the tasks `0..tasks`, each once. Member m begins with those from `first(m)` up to `first(m + 1)`;
    /// whatever `first` returns, every task is done exactly once.
    fn run(&mut self, tasks: usize, first: impl Fn(usize) -> usize, work: &Work<'_>) {
        if self.members() == 1 || tasks < 2 {
            return (0..tasks).for_each(work);
        }
        let shared = &*self.shared;
        assert!(u32::try_from(tasks).is_ok(), "{tasks} tasks");
        shared.done.0.store(0, Ordering::Relaxed);
        let unfinished = AbortOnDrop;
        let mut end = tasks;
        for (member, share) in shared.shares.iter().enumerate().rev() {
            let begin = if member == 0 { 0 } else { first(member).min(end) };
            // SAFETY: no task is out, since the last call waited for all; and this one neither returns
            // nor unwinds before all are done.
            unsafe { share.fill(begin..end, work) };
            end = begin;
        }
        shared.wake();
        let own = shared.work_off(0);
        let mut patience = Patience::default();
        while own + shared.done.0.load(Ordering::Acquire) < tasks {
            if patience.ends() {
                std::thread::yield_now();
            }
        }
        std::mem::forget(unfinished);
        let panic = lock(&shared.panic).take();
        if let Some(panic) = panic {
            resume_unwind(panic);
        }
    }
}

/// Ends the process if it is unwound: others may still work with what would be gone.
struct AbortOnDrop;

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        std::process::abort();
    }
}

/// Where the share of a member begins among `count` items that all members divide.
fn share(count: usize, member: usize, members: usize) -> usize {
    (count as u128 * member as u128 / members as u128) as usize
}

/// The index of the bound that is nearest to `row`, which is at most the last.
fn nearest(bounds: &[usize], row: usize) -> usize {
    let after = bounds.partition_point(|&bound| bound < row);
    match after.checked_sub(1) {
        Some(before) if row - bounds[before] < bounds[after] - row => before,
        _ => after,
    }
}

impl Drop for Crew {
    /// Sends the helpers away.
    fn drop(&mut self) {
        self.shared.dismissed.store(true, Ordering::SeqCst);
        self.shared.wake();
    }
}

impl Post {
    /// Helps until the crew is dropped; not at all if it has helpers enough. The thread must be neither
    /// the leader's nor at a task. Meanwhile it [flushes denormals](FlushDenormals), as its leader has to.
    pub fn serve(&self) {
        let shared = &*self.shared;
        let member = 1 + shared.helpers.fetch_add(1, Ordering::Relaxed);
        if member >= shared.shares.len() {
            return;
        }
        let _mode = FlushDenormals::on_this_thread();
        while shared.await_tasks(member) {
            let done = shared.work_off(member);
            if done > 0 {
                shared.done.0.fetch_add(done, Ordering::Release);
            }
        }
    }
}

impl Shared {
    /// Wakes the helpers that sleep, after they were given something to wake for.
    fn wake(&self) {
        // Either a helper on its way to bed sees what there is, or it is counted here.
        if self.sleepers.load(Ordering::SeqCst) > 0 {
            drop(lock(&self.bed));
            self.alarm.notify_all();
        }
    }

    /// Waits for tasks in the share of a helper; `false` if none will come.
    fn await_tasks(&self, member: usize) -> bool {
        let share = &self.shares[member];
        let is_idle = || share.is_empty() && !self.dismissed.load(Ordering::SeqCst);
        let mut patience = Patience::default();
        while is_idle() {
            if patience.ends() {
                let mut bed = lock(&self.bed);
                self.sleepers.fetch_add(1, Ordering::SeqCst);
                while is_idle() {
                    bed = self.alarm.wait(bed).unwrap_or_else(PoisonError::into_inner);
                }
                self.sleepers.fetch_sub(1, Ordering::SeqCst);
            }
        }
        !self.dismissed.load(Ordering::SeqCst)
    }

    /// Does tasks until none is left, the own ones first; returns how many.
    fn work_off(&self, member: usize) -> usize {
        let members = self.shares.len();
        let mut done = 0;
        for next in 0..members {
            let share = &self.shares[(member + next) % members];
            while let Some((task, work)) = share.take(next == 0) {
                // SAFETY: the leader waits for the task before `work` ends.
                let work = unsafe { &*work };
                // A task that panics is done, or the leader would wait forever.
                if let Err(panic) = catch_unwind(AssertUnwindSafe(|| work(task))) {
                    let mut first = lock(&self.panic);
                    if first.is_none() {
                        *first = Some(panic);
                    } else {
                        // Dropping it might panic again.
                        std::mem::forget(panic);
                    }
                }
                done += 1;
            }
        }
        done
    }
}

/// A wait in a loop, for a limited time.
#[derive(Default)]
struct Patience {
    rounds: u32,
    since: Option<Instant>,
}

impl Patience {
    /// Passes a moment. Whether it was the last one.
    fn ends(&mut self) -> bool {
        std::hint::spin_loop();
        self.rounds = self.rounds.wrapping_add(1);
        if !self.rounds.is_multiple_of(ROUNDS_PER_LOOK) {
            return false;
        }
        self.since.get_or_insert_with(Instant::now).elapsed() >= PATIENCE
    }
}

/// The mutexes here guard nothing that a panic could leave in disorder.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;

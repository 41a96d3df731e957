//! Where the time of training steps goes.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Thread-seconds spent in each part of the steps: two threads busy for a second spend two.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Profile {
    /// Finding, decoding and standardising rows.
    pub gather: Duration,
    /// Forward pass and loss.
    pub forward: Duration,
    /// Errors of all layers.
    pub backward: Duration,
    /// Gradients of tiles.
    pub tiles: Duration,
    /// Updates of tiles.
    pub update: Duration,
    /// Joins, and threads with nothing to do.
    pub waiting: Duration,
}

impl Profile {
    /// All of it: thread-seconds from the first step to the last.
    pub fn total(&self) -> Duration {
        let Profile { gather, forward, backward, tiles, update, waiting } = *self;
        gather + forward + backward + tiles + update + waiting
    }
}

/// What a step is made of, in the order in which it is done.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Phase {
    Gather,
    Forward,
    Backward,
    Tiles,
    Update,
}

const PARTS: usize = 5;

/// Adds up the time of each phase over all threads; does nothing, at no cost, unless it is on.
#[derive(Debug, Default)]
pub(crate) struct Stopwatch {
    on: bool,
    nanoseconds: [AtomicU64; PARTS],
    total: Duration,
}

impl Stopwatch {
    pub(crate) fn switch(&mut self, on: bool) {
        *self = Stopwatch { on, ..Stopwatch::default() };
    }

    /// The beginning of a phase.
    #[inline]
    pub(crate) fn start(&self) -> Option<Instant> {
        self.on.then(Instant::now)
    }

    /// The end of a phase that began at `start`, and the beginning of the next.
    #[inline]
    pub(crate) fn lap(&self, phase: Phase, start: &mut Option<Instant>) {
        if let Some(since) = start {
            let now = Instant::now();
            let spent = now.duration_since(*since).as_nanos() as u64;
            self.nanoseconds[phase as usize].fetch_add(spent, Ordering::Relaxed);
            *since = now;
        }
    }

    /// The end of a step that began at `start` and ran on `threads` threads.
    #[inline]
    pub(crate) fn finish(&mut self, threads: usize, start: Option<Instant>) {
        if let Some(since) = start {
            self.total += since.elapsed() * threads as u32;
        }
    }

    /// What was measured since the last call.
    pub(crate) fn take(&mut self) -> Profile {
        let spent = |phase: Phase| {
            Duration::from_nanos(self.nanoseconds[phase as usize].swap(0, Ordering::Relaxed))
        };
        let [gather, forward, backward, tiles, update] =
            [Phase::Gather, Phase::Forward, Phase::Backward, Phase::Tiles, Phase::Update]
                .map(spent);
        let busy = gather + forward + backward + tiles + update;
        let waiting = std::mem::take(&mut self.total).saturating_sub(busy);
        Profile { gather, forward, backward, tiles, update, waiting }
    }
}

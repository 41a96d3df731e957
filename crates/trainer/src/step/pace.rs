//! Whether the steps of a network run on all threads or on one: whichever is faster.
//!
//! Joining threads costs as much time as a small step, and how much depends on the machine: on where its cores
//! are, and on what else runs on them. So the steps of small networks are timed both ways now and then. The
//! choice changes no bit of the result.

use std::time::Duration;

/// Steps of fewer multiply-adds than this never gain from threads.
const LEAST_WORK: usize = 1 << 18;

/// Steps of at least this many multiply-adds always gain more from threads than a join costs.
const CERTAIN_WORK: usize = 1 << 24;

/// Steps of a trial of one way; the ways take turns.
const TRIAL_STEPS: u32 = 16;

/// Turns of all trials: the better of two for each way.
const TURNS: usize = 4;

/// Steps after which the ways are tried again.
const SETTLED_STEPS: u32 = 4096;

/// Decides for each step.
pub(crate) enum Pace {
    /// Nothing is to be gained by trying.
    Fixed {
        /// Whether steps run on all threads.
        parallel: bool,
    },
    /// Both ways are tried now and then.
    Tried(Trials),
}

pub(crate) struct Trials {
    /// The trial under way; odd ones are of all threads. At `TURNS` the faster way is taken.
    turn: usize,
    /// Steps left of it.
    left: u32,
    /// Time of its steps so far.
    spent: Duration,
    /// The shortest trial of one thread, and of all.
    shortest: [Duration; 2],
}

impl Pace {
    /// For steps of `work` multiply-adds, on at most `threads` threads.
    pub(crate) fn new(work: usize, threads: usize) -> Pace {
        match work {
            _ if threads < 2 => Pace::Fixed { parallel: false },
            ..LEAST_WORK => Pace::Fixed { parallel: false },
            LEAST_WORK..CERTAIN_WORK => Pace::Tried(Trials {
                turn: 0,
                left: TRIAL_STEPS,
                spent: Duration::ZERO,
                shortest: [Duration::MAX; 2],
            }),
            CERTAIN_WORK.. => Pace::Fixed { parallel: true },
        }
    }

    /// Whether any step runs on more than one thread.
    pub(crate) fn is_ever_parallel(&self) -> bool {
        !matches!(self, Pace::Fixed { parallel: false })
    }

    /// Whether the next step runs on all threads.
    pub(crate) fn next(&mut self) -> bool {
        match self {
            Pace::Fixed { parallel } => *parallel,
            Pace::Tried(trials) => trials.next(),
        }
    }

    /// The trial under way, which wants to know how long the step takes.
    pub(crate) fn trial(&mut self) -> Option<&mut Trials> {
        match self {
            Pace::Tried(trials) if trials.turn < TURNS => Some(trials),
            _ => None,
        }
    }
}

impl Trials {
    fn next(&mut self) -> bool {
        if self.left == 0 {
            self.turn_over();
        }
        self.left -= 1;
        match self.turn {
            TURNS => self.shortest[1] < self.shortest[0],
            turn => turn % 2 == 1,
        }
    }

    /// How long the last step took.
    pub(crate) fn add(&mut self, step: Duration) {
        self.spent += step;
    }

    fn turn_over(&mut self) {
        if self.turn < TURNS {
            let shortest = &mut self.shortest[self.turn % 2];
            *shortest = self.spent.min(*shortest);
            self.turn += 1;
        } else {
            self.turn = 0;
            self.shortest = [Duration::MAX; 2];
        }
        self.left = if self.turn < TURNS { TRIAL_STEPS } else { SETTLED_STEPS };
        self.spent = Duration::ZERO;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of `steps` steps, how many run on all threads where a step takes `one` on one thread and `all` on all.
    fn parallel_steps(steps: u32, one: Duration, all: Duration) -> u32 {
        let mut pace = Pace::new(LEAST_WORK, 2);
        let mut parallel_steps = 0;
        for _ in 0..steps {
            let parallel = pace.next();
            if let Some(trial) = pace.trial() {
                trial.add(if parallel { all } else { one });
            }
            parallel_steps += u32::from(parallel);
        }
        parallel_steps
    }

    #[test]
    fn the_faster_way_is_taken() {
        let (short, long) = (Duration::from_micros(5), Duration::from_micros(9));
        let round = TURNS as u32 * TRIAL_STEPS + SETTLED_STEPS;
        let tried = TURNS as u32 / 2 * TRIAL_STEPS;
        assert_eq!(parallel_steps(2 * round, short, long), 2 * tried);
        assert_eq!(parallel_steps(2 * round, long, short), 2 * (tried + SETTLED_STEPS));
    }

    #[test]
    fn only_small_steps_are_tried() {
        assert!(!Pace::new(LEAST_WORK - 1, 64).is_ever_parallel());
        assert!(!Pace::new(usize::MAX, 1).is_ever_parallel());
        assert!(matches!(Pace::new(CERTAIN_WORK, 2), Pace::Fixed { parallel: true }));
        assert!(matches!(Pace::new(CERTAIN_WORK - 1, 2), Pace::Tried(_)));
    }
}

//! An observer that interrupts a run.

use gristmill_trainer::observer::{Control, Observer, StepReport};

/// Stops a run when this number of steps has been done.
pub(crate) struct StopAfter(pub(crate) u64);

impl Observer for StopAfter {
    fn step(&mut self, _: &StepReport) -> Control {
        self.0 -= 1;
        if self.0 == 0 { Control::Stop } else { Control::Continue }
    }
}

//! The last good state of a run, to go back to when training comes to what are no numbers.

use crate::step::engine::Engine;
use gristmill_kernels::Rows;

/// How often a run goes back before it is given up: the learning rate is then less than a thousandth.
pub(super) const MOST: u32 = 10;

/// What the learning rate is multiplied by after the run has gone back `times` times.
pub(super) fn factor(times: u32) -> f64 {
    0.5f64.powi(times as i32)
}

/// All that a step changes of an engine, as it was: as much memory again as the weights and the state of the
/// optimiser take.
pub(super) struct Snapshot {
    pub(super) weights: Rows,
    pub(super) slots: [Rows; 2],
}

impl Snapshot {
    pub(super) fn of(engine: &Engine) -> Snapshot {
        let copy = |arena: &[_]| {
            let mut copy = Rows::zeroed(arena.len());
            copy.copy_from_slice(arena);
            copy
        };
        let slots = [&engine.state.slots[0], &engine.state.slots[1]].map(|slot| copy(slot));
        Snapshot { weights: copy(engine.network.weights()), slots }
    }

    /// Takes the state of now in place of the one that it has.
    pub(super) fn renew(&mut self, engine: &Engine) {
        self.weights.copy_from_slice(engine.network.weights());
        for (copy, slot) in self.slots.iter_mut().zip(&engine.state.slots) {
            copy.copy_from_slice(slot);
        }
    }

    /// Brings an engine back to it.
    pub(super) fn restore(&self, engine: &mut Engine) {
        engine.network.weights_mut().copy_from_slice(&self.weights);
        for (slot, copy) in engine.state.slots.iter_mut().zip(&self.slots) {
            slot.copy_from_slice(copy);
        }
    }
}

//! Copies of what training changes: the weights of the best epoch, and the last good state of a run.

use crate::step::engine::Engine;
use gristmill_kernels::{Row, Rows};

/// The weights of an engine as they were, and the state of its optimiser if that is to be gone back to: as
/// much memory again as these take.
pub(super) struct Snapshot {
    weights: Rows,
    /// Empty where there are the weights alone.
    slots: [Rows; 2],
}

impl Snapshot {
    /// Of the weights alone: they are all that a model needs.
    pub(super) fn of_weights(engine: &Engine) -> Snapshot {
        Snapshot { weights: copy(engine.network.weights()), slots: [0, 0].map(Rows::zeroed) }
    }

    /// Of all that a step changes.
    pub(super) fn of_state(engine: &Engine) -> Snapshot {
        let [first, second] = &engine.state.slots;
        Snapshot { slots: [copy(first), copy(second)], ..Snapshot::of_weights(engine) }
    }

    /// Takes what is now in place of what it has.
    pub(super) fn renew(&mut self, engine: &Engine) {
        let [first, second] = &engine.state.slots;
        let now = [engine.network.weights(), first, second];
        for (copy, now) in self.arenas_mut().into_iter().zip(now) {
            if !copy.is_empty() {
                copy.copy_from_slice(now);
            }
        }
    }

    /// Brings an engine back to it: one of the weights alone leaves the optimiser as it is.
    pub(super) fn restore(&self, engine: &mut Engine) {
        engine.network.weights_mut().copy_from_slice(&self.weights);
        for (slot, copy) in engine.state.slots.iter_mut().zip(&self.slots) {
            if !copy.is_empty() {
                slot.copy_from_slice(copy);
            }
        }
    }

    /// Gives the engine these weights, and takes those that it has.
    pub(super) fn swap_weights(&mut self, engine: &mut Engine) {
        engine.network.weights_mut().swap_with_slice(&mut self.weights);
    }

    /// The weights.
    pub(super) fn weights(&self) -> &[Row] {
        &self.weights
    }

    /// The weights, and what the optimiser keeps; those that it lacks are empty.
    pub(super) fn arenas(&self) -> [&[Row]; 3] {
        let [first, second] = &self.slots;
        [&self.weights, first, second]
    }

    /// The same, to be written to.
    pub(super) fn arenas_mut(&mut self) -> [&mut [Row]; 3] {
        let [first, second] = &mut self.slots;
        [&mut self.weights, first, second]
    }
}

fn copy(arena: &[Row]) -> Rows {
    let mut copy = Rows::zeroed(arena.len());
    copy.copy_from_slice(arena);
    copy
}

//! Recurrent cells: what a time step does unit by unit, between the products of the step.
//!
//! Samples are lanes. Values of all steps lie in one matrix, step after step in each panel, and
//! `Panels::new(values, steps * rows).rows(step * rows..(step + 1) * rows)` are those of one step.
//! Gates overwrite the sums that they are taken of, and in the backward pass the errors of those
//! sums overwrite the gates: a step needs no memory but what the backward pass reads.

pub mod gru;
pub mod lstm;

use crate::simd::{Row, Simd};

/// Which step it is, and how many each sample has.
///
/// A sample that has no such step keeps its state: its output is the state that it had, and an error
/// passes by it unchanged.
#[derive(Clone, Copy)]
pub struct Time<'a> {
    /// Counted from 0.
    pub step: usize,
    /// The steps of each sample, one row per panel. Without, every sample has this one.
    pub lengths: Option<&'a [Row]>,
}

impl Time<'_> {
    fn check(&self, panels: usize) {
        assert!(self.lengths.is_none_or(|rows| rows.len() == panels), "a length per sample");
    }

    /// The samples that have this step.
    #[inline(always)]
    fn live<S: Simd>(&self, s: S, panel: usize) -> S::M {
        let length = match self.lengths {
            Some(lengths) => s.load(&lengths[panel]),
            None => s.splat(f32::INFINITY),
        };
        s.lt(s.splat(self.step as f32), length)
    }
}

#[cfg(test)]
mod tests;

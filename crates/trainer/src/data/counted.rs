//! Rows as training sees them: changed as its epoch has it, and of those that do not count only the weight is looked at.
//!
//! What a row of weight 0 adds to the gradient is 0 times its values, which is no number where one of these
//! is infinite or too large for the network. Such a row therefore has the values of one that counts.

use crate::data::augment::Augmentation;
use crate::data::samples::Samples;
use crate::objective::{Objective, TargetKind};
use gristmill_io::schema::{Encoding, Statistics};
use gristmill_kernels::Element;

/// Which rows count, and the values of which the others have.
#[derive(Debug, Clone)]
pub(crate) struct Counting {
    objective: Objective,
    /// A row that counts.
    stand_in: u64,
    /// Whether there may be rows that do not.
    is_selective: bool,
}

impl Counting {
    /// Of these samples; `stand_in` is a row whose weight, times that of its class, is above 0.
    pub(crate) fn new<S: Samples>(samples: &S, objective: Objective, stand_in: u64) -> Counting {
        let is_selective = samples.has_weights() || !objective.class_weights.is_empty();
        Counting { objective, stand_in, is_selective }
    }

    /// These samples, seen so and changed.
    #[inline]
    pub(crate) fn of<'a, S: Samples>(
        &'a self,
        samples: &'a S,
        augmentation: Option<&'a Augmentation>,
    ) -> Counted<'a, S> {
        Counted { samples, counting: self, augmentation }
    }
}

/// How much a row counts: its weight, times that of its class.
#[inline]
pub(crate) fn weight<S: Samples>(samples: &S, objective: &Objective, row: u64) -> f32 {
    let weight = samples.weight(row);
    match objective.targets {
        TargetKind::Classes if !objective.class_weights.is_empty() => {
            weight * objective.class_weight(samples.label(row))
        }
        _ => weight,
    }
}

/// Samples of which those that do not count have the values of one that does.
pub(crate) struct Counted<'a, S> {
    samples: &'a S,
    counting: &'a Counting,
    augmentation: Option<&'a Augmentation>,
}

impl<S: Samples> Counted<'_, S> {
    /// The row whose values this one has.
    #[inline]
    fn valued(&self, row: u64) -> u64 {
        let Counting { objective, stand_in, is_selective } = self.counting;
        match *is_selective && weight(self.samples, objective, row) == 0.0 {
            true => *stand_in,
            false => row,
        }
    }
}

impl<S: Samples> Samples for Counted<'_, S> {
    fn rows(&self) -> u64 {
        self.samples.rows()
    }
    fn element(&self) -> Element {
        self.samples.element()
    }
    #[inline]
    fn row(&self, row: u64) -> &[u8] {
        self.samples.row(self.valued(row))
    }
    #[inline]
    fn label(&self, row: u64) -> u32 {
        self.samples.label(row)
    }
    #[inline]
    fn targets(&self, row: u64, out: &mut [f32]) {
        self.samples.targets(self.valued(row), out);
    }
    #[inline]
    fn weight(&self, row: u64) -> f32 {
        self.samples.weight(row)
    }
    fn has_weights(&self) -> bool {
        self.samples.has_weights()
    }
    fn encoding(&self) -> &Encoding {
        self.samples.encoding()
    }
    fn statistics(&self) -> &[Statistics] {
        self.samples.statistics()
    }
    fn target_statistics(&self) -> &[Statistics] {
        self.samples.target_statistics()
    }
    fn features(&self) -> usize {
        self.samples.features()
    }
    fn fingerprint(&self) -> u64 {
        self.samples.fingerprint()
    }
    fn augmentation(&self) -> Option<&Augmentation> {
        self.augmentation
    }
    fn name(&self) -> String {
        self.samples.name()
    }
}

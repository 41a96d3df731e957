//! What a kind of layer computes, as a formula over numbers of any type.

use super::number::{Kinks, Number};

/// A layer as it is defined: one number at a time, and only forward.
pub(super) trait Formula {
    /// Whether the values of a sample depend on the other samples of its minibatch.
    const MIXES_SAMPLES: bool = false;

    /// For each sample its values.
    fn values<N: Number>(&self, at: At<'_, N>) -> Vec<Vec<N>>;
}

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Form {
    /// Training, with all dropout off.
    Training,
    Prediction,
}

/// What a layer is given.
pub(super) struct At<'a, N> {
    pub(super) form: Form,
    /// For each input, the values of each sample.
    pub(super) inputs: Vec<&'a [Vec<N>]>,
    /// For each sample, how many positions of its first input belong to it; all without.
    pub(super) ends: Option<&'a [usize]>,
    /// Its tensors, as files have them.
    pub(super) parameters: &'a [Vec<N>],
    pub(super) kinks: &'a mut Kinks,
}

impl<N: Number> At<'_, N> {
    /// For each sample, what a function makes of its only input.
    pub(super) fn each(self, mut of: impl FnMut(&[N], &mut Kinks) -> Vec<N>) -> Vec<Vec<N>> {
        self.each_to_its_end(|sample, _, kinks| of(sample, kinks))
    }

    /// The same of a function that is told where the sample ends, if that is not after all its positions.
    pub(super) fn each_to_its_end(
        self,
        mut of: impl FnMut(&[N], Option<usize>, &mut Kinks) -> Vec<N>,
    ) -> Vec<Vec<N>> {
        let samples = self.inputs[0].iter().enumerate();
        let end = |sample: usize| self.ends.map(|ends| ends[sample]);
        samples.map(|(i, sample)| of(sample, end(i), self.kinks)).collect()
    }

    /// For each sample, what a function makes of each value of its only input.
    pub(super) fn each_value(self, mut of: impl FnMut(N, &mut Kinks) -> N) -> Vec<Vec<N>> {
        self.each(|sample, kinks| sample.iter().map(|&value| of(value, kinks)).collect())
    }
}

/// Where a value of an image stands among those of its sample.
pub(super) fn place(width: usize, channels: usize, [y, x, channel]: [usize; 3]) -> usize {
    (y * width + x) * channels + channel
}

/// Where position `tap` of window number `window` is, if it is inside an axis of this length.
pub(super) fn seen(
    length: usize,
    [stride, dilation, padding]: [usize; 3],
    window: usize,
    tap: usize,
) -> Option<usize> {
    let padded = window * stride + tap * dilation;
    padded.checked_sub(padding).filter(|&inside| inside < length)
}

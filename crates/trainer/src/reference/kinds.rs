//! The kinds of layers that have a formula: all.

use super::formula::{At, Formula};
use super::number::Number;
use crate::layer::Kind;

macro_rules! formulas {
    ($($kind:ident),+ $(,)?) => {
        /// For each sample the values of a layer.
        pub(super) fn values<N: Number>(layer: &Kind, at: At<'_, N>) -> Vec<Vec<N>> {
            match layer { $( Kind::$kind(layer) => layer.values(at) ),+ }
        }

        /// Whether the values of a sample depend on the other samples.
        pub(super) fn mixes_samples(layer: &Kind) -> bool {
            fn of<F: Formula>(_layer: &F) -> bool {
                F::MIXES_SAMPLES
            }
            match layer { $( Kind::$kind(layer) => of(layer) ),+ }
        }
    };
}

formulas! {
    Dense,
    Embedding,
    Conv,
    Pool,
    BatchNorm,
    Norm,
    Recurrent,
    Attention,
    Positions,
    Learned,
    SmoothClip,
    Periodic,
    Piecewise,
    Activate,
    Drop,
    Add,
    Concat,
    Flatten,
}

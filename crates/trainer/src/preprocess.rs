//! What is done to raw values on their way in: features and numeric targets are standardised.

use gristmill_io::schema::Statistics;
use gristmill_kernels::{LANES, Row, panels};

/// Shifts and scales of features, (x - shift) * scale, and of numeric targets likewise.
#[derive(Debug, Clone, PartialEq)]
pub struct Preprocess {
    /// Per feature, sixteen a row, zero in the padding.
    pub(crate) shift: Vec<Row>,
    /// Per feature, sixteen a row, zero in the padding.
    pub(crate) scale: Vec<Row>,
    /// Per numeric target.
    pub(crate) targets: Vec<TargetScale>,
}

/// How one numeric target is standardised: z = (y - mean) / deviation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TargetScale {
    /// What is subtracted.
    pub mean: f32,
    /// What is divided by; never zero.
    pub deviation: f32,
}

impl Preprocess {
    /// Features that are taken as they are.
    pub fn none(features: usize) -> Preprocess {
        Preprocess::new(&vec![(0.0, 1.0); features], Vec::new())
    }

    /// From (mean, deviation) per feature; a deviation of zero (a constant feature) counts as one.
    pub fn new(features: &[(f32, f32)], targets: Vec<TargetScale>) -> Preprocess {
        let mut shift = vec![[0.0; LANES]; panels(features.len())];
        let mut scale = shift.clone();
        for (i, &(mean, deviation)) in features.iter().enumerate() {
            shift[i / LANES][i % LANES] = mean;
            scale[i / LANES][i % LANES] = 1.0 / usable(deviation);
        }
        Preprocess { shift, scale, targets }
    }
}

/// (mean, deviation) of a feature from its statistics.
pub fn mean_and_deviation(statistics: &Statistics) -> (f32, f32) {
    (statistics.mean as f32, usable(statistics.deviation as f32))
}

fn usable(deviation: f32) -> f32 {
    if deviation.is_finite() && deviation > 0.0 { deviation } else { 1.0 }
}

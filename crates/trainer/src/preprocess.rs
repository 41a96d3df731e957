//! What is done to raw values on their way in: features and numeric targets are standardised.

use gristmill_io::Scale;
use gristmill_io::schema::Statistics;
use gristmill_kernels::{Element, LANES, Row, panels};

/// Scales of features and of numeric targets; z = (x - mean) / deviation for both.
#[derive(Debug, Clone, PartialEq)]
pub struct Preprocess {
    /// The mean of each feature, sixteen a row, zero in the padding.
    pub(crate) shift: Vec<Row>,
    /// The reciprocal of the deviation of each feature, sixteen a row, zero in the padding.
    pub(crate) scale: Vec<Row>,
    /// Per numeric target; none where targets are taken as they are, or are classes.
    pub(crate) targets: Vec<Scale>,
}

impl Preprocess {
    /// With a scale for each feature, and for each numeric target or none.
    pub fn new(features: &[Scale], targets: Vec<Scale>) -> Preprocess {
        let mut shift = vec![[0.0; LANES]; panels(features.len())];
        let mut scale = shift.clone();
        for (i, feature) in features.iter().enumerate() {
            shift[i / LANES][i % LANES] = feature.mean;
            scale[i / LANES][i % LANES] = 1.0 / feature.deviation;
        }
        Preprocess { shift, scale, targets }
    }
}

/// Least deviation of a byte as a share of its range.
///
/// A pixel at the edge of an image is almost always 0; divided by its tiny deviation, the few times that
/// it is not would be dozens of deviations away and drown all others.
const BYTE_FLOOR: f32 = 0.25;

/// The scale that standardises a feature of these statistics, stored as `element`.
pub fn feature_scale(statistics: &Statistics, element: Element) -> Scale {
    let scale = standard_scale(statistics);
    let floor = match element {
        Element::U8 => BYTE_FLOOR * (statistics.max - statistics.min),
        Element::F16 | Element::F32 => 0.0,
    };
    Scale { deviation: scale.deviation.max(floor), ..scale }
}

/// The scale that standardises what has these statistics. What is constant is only shifted.
pub fn standard_scale(statistics: &Statistics) -> Scale {
    let deviation = statistics.deviation as f32;
    let usable = deviation.is_finite() && deviation >= f32::MIN_POSITIVE;
    Scale { mean: statistics.mean as f32, deviation: if usable { deviation } else { 1.0 } }
}

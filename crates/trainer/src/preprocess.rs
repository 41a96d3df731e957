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

/// The statistics of each channel over all positions, of those of all features. `count` says how many values those of a
/// feature are of, or 1 where all features have as many; a feature of none is left out.
pub fn by_channel(
    features: &[Statistics],
    channels: usize,
    count: impl Fn(&Statistics) -> f64,
) -> Vec<Statistics> {
    let channel = |first: usize| {
        let of_channel = || features[first..].iter().step_by(channels).filter(|s| count(s) > 0.0);
        let all = of_channel().map(&count).sum::<f64>().max(1.0);
        let mean = of_channel().map(|s| count(s) * s.mean).sum::<f64>() / all;
        let squares =
            of_channel().map(|s| count(s) * (s.deviation.powi(2) + (s.mean - mean).powi(2)));
        Statistics {
            mean,
            deviation: (squares.sum::<f64>() / all).sqrt(),
            min: of_channel().map(|s| s.min).fold(f32::INFINITY, f32::min),
            max: of_channel().map(|s| s.max).fold(f32::NEG_INFINITY, f32::max),
            missing: of_channel().map(|s| s.missing).sum(),
        }
    };
    (0..channels).map(channel).collect()
}

/// The scale that standardises what has these statistics. What is constant is only shifted.
pub fn standard_scale(statistics: &Statistics) -> Scale {
    let deviation = statistics.deviation as f32;
    let usable = deviation.is_finite() && deviation >= f32::MIN_POSITIVE;
    Scale { mean: statistics.mean as f32, deviation: if usable { deviation } else { 1.0 } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_have_the_statistics_of_all_their_positions() {
        let of = |values: &[f64]| {
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            let squares = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>();
            Statistics {
                mean,
                deviation: (squares / values.len() as f64).sqrt(),
                min: values.iter().copied().fold(f64::INFINITY, f64::min) as f32,
                max: values.iter().copied().fold(f64::NEG_INFINITY, f64::max) as f32,
                missing: 1,
            }
        };
        // Two rows of three positions of two channels.
        let rows = [[1.0, -5.0, 2.0, 0.0, 9.0, 0.5], [3.0, -5.0, 8.0, 4.0, 0.0, 2.5]];
        let features: Vec<Statistics> = (0..6).map(|i| of(&[rows[0][i], rows[1][i]])).collect();
        let channels = by_channel(&features, 2, |_| 1.0);
        for (channel, found) in channels.iter().enumerate() {
            let values = rows.iter().flat_map(|row| row.iter().skip(channel).step_by(2));
            let expected = of(&values.copied().collect::<Vec<_>>());
            assert!((found.mean - expected.mean).abs() < 1e-12);
            assert!((found.deviation - expected.deviation).abs() < 1e-12);
            let rest = (found.min, found.max, found.missing);
            assert_eq!(rest, (expected.min, expected.max, 3));
        }
    }
}

//! Dropout: a mask that is a pure function of (key, sample, unit), never stored.
//!
//! Srivastava et al. 2014, "Dropout: a simple way to prevent neural networks from overfitting", in the
//! inverted form: kept values are scaled by 1 / (1 - rate), so that inference needs no change.

use crate::isa::Isa;
use crate::simd::{Kernel, LANES, Row, Simd};

/// What makes the masks of one layer in one step differ from all others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DropoutKey(pub u64);

/// Drops each value with probability `rate`, in the activations and in their slopes alike.
///
/// Both are activations of `units` rows with samples in the lanes; lane j of panel p is sample
/// `first_sample + 16 p + j` of the minibatch.
///
/// # Panics
/// If the slices differ in length or are no whole number of panels of `units` rows.
pub fn dropout(
    isa: Isa,
    key: DropoutKey,
    rate: f32,
    first_sample: u32,
    units: usize,
    activations: &mut [Row],
    slopes: &mut [Row],
) {
    assert_eq!(activations.len(), slopes.len(), "activations and slopes");
    assert!(activations.len().is_multiple_of(units), "whole panels");
    isa.run(Dropout { key, rate, first_sample, units, activations, slopes });
}

struct Dropout<'a> {
    key: DropoutKey,
    rate: f32,
    first_sample: u32,
    units: usize,
    activations: &'a mut [Row],
    slopes: &'a mut [Row],
}

impl Kernel for Dropout<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let (low, high) = (self.key.0 as u32, (self.key.0 >> 32) as u32);
        let threshold = (f64::from(self.rate) * 4_294_967_296.0) as u32;
        let kept = 1.0 / (1.0 - self.rate);
        let panels = self.activations.chunks_exact_mut(self.units);
        for (panel, (values, slopes)) in
            panels.zip(self.slopes.chunks_exact_mut(self.units)).enumerate()
        {
            let mut samples = [0u32; LANES];
            for (lane, sample) in samples.iter_mut().enumerate() {
                *sample = mix((self.first_sample + (panel * LANES + lane) as u32) ^ low);
            }
            for (unit, (value, slope)) in values.iter_mut().zip(slopes).enumerate() {
                let salt = (unit as u32).wrapping_mul(0x9e37_79b9) ^ high;
                let mut scale = [0.0; LANES];
                for lane in 0..LANES {
                    let keep = mix(samples[lane].wrapping_add(salt)) >= threshold;
                    scale[lane] = if keep { kept } else { 0.0 };
                }
                let scale = simd.load(&scale);
                simd.store(value, simd.mul(simd.load(value), scale));
                simd.store(slope, simd.mul(simd.load(slope), scale));
            }
        }
    }
}

/// A 32-bit integer hash with low bias: xorshift and multiply, twice (Wellons 2018, "lowbias32").
#[inline(always)]
fn mix(mut x: u32) -> u32 {
    x ^= x >> 16;
    x = x.wrapping_mul(0x7feb_352d);
    x ^= x >> 15;
    x = x.wrapping_mul(0x846c_a68b);
    x ^ x >> 16
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masks(isa: Isa, key: u64, first: u32, panels: usize, rate: f32) -> Vec<Row> {
        let mut values = vec![[1.0; LANES]; panels * 33];
        let mut slopes = vec![[2.0; LANES]; panels * 33];
        dropout(isa, DropoutKey(key), rate, first, 33, &mut values, &mut slopes);
        for (v, s) in values.iter().flatten().zip(slopes.iter().flatten()) {
            assert_eq!(2.0 * v, *s);
        }
        values
    }

    #[test]
    fn masks_depend_on_sample_and_unit_only() {
        let reference = masks(Isa::available()[0], 7, 0, 8, 0.25);
        for isa in Isa::available() {
            assert_eq!(masks(isa, 7, 0, 8, 0.25), reference, "{isa}");
            assert_eq!(masks(isa, 7, 64, 4, 0.25), reference[4 * 33..], "{isa}, second shard");
        }
        assert_ne!(masks(Isa::best(), 8, 0, 8, 0.25), reference);
    }

    #[test]
    fn the_rate_is_kept_and_the_mean_preserved() {
        let values: Vec<f32> = masks(Isa::best(), 3, 0, 64, 0.25).into_iter().flatten().collect();
        let kept = values.iter().filter(|&&v| v != 0.0).count() as f64 / values.len() as f64;
        // Five standard deviations of a binomial share with n = 33,792.
        assert!((kept - 0.75).abs() < 5.0 * (0.75 * 0.25 / values.len() as f64).sqrt(), "{kept}");
        assert!(values.iter().all(|&v| v == 0.0 || v == 1.0 / 0.75));
    }
}

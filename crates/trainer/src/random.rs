//! Random numbers without state: every draw is a pure function of its key and its number.
//!
//! A run draws start weights, splits and dropout from here. Since no draw depends on an earlier
//! one, they can be made in any order, on any thread, and again after a resume. Nothing depends on
//! the instruction set: all is integer arithmetic, or f64 operations that IEEE 754 rounds exactly.

mod beta;
mod elementary;
mod normal;

use beta::beta;
use normal::inverse_normal;

/// What draws are for. Draws for one purpose say nothing about those for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Start weights.
    Weights = 1,
    /// Which rows validate.
    Split = 2,
    /// The order of the rows in an epoch.
    Order = 3,
    /// Which units are dropped at a step.
    Dropout = 4,
    /// How images are changed in an epoch.
    Augmentation = 5,
}

/// An unlimited sequence of draws, each found by its number.
///
/// Draw `i` is `mix(key ^ mix(i + c))`, `mix` being the finaliser of SplitMix64 (Stafford's 13th
/// variant): for one key no two draws are equal, and two keys give unrelated sequences.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Random {
    key: u64,
}

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

impl Random {
    /// The sequence of a seed for a purpose.
    pub fn new(seed: u64, purpose: Purpose) -> Random {
        Random { key: mix(seed.wrapping_add(GOLDEN)) }.part(purpose as u64)
    }

    /// A sequence of its own for each `index`: of a layer, an epoch, a step.
    pub fn part(self, index: u64) -> Random {
        Random { key: mix(self.bits(index).wrapping_add(GOLDEN)) }
    }

    /// Draw `index` as 64 even bits.
    #[inline]
    pub fn bits(self, index: u64) -> u64 {
        mix(self.key ^ mix(index.wrapping_add(GOLDEN)))
    }

    /// Draw `index` as a number evenly in 0..1, a multiple of 2^-53.
    #[inline]
    pub fn uniform(self, index: u64) -> f64 {
        (self.bits(index) >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// Draw `index` as a normal number of mean 0 and deviation 1.
    #[inline]
    pub fn normal(self, index: u64) -> f64 {
        // The middle of one of 2^53 cells: never 0 or 1.
        inverse_normal(((self.bits(index) >> 11) as f64 + 0.5) * (1.0 / (1u64 << 53) as f64))
    }

    /// A number in 0..1 of the beta distribution with both parameters `alpha`, above 0 and at most 1, from all
    /// draws of the sequence.
    pub fn beta(self, alpha: f64) -> f64 {
        beta(alpha, |index| self.uniform(index))
    }
}

fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pearson's chi-square of counts that should be alike.
    fn chi_square(counts: &[u32]) -> f64 {
        let expected = counts.iter().sum::<u32>() as f64 / counts.len() as f64;
        counts.iter().map(|&c| (f64::from(c) - expected).powi(2) / expected).sum()
    }

    /// Whether a chi-square lies within 4.5 deviations of its mean.
    fn plausible(chi_square: f64, degrees: usize) -> bool {
        let degrees = degrees as f64;
        (chi_square - degrees).abs() < 4.5 * (2.0 * degrees).sqrt()
    }

    #[test]
    fn draws_are_even_in_every_byte() {
        for seed in 0..4 {
            let random = Random::new(seed, Purpose::Weights);
            for byte in 0..8 {
                let mut counts = [0; 256];
                (0..100_000).for_each(|i| {
                    counts[(random.bits(i) >> (8 * byte)) as usize & 255] += 1;
                });
                assert!(plausible(chi_square(&counts), 255), "seed {seed} byte {byte}");
            }
        }
    }

    #[test]
    fn neighbours_are_independent() {
        // Draws of neighbouring numbers, parts, seeds and purposes, in pairs of 4 bits.
        let random = |seed| Random::new(seed, Purpose::Split);
        type Pair = Box<dyn Fn(u64) -> (u64, u64)>;
        let pairs: [Pair; 4] = [
            Box::new(move |i| (random(1).bits(i), random(1).bits(i + 1))),
            Box::new(move |i| (random(1).part(i).bits(0), random(1).part(i + 1).bits(0))),
            Box::new(move |i| (random(i).bits(5), random(i + 1).bits(5))),
            Box::new(move |i| (random(i).bits(5), Random::new(i, Purpose::Order).bits(5))),
        ];
        for (which, pair) in pairs.iter().enumerate() {
            let mut counts = [0; 256];
            for i in 0..100_000 {
                let (a, b) = pair(i);
                counts[((a >> 60) << 4 | b >> 60) as usize] += 1;
            }
            assert!(plausible(chi_square(&counts), 255), "pairs {which}");
        }
    }

    #[test]
    fn the_first_draws_never_change() {
        // Stored models name only a seed; these bits must outlive every rewrite.
        let random = Random::new(42, Purpose::Weights);
        assert_eq!(random.bits(0), 14_399_242_893_406_049_939);
        assert_eq!(random.bits(1), 2_801_048_412_373_522_945);
    }

    #[test]
    fn normal_draws_have_the_moments_of_the_normal_distribution() {
        let random = Random::new(3, Purpose::Weights);
        let n = 200_000;
        let moment = |k| (0..n).map(|i| random.normal(i).powi(k)).sum::<f64>() / n as f64;
        // Four standard errors of each moment's estimate.
        let error = |variance: f64| 4.0 * (variance / n as f64).sqrt();
        assert!(moment(1).abs() < error(1.0));
        assert!((moment(2) - 1.0).abs() < error(2.0));
        assert!(moment(3).abs() < error(15.0));
        assert!((moment(4) - 3.0).abs() < error(96.0));
    }
}

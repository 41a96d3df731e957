//! The symmetric beta distribution, by Jöhnk's way of rejection.

use crate::random::elementary::{exponential, natural_logarithm};

/// A number of the beta distribution with both parameters `alpha`, above 0 and at most 1, from even numbers in 0..1.
///
/// With U and V even in 0..1, X = U^(1/alpha) and Y = V^(1/alpha): X / (X + Y) is such a number where X + Y is at most
/// 1, which at least every second pair comes to.
pub(super) fn beta(alpha: f64, uniform: impl Fn(u64) -> f64) -> f64 {
    // The middle of a cell: never 0.
    let logarithm = |index| natural_logarithm(uniform(index) + 0.5f64.powi(54)) / alpha;
    let mut pair = 0;
    loop {
        let (x, y) = (logarithm(2 * pair), logarithm(2 * pair + 1));
        if exponential(x) + exponential(y) <= 1.0 {
            // X / (X + Y) without its powers, which may both be too small for a number.
            let ratio = exponential(-(x - y).abs());
            return if x > y { 1.0 / (1.0 + ratio) } else { ratio / (1.0 + ratio) };
        }
        pair += 1;
    }
}

#[cfg(test)]
mod tests {
    use crate::random::{Purpose, Random};

    #[test]
    fn beta_draws_have_the_moments_of_the_distribution() {
        let random = Random::new(7, Purpose::Augmentation);
        let n = 100_000;
        for alpha in [0.01, 0.2, 0.5, 1.0] {
            let draws: Vec<f64> = (0..n).map(|i| random.part(i).beta(alpha)).collect();
            assert!(draws.iter().all(|x| (0.0..=1.0).contains(x)), "{alpha}");
            let mean = draws.iter().sum::<f64>() / n as f64;
            let variance = draws.iter().map(|x| (x - 0.5).powi(2)).sum::<f64>() / n as f64;
            let expected = 1.0 / (4.0 * (2.0 * alpha + 1.0));
            // Four standard errors; (x - 1/2)^2 lies in 0..1/4, so its deviation is at most 1/8.
            let error = 4.0 / (n as f64).sqrt();
            assert!((mean - 0.5).abs() < error * expected.sqrt(), "{alpha}: {mean}");
            assert!((variance - expected).abs() < error / 8.0, "{alpha}: {variance}");
        }
    }
}

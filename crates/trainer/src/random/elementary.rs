//! Elementary functions in f64 of nothing but operations that IEEE 754 rounds exactly, so that draws are the same on
//! every machine.

/// ln x of a positive normal number. The standard library's may differ from one C library to
/// another, and so would what is drawn.
pub(super) fn natural_logarithm(x: f64) -> f64 {
    let bits = x.to_bits();
    let exponent = (bits >> 52) as i64 - 1023;
    let mantissa = f64::from_bits(bits & ((1 << 52) - 1) | 1023 << 52);
    // ln m = 2 artanh((m - 1) / (m + 1)) for m within sqrt(1/2)..sqrt(2), where 12 terms do.
    let (m, exponent) = if mantissa > std::f64::consts::SQRT_2 {
        (mantissa / 2.0, exponent + 1)
    } else {
        (mantissa, exponent)
    };
    let s = (m - 1.0) / (m + 1.0);
    let series = (0..12).rev().fold(0.0, |sum, k| sum * s * s + 1.0 / f64::from(2 * k + 1));
    exponent as f64 * std::f64::consts::LN_2 + 2.0 * s * series
}

/// e^x of a number that is at most 0, to about 1e-15 of its value; 0 where that is no normal number.
pub(super) fn exponential(x: f64) -> f64 {
    if x < -708.0 {
        return 0.0;
    }
    // e^x = 2^k e^r with |r| <= ln 2 / 2, where 14 terms do.
    let k = (x * std::f64::consts::LOG2_E).round();
    let r = x - k * std::f64::consts::LN_2;
    let series = (1..14).rev().fold(1.0, |sum, n| 1.0 + r / f64::from(n) * sum);
    series * f64::from_bits(((k as i64 + 1023) as u64) << 52)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Random};

    #[test]
    fn logarithm_matches_the_standard_library() {
        for i in 0..10_000 {
            let x = Random::new(1, Purpose::Split).uniform(i).powi(20) + 1e-300;
            let error = (natural_logarithm(x) - x.ln()).abs();
            assert!(error <= 4e-16 * x.ln().abs().max(1e-3), "ln {x}");
        }
    }

    #[test]
    fn exponential_matches_the_standard_library() {
        for i in 0..10_000 {
            let x = -708.0 * Random::new(1, Purpose::Split).uniform(i).powi(3);
            // The reduction rounds k ln 2, which is at most 708.
            let bound = 1e-15 + 2e-16 * x.abs();
            assert!((exponential(x) / x.exp() - 1.0).abs() < bound, "e^{x}");
        }
        assert_eq!(exponential(0.0), 1.0);
        assert_eq!(exponential(-1e9), 0.0);
    }
}

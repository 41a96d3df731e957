//! Activations and their derivatives, from their textbook formulas.

use gristmill_kernels::Activation;
use std::f64::consts::{FRAC_1_SQRT_2, PI};

/// f(z)
pub(super) fn value(activation: Activation, z: f64) -> f64 {
    match activation {
        Activation::Identity => z,
        Activation::Sigmoid => sigmoid(z),
        Activation::Tanh => z.tanh(),
        Activation::Relu => z.max(0.0),
        Activation::LeakyRelu { slope } => {
            if z > 0.0 {
                z
            } else {
                f64::from(slope) * z
            }
        }
        Activation::Elu { alpha } => {
            if z > 0.0 {
                z
            } else {
                f64::from(alpha) * z.exp_m1()
            }
        }
        Activation::Gelu => z * normal_distribution(z),
        Activation::Silu => z * sigmoid(z),
        Activation::Softplus => softplus(z),
    }
}

/// f'(z); at a kink that of the negative side.
pub(super) fn derivative(activation: Activation, z: f64) -> f64 {
    match activation {
        Activation::Identity => 1.0,
        Activation::Sigmoid => sigmoid(z) * sigmoid(-z),
        Activation::Tanh => z.cosh().powi(-2),
        Activation::Relu => {
            if z > 0.0 {
                1.0
            } else {
                0.0
            }
        }
        Activation::LeakyRelu { slope } => {
            if z > 0.0 {
                1.0
            } else {
                f64::from(slope)
            }
        }
        Activation::Elu { alpha } => {
            if z > 0.0 {
                1.0
            } else {
                f64::from(alpha) * z.exp()
            }
        }
        Activation::Gelu => normal_distribution(z) + z * (-z * z / 2.0).exp() / (2.0 * PI).sqrt(),
        Activation::Silu => sigmoid(z) * (1.0 + z * sigmoid(-z)),
        Activation::Softplus => sigmoid(z),
    }
}

/// Whether f changes its formula at 0, so that finite differences across it mean nothing.
pub(super) fn has_kink(activation: Activation) -> bool {
    use Activation::*;
    matches!(activation, Relu | LeakyRelu { .. } | Elu { .. })
}

pub(super) fn sigmoid(z: f64) -> f64 {
    1.0 / (1.0 + (-z).exp())
}

/// ln(1 + e^z) without overflow.
pub(super) fn softplus(z: f64) -> f64 {
    z.max(0.0) + (-z.abs()).exp().ln_1p()
}

/// The probability of a normal number below z.
fn normal_distribution(z: f64) -> f64 {
    0.5 * complementary_error_function(-z * FRAC_1_SQRT_2)
}

/// erfc(x), to about 1e-15 absolutely and, for x up to 6, 1e-14 relatively.
fn complementary_error_function(x: f64) -> f64 {
    if x < 0.0 {
        return 2.0 - complementary_error_function(-x);
    }
    let bell = (-x * x).exp() / PI.sqrt();
    if x < 1.5 {
        // erf x = 2 bell (x + 2x^3/3 + 4x^5/(3*5) + ...): no term is negative.
        let (mut term, mut sum) = (x, x);
        for k in 1..60 {
            term *= 2.0 * x * x / f64::from(2 * k + 1);
            sum += term;
        }
        1.0 - 2.0 * bell * sum
    } else {
        // Laplace's continued fraction, from its far end.
        bell / (1..200).rev().fold(x, |rest, k| x + f64::from(k) / 2.0 / rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_function_matches_reference_values() {
        // Computed with 40 digits.
        let values = [
            (-3.0, 1.9999779095030015),
            (-0.5, 1.5204998778130465),
            (0.0, 1.0),
            (0.001, 0.9988716212090307),
            (0.1, 0.887537083981715),
            (0.5, 0.4795001221869535),
            (1.0, 0.15729920705028513),
            (1.49, 0.03510213515679579),
            (1.5, 0.033894853524689274),
            (2.0, 0.004677734981047266),
            (3.5, 7.430983723414128e-07),
            (6.0, 2.1519736712498913e-17),
        ];
        for (x, expected) in values {
            let error = (complementary_error_function(x) - expected).abs();
            assert!(error <= 1e-15 && error <= 1e-14 * expected, "erfc {x}: error {error:e}");
        }
    }

    #[test]
    fn derivatives_match_differences() {
        use Activation::*;
        let (slope, alpha) = (0.1, 1.5);
        for activation in [
            Identity,
            Sigmoid,
            Tanh,
            Relu,
            LeakyRelu { slope },
            Elu { alpha },
            Gelu,
            Silu,
            Softplus,
        ] {
            for z in [-30.0, -5.0, -1.5, -0.3, 0.2, 1.1, 3.0, 20.0] {
                let h = 1e-5;
                let difference = (value(activation, z + h) - value(activation, z - h)) / (2.0 * h);
                let error = (difference - derivative(activation, z)).abs();
                assert!(error < 1e-9, "{activation:?} at {z}: {error:e}");
            }
        }
    }

    #[test]
    fn softplus_holds_at_both_ends() {
        assert_eq!(softplus(1000.0), 1000.0);
        assert_eq!(softplus(-1000.0), 0.0);
        assert_eq!(softplus(0.0), std::f64::consts::LN_2);
    }
}

//! Activations, from their textbook formulas.

use super::number::{Kinks, Number};
use gristmill_kernels::Activation;
use std::f64::consts::{FRAC_1_SQRT_2, PI};

/// f(z); at a kink it has the slope of the negative side.
pub(super) fn activation<N: Number>(activation: Activation, z: N, kinks: &mut Kinks) -> N {
    let constant = |value: f32| N::from(f64::from(value));
    match activation {
        Activation::Identity => z,
        Activation::Sigmoid => sigmoid(z),
        Activation::Tanh => z.tanh(),
        Activation::Relu => match kinks.is_past(z.value() > 0.0) {
            true => z,
            false => z * N::from(0.0),
        },
        Activation::LeakyRelu { slope } => match kinks.is_past(z.value() > 0.0) {
            true => z,
            false => z * constant(slope),
        },
        Activation::Elu { alpha } => match kinks.is_past(z.value() > 0.0) {
            true => z,
            false => z.exp_m1() * constant(alpha),
        },
        Activation::Gelu => z * normal_distribution(z),
        Activation::Silu => z * sigmoid(z),
        Activation::Softplus => softplus(z),
    }
}

/// 1 / (1 + e^-z) without overflow.
pub(super) fn sigmoid<N: Number>(z: N) -> N {
    let one = N::from(1.0);
    if z.value() > 0.0 { one / (one + (-z).exp()) } else { z.exp() / (one + z.exp()) }
}

/// ln(1 + e^z) without overflow.
pub(super) fn softplus<N: Number>(z: N) -> N {
    if z.value() > 0.0 { z + (-z).exp().ln_1p() } else { z.exp().ln_1p() }
}

/// The probability of a normal number below z.
fn normal_distribution<N: Number>(z: N) -> N {
    let x = z.value();
    let density = (-x * x / 2.0).exp() / (2.0 * PI).sqrt();
    z.through(0.5 * complementary_error_function(-x * FRAC_1_SQRT_2), density)
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
    use crate::reference::tape::Tape;

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
    fn slopes_match_differences() {
        use Activation::*;
        let value = |function, z: f64| activation(function, z, &mut Kinks::default());
        let (slope, alpha) = (0.1, 1.5);
        for function in [
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
                let difference = (value(function, z + h) - value(function, z - h)) / (2.0 * h);
                let tape = Tape::default();
                let variable = tape.variable(z);
                let result = activation(function, variable, &mut Kinks::default());
                assert_eq!(result.value(), value(function, z));
                let (slope, _) = tape.slopes([(result, 1.0)]).by(variable);
                let error = (difference - slope).abs();
                assert!(error < 1e-9, "{function:?} at {z}: {error:e}");
            }
        }
    }

    #[test]
    fn far_from_zero_all_is_finite() {
        for z in [-1000.0, 1000.0] {
            let tape = Tape::default();
            let variable = tape.variable(z);
            let (silu, logistic) = (variable * sigmoid(variable), softplus(variable));
            let slope = |of| tape.slopes([(of, 1.0)]).by(variable).0;
            let expected = if z > 0.0 { 1.0 } else { 0.0 };
            assert_eq!((slope(silu), slope(logistic)), (expected, expected));
        }
        assert_eq!(softplus(1000.0), 1000.0);
        assert_eq!(softplus(-1000.0), 0.0);
        assert_eq!(softplus(0.0), std::f64::consts::LN_2);
    }
}

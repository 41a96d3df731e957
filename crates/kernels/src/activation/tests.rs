//! Values and slopes against `f64`, on every instruction set.

use super::*;
use crate::math::tests::normal_reference;
use crate::testing::{Draw, assert_close, bits};

const ALL: [Activation; 9] = [
    Activation::Identity,
    Activation::Sigmoid,
    Activation::Tanh,
    Activation::Relu,
    Activation::LeakyRelu { slope: 0.1 },
    Activation::Elu { alpha: 1.3 },
    Activation::Gelu,
    Activation::Silu,
    Activation::Softplus,
];

/// By the definition, in `f64`.
fn reference(activation: Activation, z: f64) -> f64 {
    match activation {
        Activation::Identity => z,
        Activation::Sigmoid => 1.0 / (1.0 + (-z).exp()),
        Activation::Tanh => z.tanh(),
        Activation::Relu => z.max(0.0),
        Activation::LeakyRelu { slope } => {
            if z > 0.0 {
                z
            } else {
                z * f64::from(slope)
            }
        }
        Activation::Elu { alpha } => {
            if z > 0.0 {
                z
            } else {
                z.exp_m1() * f64::from(alpha)
            }
        }
        Activation::Gelu => z * normal_reference(z).0,
        Activation::Silu => z / (1.0 + (-z).exp()),
        Activation::Softplus => z.max(0.0) + (-z.abs()).exp().ln_1p(),
    }
}

/// Values of every magnitude that matters, away from the kink at 0.
fn inputs(rows: usize) -> Vec<Row> {
    let mut draw = Draw(3);
    let mut input = draw.rows(rows, 1.0);
    for x in input.as_flattened_mut() {
        let magnitude = 10f32.powf(draw.unit() * 2.0 - 0.5);
        *x = x.signum() * magnitude.clamp(0.01, 30.0);
    }
    input
}

#[test]
fn values_and_slopes_follow_the_definition() {
    for isa in Isa::available() {
        for activation in ALL {
            for rows in [1, 7, 17, 33, 100] {
                let input = inputs(rows);
                let (mut value, mut slope) = (input.clone(), input.clone());
                forward_train(isa, activation, &mut value, &mut slope);
                let results = value.as_flattened().iter().zip(slope.as_flattened());
                for (z, (value, slope)) in input.as_flattened().iter().zip(results) {
                    let what = format!("{activation:?} at {z} on {isa}");
                    let (z, h) = (f64::from(*z), 1e-5);
                    let difference = reference(activation, z + h) - reference(activation, z - h);
                    assert_close(*value, reference(activation, z), 4e-7, &what);
                    assert_close(*slope, difference / (2.0 * h), 1e-6, &what);
                }
            }
        }
    }
}

#[test]
fn inference_gives_the_bits_of_training() {
    for isa in Isa::available() {
        for activation in ALL {
            let mut input = inputs(33);
            input[5] = [0.0; 16];
            let (mut trained, mut slope) = (input.clone(), input.clone());
            forward_train(isa, activation, &mut trained, &mut slope);
            let (mut value, mut slope_beside) = (vec![[9.0; 16]; 33], vec![[9.0; 16]; 33]);
            of(isa, activation, &input, &mut value);
            assert_eq!(bits(&value), bits(&trained), "{activation:?} on {isa}");
            value.fill([9.0; 16]);
            of_train(isa, activation, &input, &mut value, &mut slope_beside);
            assert_eq!(bits(&value), bits(&trained), "{activation:?} on {isa}");
            assert_eq!(bits(&slope_beside), bits(&slope), "{activation:?} on {isa}");
            forward(isa, activation, &mut input);
            assert_eq!(bits(&input), bits(&trained), "{activation:?} on {isa}");
        }
    }
}

#[test]
fn at_the_kink_the_slope_is_that_of_the_negative_side() {
    for isa in Isa::available() {
        for (activation, want) in [
            (Activation::Relu, 0.0),
            (Activation::LeakyRelu { slope: 0.1 }, 0.1),
            (Activation::Elu { alpha: 1.3 }, 1.3),
        ] {
            let (mut value, mut slope) = ([[0.0; 16]], [[9.0; 16]]);
            forward_train(isa, activation, &mut value, &mut slope);
            assert_eq!((value[0], slope[0]), ([0.0; 16], [want; 16]), "{activation:?} on {isa}");
        }
    }
}

#[test]
fn nan_is_never_hidden() {
    for isa in Isa::available() {
        for activation in ALL {
            let (mut value, mut slope) = ([[f32::NAN; 16]], [[0.0; 16]]);
            forward_train(isa, activation, &mut value, &mut slope);
            assert!(value[0].iter().all(|x| x.is_nan()), "{activation:?} on {isa}");
            let mut value = [[f32::NAN; 16]];
            forward(isa, activation, &mut value);
            assert!(value[0].iter().all(|x| x.is_nan()), "{activation:?} on {isa}");
        }
    }
}

#[test]
fn huge_values_reach_the_limits() {
    for isa in Isa::available() {
        for activation in ALL {
            let (mut value, mut slope) = ([[1e30; 16], [-1e30; 16]], [[0.0; 16]; 2]);
            forward_train(isa, activation, &mut value, &mut slope);
            let limits = match activation {
                Activation::Identity => [1e30, -1e30],
                Activation::Sigmoid => [1.0, 0.0],
                Activation::Tanh => [1.0, -1.0],
                Activation::LeakyRelu { slope } => [1e30, slope * -1e30],
                Activation::Elu { alpha } => [1e30, -alpha],
                _ => [1e30, 0.0],
            };
            assert_eq!([value[0][0], value[1][0]], limits, "{activation:?} on {isa}");
            let slopes = match activation {
                Activation::Identity => [1.0, 1.0],
                Activation::Sigmoid | Activation::Tanh => [0.0, 0.0],
                Activation::LeakyRelu { slope } => [1.0, slope],
                _ => [1.0, 0.0],
            };
            assert_eq!([slope[0][0], slope[1][0]], slopes, "{activation:?} on {isa}");
        }
    }
}

#[test]
fn the_chain_rule_multiplies() {
    let mut draw = Draw(4);
    for isa in Isa::available() {
        let gradient = draw.rows(17, 3.0);
        let slope = draw.rows(17, 1.0);
        let mut product = slope.clone();
        chain(isa, &gradient, &mut product);
        let factors = gradient.as_flattened().iter().zip(slope.as_flattened());
        for (got, (g, d)) in product.as_flattened().iter().zip(factors) {
            assert_eq!(*got, g * d, "{isa}");
        }
    }
}

#[test]
fn names_lead_back() {
    assert_eq!(ALL.map(Activation::name), Activation::NAMES);
    for activation in ALL {
        let parsed = Activation::from_name(activation.name(), activation.parameter());
        assert_eq!(parsed, Ok(activation));
    }
    assert_eq!(Activation::from_name("elu", None), Ok(Activation::Elu { alpha: 1.0 }));
}

#[test]
fn wrong_names_and_parameters_are_refused() {
    let message = |name, parameter| Activation::from_name(name, parameter).unwrap_err().to_string();
    let unknown = message("rleu", None);
    assert!(unknown.contains("\"rleu\"") && unknown.contains("relu, leaky-relu"), "{unknown}");
    assert_eq!(message("relu", Some(0.5)), "relu takes no parameter, but 0.5 is given");
    assert_eq!(message("elu", Some(f32::NAN)), "elu takes a finite number, not NaN");
}

//! Against the formula in f64 and its differences, on every instruction set.

use super::*;
use crate::simd::LANES;
use crate::testing::{Draw, assert_close, sample, slope};

/// Channels, positions, waves and mixtures.
const SHAPES: [[usize; 4]; 4] = [[1, 1, 1, 1], [3, 1, 16, 3], [17, 1, 5, 2], [2, 7, 4, 1]];

/// The parameters: frequencies, phases, weights, biases.
fn parameters([channels, _, waves, mixtures]: [usize; 4], draw: &mut Draw) -> [Vec<f32>; 4] {
    let mut numbers = |count, scale| (0..count).map(|_| draw.unit() * scale).collect::<Vec<_>>();
    [
        numbers(channels * waves, 0.3),
        numbers(channels * waves, 3.0),
        numbers(channels * waves * mixtures, 0.5),
        numbers(channels * mixtures, 0.5),
    ]
}

fn periodic(shape: [usize; 4], parameters: &[Vec<f32>; 4]) -> Periodic<'_> {
    let [channels, _, waves, mixtures] = shape;
    let [frequency, phase, weight, bias] = parameters;
    Periodic { channels, waves, mixtures, frequency, phase, weight, bias }
}

/// The embedding of one sample.
fn formula(shape: [usize; 4], parameters: &[Vec<f64>; 4], x: &[f64]) -> Vec<f64> {
    let [channels, _, waves, mixtures] = shape;
    let [frequency, phase, weight, bias] = parameters;
    let number = |(i, &x): (usize, &f64)| {
        let c = i % channels;
        let mixture = move |m: usize| {
            let term = |k: usize| {
                let angle = std::f64::consts::TAU * frequency[k] * x + phase[k];
                angle.cos() * weight[k * mixtures + m]
            };
            bias[c * mixtures + m] + (c * waves..(c + 1) * waves).map(term).sum::<f64>()
        };
        std::iter::once(x).chain((0..mixtures).map(mixture))
    };
    x.iter().enumerate().flat_map(number).collect()
}

#[test]
fn values_errors_and_gradients_are_those_of_the_formula() {
    for shape in SHAPES {
        let [channels, positions, _, mixtures] = shape;
        let (units, panels) = (channels * positions, 3);
        let mut draw = Draw(5);
        let parameters = parameters(shape, &mut draw);
        let exact = parameters.clone().map(|p| p.into_iter().map(f64::from).collect::<Vec<_>>());
        let x = draw.rows(panels * units, 2.0);
        let errors = draw.rows(panels * units * (1 + mixtures), 1.0);
        let outputs = units * (1 + mixtures);
        // The sum of all results, each times its error: its derivatives are what is looked for.
        let total = |exact: &[Vec<f64>; 4], i: usize| {
            let values = formula(shape, exact, &sample(&x, units, i));
            let errors = sample(&errors, outputs, i);
            values.iter().zip(&errors).map(|(y, e)| y * e).sum::<f64>()
        };
        for isa in Isa::available() {
            let what = format!("{shape:?} on {isa}");
            let mut y = vec![[f32::NAN; LANES]; panels * outputs];
            forward(isa, &periodic(shape, &parameters), &x, &mut y);
            for i in 0..panels * LANES {
                let expected = formula(shape, &exact, &sample(&x, units, i));
                for (found, expected) in sample(&y, outputs, i).iter().zip(expected) {
                    assert_close(*found as f32, expected, 3e-6, &what);
                }
            }
            for add in [false, true] {
                let mut gradient = parameters.clone().map(|p| vec![0.5f32; p.len()]);
                let mut input_errors = vec![[2.0; LANES]; x.len()];
                let [frequency, phase, weight, bias] = &mut gradient;
                let at = Backward {
                    x: &x,
                    errors: &errors,
                    scratch: &mut vec![[0.0; LANES]; panels * positions],
                    gradient: Gradient { frequency, phase, weight, bias },
                    input_errors: Some(&mut input_errors),
                    add,
                };
                backward(isa, &periodic(shape, &parameters), at);
                for i in (0..panels * LANES).step_by(5) {
                    let (x, errors) = (sample(&x, units, i), sample(&errors, outputs, i));
                    let of = |x: &[f64]| {
                        let values = formula(shape, &exact, x);
                        values.iter().zip(&errors).map(|(y, e)| y * e).sum::<f64>()
                    };
                    for (u, found) in sample(&input_errors, units, i).iter().enumerate() {
                        let before = if add { 2.0 } else { 0.0 };
                        assert_close(*found as f32, before + slope(of, &x, u), 1e-5, &what);
                    }
                }
                for part in 0..4 {
                    for n in (0..exact[part].len()).step_by(3) {
                        let of = |numbers: &[f64]| {
                            let mut exact = exact.clone();
                            exact[part] = numbers.to_vec();
                            (0..panels * LANES).map(|i| total(&exact, i)).sum::<f64>()
                        };
                        let expected = 0.5 + slope(of, &exact[part], n);
                        let what = format!("{what}, number {n} of tensor {part}");
                        assert_close(gradient[part][n], expected, 3e-5, &what);
                    }
                }
            }
        }
    }
}

#[test]
fn errors_that_nobody_wants_change_no_gradient() {
    let shape = SHAPES[1];
    let mut draw = Draw(9);
    let parameters = parameters(shape, &mut draw);
    let (x, errors) = (draw.rows(6, 2.0), draw.rows(24, 1.0));
    let run = |mut input_errors: Option<&mut [Row]>| {
        let mut gradient = parameters.clone().map(|p| vec![0.0f32; p.len()]);
        let [frequency, phase, weight, bias] = &mut gradient;
        let at = Backward {
            x: &x,
            errors: &errors,
            scratch: &mut [[0.0; LANES]; 2],
            gradient: Gradient { frequency, phase, weight, bias },
            input_errors: input_errors.take(),
            add: false,
        };
        backward(Isa::best(), &periodic(shape, &parameters), at);
        gradient
    };
    assert_eq!(run(None), run(Some(&mut [[0.0; LANES]; 6])));
}

//! Functions with a learned number against `f64`, their derivatives against central differences.

use super::*;
use crate::LANES;
use crate::elementwise::add_totals;
use crate::testing::{Draw, assert_close, sample, slope};

const ALL: [Function; 6] = [
    Function::Scale,
    Function::Shift,
    Function::LeakyRelu,
    Function::Blend(Activation::Tanh),
    Function::Blend(Activation::Silu),
    Function::Blend(Activation::Elu { alpha: 1.5 }),
];

fn reference(function: Function, x: f64, a: f64) -> f64 {
    let f = match function {
        Function::Scale => return a * x,
        Function::Shift => return x + a,
        Function::LeakyRelu => return if x > 0.0 { x } else { a * x },
        Function::Blend(Activation::Tanh) => x.tanh(),
        Function::Blend(Activation::Silu) => x / (1.0 + (-x).exp()),
        Function::Blend(Activation::Elu { alpha }) => {
            if x > 0.0 {
                x
            } else {
                f64::from(alpha) * x.exp_m1()
            }
        }
        Function::Blend(other) => panic!("{other:?} is not tried here"),
    };
    (1.0 - a) * x + a * f
}

#[test]
fn values_errors_and_gradients_follow_the_definition() {
    for isa in Isa::available() {
        for function in ALL {
            for channels in [1, 7, 17, 33] {
                for positions in [1, 7, 3 * 5] {
                    check_definition(isa, function, channels, positions);
                }
            }
        }
    }
}

fn check_definition(isa: Isa, function: Function, channels: usize, positions: usize) {
    let what = format!("{function:?}, {positions} x {channels} on {isa}");
    let mut draw = Draw((channels * positions) as u64);
    let learned = draw.rows(panels(channels), 2.0);
    let mut x = draw.rows(positions * channels, 3.0);
    for x in x.as_flattened_mut() {
        // Differences across a kink are no slope.
        *x += if x.abs() < 1e-3 { 0.1 } else { 0.0 };
    }
    let errors = draw.rows(x.len(), 1.0);
    let mut y = vec![[f32::NAN; LANES]; x.len()];
    forward(isa, function, channels, &learned, &x, &mut y);
    let mut set = vec![[f32::NAN; LANES]; x.len()];
    let at = Backward { x: &x, errors: &errors, input_errors: &mut set, add: false };
    backward(isa, function, channels, &learned, at);
    let mut added = vec![[0.5; LANES]; x.len()];
    let at = Backward { x: &x, errors: &errors, input_errors: &mut added, add: true };
    backward(isa, function, channels, &learned, at);
    let mut sums = vec![[0.0; LANES]; channels];
    gradient(isa, function, &x, &errors, &mut sums);
    let mut total = vec![[0.25; LANES]; panels(channels)];
    add_totals(isa, &sums, &mut total);

    let mut want_total = vec![0.25; channels];
    for i in 0..positions * LANES {
        let of = |rows: &[Row]| sample(rows, channels, i);
        let (x, e, y, set, added) = (of(&x), of(&errors), of(&y), of(&set), of(&added));
        for c in 0..channels {
            let a = f64::from(learned.as_flattened()[c]);
            assert_close(y[c] as f32, reference(function, x[c], a), 1e-6, &what);
            let want = e[c] * slope(|x| reference(function, x[0], a), &[x[c]], 0);
            assert_close(set[c] as f32, want, 3e-6, &what);
            assert_close(added[c] as f32, 0.5 + want, 3e-6, &what);
            want_total[c] += e[c] * slope(|a| reference(function, x[c], a[0]), &[a], 0);
        }
    }
    for (got, want) in total.as_flattened().iter().zip(want_total) {
        assert_close(*got, want, 1e-5, &what);
    }
}

#[test]
fn ends_of_a_blend_are_exact() {
    for isa in Isa::available() {
        for (a, want) in [(0.0, [-2.0, 3.0]), (1.0, [0.0, 3.0])] {
            let mut y = [[7.0; LANES]; 2];
            let x = [[-2.0; LANES], [3.0; LANES]];
            let function = Function::Blend(Activation::Relu);
            forward(isa, function, 2, &[[a; LANES]], &x, &mut y);
            assert_eq!(y, [[want[0]; LANES], [want[1]; LANES]], "{isa}");
        }
    }
}

#[test]
fn nan_stays_nan() {
    for isa in Isa::available() {
        for function in ALL {
            let mut y = [[7.0; LANES]];
            forward(isa, function, 1, &[[0.5; LANES]], &[[f32::NAN; LANES]], &mut y);
            assert!(y[0][0].is_nan(), "{function:?} on {isa}");
        }
    }
}

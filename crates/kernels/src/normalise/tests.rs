//! Norms against their definition in `f64`, errors and gradients against central differences.

use super::*;
use crate::LANES;
use crate::elementwise::add_totals;
use crate::testing::{Draw, assert_close, sample, slope};

const EPSILON: f32 = 1e-2;

/// One position: the gains are a parameter of their own, so that they can be shifted.
fn reference(norm: &Norm, gain: &[f64], x: &[f64]) -> Vec<f64> {
    let count = x.len() as f64;
    let mean = match norm.centre {
        Centre::Mean => x.iter().sum::<f64>() / count,
        Centre::Zero => 0.0,
    };
    let square = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
    let deviation = (square + f64::from(norm.epsilon)).sqrt();
    let bias = |c: usize| norm.bias.map_or(0.0, |bias| bias.as_flattened()[c].into());
    let one = |(c, x): (usize, &f64)| gain[c] * (x - mean) / deviation + bias(c);
    x.iter().enumerate().map(one).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[test]
fn results_errors_and_gradients_follow_the_definition() {
    for isa in Isa::available() {
        for channels in [1, 7, 17, 33] {
            let mut draw = Draw(channels as u64);
            let gain = draw.rows(panels(channels), 2.0);
            let bias = draw.rows(panels(channels), 2.0);
            for centre in [Centre::Mean, Centre::Zero] {
                for bias in [None, Some(&bias[..])] {
                    let norm = Norm { centre, channels, epsilon: EPSILON, gain: &gain, bias };
                    for positions in [1, 7, 3 * 5] {
                        check_definition(isa, &norm, positions, &mut draw);
                    }
                }
            }
        }
    }
}

fn check_definition(isa: Isa, norm: &Norm, positions: usize, draw: &mut Draw) {
    let channels = norm.channels;
    let mut x = draw.rows(positions * channels, 2.0);
    // Means far from 0 must cost no digits.
    for x in x.as_flattened_mut() {
        *x += 3.0;
    }
    let errors = draw.rows(x.len(), 1.0);
    let before = draw.rows(x.len(), 1.0);
    let mut y = vec![[f32::NAN; LANES]; x.len()];
    let mut moments = vec![[f32::NAN; LANES]; 2 * positions];
    forward(isa, norm, &x, &mut y, &mut moments);
    let mut set = vec![[f32::NAN; LANES]; x.len()];
    backward(isa, norm, &x, &moments, &errors, &mut set, false);
    let mut added = before.clone();
    backward(isa, norm, &x, &moments, &errors, &mut added, true);
    let mut sums = vec![[0.0; LANES]; channels];
    gain_gradient(isa, norm, &x, &moments, &errors, &mut sums);
    let mut gradient = vec![[0.5; LANES]; panels(channels)];
    add_totals(isa, &sums, &mut gradient);

    let gain: Vec<f64> =
        norm.gain.as_flattened()[..channels].iter().map(|gain| f64::from(*gain)).collect();
    let mut want_gradient = vec![0.5; channels];
    for position in 0..positions {
        for lane in 0..LANES {
            let of = |rows: &[Row]| sample(rows, channels, position * LANES + lane);
            let what = format!("{:?}, {channels} channels on {isa}", norm.centre);
            let (x, e, y) = (of(&x), of(&errors), of(&y));
            let want = reference(norm, &gain, &x);
            for c in 0..channels {
                assert_close(y[c] as f32, want[c], 3e-6, &what);
                let want = slope(|x| dot(&e, &reference(norm, &gain, x)), &x, c);
                assert_close(of(&set)[c] as f32, want, 3e-6, &what);
                assert_close(of(&added)[c] as f32, of(&before)[c] + want, 3e-6, &what);
                want_gradient[c] += slope(|gain| dot(&e, &reference(norm, gain, &x)), &gain, c);
            }
        }
    }
    for (got, want) in gradient.as_flattened().iter().zip(want_gradient) {
        assert_close(*got, want, 1e-5, &format!("gain, {channels} channels on {isa}"));
    }
}

#[test]
fn known_values() {
    let gain = [[2.0; LANES]];
    let bias = [[1.0; LANES]];
    for isa in Isa::available() {
        let x = [[1.0; LANES], [3.0; LANES]];
        let (mut y, mut moments) = ([[0.0; LANES]; 2], [[0.0; LANES]; 2]);
        let centre = Centre::Mean;
        let norm = Norm { centre, channels: 2, epsilon: 0.0, gain: &gain, bias: Some(&bias) };
        forward(isa, &norm, &x, &mut y, &mut moments);
        assert_eq!(y, [[-1.0; LANES], [3.0; LANES]], "{isa}");
        assert_eq!(moments, [[2.0; LANES], [1.0; LANES]], "{isa}");
        let x = [[7.0; LANES], [-1.0; LANES]];
        let norm = Norm { centre: Centre::Zero, bias: None, ..norm };
        forward(isa, &norm, &x, &mut y, &mut moments);
        assert_close(y[0][3], 2.8, 1e-6, "RMS of 7 and -1 is 5");
        assert_close(y[1][3], -0.4, 1e-6, "RMS of 7 and -1 is 5");
    }
}

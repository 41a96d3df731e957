//! Against the formula in f64, on every instruction set.

use super::*;
use crate::simd::LANES;
use crate::testing::{Draw, assert_close, sample};

/// Channels, positions, bins and values.
const SHAPES: [[usize; 4]; 4] = [[1, 1, 1, 1], [3, 1, 48, 12], [17, 1, 5, 2], [2, 7, 4, 3]];

/// Edges, of which the last but one is there twice; slopes, biases, weights.
fn parameters([channels, _, bins, size]: [usize; 4], draw: &mut Draw) -> [Vec<f32>; 4] {
    let edge = |i: usize| {
        let t = i % (bins + 1);
        let t = if bins > 2 && t + 2 == bins { t + 1 } else { t };
        3.0 * t as f32 / bins as f32 - 1.5 + (i / (bins + 1)) as f32 / 16.0
    };
    let edges = (0..channels * (bins + 1)).map(edge).collect();
    let mut numbers = |count| (0..count).map(|_| draw.unit()).collect::<Vec<_>>();
    [edges, numbers(channels * size), numbers(channels * size), numbers(channels * bins * size)]
}

fn piecewise(shape: [usize; 4], parameters: &[Vec<f32>; 4]) -> Piecewise<'_> {
    let [channels, _, bins, size] = shape;
    let [edges, slope, bias, weight] = parameters;
    Piecewise { channels, bins, size, edges, slope, bias, weight }
}

/// The codes of a number of a channel.
fn codes([_, _, bins, _]: [usize; 4], edges: &[f32], c: usize, x: f64) -> Vec<f64> {
    let edge = |t: usize| f64::from(edges[c * (bins + 1) + t]);
    let code = |t: usize| {
        let width = edge(t + 1) - edge(t);
        let code = if width > 0.0 { (x - edge(t)) / width } else { 0.0 };
        let code = if t > 0 { code.max(0.0) } else { code };
        if t + 1 < bins { code.min(1.0) } else { code }
    };
    (0..bins).map(code).collect()
}

#[test]
fn values_and_gradients_are_those_of_the_formula() {
    for shape in SHAPES {
        let [channels, positions, bins, size] = shape;
        let (units, panels) = (channels * positions, 3);
        let mut draw = Draw(5);
        let parameters = parameters(shape, &mut draw);
        let [edges, slope, bias, weight] = &parameters;
        let x = draw.rows(panels * units, 3.0);
        let errors = draw.rows(panels * units * size, 1.0);
        for isa in Isa::available() {
            let what = format!("{shape:?} on {isa}");
            let mut y = vec![[f32::NAN; LANES]; panels * units * size];
            forward(isa, &piecewise(shape, &parameters), &x, &mut y);
            let mut gradients = parameters.clone().map(|p| vec![0.5f32; p.len()]);
            let [_, by_slope, by_bias, by_weight] = &mut gradients;
            let to = Gradient { slope: by_slope, bias: by_bias, weight: by_weight };
            let mut scratch = vec![[7.0; LANES]; panels * positions];
            gradient(isa, &piecewise(shape, &parameters), &x, &errors, &mut scratch, to);
            let mut exact = parameters.clone().map(|p| vec![0.5f64; p.len()]);
            for i in 0..panels * LANES {
                let (found, errors) =
                    (sample(&y, units * size, i), sample(&errors, units * size, i));
                for (u, &x) in sample(&x, units, i).iter().enumerate() {
                    let c = u % channels;
                    let codes = codes(shape, edges, c, x);
                    for j in 0..size {
                        let n = c * size + j;
                        let of = |t: usize| (c * bins + t) * size + j;
                        let terms =
                            codes.iter().enumerate().map(|(t, e)| e * f64::from(weight[of(t)]));
                        let y = f64::from(bias[n]) + f64::from(slope[n]) * x + terms.sum::<f64>();
                        assert_close(found[u * size + j] as f32, y, 1e-5, &what);
                        let error = errors[u * size + j];
                        exact[1][n] += error * x;
                        exact[2][n] += error;
                        codes.iter().enumerate().for_each(|(t, e)| exact[3][of(t)] += error * e);
                    }
                }
            }
            for part in 1..4 {
                for (found, exact) in gradients[part].iter().zip(&exact[part]) {
                    assert_close(*found, *exact, 1e-5, &format!("{what}, tensor {part}"));
                }
            }
        }
    }
}

#[test]
fn the_first_and_the_last_bin_go_on() {
    let parameters = [vec![0.0, 1.0, 3.0], vec![0.0], vec![0.0], vec![10.0, 100.0]];
    for (x, expected) in [(-2.0, -20.0), (0.5, 5.0), (1.0, 10.0), (2.0, 60.0), (5.0, 210.0)] {
        let mut y = [[0.0; LANES]];
        forward(Isa::best(), &piecewise([1, 1, 2, 1], &parameters), &[[x; LANES]], &mut y);
        assert_eq!(y[0][0], expected, "{x}");
    }
}

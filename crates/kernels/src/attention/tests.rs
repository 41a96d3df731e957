//! Attention against its definition in `f64`, errors against central differences.

use super::*;
use crate::testing::{Draw, assert_close, sample, slope};

/// The result of one sample.
fn reference(at: &Attention, length: usize, qkv: &[f64]) -> Vec<f64> {
    let (n, width, units) = (at.positions, at.width, at.units());
    let unit = |position: usize, part: usize, head: usize, c: usize| {
        qkv[(position * 3 + part) * units + head * width + c]
    };
    let mut out = vec![0.0; n * units];
    for head in 0..at.heads {
        for i in 0..n {
            let reach = if at.causal { i + 1 } else { n };
            let score = |j| {
                let dot: f64 = (0..width).map(|c| unit(i, 0, head, c) * unit(j, 1, head, c)).sum();
                (dot / (width as f64).sqrt()).exp()
            };
            let weights: Vec<f64> = (0..reach.min(length)).map(score).collect();
            let sum: f64 = weights.iter().sum();
            for c in 0..width {
                let values = weights.iter().enumerate().map(|(j, w)| w * unit(j, 2, head, c));
                out[i * units + head * width + c] =
                    if weights.is_empty() { 0.0 } else { values.sum::<f64>() / sum };
            }
        }
    }
    out
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// (panels, positions, heads, width)
const SHAPES: [(usize, usize, usize, usize); 6] =
    [(1, 1, 1, 1), (1, 7, 2, 3), (3, 4, 1, 7), (1, 9, 1, 17), (1, 17, 1, 2), (2, 2, 3, 4)];

#[test]
fn results_and_errors_follow_the_definition() {
    for isa in Isa::available() {
        for (panels, positions, heads, width) in SHAPES {
            for causal in [false, true] {
                for with_lengths in [false, true] {
                    let lengths: Vec<Row> = (0..panels)
                        .map(|p| std::array::from_fn(|l| ((p + l) % (positions + 1)) as f32))
                        .collect();
                    let lengths = with_lengths.then_some(&lengths[..]);
                    let at = Attention { positions, heads, width, causal, lengths };
                    check_definition(isa, &at, panels);
                }
            }
        }
    }
}

fn check_definition(isa: Isa, at: &Attention, panels: usize) {
    let (n, units) = (at.positions, at.units());
    let mut draw = Draw((n * units) as u64);
    let qkv = draw.rows(panels * n * 3 * units, 2.0);
    let errors = draw.rows(panels * n * units, 1.0);
    let before = draw.rows(qkv.len(), 1.0);
    let mut out = vec![[f32::NAN; LANES]; errors.len()];
    let mut probabilities = vec![[f32::NAN; LANES]; panels * at.probability_rows()];
    forward(isa, at, &qkv, &mut probabilities, &mut out);
    let run = |mut input_errors: Vec<Row>, add| {
        let run = Backward {
            qkv: &qkv,
            probabilities: &mut probabilities.clone(),
            errors: &errors,
            scratch: &mut vec![[f32::NAN; LANES]; at.scratch_rows()],
            input_errors: &mut input_errors,
            add,
        };
        backward(isa, at, run);
        input_errors
    };
    let set = run(vec![[f32::NAN; LANES]; qkv.len()], false);
    let added = run(before.clone(), true);
    for i in 0..panels * LANES {
        let causal = at.causal;
        let what = format!("{n} x {} x {}, causal {causal}, on {isa}", at.heads, at.width);
        let length = at.lengths.map_or(n, |rows| rows.as_flattened()[i] as usize);
        let (x, e) = (sample(&qkv, n * 3 * units, i), sample(&errors, n * units, i));
        let want = reference(at, length, &x);
        for (got, want) in sample(&out, n * units, i).iter().zip(&want) {
            assert_close(*got as f32, *want, 3e-6, &what);
        }
        // Every third sample: differences take their time.
        if i % 3 > 0 {
            continue;
        }
        let of = |rows: &[Row]| sample(rows, n * 3 * units, i);
        let (set, added, before) = (of(&set), of(&added), of(&before));
        for u in 0..x.len() {
            let want = slope(|x| dot(&e, &reference(at, length, x)), &x, u);
            assert_close(set[u] as f32, want, 1e-5, &what);
            assert_close(added[u] as f32, before[u] + want, 1e-5, &what);
        }
    }
}

#[test]
fn large_scores_do_not_overflow() {
    let at = Attention { positions: 2, heads: 1, width: 1, causal: false, lengths: None };
    for isa in Isa::available() {
        // q = 1000, k = 1000 and 999, v = 5 and 7: the first wins but for e^-1000.
        let qkv = [1000.0, 1000.0, 5.0, 1000.0, 999.0, 7.0].map(|x| [x; LANES]);
        let (mut p, mut out) = ([[0.0; LANES]; 4], [[0.0; LANES]; 2]);
        forward(isa, &at, &qkv, &mut p, &mut out);
        assert_eq!(out, [[5.0; LANES]; 2], "{isa}");
    }
}

//! Cells against their equations in `f64`, errors against central differences.

use super::*;
use crate::LANES;
use crate::isa::Isa;
use crate::panels::{Panels, PanelsMut};
use crate::testing::{Draw, assert_close, sample, slope};

/// Steps of the matrices of all steps, and the one that is tried.
const STEPS: usize = 3;
const STEP: usize = 1;

/// A matrix of all steps with `rows` rows each; only one step's are looked at.
struct Steps {
    rows: usize,
    data: Vec<Row>,
}

impl Steps {
    fn new(draw: &mut Draw, panels: usize, rows: usize) -> Steps {
        Steps { rows, data: draw.rows(panels * STEPS * rows, 2.0) }
    }

    fn get(&self) -> Panels<'_> {
        Panels::new(&self.data, STEPS * self.rows).rows(STEP * self.rows..(STEP + 1) * self.rows)
    }

    fn get_mut(&mut self) -> PanelsMut<'_> {
        let range = STEP * self.rows..(STEP + 1) * self.rows;
        PanelsMut::new(&mut self.data, STEPS * self.rows).rows(range)
    }

    fn of(&self, i: usize) -> Vec<f64> {
        sample(&self.data, STEPS * self.rows, i)[STEP * self.rows..][..self.rows].to_vec()
    }

    fn copy(&self) -> Steps {
        Steps { rows: self.rows, data: self.data.clone() }
    }

    /// Asserts that other steps are as they were.
    fn assert_apart(&self, before: &Steps) {
        let height = STEPS * self.rows;
        for (i, (now, was)) in self.data.iter().zip(&before.data).enumerate() {
            let inside = (i % height) / self.rows == STEP;
            assert!(inside || now == was, "a step beside the one that was done has changed");
        }
    }
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

fn close(got: &[f64], want: &[f64], what: &str) {
    assert_eq!(got.len(), want.len(), "{what}");
    for (got, want) in got.iter().zip(want) {
        assert_close(*got as f32, *want, 3e-6, what);
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The gradient of `f` at `x`.
fn gradient(f: impl Fn(&[f64]) -> f64, x: &[f64]) -> Vec<f64> {
    (0..x.len()).map(|i| slope(&f, x, i)).collect()
}

/// Lengths 0 to 3: a sample either has step 1 or not.
fn lengths(panels: usize) -> Vec<Row> {
    (0..panels).map(|p| std::array::from_fn(|lane| ((p + lane) % 4) as f32)).collect()
}

const SHAPES: [(usize, usize); 5] = [(1, 1), (1, 7), (3, 17), (3, 33), (2, 16)];

fn gru(sums: &[f64], product: &[f64], h: &[f64], live: bool) -> Vec<f64> {
    let units = h.len();
    let one = |i: usize| {
        let (r, z) = (sigmoid(sums[i]), sigmoid(sums[units + i]));
        let n = (sums[2 * units + i] + r * product[i]).tanh();
        if live { (1.0 - z) * n + z * h[i] } else { h[i] }
    };
    (0..units).map(one).collect()
}

#[test]
fn gru_follows_its_equations() {
    for isa in Isa::available() {
        for (panels, units) in SHAPES {
            for with_lengths in [false, true] {
                check_gru(isa, panels, units, with_lengths);
            }
        }
    }
}

fn check_gru(isa: Isa, panels: usize, units: usize, with_lengths: bool) {
    let mut draw = Draw(units as u64);
    let lengths = lengths(panels);
    let time = Time { step: STEP, lengths: with_lengths.then_some(&lengths[..]) };
    let sums = Steps::new(&mut draw, panels, 3 * units);
    let product = Steps::new(&mut draw, panels, units);
    let previous = Steps::new(&mut draw, panels, units);
    let output_errors = Steps::new(&mut draw, panels, units);
    let output = Steps::new(&mut draw, panels, units);
    let (mut gates, mut state, mut new_output) = (sums.copy(), previous.copy(), output.copy());
    let step = gru::Forward {
        gates: gates.get_mut(),
        product: product.get(),
        state: state.get_mut(),
        output: new_output.get_mut(),
        time,
    };
    gru::forward(isa, step);
    new_output.assert_apart(&output);
    gates.assert_apart(&sums);

    let state_errors = draw.rows(panels * units, 1.0);
    let (mut errors, mut product_errors) = (gates.copy(), product.copy());
    let mut before = state_errors.clone();
    let step = gru::Backward {
        gates: errors.get_mut(),
        product: product_errors.get_mut(),
        previous: Some(previous.get()),
        output_errors: Some(output_errors.get()),
        state_errors: PanelsMut::new(&mut before, units),
        time,
    };
    gru::backward(isa, step);
    errors.assert_apart(&gates);
    product_errors.assert_apart(&product);

    for i in 0..panels * LANES {
        let what = format!("{units} units, sample {i} on {isa}");
        let live = !with_lengths || lengths.as_flattened()[i] > STEP as f32;
        let (s, q, h) = (sums.of(i), product.of(i), previous.of(i));
        let want = gru(&s, &q, &h, live);
        close(&new_output.of(i), &want, &what);
        assert_eq!(state.of(i), new_output.of(i), "{what}");
        let mut e = sample(&state_errors, units, i);
        e.iter_mut().zip(output_errors.of(i)).for_each(|(e, more)| *e += more);
        close(&errors.of(i), &gradient(|s| dot(&e, &gru(s, &q, &h, live)), &s), &what);
        close(&product_errors.of(i), &gradient(|q| dot(&e, &gru(&s, q, &h, live)), &q), &what);
        let of_h = gradient(|h| dot(&e, &gru(&s, &q, h, live)), &h);
        close(&sample(&before, units, i), &of_h, &what);
    }
}

#[test]
fn the_first_step_of_a_gru_comes_from_zero() {
    for isa in Isa::available() {
        let mut draw = Draw(5);
        let (gates, product, errors) = (draw.rows(6, 1.0), draw.rows(2, 1.0), draw.rows(2, 1.0));
        let mut results = Vec::new();
        let zeros = [[0.0; LANES]; 2];
        for (previous, output_errors) in [(None, None), (Some(&zeros), Some(&zeros))] {
            let (mut gates, mut product, mut errors) =
                (gates.clone(), product.clone(), errors.clone());
            let step = gru::Backward {
                gates: PanelsMut::new(&mut gates, 6),
                product: PanelsMut::new(&mut product, 2),
                previous: previous.map(|rows| Panels::new(rows, 2)),
                output_errors: output_errors.map(|rows| Panels::new(rows, 2)),
                state_errors: PanelsMut::new(&mut errors, 2),
                time: Time { step: 0, lengths: None },
            };
            gru::backward(isa, step);
            results.push((gates, product, errors));
        }
        assert_eq!(results[0], results[1], "{isa}");
    }
}

/// (h, c)
fn lstm(sums: &[f64], h: &[f64], c: &[f64], live: bool) -> (Vec<f64>, Vec<f64>) {
    let units = h.len();
    let one = |u: usize| {
        let (i, f) = (sigmoid(sums[u]), sigmoid(sums[units + u]));
        let (g, o) = (sums[2 * units + u].tanh(), sigmoid(sums[3 * units + u]));
        let cell = f * c[u] + i * g;
        if live { (o * cell.tanh(), cell) } else { (h[u], c[u]) }
    };
    (0..units).map(one).unzip()
}

#[test]
fn lstm_follows_its_equations() {
    for isa in Isa::available() {
        for (panels, units) in SHAPES {
            for with_lengths in [false, true] {
                check_lstm(isa, panels, units, with_lengths);
            }
        }
    }
}

fn check_lstm(isa: Isa, panels: usize, units: usize, with_lengths: bool) {
    let mut draw = Draw(units as u64);
    let lengths = lengths(panels);
    let time = Time { step: STEP, lengths: with_lengths.then_some(&lengths[..]) };
    let sums = Steps::new(&mut draw, panels, 4 * units);
    let previous = Steps::new(&mut draw, panels, units);
    let previous_cell = Steps::new(&mut draw, panels, units);
    let output_errors = Steps::new(&mut draw, panels, units);
    let (mut gates, mut state, mut cell) = (sums.copy(), previous.copy(), previous_cell.copy());
    let (mut output, mut cells) = (previous.copy(), previous.copy());
    let step = lstm::Forward {
        gates: gates.get_mut(),
        cell: cell.get_mut(),
        cell_output: cells.get_mut(),
        state: state.get_mut(),
        output: output.get_mut(),
        time,
    };
    lstm::forward(isa, step);
    gates.assert_apart(&sums);
    cells.assert_apart(&previous);

    let (state_errors, cell_errors) =
        (draw.rows(panels * units, 1.0), draw.rows(panels * units, 1.0));
    let (mut errors, mut before, mut cell_before) =
        (gates.copy(), state_errors.clone(), cell_errors.clone());
    let step = lstm::Backward {
        gates: errors.get_mut(),
        cell: cells.get(),
        previous_cell: Some(previous_cell.get()),
        output_errors: Some(output_errors.get()),
        cell_errors: PanelsMut::new(&mut cell_before, units),
        state_errors: PanelsMut::new(&mut before, units),
        time,
    };
    lstm::backward(isa, step);
    errors.assert_apart(&gates);

    for i in 0..panels * LANES {
        let what = format!("{units} units, sample {i} on {isa}");
        let live = !with_lengths || lengths.as_flattened()[i] > STEP as f32;
        let (s, h, c) = (sums.of(i), previous.of(i), previous_cell.of(i));
        let (want, want_cell) = lstm(&s, &h, &c, live);
        close(&output.of(i), &want, &what);
        close(&cells.of(i), &want_cell, &what);
        assert_eq!(state.of(i), output.of(i), "{what}");
        assert_eq!(cell.of(i), cells.of(i), "{what}");
        let mut e = sample(&state_errors, units, i);
        e.iter_mut().zip(output_errors.of(i)).for_each(|(e, more)| *e += more);
        let of_cell = sample(&cell_errors, units, i);
        let loss = |s: &[f64], h: &[f64], c: &[f64]| {
            let (h, c) = lstm(s, h, c, live);
            dot(&e, &h) + dot(&of_cell, &c)
        };
        close(&errors.of(i), &gradient(|s| loss(s, &h, &c), &s), &what);
        close(&sample(&cell_before, units, i), &gradient(|c| loss(&s, &h, c), &c), &what);
        close(&sample(&before, units, i), &gradient(|h| loss(&s, h, &c), &h), &what);
    }
}

//! Batch normalisation put together from its parts, against its definition in `f64`.

use super::*;
use crate::testing::{Draw, assert_close, bits, sample, slope};

const EPSILON: f64 = 1e-2;

/// A minibatch of this shape; lanes beyond the samples are rubbish.
struct Batch {
    positions: usize,
    channels: usize,
    samples: usize,
    x: Vec<Row>,
    errors: Vec<Row>,
    gain: Vec<Row>,
    bias: Vec<Row>,
}

impl Batch {
    fn new(positions: usize, channels: usize, samples: usize) -> Batch {
        let mut draw = Draw((positions * 1000 + channels) as u64);
        let rows = positions * channels * panels(samples);
        let (mut x, mut errors) = (draw.rows(rows, 2.0), draw.rows(rows, 1.0));
        let last = x.len() - positions * channels;
        for (row, (x, e)) in x.iter_mut().zip(&mut errors).enumerate() {
            for lane in 0..LANES {
                x[lane] += 5.0;
                if row >= last && lane >= samples - (panels(samples) - 1) * LANES {
                    (x[lane], e[lane]) = (f32::NAN, f32::INFINITY);
                }
            }
        }
        let gain = draw.rows(panels(channels), 2.0);
        let bias = draw.rows(panels(channels), 2.0);
        Batch { positions, channels, samples, x, errors, gain, bias }
    }

    fn units(&self) -> usize {
        self.positions * self.channels
    }

    /// All values of a channel, sample after sample.
    fn channel(&self, rows: &[Row], channel: usize) -> Vec<f64> {
        let mut all = Vec::new();
        for i in 0..self.samples {
            let units = sample(rows, self.units(), i);
            all.extend(units[channel..].iter().step_by(self.channels));
        }
        all
    }

    fn count(&self) -> f64 {
        (self.positions * self.samples) as f64
    }
}

fn packed(values: &[f64]) -> Vec<Row> {
    let mut rows = vec![[0.0; LANES]; panels(values.len())];
    for (to, from) in rows.as_flattened_mut().iter_mut().zip(values) {
        *to = *from as f32;
    }
    rows
}

/// The results of one channel.
fn reference(x: &[f64], gain: f64, bias: f64) -> Vec<f64> {
    let count = x.len() as f64;
    let mean = x.iter().sum::<f64>() / count;
    let square = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
    let deviation = (square + EPSILON).sqrt();
    x.iter().map(|x| gain * (x - mean) / deviation + bias).collect()
}

fn loss(x: &[f64], errors: &[f64], gain: f64, bias: f64) -> f64 {
    reference(x, gain, bias).iter().zip(errors).map(|(y, e)| y * e).sum()
}

#[test]
fn the_parts_make_a_batch_norm() {
    for isa in Isa::available() {
        for (positions, channels) in [(1, 1), (7, 1), (1, 17), (7, 7), (3, 33)] {
            for samples in [1, 15, 16, 37] {
                check(isa, &Batch::new(positions, channels, samples));
            }
        }
    }
}

fn check(isa: Isa, batch: &Batch) {
    let Batch { positions, channels, samples, x, errors, gain, bias } = batch;
    let (channels, samples) = (*channels, *samples);
    let what = format!("{positions} x {channels}, {samples} samples on {isa}");
    let means = |sums: Vec<f64>| sums.iter().map(|x| x / batch.count()).collect::<Vec<_>>();
    let mut totals = vec![0.0; channels];
    sums(isa, x, samples, &mut totals);
    let mean = packed(&means(totals));
    let mut totals = vec![0.0; channels];
    square_sums(isa, x, &mean, samples, &mut totals);
    let inverse: Vec<f64> = means(totals).iter().map(|v| 1.0 / (v + EPSILON).sqrt()).collect();
    let moments = Moments { mean: &mean, inverse: &packed(&inverse) };
    let mut y = vec![[f32::NAN; LANES]; x.len()];
    forward(isa, channels, moments, gain, bias, x, &mut y);
    let (mut of_errors, mut of_products) = (vec![0.0; channels], vec![0.0; channels]);
    error_sums(isa, x, moments, errors, samples, &mut of_errors, &mut of_products);
    let (mean_error, mean_product) =
        (packed(&means(of_errors.clone())), packed(&means(of_products.clone())));
    let terms = Terms { moments, gain, mean_error: &mean_error, mean_product: &mean_product };
    let mut set = vec![[f32::NAN; LANES]; x.len()];
    backward(isa, channels, terms, samples, x, errors, &mut set, false);
    let mut added = vec![[0.25; LANES]; x.len()];
    backward(isa, channels, terms, samples, x, errors, &mut added, true);

    for c in 0..channels {
        let of = |rows: &[Row]| batch.channel(rows, c);
        let (g, b) = (gain.as_flattened()[c].into(), bias.as_flattened()[c].into());
        let (x, e) = (of(x), of(errors));
        for (got, want) in of(&y).iter().zip(reference(&x, g, b)) {
            assert_close(*got as f32, want, 3e-6, &what);
        }
        for (i, (set, added)) in of(&set).iter().zip(of(&added)).enumerate() {
            let want = slope(|x| loss(x, &e, g, b), &x, i);
            assert_close(*set as f32, want, 5e-6, &what);
            assert_close(added as f32, 0.25 + want, 5e-6, &what);
        }
        assert_close(of_products[c] as f32, slope(|g| loss(&x, &e, g[0], b), &[g], 0), 1e-5, &what);
        assert_close(of_errors[c] as f32, slope(|b| loss(&x, &e, g, b[0]), &[b], 0), 1e-5, &what);
    }
    let dead = samples..panels(samples) * LANES;
    for i in dead {
        assert!(sample(&set, batch.units(), i).iter().all(|e| *e == 0.0), "{what}");
        assert!(sample(&added, batch.units(), i).iter().all(|e| *e == 0.25), "{what}");
    }
}

#[test]
fn sums_are_as_good_as_in_f64() {
    // 2^12 positions: a plain sum in f32 would lose the small numbers altogether.
    let x: Vec<Row> = (0..4096).map(|i| [[3e7, 1.25][usize::from(i > 0)]; LANES]).collect();
    for isa in Isa::available() {
        let mut totals = [0.0];
        sums(isa, &x, 3, &mut totals);
        assert_eq!(totals[0], 3.0 * (3e7 + 4095.0 * 1.25), "{isa}");
    }
}

#[test]
fn shards_change_no_bit() {
    let batch = Batch::new(7, 17, 48);
    for isa in Isa::available() {
        let mut whole = vec![0.0; 17];
        sums(isa, &batch.x, 48, &mut whole);
        let (first, rest) = batch.x.split_at(2 * batch.units());
        let mut parts = vec![0.0; 17];
        sums(isa, first, 32, &mut parts);
        sums(isa, rest, 16, &mut parts);
        assert_eq!(whole, parts, "{isa}");
    }
}

#[test]
fn the_forward_pass_of_a_known_channel() {
    let row = |x| [[x; LANES]];
    let (mean, inverse) = (row(2.0), row(0.5));
    let moments = Moments { mean: &mean, inverse: &inverse };
    for isa in Isa::available() {
        let mut y = row(f32::NAN);
        forward(isa, 1, moments, &row(3.0), &row(-1.0), &row(6.0), &mut y);
        assert_eq!(bits(&y), bits(&row(5.0)), "{isa}");
    }
}

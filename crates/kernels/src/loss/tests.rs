//! Losses and their gradients against `f64` and central differences, on every instruction set.

use super::*;
use crate::LANES;
use crate::testing::{Draw, ODD_SIZES, assert_close, bits, place};

const ALL: [Loss; 6] = [
    Loss::MeanSquared,
    Loss::HalfSumSquares,
    Loss::MeanAbsolute,
    Loss::Huber { delta: 0.7 },
    Loss::BinaryCrossEntropy,
    Loss::SoftmaxCrossEntropy,
];

/// The loss of one sample by its definition.
fn reference(loss: Loss, z: &[f64], y: &[f64]) -> f64 {
    let outputs = z.len() as f64;
    let pairs = || z.iter().zip(y);
    let softplus = |z: f64| z.max(0.0) + (-z.abs()).exp().ln_1p();
    match loss {
        Loss::MeanSquared => pairs().map(|(z, y)| (z - y).powi(2)).sum::<f64>() / outputs,
        Loss::HalfSumSquares => pairs().map(|(z, y)| (z - y).powi(2)).sum::<f64>() / 2.0,
        Loss::MeanAbsolute => pairs().map(|(z, y)| (z - y).abs()).sum::<f64>() / outputs,
        Loss::Huber { delta } => {
            let delta = f64::from(delta);
            let one = |e: f64| if e <= delta { e * e / 2.0 } else { delta * (e - delta / 2.0) };
            pairs().map(|(z, y)| one((z - y).abs())).sum::<f64>() / outputs
        }
        Loss::BinaryCrossEntropy => {
            pairs().map(|(z, y)| softplus(*z) - z * y).sum::<f64>() / outputs
        }
        Loss::SoftmaxCrossEntropy => {
            let max = z.iter().fold(f64::NEG_INFINITY, |m, z| m.max(*z));
            let log_sum = max + z.iter().map(|z| (z - max).exp()).sum::<f64>().ln();
            pairs().map(|(z, y)| y * (log_sum - z)).sum()
        }
    }
}

fn derivative(loss: Loss, z: &[f64], y: &[f64], output: usize) -> f64 {
    let h = 1e-6;
    let at = |shift: f64| {
        let mut z = z.to_vec();
        z[output] += shift;
        reference(loss, &z, y)
    };
    (at(h) - at(-h)) / (2.0 * h)
}

/// Some samples as panels, with padded lanes of weight 0 whose outputs are rubbish.
struct Batch {
    samples: usize,
    outputs: usize,
    z: Vec<Row>,
    classes: Vec<Row>,
    numbers: Vec<Row>,
    weight: Vec<Row>,
}

impl Batch {
    fn new(samples: usize, outputs: usize, seed: u64) -> Batch {
        let mut draw = Draw(seed);
        let panels = samples.div_ceil(LANES);
        let rubbish = [f32::NAN, f32::INFINITY, 1e30, -3.0];
        let mut z = vec![[rubbish[draw.below(4)]; LANES]; panels * outputs];
        let mut classes = vec![[0.0; LANES]; panels];
        let mut weight = vec![[0.0; LANES]; panels];
        for sample in 0..samples {
            for output in 0..outputs {
                z.as_flattened_mut()[place(outputs, output, sample)] = draw.unit() * 5.0;
            }
            // A single output still has two classes.
            classes.as_flattened_mut()[sample] = draw.below(outputs.max(2)) as f32;
            weight.as_flattened_mut()[sample] = 0.1 + (draw.unit() + 1.0) / samples as f32;
        }
        let numbers = draw.rows(panels * outputs, 2.0);
        Batch { samples, outputs, z, classes, numbers, weight }
    }

    fn outputs_of(&self, sample: usize) -> Vec<f64> {
        let at = |row| self.z.as_flattened()[place(self.outputs, row, sample)].into();
        (0..self.outputs).map(at).collect()
    }

    /// What the targets say about a sample, spelt out.
    fn truth(&self, targets: Targets, sample: usize) -> Vec<f64> {
        match targets {
            Targets::Numbers(y) => {
                let at = |row| y.as_flattened()[place(self.outputs, row, sample)].into();
                (0..self.outputs).map(at).collect()
            }
            Targets::Classes(classes) => {
                let class = classes.as_flattened()[sample];
                match self.outputs {
                    1 => vec![class.into()],
                    _ => (0..self.outputs).map(|k| f64::from(k as f32 == class)).collect(),
                }
            }
        }
    }

    /// (delta, losses)
    fn run(&self, isa: Isa, kind: Loss, targets: Targets) -> (Vec<Row>, Vec<Row>) {
        let mut delta = vec![[7.0; LANES]; self.z.len()];
        let mut losses = vec![[7.0; LANES]; self.weight.len()];
        let Batch { z, outputs, weight, .. } = self;
        let panels = LossPanels {
            outputs: *outputs,
            values: z,
            targets,
            weights: weight,
            gradient: &mut delta,
            losses: &mut losses,
        };
        loss(isa, kind, panels);
        (delta, losses)
    }
}

#[test]
fn losses_and_deltas_follow_the_definition() {
    for isa in Isa::available() {
        for samples in ODD_SIZES {
            for outputs in [1, 2, 7, 17] {
                let batch = Batch::new(samples, outputs, samples as u64);
                for kind in ALL {
                    for targets in
                        [Targets::Classes(&batch.classes), Targets::Numbers(&batch.numbers)]
                    {
                        check_definition(isa, &batch, kind, targets);
                    }
                }
            }
        }
    }
}

fn check_definition(isa: Isa, batch: &Batch, kind: Loss, targets: Targets) {
    let (delta, losses) = batch.run(isa, kind, targets);
    for sample in 0..batch.samples {
        let what = format!("{kind:?}, {} outputs, sample {sample} on {isa}", batch.outputs);
        let (z, y) = (batch.outputs_of(sample), batch.truth(targets, sample));
        let weight = f64::from(batch.weight.as_flattened()[sample]);
        let want = weight * reference(kind, &z, &y);
        assert_close(losses.as_flattened()[sample], want, 3e-6, &what);
        for output in 0..batch.outputs {
            let got = delta.as_flattened()[place(batch.outputs, output, sample)];
            assert_close(got, weight * derivative(kind, &z, &y, output), 3e-6, &what);
        }
    }
    for padded in batch.samples..batch.weight.len() * LANES {
        assert_eq!(losses.as_flattened()[padded].to_bits(), 0, "{kind:?} on {isa}");
        for output in 0..batch.outputs {
            let got = delta.as_flattened()[place(batch.outputs, output, padded)];
            assert_eq!(got.to_bits(), 0, "{kind:?} on {isa}");
        }
    }
}

#[test]
fn the_cut_into_calls_does_not_matter() {
    let batch = Batch::new(100, 7, 5);
    for isa in Isa::available() {
        for kind in ALL {
            let (delta, losses) = batch.run(isa, kind, Targets::Classes(&batch.classes));
            for p in 0..batch.weight.len() {
                let part = Batch {
                    z: batch.z[7 * p..][..7].to_vec(),
                    weight: vec![batch.weight[p]],
                    classes: vec![batch.classes[p]],
                    numbers: Vec::new(),
                    ..batch
                };
                let (d, l) = part.run(isa, kind, Targets::Classes(&part.classes));
                assert_eq!(bits(&d), bits(&delta[7 * p..][..7]), "{kind:?} on {isa}");
                assert_eq!(bits(&l), bits(&losses[p..][..1]), "{kind:?} on {isa}");
            }
        }
    }
}

#[test]
fn certain_logits_keep_their_digits() {
    for isa in Isa::available() {
        // Right and wrong by 30 and by 10,000: (logit, target, loss, delta).
        for (z, y, want, slope) in [
            (30.0, 1.0, 9.357_623e-14, -9.357_623e-14),
            (-30.0, 0.0, 9.357_623e-14, 9.357_623e-14),
            (30.0, 0.0, 30.0, 1.0),
            (1e4, 1.0, 0.0, 0.0),
            (-1e4, 1.0, 1e4, -1.0),
        ] {
            let (mut delta, mut losses) = ([[0.0; LANES]], [[0.0; LANES]]);
            let (z, y) = ([[z; LANES]], [[y; LANES]]);
            let kind = Loss::BinaryCrossEntropy;
            let weight = [[1.0; LANES]];
            let panels = LossPanels {
                outputs: 1,
                values: &z,
                targets: Targets::Numbers(&y),
                weights: &weight,
                gradient: &mut delta,
                losses: &mut losses,
            };
            loss(isa, kind, panels);
            let close = |got: f32, want: f32| (got - want).abs() <= want.abs() * 1e-6;
            assert!(close(losses[0][3], want), "{} at {z:?} on {isa}", losses[0][3]);
            assert!(close(delta[0][3], slope), "{} at {z:?} on {isa}", delta[0][3]);
        }
        let z = [[1e4; LANES], [-1e4; LANES], [9.999e3; LANES]];
        let (mut delta, mut losses) = ([[0.0; LANES]; 3], [[0.0; LANES]]);
        let classes = [[1.0; LANES]];
        let (targets, weight) = (Targets::Classes(&classes), [[1.0; LANES]]);
        let panels = LossPanels {
            outputs: 3,
            values: &z,
            targets,
            weights: &weight,
            gradient: &mut delta,
            losses: &mut losses,
        };
        loss(isa, Loss::SoftmaxCrossEntropy, panels);
        let share = 1.0 / (1.0 + (-1f64).exp());
        assert_close(losses[0][0], 2e4 + (1.0 / share).ln(), 1e-6, "loss");
        assert_close(delta[0][0], share, 1e-6, "first delta");
        assert_eq!(delta[1][0], -1.0);
    }
}

#[test]
fn nan_is_never_hidden() {
    for isa in Isa::available() {
        for kind in ALL {
            for bad in 0..3 {
                let mut z = [[0.5; LANES]; 3];
                z[bad] = [f32::NAN; LANES];
                let (mut delta, mut losses) = ([[0.0; LANES]; 3], [[0.0; LANES]]);
                let (classes, weight) = ([[1.0; LANES]], [[1.0; LANES]]);
                let targets = Targets::Classes(&classes);
                let panels = LossPanels {
                    outputs: 3,
                    values: &z,
                    targets,
                    weights: &weight,
                    gradient: &mut delta,
                    losses: &mut losses,
                };
                loss(isa, kind, panels);
                assert!(losses[0].iter().all(|x| x.is_nan()), "{kind:?} on {isa}");
                assert!(delta[bad].iter().all(|x| x.is_nan()), "{kind:?} on {isa}");
            }
        }
    }
}

#[test]
fn probabilities_sum_to_one() {
    for isa in Isa::available() {
        for samples in ODD_SIZES {
            for outputs in [1, 3, 17] {
                let mut batch = Batch::new(samples, outputs, 9);
                batch.z.as_flattened_mut()[0] = 1e4;
                let mut p = batch.z.clone();
                probabilities(isa, Probabilities::Softmax, &mut p, outputs);
                for sample in 0..samples {
                    let z = batch.outputs_of(sample);
                    let max = z.iter().fold(f64::NEG_INFINITY, |m, z| m.max(*z));
                    let sum: f64 = z.iter().map(|z| (z - max).exp()).sum();
                    for (output, z) in z.iter().enumerate() {
                        let got = p.as_flattened()[place(outputs, output, sample)];
                        assert_close(got, (z - max).exp() / sum, 1e-6, "softmax");
                    }
                }
            }
        }
        let mut z = [[0.0; LANES], [2.0; LANES]];
        probabilities(isa, Probabilities::Sigmoid, &mut z, 2);
        assert_close(z[0][0], 0.5, 1e-7, "sigmoid 0");
        assert_close(z[1][9], 1.0 / (1.0 + (-2f64).exp()), 1e-7, "sigmoid 2");
    }
}

#[test]
fn names_lead_back() {
    assert_eq!(ALL.map(Loss::name), Loss::NAMES);
    for loss in ALL {
        assert_eq!(Loss::from_name(loss.name(), loss.parameter()), Ok(loss));
    }
    let message = |name, parameter| Loss::from_name(name, parameter).unwrap_err().to_string();
    assert!(message("mse", None).starts_with("\"mse\" is no loss; use one of: mean-squared, "));
    assert_eq!(message("huber", Some(0.0)), "huber takes a positive number, not 0");
    assert_eq!(
        message("mean-squared", Some(1.0)),
        "mean-squared takes no parameter, but 1 is given"
    );
}

//! The training step as plain scalar loops on one thread: what the portable kernels are compared with.
//!
//! Every matrix product is the textbook's three loops, with both operands contiguous along the inner
//! one. A sum in order cannot be vectorised by the compiler, so this is what a scalar build does.

use crate::ours::{Slice, timed};
use crate::trace::Trace;
use crate::workload::{Activation, Loss, Optimizer, Workload};
use anyhow::{Result, ensure};

/// A network in training on the batches of a trace, one after the other and over again.
pub(super) struct Scalar {
    workload: Workload,
    trace: Trace,
    layers: Vec<Layer>,
    steps: usize,
}

/// A layer with its parameters (weights outputs x inputs, then biases) and all that stands beside them.
struct Layer {
    inputs: usize,
    outputs: usize,
    activation: Activation,
    parameters: Vec<f32>,
    gradient: Vec<f32>,
    slots: [Vec<f32>; 2],
    /// Batch x outputs.
    output: Vec<f32>,
    /// Batch x outputs.
    error: Vec<f32>,
}

impl Scalar {
    /// Starts from the parameters of the trace.
    ///
    /// # Errors
    /// The workload has an activation that is not written down here.
    pub(super) fn new(workload: &Workload, trace: Trace) -> Result<Scalar> {
        ensure!(workload.network.is_none(), "--scalar: expected dense layers alone");
        let plain = [Activation::Identity, Activation::Relu, Activation::Sigmoid];
        ensure!(
            plain.contains(&workload.activation) && plain.contains(&workload.output),
            "--scalar: expected relu, sigmoid or identity"
        );
        let last = workload.layers.len() - 2;
        let layer = |(i, (inputs, outputs)): (usize, (usize, usize))| {
            let parameters = trace.parameters[i].concat();
            let zeros = vec![0.0; parameters.len()];
            Layer {
                inputs,
                outputs,
                activation: if i == last { workload.output } else { workload.activation },
                parameters,
                gradient: zeros.clone(),
                slots: [zeros.clone(), zeros],
                output: vec![0.0; workload.batch * outputs],
                error: vec![0.0; workload.batch * outputs],
            }
        };
        let layers = workload.links().enumerate().map(layer).collect();
        Ok(Scalar { workload: workload.clone(), trace, layers, steps: 0 })
    }

    /// Trains for at least so many seconds.
    pub(super) fn run(&mut self, seconds: f64) -> Slice {
        timed(seconds, self.workload.batch, || {
            self.step();
        })
    }

    /// Trains on the next batch and returns its loss before the update.
    fn step(&mut self) -> f64 {
        let Workload { batch, loss, optimizer, learning_rate, momentum, .. } = self.workload;
        let (inputs, targets) = (self.workload.layers[0], self.workload.targets());
        let first = self.steps * batch % (self.trace.inputs.len() / inputs);
        self.steps += 1;
        let rows = &self.trace.inputs[first * inputs..][..batch * inputs];
        let answers = &self.trace.targets[first * targets..][..batch * targets];
        let mut input = rows;
        for layer in &mut self.layers {
            layer.forward(input);
            input = &layer.output;
        }
        let last = self.layers.last_mut().expect("a network has a layer");
        let mean_loss = last.loss(loss, answers);
        for i in (0..self.layers.len()).rev() {
            let (before, rest) = self.layers.split_at_mut(i);
            match before.last_mut() {
                None => rest[0].backward(rows),
                Some(previous) => {
                    rest[0].backward(&previous.output);
                    rest[0].errors_of(previous);
                }
            }
        }
        for layer in &mut self.layers {
            layer.update(optimizer, learning_rate as f32, momentum as f32, self.steps as i32);
        }
        mean_loss
    }
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sum = 0.0;
    for (a, b) in a.iter().zip(b) {
        sum += a * b;
    }
    sum
}

/// A row-major matrix of rows of this width, by columns.
fn transposed(matrix: &[f32], width: usize) -> Vec<f32> {
    (0..width).flat_map(|i| matrix[i..].iter().step_by(width).copied()).collect()
}

impl Layer {
    fn forward(&mut self, input: &[f32]) {
        let (weights, bias) = self.parameters.split_at(self.inputs * self.outputs);
        let outputs = self.output.chunks_exact_mut(self.outputs);
        for (row, output) in input.chunks_exact(self.inputs).zip(outputs) {
            for (o, a) in output.iter_mut().enumerate() {
                let z = bias[o] + dot(&weights[o * self.inputs..][..self.inputs], row);
                *a = match self.activation {
                    Activation::Relu => z.max(0.0),
                    Activation::Sigmoid => 1.0 / (1.0 + (-z).exp()),
                    _ => z,
                };
            }
        }
    }

    /// Multiplies what is in `error`, the derivative by the output, by the slope of the activation.
    fn chain(&mut self) {
        for (e, a) in self.error.iter_mut().zip(&self.output) {
            *e *= match self.activation {
                Activation::Relu => f32::from(u8::from(*a > 0.0)),
                Activation::Sigmoid => a * (1.0 - a),
                _ => 1.0,
            };
        }
    }

    /// Of the last layer: sets the error and returns the mean loss.
    fn loss(&mut self, loss: Loss, targets: &[f32]) -> f64 {
        let (width, batch) = (self.outputs, self.output.len() / self.outputs);
        let share = ((batch * width) as f32).recip();
        let mut total = 0.0;
        if loss == Loss::SoftmaxCrossEntropy {
            let errors = self.error.chunks_exact_mut(width);
            for ((z, error), &class) in self.output.chunks_exact(width).zip(errors).zip(targets) {
                let most = z.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                let sum: f32 = z.iter().map(|z| (z - most).exp()).sum();
                total += f64::from(sum.ln() + most - z[class as usize]) * width as f64;
                for (o, (e, z)) in error.iter_mut().zip(z).enumerate() {
                    let hit = f32::from(u8::from(o == class as usize));
                    *e = ((z - most).exp() / sum - hit) * share * width as f32;
                }
            }
        } else {
            for ((e, &z), &y) in self.error.iter_mut().zip(&self.output).zip(targets) {
                let (value, slope) = match loss {
                    Loss::MeanSquared => ((z - y) * (z - y), 2.0 * (z - y)),
                    Loss::MeanAbsolute => ((z - y).abs(), (z - y).signum()),
                    _ => {
                        let value = z.max(0.0) + (-z.abs()).exp().ln_1p() - z * y;
                        (value, 1.0 / (1.0 + (-z).exp()) - y)
                    }
                };
                total += f64::from(value);
                *e = slope * share;
            }
        }
        self.chain();
        total * f64::from(share)
    }

    /// The gradient of the parameters.
    fn backward(&mut self, input: &[f32]) {
        let batch = self.output.len() / self.outputs;
        let (errors, inputs) =
            (transposed(&self.error, self.outputs), transposed(input, self.inputs));
        let (weights, bias) = self.gradient.split_at_mut(self.inputs * self.outputs);
        for (o, error) in errors.chunks_exact(batch).enumerate() {
            for (i, input) in inputs.chunks_exact(batch).enumerate() {
                weights[o * self.inputs + i] = dot(error, input);
            }
            bias[o] = error.iter().sum();
        }
    }

    /// The error of the layer before.
    fn errors_of(&self, before: &mut Layer) {
        let weights = transposed(&self.parameters[..self.inputs * self.outputs], self.inputs);
        let errors = before.error.chunks_exact_mut(self.inputs);
        for (upstream, error) in self.error.chunks_exact(self.outputs).zip(errors) {
            for (i, e) in error.iter_mut().enumerate() {
                *e = dot(&weights[i * self.outputs..][..self.outputs], upstream);
            }
        }
        before.chain();
    }

    fn update(&mut self, optimizer: Optimizer, rate: f32, momentum: f32, t: i32) {
        let [first, second] = &mut self.slots;
        let slots = first.iter_mut().zip(second);
        let (c1, c2) = (1.0 - 0.9f32.powi(t), 1.0 - 0.999f32.powi(t));
        for ((w, &g), (m, v)) in self.parameters.iter_mut().zip(&self.gradient).zip(slots) {
            match optimizer {
                Optimizer::Sgd => *w -= rate * g,
                Optimizer::Momentum => {
                    *m = momentum * *m + g;
                    *w -= rate * *m;
                }
                Optimizer::Adam => {
                    *m = 0.9 * *m + 0.1 * g;
                    *v = 0.999 * *v + 0.001 * g * g;
                    *w -= rate * (*m / c1) / ((*v / c2).sqrt() + 1e-8);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ours::Ours;
    use gristmill_kernels::Isa;

    #[test]
    fn computes_the_same_as_ours() {
        use {Loss::*, Optimizer::*};
        for (outputs, loss, optimizer) in [
            (1, BinaryCrossEntropy, Adam),
            (2, MeanSquared, Sgd),
            (3, MeanAbsolute, Momentum),
            (5, SoftmaxCrossEntropy, Momentum),
        ] {
            let mut workload = Workload::new("", &[9, 20, 17, outputs], 33, optimizer, loss);
            workload.activation = Activation::Sigmoid;
            let trace = Trace::random(&workload, 4);
            for isa in Isa::available() {
                let mut ours = Ours::new(isa, &workload, &trace).unwrap();
                let again = Trace::random(&workload, 4);
                let mut scalar = Scalar::new(&workload, again).unwrap();
                for (step, ours) in ours.losses(20).into_iter().enumerate() {
                    let scalar = scalar.step();
                    assert!((ours - scalar).abs() < 1e-4, "{loss:?} {step}: {ours}, {scalar}");
                }
            }
        }
    }
}

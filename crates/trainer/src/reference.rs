//! The slow, obvious network in f64: the oracle for the fast one.
//!
//! It shares the definitions of activations and losses with the kernels, but none of their
//! arithmetic: every formula is written out again here, one number at a time. Loops stay loops, and
//! nothing is ever made faster at the cost of being plain.

pub mod check;
mod functions;
mod losses;

use crate::layer::Kind;
use crate::network::{Network, Node};
use functions::{derivative, value};
use gristmill_kernels::{Activation, Loss};

/// A dense layer.
#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    /// Applied to every unit's sum.
    pub activation: Activation,
    /// Numbers that come in.
    pub inputs: usize,
    /// Units.
    pub outputs: usize,
    /// Row-major `[outputs][inputs]`.
    pub weights: Vec<f64>,
    /// One per unit, or none at all.
    pub bias: Option<Vec<f64>>,
}

/// The layers of a network.
pub fn layers_of(network: &Network) -> Vec<Layer> {
    let wide = |values: Vec<f32>| values.into_iter().map(f64::from).collect();
    let layer = |(i, node): (usize, &Node)| {
        let Kind::Dense(layer) = &node.layer else { panic!("a dense layer") };
        let (weights, bias) = network.layer_weights(i);
        Layer {
            activation: layer.activation,
            inputs: layer.shape.inputs,
            outputs: layer.shape.outputs,
            weights: wide(weights),
            bias: layer.shape.bias.then(|| wide(bias)),
        }
    };
    network.nodes().iter().enumerate().map(layer).collect()
}

/// What the outputs should have been.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Targets<'a> {
    /// A class per sample: 1 at the output of that number and 0 elsewhere; with a single output,
    /// the class itself (0 or 1).
    Classes(&'a [u32]),
    /// A number per sample and output, row-major `[samples][outputs]`.
    Numbers(&'a [f64]),
}

/// Samples to learn from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Batch<'a> {
    /// Row-major `[samples][features]`.
    pub inputs: &'a [f64],
    /// What the outputs should be.
    pub targets: Targets<'a>,
    /// How much each sample counts.
    pub weights: &'a [f64],
}

/// The gradient of the loss by the parameters of one layer, laid out as they are.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerGradient {
    /// By the weights.
    pub weights: Vec<f64>,
    /// By the biases, if there are any.
    pub bias: Option<Vec<f64>>,
}

/// All that a batch gives.
#[derive(Debug, Clone, PartialEq)]
pub struct Gradient {
    /// Loss of the batch.
    pub loss: f64,
    /// Row-major `[samples][outputs]`, after the output activation.
    pub outputs: Vec<f64>,
    /// One per layer.
    pub layers: Vec<LayerGradient>,
}

/// One layer's sums before its activation, and the values after it, for one sample.
struct Activity {
    sums: Vec<f64>,
    values: Vec<f64>,
}

impl Layer {
    fn run(&self, inputs: &[f64]) -> Activity {
        assert_eq!(inputs.len(), self.inputs, "an input per column of the weights");
        assert_eq!(self.weights.len(), self.inputs * self.outputs, "a weight per input and unit");
        let mut sums = self.bias.clone().unwrap_or_else(|| vec![0.0; self.outputs]);
        for (sum, row) in sums.iter_mut().zip(self.weights.chunks(self.inputs)) {
            for (weight, input) in row.iter().zip(inputs) {
                *sum += weight * input;
            }
        }
        let values = sums.iter().map(|&z| value(self.activation, z)).collect();
        Activity { sums, values }
    }
}

/// The activity of every layer for one sample.
fn run(layers: &[Layer], inputs: &[f64]) -> Vec<Activity> {
    let mut activities: Vec<Activity> = Vec::with_capacity(layers.len());
    for layer in layers {
        let before = activities.last().map_or(inputs, |activity| &activity.values);
        activities.push(layer.run(before));
    }
    activities
}

/// Outputs of samples `[samples][features]`, row-major `[samples][outputs]`.
///
/// # Panics
/// The shapes do not fit.
pub fn forward(layers: &[Layer], inputs: &[f64]) -> Vec<f64> {
    let samples = inputs.chunks(layers[0].inputs);
    samples.flat_map(|sample| run(layers, sample).pop().expect("a layer").values).collect()
}

impl Batch<'_> {
    /// The targets of one sample's outputs.
    fn targets(&self, sample: usize, outputs: usize) -> Vec<f64> {
        match self.targets {
            Targets::Classes(classes) if outputs == 1 => vec![f64::from(classes[sample])],
            Targets::Classes(classes) => {
                (0..outputs).map(|t| f64::from(u8::from(classes[sample] as usize == t))).collect()
            }
            Targets::Numbers(numbers) => numbers[sample * outputs..][..outputs].to_vec(),
        }
    }

    /// What a sample's loss is multiplied by.
    fn share(&self, sample: usize, loss: Loss) -> f64 {
        match loss {
            Loss::HalfSumSquares => self.weights[sample],
            _ => self.weights[sample] / self.weights.iter().sum::<f64>(),
        }
    }
}

/// Loss and gradient of a batch, by backpropagation.
///
/// # Panics
/// The shapes do not fit.
pub fn gradient(layers: &[Layer], batch: &Batch<'_>, loss: Loss) -> Gradient {
    let mut result = Gradient {
        loss: 0.0,
        outputs: Vec::new(),
        layers: layers.iter().map(LayerGradient::zeros).collect(),
    };
    for (sample, inputs) in batch.inputs.chunks(layers[0].inputs).enumerate() {
        let activities = run(layers, inputs);
        let outputs = &activities.last().expect("a layer").values;
        let targets = batch.targets(sample, outputs.len());
        let share = batch.share(sample, loss);
        result.loss += share * losses::value(loss, outputs, &targets);
        result.outputs.extend(outputs);

        let mut by_values = losses::derivative(loss, outputs, &targets);
        by_values.iter_mut().for_each(|slope| *slope *= share);
        for (number, layer) in layers.iter().enumerate().rev() {
            let below = if number == 0 { inputs } else { &activities[number - 1].values };
            let by_sums: Vec<f64> = by_values
                .iter()
                .zip(&activities[number].sums)
                .map(|(slope, &z)| slope * derivative(layer.activation, z))
                .collect();
            result.layers[number].add(&by_sums, below);
            by_values = (0..layer.inputs)
                .map(|i| {
                    (0..layer.outputs)
                        .map(|o| by_sums[o] * layer.weights[o * layer.inputs + i])
                        .sum()
                })
                .collect();
        }
    }
    result
}

impl LayerGradient {
    fn zeros(layer: &Layer) -> LayerGradient {
        LayerGradient {
            weights: vec![0.0; layer.weights.len()],
            bias: layer.bias.as_ref().map(|bias| vec![0.0; bias.len()]),
        }
    }

    /// Adds one sample's: the slopes of its sums times what came in.
    fn add(&mut self, by_sums: &[f64], inputs: &[f64]) {
        for (o, slope) in by_sums.iter().enumerate() {
            for (i, input) in inputs.iter().enumerate() {
                self.weights[o * inputs.len() + i] += slope * input;
            }
        }
        if let Some(bias) = &mut self.bias {
            bias.iter_mut().zip(by_sums).for_each(|(sum, slope)| *sum += slope);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const X: [f64; 12] = [0., 0., 1., 0., 1., 1., 1., 0., 1., 1., 1., 1.];
    const Y: [f64; 4] = [0., 1., 1., 0.];

    #[test]
    fn plain_gradient_descent_takes_the_published_path() {
        // A single sigmoid layer on half the sum of squares, learning rate 0.1.
        let start = vec![1.6243453636632417, -0.6117564136500754, -0.5281717522634557];
        let mut layers = [Layer {
            activation: Activation::Sigmoid,
            inputs: 3,
            outputs: 1,
            weights: start,
            bias: None,
        }];
        let batch = Batch { inputs: &X, targets: Targets::Numbers(&Y), weights: &[1.0; 4] };
        let expected = [
            (1, [1.6144505918105685, -0.6124416263632586, -0.5328109181615904]),
            (100, [1.0583612716885975, -0.5432266058159909, -0.5421224506365837]),
            (10_000, [0.0; 3]),
        ];
        let mut step = 0;
        for (until, weights) in expected {
            while step < until {
                let gradient = gradient(&layers, &batch, Loss::HalfSumSquares);
                for (w, g) in layers[0].weights.iter_mut().zip(&gradient.layers[0].weights) {
                    *w -= 0.1 * g;
                }
                step += 1;
            }
            for (w, expected) in layers[0].weights.iter().zip(weights) {
                assert!((w - expected).abs() < 1e-14, "step {step}: {w} instead of {expected}");
            }
        }
    }

    #[test]
    fn forward_of_two_layers_by_hand() {
        let layers = [
            Layer {
                activation: Activation::Relu,
                inputs: 2,
                outputs: 2,
                weights: vec![1.0, 2.0, -3.0, 0.5],
                bias: Some(vec![0.5, -1.0]),
            },
            Layer {
                activation: Activation::Identity,
                inputs: 2,
                outputs: 1,
                weights: vec![2.0, 10.0],
                bias: None,
            },
        ];
        // [1 + 4 + 0.5, -3 + 1 - 1] = [5.5, -3]; [-1 + 0 + 0.5, 3 + 0 - 1] = [-0.5, 2].
        assert_eq!(forward(&layers, &[1.0, 2.0, -1.0, 0.0]), [11.0, 20.0]);
    }

    #[test]
    fn weights_of_samples_average_unless_the_loss_is_a_sum() {
        let layer = Layer {
            activation: Activation::Identity,
            inputs: 1,
            outputs: 1,
            weights: vec![1.0],
            bias: None,
        };
        let batch = Batch {
            inputs: &[1.0, 2.0],
            targets: Targets::Numbers(&[0.0; 2]),
            weights: &[3.0, 1.0],
        };
        let loss = |loss| gradient(std::slice::from_ref(&layer), &batch, loss).loss;
        assert_eq!(loss(Loss::MeanSquared), (3.0 * 1.0 + 4.0) / 4.0);
        assert_eq!(loss(Loss::HalfSumSquares), 0.5 * (3.0 * 1.0 + 4.0));
    }
}

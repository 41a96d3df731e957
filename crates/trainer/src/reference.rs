//! The slow, obvious network in f64: the oracle for the fast one.
//!
//! It shares the definitions of layers, activations and losses with the kernels, but none of their arithmetic.
//! What a kind of layer computes is written out once more, one number at a time, as a formula over any type of
//! number (a file for each kind). There is no backward pass: the same formula on the variables of a tape gives
//! the gradient. Loops stay loops, and nothing is ever made faster at the cost of being plain.

mod activate;
mod attention;
mod batch_norm;
pub mod check;
mod conv;
mod dense;
mod embedding;
mod formula;
mod functions;
mod joins;
mod kinds;
mod learned;
mod losses;
mod norm;
mod number;
mod periodic;
mod piecewise;
mod pool;
mod recurrent;
mod tape;

use crate::layer::View;
use crate::network::{Lengths, Network, Node, Source};
use formula::{At, Form};
use gristmill_kernels::Loss;
use number::{Kinks, Number};
use std::ops::Range;
use tape::Tape;

/// A network in f64.
#[derive(Debug, Clone, PartialEq)]
pub struct Twin {
    nodes: Vec<Node>,
    features: View,
    lengths: Option<Lengths>,
    /// For each node its tensors, as files have them.
    pub parameters: Vec<Vec<Vec<f64>>>,
}

/// For each sample its values.
type Values = Vec<Vec<f64>>;

/// Samples as a network takes them.
struct Features {
    values: Values,
    /// Steps of each, where they are series of unequal length.
    steps: Vec<usize>,
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

/// The derivatives of the loss by the numbers of one tensor.
#[derive(Debug, Clone, PartialEq)]
pub struct TensorGradient {
    /// The derivatives.
    pub slopes: Vec<f64>,
    /// Of each the sum of the absolute values of its terms, one for each sample and position: much more than the
    /// slope where they cancel each other.
    pub magnitudes: Vec<f64>,
}

/// All that a batch gives.
#[derive(Debug, Clone, PartialEq)]
pub struct Gradient {
    /// Loss of the batch.
    pub loss: f64,
    /// Row-major `[samples][outputs]`, after the output activation.
    pub outputs: Vec<f64>,
    /// For each node, for each of its tensors.
    pub nodes: Vec<Vec<TensorGradient>>,
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

    /// The loss of outputs.
    fn loss(&self, loss: Loss, outputs: &Values, kinks: &mut Kinks) -> f64 {
        let of = |(sample, outputs): (usize, &Vec<f64>)| {
            let targets = self.targets(sample, outputs.len());
            self.share(sample, loss) * losses::value(loss, outputs, &targets, kinks)
        };
        outputs.iter().enumerate().map(of).sum()
    }

    /// The derivatives of the loss by outputs.
    fn errors(&self, loss: Loss, outputs: &Values) -> Values {
        let of = |(sample, outputs): (usize, &Vec<f64>)| {
            let tape = Tape::default();
            let targets = self.targets(sample, outputs.len());
            let variables = tape.variables(outputs);
            let value = losses::value(loss, &variables, &targets, &mut Kinks::default());
            let slopes = tape.slopes([(value, self.share(sample, loss))]);
            variables.into_iter().map(|output| slopes.by(output).0).collect()
        };
        outputs.iter().enumerate().map(of).collect()
    }
}

impl Twin {
    /// Of a network.
    pub fn of(network: &Network) -> Twin {
        let wide = |values: Vec<f32>| values.into_iter().map(f64::from).collect();
        let tensors = |node| network.read(node, network.weights()).into_iter().map(wide).collect();
        Twin {
            nodes: network.nodes().to_vec(),
            features: network.features(),
            lengths: network.lengths().cloned(),
            parameters: (0..network.nodes().len()).map(tensors).collect(),
        }
    }

    /// Outputs of samples `[samples][features]`, row-major `[samples][outputs]`.
    pub fn predict(&self, inputs: &[f64]) -> Vec<f64> {
        let (features, mut values) = (self.samples(inputs), Vec::new());
        self.run(Form::Prediction, &features, &mut values, &mut Kinks::default());
        values.pop().expect("a network has a layer").concat()
    }

    /// Loss and gradient of a batch in training, with all dropout off.
    ///
    /// # Panics
    /// The shapes do not fit.
    pub fn gradient(&self, batch: &Batch<'_>, loss: Loss) -> Gradient {
        let (features, mut values) = (self.samples(batch.inputs), Vec::new());
        let kinks = &mut Kinks::default();
        self.run(Form::Training, &features, &mut values, kinks);
        let zeros = |values: &Values| values.iter().map(|sample| vec![0.0; sample.len()]).collect();
        let mut errors: Vec<Values> = values.iter().map(zeros).collect();
        let outputs = values.last().expect("a network has a layer");
        *errors.last_mut().expect("a network has a layer") = batch.errors(loss, outputs);
        let tensor = |tensor: &Vec<f64>| TensorGradient::zeros(tensor.len());
        let tensors = |tensors: &Vec<Vec<f64>>| tensors.iter().map(tensor).collect();
        let mut nodes: Vec<Vec<TensorGradient>> = self.parameters.iter().map(tensors).collect();
        for (node, gradient) in nodes.iter_mut().enumerate().rev() {
            for samples in self.groups(node, features.values.len()) {
                self.run_back(node, samples, &features, &values, &mut errors, gradient);
            }
        }
        Gradient { loss: batch.loss(loss, outputs, kinks), outputs: outputs.concat(), nodes }
    }

    /// In series of unequal length what is not a number lies beyond the end.
    fn samples(&self, inputs: &[f64]) -> Features {
        let View { width, channels, .. } = self.features;
        assert!(inputs.len().is_multiple_of(self.features.units()), "whole samples");
        let mut values: Values =
            inputs.chunks(self.features.units()).map(<[f64]>::to_vec).collect();
        let count = |sample: &Vec<f64>| {
            (0..width).take_while(|step| !sample[step * channels].is_nan()).count()
        };
        let steps = values.iter().map(count).collect();
        if self.lengths.is_some() {
            values.iter_mut().flatten().filter(|x| x.is_nan()).for_each(|x| *x = 0.0);
        }
        Features { values, steps }
    }

    /// How many positions of a source belong to each sample; `None` if all.
    fn ends(&self, source: Source, features: &Features) -> Option<Vec<usize>> {
        let positions = self.lengths.as_ref()?.of_source(source)?;
        Some(features.steps.iter().map(|&steps| positions[steps] as usize).collect())
    }

    /// Makes zeros of what lies beyond the ends of samples in the values of a node.
    fn cut<N: Number>(&self, node: usize, ends: Option<&[usize]>, values: &mut [Vec<N>]) {
        let channels = self.nodes[node].layer.output().channels;
        for (values, end) in values.iter_mut().zip(ends.unwrap_or_default()) {
            values[end * channels..].fill(N::from(0.0));
        }
    }

    /// The samples that a node computes together.
    fn groups(&self, node: usize, samples: usize) -> Vec<Range<usize>> {
        let size = if kinds::mixes_samples(&self.nodes[node].layer) { samples } else { 1 };
        (0..samples).step_by(size.max(1)).map(|first| first..first + size).collect()
    }

    /// Adds the values of the nodes whose values are not there yet.
    fn run(&self, form: Form, features: &Features, values: &mut Vec<Values>, kinks: &mut Kinks) {
        for node in values.len()..self.nodes.len() {
            let mut of_node = Vec::new();
            let ends = self.ends(self.nodes[node].inputs[0], features);
            for samples in self.groups(node, features.values.len()) {
                let inputs = self.inputs(node, features, values);
                let inputs = inputs.into_iter().map(|input| &input[samples.clone()]).collect();
                let parameters = &self.parameters[node];
                let ends = ends.as_ref().map(|ends| &ends[samples.clone()]);
                let at = At { form, inputs, ends, parameters, kinks: &mut *kinks };
                of_node.extend(kinds::values(&self.nodes[node].layer, at));
            }
            self.cut(node, self.ends(Source::Node(node), features).as_deref(), &mut of_node);
            values.push(of_node);
        }
    }

    fn inputs<'v>(
        &self,
        node: usize,
        features: &'v Features,
        values: &'v [Values],
    ) -> Vec<&'v Values> {
        let input = |source: &Source| match *source {
            Source::Features => &features.values,
            Source::Node(node) => &values[node],
        };
        self.nodes[node].inputs.iter().map(input).collect()
    }

    /// Adds to the errors of a node's inputs and to its gradient what some samples give.
    fn run_back(
        &self,
        node: usize,
        samples: Range<usize>,
        features: &Features,
        values: &[Values],
        errors: &mut [Values],
        gradient: &mut [TensorGradient],
    ) {
        let tape = Tape::default();
        let variables = |numbers: &Vec<f64>| tape.variables(numbers);
        let inputs: Vec<Vec<Vec<_>>> = self
            .inputs(node, features, values)
            .into_iter()
            .map(|input| input[samples.clone()].iter().map(variables).collect())
            .collect();
        let parameters: Vec<Vec<_>> = self.parameters[node].iter().map(variables).collect();
        let [ends, own_ends] = [self.nodes[node].inputs[0], Source::Node(node)]
            .map(|source| self.ends(source, features));
        let at = At {
            form: Form::Training,
            inputs: inputs.iter().map(Vec::as_slice).collect(),
            ends: ends.as_ref().map(|ends| &ends[samples.clone()]),
            parameters: &parameters,
            kinks: &mut Kinks::default(),
        };
        let mut outputs = kinds::values(&self.nodes[node].layer, at);
        let own_ends = own_ends.as_ref().map(|ends| &ends[samples.clone()]);
        self.cut(node, own_ends, &mut outputs);
        let factors = errors[node][samples.clone()].iter().flatten().copied();
        let slopes = tape.slopes(outputs.into_iter().flatten().zip(factors));
        for (source, input) in self.nodes[node].inputs.iter().zip(inputs) {
            let Source::Node(source) = *source else { continue };
            for (error, sample) in errors[source][samples.clone()].iter_mut().zip(input) {
                for (error, value) in error.iter_mut().zip(sample) {
                    *error += slopes.by(value).0;
                }
            }
        }
        for (gradient, tensor) in gradient.iter_mut().zip(parameters) {
            for (number, variable) in tensor.into_iter().enumerate() {
                let (slope, magnitude) = slopes.by(variable);
                gradient.slopes[number] += slope;
                gradient.magnitudes[number] += magnitude;
            }
        }
    }
}

impl TensorGradient {
    fn zeros(numbers: usize) -> TensorGradient {
        TensorGradient { slopes: vec![0.0; numbers], magnitudes: vec![0.0; numbers] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::{Dense, Shape};
    use gristmill_kernels::Activation;

    const X: [f64; 12] = [0., 0., 1., 0., 1., 1., 1., 0., 1., 1., 1., 1.];
    const Y: [f64; 4] = [0., 1., 1., 0.];

    fn dense(inputs: usize, outputs: usize, bias: bool, activation: Activation) -> Dense {
        Dense { shape: Shape { inputs, outputs, bias }, activation, dropout: 0.0 }
    }

    fn twin(layers: Vec<Dense>, parameters: Vec<Vec<Vec<f64>>>) -> Twin {
        Twin { parameters, ..Twin::of(&Network::chain(layers)) }
    }

    #[test]
    fn plain_gradient_descent_takes_the_published_path() {
        // A single sigmoid layer on half the sum of squares, learning rate 0.1.
        let start = vec![1.6243453636632417, -0.6117564136500754, -0.5281717522634557];
        let mut twin = twin(vec![dense(3, 1, false, Activation::Sigmoid)], vec![vec![start]]);
        let batch = Batch { inputs: &X, targets: Targets::Numbers(&Y), weights: &[1.0; 4] };
        let expected = [
            (1, [1.6144505918105685, -0.6124416263632586, -0.5328109181615904]),
            (100, [1.0583612716885975, -0.5432266058159909, -0.5421224506365837]),
            (10_000, [0.0; 3]),
        ];
        let mut step = 0;
        for (until, weights) in expected {
            while step < until {
                let gradient = twin.gradient(&batch, Loss::HalfSumSquares);
                for (w, g) in twin.parameters[0][0].iter_mut().zip(&gradient.nodes[0][0].slopes) {
                    *w -= 0.1 * g;
                }
                step += 1;
            }
            for (w, expected) in twin.parameters[0][0].iter().zip(weights) {
                assert!((w - expected).abs() < 1e-14, "step {step}: {w} instead of {expected}");
            }
        }
    }

    #[test]
    fn forward_of_two_layers_by_hand() {
        let layers =
            vec![dense(2, 2, true, Activation::Relu), dense(2, 1, false, Activation::Identity)];
        let first = vec![vec![1.0, 2.0, -3.0, 0.5], vec![0.5, -1.0]];
        let twin = twin(layers, vec![first, vec![vec![2.0, 10.0]]]);
        // [1 + 4 + 0.5, -3 + 1 - 1] = [5.5, -3]; [-1 + 0 + 0.5, 3 + 0 - 1] = [-0.5, 2].
        assert_eq!(twin.predict(&[1.0, 2.0, -1.0, 0.0]), [11.0, 20.0]);
    }

    #[test]
    fn weights_of_samples_average_unless_the_loss_is_a_sum() {
        let layer = dense(1, 1, false, Activation::Identity);
        let twin = twin(vec![layer], vec![vec![vec![1.0]]]);
        let batch = Batch {
            inputs: &[1.0, 2.0],
            targets: Targets::Numbers(&[0.0; 2]),
            weights: &[3.0, 1.0],
        };
        let loss = |loss| twin.gradient(&batch, loss).loss;
        assert_eq!(loss(Loss::MeanSquared), (3.0 * 1.0 + 4.0) / 4.0);
        assert_eq!(loss(Loss::HalfSumSquares), 0.5 * (3.0 * 1.0 + 4.0));
    }
}

//! Backpropagation against differences of the loss itself.

use super::formula::Form;
use super::number::Kinks;
use super::{Batch, Features, Twin, Values};
use crate::layer::{Parameters, Role};
use gristmill_kernels::Loss;

/// How well two ways to the same gradient agree.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GradientCheck {
    /// The largest |a - b| / max(|a|, |b|), where elements below a thousandth of the largest
    /// element of the gradient count as that: their differences are rounding errors.
    pub largest_relative_error: f64,
    /// Parameters compared.
    pub compared: usize,
    /// Parameters left out because a kink (of ReLU or of the absolute error, say) lies within the
    /// difference.
    pub skipped: usize,
}

/// How far apart the places of a difference are, relative to a parameter of at least 1. The nearer ones are for
/// where a kink lies within the others: they leave more of the rounding error of the loss.
const REACHES: [f64; 3] = [1e-4, 1e-5, 1e-6];

/// Compares backpropagation with central differences, for at most `per_tensor` numbers of each tensor, spread
/// evenly over it. Running statistics, which no gradient changes, are left out.
///
/// Differences over h and h/2 are extrapolated, which leaves an error of the order h^4.
///
/// # Panics
/// The shapes do not fit.
pub fn gradient_check(
    twin: &Twin,
    batch: &Batch<'_>,
    loss: Loss,
    per_tensor: usize,
) -> GradientCheck {
    let exact = twin.gradient(batch, loss);
    let elements = exact.nodes.iter().flatten().flat_map(|tensor| &tensor.slopes);
    let largest = elements.fold(0.0, |largest: f64, g| largest.max(g.abs()));

    let mut check = GradientCheck { largest_relative_error: 0.0, compared: 0, skipped: 0 };
    let mut differences = Differences::new(twin, batch, loss);
    for (node, tensors) in exact.nodes.iter().enumerate() {
        differences.begin(node);
        for (tensor, by) in tensors.iter().enumerate() {
            if !twin.is_learned(node, tensor) {
                continue;
            }
            let stride = by.slopes.len().div_ceil(per_tensor.max(1)).max(1);
            for (number, &a) in by.slopes.iter().enumerate().step_by(stride) {
                match differences.along([node, tensor, number]) {
                    Some(b) => {
                        let scale = a.abs().max(b.abs()).max(1e-3 * largest);
                        let error = if a == b { 0.0 } else { (a - b).abs() / scale };
                        // max would pass over an error that is not a number.
                        let error = if error.is_nan() { f64::INFINITY } else { error };
                        check.largest_relative_error = check.largest_relative_error.max(error);
                        check.compared += 1;
                    }
                    None => check.skipped += 1,
                }
            }
        }
    }
    check
}

impl Twin {
    /// Whether a tensor follows its gradient.
    fn is_learned(&self, node: usize, tensor: usize) -> bool {
        match self.nodes[node].layer.parameters() {
            Parameters::Shared(blocks) => blocks[tensor].role != Role::Statistic,
            _ => true,
        }
    }
}

/// Differences of the loss of a batch.
struct Differences<'a> {
    twin: Twin,
    features: Features,
    batch: &'a Batch<'a>,
    loss: Loss,
    /// Of the nodes before the one at hand.
    before: Vec<Values>,
}

impl<'a> Differences<'a> {
    fn new(twin: &Twin, batch: &'a Batch<'a>, loss: Loss) -> Differences<'a> {
        let features = twin.samples(batch.inputs);
        Differences { twin: twin.clone(), features, batch, loss, before: Vec::new() }
    }

    /// Keeps the values of the nodes before one, which do not change with it.
    fn begin(&mut self, node: usize) {
        let Differences { twin, features, before, .. } = self;
        twin.run(Form::Training, features, before, &mut Kinks::default());
        before.truncate(node);
    }

    /// The slope of the loss along one number, unless there is a kink nearby.
    fn along(&mut self, number: [usize; 3]) -> Option<f64> {
        REACHES.into_iter().find_map(|reach| self.within(number, reach))
    }

    fn within(&mut self, [node, tensor, number]: [usize; 3], reach: f64) -> Option<f64> {
        let start = self.twin.parameters[node][tensor][number];
        let h = reach * start.abs().max(1.0);
        let mut at = |offset: f64| {
            self.twin.parameters[node][tensor][number] = start + offset;
            let result = self.loss();
            self.twin.parameters[node][tensor][number] = start;
            result
        };
        let (far_up, far_down) = (at(h), at(-h));
        if far_up.1 != far_down.1 {
            return None;
        }
        let (up, down) = (at(h / 2.0), at(-h / 2.0));
        let wide = (far_up.0 - far_down.0) / (2.0 * h);
        let narrow = (up.0 - down.0) / h;
        Some((4.0 * narrow - wide) / 3.0)
    }

    /// The loss of the batch, and on which side of every kink each number lies.
    fn loss(&mut self) -> (f64, Kinks) {
        let Differences { twin, features, before, .. } = self;
        let (node, mut kinks) = (before.len(), Kinks::default());
        twin.run(Form::Training, features, before, &mut kinks);
        let outputs = before.last().expect("a network has a layer");
        let loss = self.batch.loss(self.loss, outputs, &mut kinks);
        before.truncate(node);
        (loss, kinks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::{Dense, Shape};
    use crate::network::Network;
    use crate::random::{Purpose, Random};
    use crate::reference::Targets;
    use gristmill_kernels::Activation;

    const ACTIVATIONS: [Activation; 9] = [
        Activation::Identity,
        Activation::Sigmoid,
        Activation::Tanh,
        Activation::Relu,
        Activation::LeakyRelu { slope: 0.1 },
        Activation::Elu { alpha: 1.5 },
        Activation::Gelu,
        Activation::Silu,
        Activation::Softplus,
    ];
    const LOSSES: [Loss; 6] = [
        Loss::MeanSquared,
        Loss::HalfSumSquares,
        Loss::MeanAbsolute,
        Loss::Huber { delta: 0.5 },
        Loss::BinaryCrossEntropy,
        Loss::SoftmaxCrossEntropy,
    ];

    fn draws(purpose: u64, count: usize) -> Vec<f64> {
        let draws = Random::new(11, Purpose::Weights).part(purpose);
        (0..count as u64).map(|i| draws.normal(i)).collect()
    }

    /// Dense layers of these sizes; the second has no bias.
    fn dense(sizes: &[usize], hidden: Activation, output: Activation) -> Twin {
        let depth = sizes.len() - 1;
        let layer = |i: usize| Dense {
            shape: Shape { inputs: sizes[i], outputs: sizes[i + 1], bias: i != 1 },
            activation: if i + 1 == depth { output } else { hidden },
            dropout: 0.0,
        };
        let mut twin = Twin::of(&Network::chain((0..depth).map(layer).collect()));
        for (i, tensors) in twin.parameters.iter_mut().enumerate() {
            let scale = (sizes[i] as f64).sqrt();
            tensors[0] = draws(i as u64, tensors[0].len()).iter().map(|w| w / scale).collect();
            if let Some(bias) = tensors.get_mut(1) {
                *bias = draws(100 + i as u64, bias.len());
            }
        }
        twin
    }

    fn network(hidden: Activation, output: Activation, outputs: usize) -> Twin {
        dense(&[4, 6, 5, outputs], hidden, output)
    }

    fn check(twin: &Twin, targets: Targets<'_>, loss: Loss) -> GradientCheck {
        let inputs = draws(50, 7 * 4);
        let weights = [1.0, 2.0, 0.5, 1.0, 0.0, 3.0, 1.0];
        let batch = Batch { inputs: &inputs, targets, weights: &weights };
        gradient_check(twin, &batch, loss, usize::MAX)
    }

    #[test]
    fn every_activation_with_every_loss() {
        let numbers = draws(60, 7 * 3);
        let probabilities: Vec<f64> = numbers.iter().map(|y| 1.0 / (1.0 + y.exp())).collect();
        for activation in ACTIVATIONS {
            for loss in LOSSES {
                let targets = match loss {
                    Loss::BinaryCrossEntropy => Targets::Numbers(&probabilities),
                    Loss::SoftmaxCrossEntropy => Targets::Classes(&[0, 1, 2, 2, 1, 0, 1]),
                    _ => Targets::Numbers(&numbers),
                };
                // Losses of logits take them as they come; the others any activation.
                let outputs = if loss.takes_logits() { Activation::Identity } else { activation };
                let check = check(&network(activation, outputs, 3), targets, loss);
                let what = format!("{activation:?} with {loss:?}: {check:?}");
                assert!(check.largest_relative_error < 1e-6, "{what}");
                assert_eq!(check.compared + check.skipped, 4 * 6 + 6 + 6 * 5 + 5 * 3 + 3, "{what}");
                assert!(check.skipped < 8, "{what}");
            }
        }
    }

    #[test]
    fn what_is_not_a_number_never_passes() {
        let layers = network(Activation::Tanh, Activation::Identity, 1);
        let inputs = [f64::NAN; 4];
        let batch = Batch { inputs: &inputs, targets: Targets::Numbers(&[0.0]), weights: &[1.0] };
        let check = gradient_check(&layers, &batch, Loss::MeanSquared, usize::MAX);
        assert_eq!(check.largest_relative_error, f64::INFINITY);
    }

    #[test]
    fn a_single_logit_takes_classes() {
        let layers = network(Activation::Tanh, Activation::Identity, 1);
        let classes = [0, 1, 1, 0, 1, 0, 1];
        let of_classes = check(&layers, Targets::Classes(&classes), Loss::BinaryCrossEntropy);
        assert!(of_classes.largest_relative_error < 1e-6);
        let numbers = classes.map(f64::from);
        let of_numbers = check(&layers, Targets::Numbers(&numbers), Loss::BinaryCrossEntropy);
        assert_eq!(of_classes, of_numbers);
    }

    #[test]
    fn a_kink_within_the_difference_is_skipped() {
        let mut relu = dense(&[1, 1], Activation::Relu, Activation::Relu);
        relu.parameters[0] = vec![vec![1e-9], vec![1.0]];
        let batch = Batch { inputs: &[1.0], targets: Targets::Numbers(&[0.0]), weights: &[1.0] };
        assert_eq!(gradient_check(&relu, &batch, Loss::MeanSquared, 9).skipped, 0);
        relu.parameters[0][1] = vec![-1e-9];
        assert_eq!(gradient_check(&relu, &batch, Loss::MeanSquared, 9).skipped, 2);
    }

    #[test]
    fn a_limit_spreads_over_the_parameters() {
        let layers = network(Activation::Tanh, Activation::Identity, 3);
        let inputs = draws(50, 4);
        let batch = Batch { inputs: &inputs, targets: Targets::Classes(&[1]), weights: &[1.0] };
        let check = gradient_check(&layers, &batch, Loss::SoftmaxCrossEntropy, 10);
        assert!((20..=50).contains(&check.compared), "{check:?}");
        assert!(check.largest_relative_error < 1e-6);
    }
}

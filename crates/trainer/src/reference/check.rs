//! Backpropagation against differences of the loss itself.

use super::functions::has_kink;
use super::{Batch, Layer, gradient, losses, run};
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

/// Compares backpropagation with central differences, for at most `per_layer` parameters of each
/// layer, spread evenly over its weights and biases.
///
/// Differences over h and h/2 are extrapolated, which leaves an error of the order h^4.
///
/// # Panics
/// The shapes do not fit.
pub fn gradient_check(
    layers: &[Layer],
    batch: &Batch<'_>,
    loss: Loss,
    per_layer: usize,
) -> GradientCheck {
    let exact = gradient(layers, batch, loss);
    let elements =
        exact.layers.iter().flat_map(|l| l.weights.iter().chain(l.bias.iter().flatten()));
    let largest = elements.fold(0.0, |largest: f64, g| largest.max(g.abs()));

    let mut check = GradientCheck { largest_relative_error: 0.0, compared: 0, skipped: 0 };
    let mut network = layers.to_vec();
    for (number, by) in exact.layers.iter().enumerate() {
        let all: Vec<f64> = by.weights.iter().chain(by.bias.iter().flatten()).copied().collect();
        let stride = all.len().div_ceil(per_layer.max(1)).max(1);
        for (index, &a) in all.iter().enumerate().step_by(stride) {
            match difference(&mut network, number, index, batch, loss) {
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
    check
}

/// The slope of the loss along one parameter, unless there is a kink nearby.
fn difference(
    network: &mut [Layer],
    layer: usize,
    index: usize,
    batch: &Batch<'_>,
    loss: Loss,
) -> Option<f64> {
    let start = *parameter(&mut network[layer], index);
    let h = 1e-4 * start.abs().max(1.0);
    let mut at = |offset: f64| {
        *parameter(&mut network[layer], index) = start + offset;
        let result = loss_and_sides(network, batch, loss);
        *parameter(&mut network[layer], index) = start;
        result
    };
    let [far_up, far_down, up, down] = [at(h), at(-h), at(h / 2.0), at(-h / 2.0)];
    if far_up.1 != far_down.1 {
        return None;
    }
    let wide = (far_up.0 - far_down.0) / (2.0 * h);
    let narrow = (up.0 - down.0) / h;
    Some((4.0 * narrow - wide) / 3.0)
}

/// Parameter number `index` of a layer: its weights, then its biases.
fn parameter(layer: &mut Layer, index: usize) -> &mut f64 {
    let weights = layer.weights.len();
    match &mut layer.bias {
        Some(bias) if index >= weights => &mut bias[index - weights],
        _ => &mut layer.weights[index],
    }
}

/// The loss of the batch, and on which side of every kink each number lies.
fn loss_and_sides(layers: &[Layer], batch: &Batch<'_>, loss: Loss) -> (f64, Vec<i8>) {
    let mut total = 0.0;
    let mut sides = Vec::new();
    for (sample, inputs) in batch.inputs.chunks(layers[0].inputs).enumerate() {
        let activities = run(layers, inputs);
        for (layer, activity) in layers.iter().zip(&activities) {
            if has_kink(layer.activation) {
                sides.extend(activity.sums.iter().map(|&z| i8::from(z > 0.0)));
            }
        }
        let outputs = &activities.last().expect("a layer").values;
        let targets = batch.targets(sample, outputs.len());
        sides.extend(outputs.iter().zip(&targets).map(|(z, y)| losses::side(loss, z - y)));
        total += batch.share(sample, loss) * losses::value(loss, outputs, &targets);
    }
    (total, sides)
}

#[cfg(test)]
mod tests {
    use super::*;
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

    fn layer(number: u64, inputs: usize, outputs: usize, activation: Activation) -> Layer {
        let scale = (inputs as f64).sqrt();
        Layer {
            activation,
            inputs,
            outputs,
            weights: draws(number, inputs * outputs).iter().map(|w| w / scale).collect(),
            bias: (number != 1).then(|| draws(100 + number, outputs)),
        }
    }

    /// A network 4-6-5-outputs, the second layer without bias.
    fn network(hidden: Activation, output: Activation, outputs: usize) -> Vec<Layer> {
        vec![layer(0, 4, 6, hidden), layer(1, 6, 5, hidden), layer(2, 5, outputs, output)]
    }

    fn check(layers: &[Layer], targets: Targets<'_>, loss: Loss) -> GradientCheck {
        let inputs = draws(50, 7 * 4);
        let weights = [1.0, 2.0, 0.5, 1.0, 0.0, 3.0, 1.0];
        let batch = Batch { inputs: &inputs, targets, weights: &weights };
        gradient_check(layers, &batch, loss, usize::MAX)
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
        let relu = Layer {
            activation: Activation::Relu,
            inputs: 1,
            outputs: 1,
            weights: vec![1e-9],
            bias: Some(vec![1.0]),
        };
        let batch = Batch { inputs: &[1.0], targets: Targets::Numbers(&[0.0]), weights: &[1.0] };
        let mut dead = relu.clone();
        assert_eq!(gradient_check(&[relu], &batch, Loss::MeanSquared, 9).skipped, 0);
        dead.bias = Some(vec![-1e-9]);
        assert_eq!(gradient_check(&[dead], &batch, Loss::MeanSquared, 9).skipped, 2);
    }

    #[test]
    fn a_limit_spreads_over_the_parameters() {
        let layers = network(Activation::Tanh, Activation::Identity, 3);
        let inputs = draws(50, 4);
        let batch = Batch { inputs: &inputs, targets: Targets::Classes(&[1]), weights: &[1.0] };
        let check = gradient_check(&layers, &batch, Loss::SoftmaxCrossEntropy, 10);
        assert!((20..=30).contains(&check.compared), "{check:?}");
        assert!(check.largest_relative_error < 1e-6);
    }
}

//! The loss of one sample and its derivative by the outputs, from the definitions.

use super::functions::{sigmoid, softplus};
use gristmill_kernels::Loss;

/// Of outputs z with targets y.
pub(super) fn value(loss: Loss, z: &[f64], y: &[f64]) -> f64 {
    let count = z.len() as f64;
    let sum = |term: fn(f64, f64) -> f64| z.iter().zip(y).map(|(&z, &y)| term(z, y)).sum::<f64>();
    match loss {
        Loss::MeanSquared => sum(|z, y| (z - y).powi(2)) / count,
        Loss::HalfSumSquares => sum(|z, y| (z - y).powi(2)) / 2.0,
        Loss::MeanAbsolute => sum(|z, y| (z - y).abs()) / count,
        Loss::Huber { delta } => {
            let delta = f64::from(delta);
            let huber = |e: f64| {
                if e.abs() <= delta { 0.5 * e * e } else { delta * (e.abs() - 0.5 * delta) }
            };
            z.iter().zip(y).map(|(z, y)| huber(z - y)).sum::<f64>() / count
        }
        Loss::BinaryCrossEntropy => sum(|z, y| softplus(z) - z * y) / count,
        Loss::SoftmaxCrossEntropy => {
            let log_sum = log_sum_exp(z);
            z.iter().zip(y).map(|(z, y)| y * (log_sum - z)).sum()
        }
    }
}

/// By each of the outputs z.
pub(super) fn derivative(loss: Loss, z: &[f64], y: &[f64]) -> Vec<f64> {
    let count = z.len() as f64;
    let each = |slope: &dyn Fn(f64, f64) -> f64| {
        z.iter().zip(y).map(|(&z, &y)| slope(z, y)).collect::<Vec<f64>>()
    };
    match loss {
        Loss::MeanSquared => each(&|z, y| 2.0 * (z - y) / count),
        Loss::HalfSumSquares => each(&|z, y| z - y),
        Loss::MeanAbsolute => each(&|z, y| sign(z - y) / count),
        Loss::Huber { delta } => {
            let delta = f64::from(delta);
            each(&|z, y| (z - y).clamp(-delta, delta) / count)
        }
        Loss::BinaryCrossEntropy => each(&|z, y| (sigmoid(z) - y) / count),
        Loss::SoftmaxCrossEntropy => {
            let log_sum = log_sum_exp(z);
            let total: f64 = y.iter().sum();
            each(&|z, y| total * (z - log_sum).exp() - y)
        }
    }
}

/// On which side of the loss's kinks an error e = z - y lies; the same number on the same side.
pub(super) fn side(loss: Loss, error: f64) -> i8 {
    match loss {
        Loss::MeanAbsolute => sign(error) as i8,
        Loss::Huber { delta } => {
            let delta = f64::from(delta);
            i8::from(error > delta) - i8::from(error < -delta)
        }
        _ => 0,
    }
}

fn sign(x: f64) -> f64 {
    if x == 0.0 { 0.0 } else { x.signum() }
}

fn log_sum_exp(z: &[f64]) -> f64 {
    let largest = z.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    largest + z.iter().map(|z| (z - largest).exp()).sum::<f64>().ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_of_one_sample() {
        // PyTorch in f64: mse_loss, l1_loss, huber_loss(delta=0.75), binary_cross_entropy_with_logits
        // and cross_entropy with class probabilities, of these outputs and targets.
        let (z, y) = ([0.5, -1.25, 3.0], [0.25, 0.75, 0.0]);
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-15 * b.abs().max(1.0), "{a} {b}");
        close(value(Loss::MeanSquared, &z, &y), 4.354166666666667);
        close(value(Loss::MeanAbsolute, &z, &y), 1.75);
        close(value(Loss::Huber { delta: 0.75 }, &z, &y), 1.0729166666666667);
        close(value(Loss::BinaryCrossEntropy, &z, &y), 1.6956978056997407);
        close(value(Loss::SoftmaxCrossEntropy, &z, &y), 3.904485780591969);
        close(value(Loss::HalfSumSquares, &z, &y), 0.5 * (0.0625 + 4.0 + 9.0));
    }

    #[test]
    fn cross_entropies_of_extreme_logits_are_finite() {
        close_to(value(Loss::BinaryCrossEntropy, &[-800.0], &[1.0]), 800.0);
        close_to(value(Loss::SoftmaxCrossEntropy, &[1000.0, 0.0], &[0.0, 1.0]), 1000.0);
    }

    fn close_to(a: f64, b: f64) {
        assert!((a - b).abs() < 1e-12 * b, "{a} instead of {b}");
    }
}

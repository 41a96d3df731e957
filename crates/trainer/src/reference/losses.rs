//! The loss of one sample, from the definitions.

use super::functions::softplus;
use super::number::{Kinks, Number, sum};
use gristmill_kernels::Loss;

/// Of outputs z with targets y.
pub(super) fn value<N: Number>(loss: Loss, z: &[N], y: &[f64], kinks: &mut Kinks) -> N {
    let count = N::from(z.len() as f64);
    let mut over = |term: &mut dyn FnMut(N, N, &mut Kinks) -> N| {
        sum(z.iter().zip(y).map(|(&z, &y)| term(z, N::from(y), kinks)))
    };
    let half = N::from(0.5);
    match loss {
        Loss::MeanSquared => over(&mut |z, y, _| (z - y) * (z - y)) / count,
        Loss::HalfSumSquares => over(&mut |z, y, _| (z - y) * (z - y)) * half,
        Loss::MeanAbsolute => over(&mut |z, y, kinks| absolute(z - y, kinks)) / count,
        Loss::Huber { delta } => {
            let delta = N::from(f64::from(delta));
            let huber = &mut |z: N, y: N, kinks: &mut Kinks| {
                let error = absolute(z - y, &mut Kinks::default());
                match kinks.is_past(error.value() > delta.value()) {
                    true => delta * (error - half * delta),
                    false => half * error * error,
                }
            };
            over(huber) / count
        }
        Loss::BinaryCrossEntropy => over(&mut |z, y, _| softplus(z) - z * y) / count,
        Loss::SoftmaxCrossEntropy => {
            let log_sum = log_sum_exp(z);
            over(&mut |z, y, _| y * (log_sum - z))
        }
    }
}

/// |x|, whose slope at 0 is 0.
fn absolute<N: Number>(x: N, kinks: &mut Kinks) -> N {
    let is_above = kinks.is_past(x.value() > 0.0);
    let is_below = kinks.is_past(x.value() < 0.0);
    match (is_above, is_below) {
        (true, _) => x,
        (_, true) => -x,
        _ => x * N::from(0.0),
    }
}

fn log_sum_exp<N: Number>(z: &[N]) -> N {
    // The largest comes out of the sum again, so it may as well be a constant.
    let largest = z.iter().fold(f64::NEG_INFINITY, |largest, z| largest.max(z.value()));
    let largest = N::from(largest);
    largest + sum(z.iter().map(|&z| (z - largest).exp())).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(loss: Loss, z: &[f64], y: &[f64]) -> f64 {
        super::value(loss, z, y, &mut Kinks::default())
    }

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

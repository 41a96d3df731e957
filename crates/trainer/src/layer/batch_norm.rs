//! Batch norm: each channel at mean 0 and deviation 1 over the positions of the whole minibatch, then a gain
//! and a bias. Predictions use running statistics (Ioffe and Szegedy 2015, <https://arxiv.org/abs/1502.03167>).

use super::interface::{Backward, Forward, Layer, Share, Shares, WholeBatch};
use super::parameters::{Block, Parameters, Role};
use super::settings::{Planned, Planning};
use super::{Kind, View};
use crate::config::error::{ConfigError, require};
use crate::network::init::Init;
use gristmill_kernels::batch_norm::{self as kernel, Moments, Terms};
use gristmill_kernels::{Isa, Row, panels};
use serde::{Deserialize, Serialize};

/// Normalises channels.
#[derive(Debug, Clone, PartialEq)]
pub struct BatchNorm {
    view: View,
    /// Is added to the variance.
    pub epsilon: f32,
    /// Share of a minibatch in the running statistics.
    pub momentum: f32,
    blocks: Vec<Block>,
}

/// Normalises each channel over the minibatch.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchNormConfig {
    /// Is added to the variance; 1e-5 if left out.
    pub epsilon: Option<f64>,
    /// Share of each minibatch in the running statistics; 0.1 if left out.
    pub momentum: Option<f64>,
}

impl BatchNormConfig {
    pub(crate) fn plan(&self, at: &Planning<'_>) -> Result<Planned, ConfigError> {
        let (epsilon, momentum) = (self.epsilon.unwrap_or(1e-5), self.momentum.unwrap_or(0.1));
        require(&format!("{}.epsilon", at.key), epsilon, epsilon > 0.0, "a positive number")?;
        let is_share = momentum > 0.0 && momentum <= 1.0;
        require(&format!("{}.momentum", at.key), momentum, is_share, "above 0, up to 1")?;
        let norm = BatchNorm::new(at.input()?, epsilon as f32, momentum as f32);
        let start = vec![Init::Constant(1.0), Init::Zeros, Init::Zeros, Init::Constant(1.0)];
        Ok(Planned { layer: Kind::BatchNorm(norm), start })
    }
}

/// The first `N` parts of a slice, each of `height` rows.
fn parts<const N: usize>(rows: &[Row], height: usize) -> [&[Row]; N] {
    std::array::from_fn(|part| &rows[part * height..(part + 1) * height])
}

/// Puts a number for each channel, sixteen a row.
fn put(numbers: impl Iterator<Item = f64>, rows: &mut [Row]) {
    for (to, number) in rows.as_flattened_mut().iter_mut().zip(numbers) {
        *to = number as f32;
    }
}

impl BatchNorm {
    /// How its input is arranged, and its values.
    pub fn view(&self) -> View {
        self.view
    }

    /// For an input arranged so.
    pub fn new(view: View, epsilon: f32, momentum: f32) -> BatchNorm {
        let block = |name, role| Block {
            name,
            shape: vec![view.channels],
            rows: panels(view.channels),
            role,
        };
        let blocks = vec![
            block("gain", Role::Offset),
            block("bias", Role::Offset),
            block("mean", Role::Statistic),
            block("variance", Role::Statistic),
        ];
        BatchNorm { view, epsilon, momentum, blocks }
    }

    fn height(&self) -> usize {
        panels(self.view.channels)
    }

    fn inverse(&self, variance: f64) -> f64 {
        1.0 / (variance + f64::from(self.epsilon)).sqrt()
    }
}

impl Layer for BatchNorm {
    fn output(&self) -> View {
        self.view
    }

    fn parameters(&self) -> Parameters<'_> {
        Parameters::Shared(&self.blocks)
    }

    fn work(&self) -> usize {
        2 * self.view.units()
    }

    /// 1 / deviation, in predictions.
    fn scratch(&self, _columns: usize) -> usize {
        self.height()
    }

    fn forward(&self, at: Forward<'_>) {
        let (channels, height) = (self.view.channels, self.height());
        let [gain, bias, mean, variance] = parts(at.weights.shared, height);
        let (input, output) = (at.inputs.get(0), at.output);
        if at.masks.is_some() {
            let [mean, inverse, ..] = parts::<4>(at.whole, height);
            let moments = Moments { mean, inverse };
            return kernel::forward(at.isa, channels, moments, gain, bias, input, output);
        }
        let inverse = &mut at.scratch[..height];
        let variance = variance.as_flattened()[..channels].iter();
        put(variance.map(|&variance| self.inverse(f64::from(variance))), inverse);
        kernel::forward(at.isa, channels, Moments { mean, inverse }, gain, bias, input, output);
    }

    fn backward(&self, mut at: Backward<'_>) {
        let (channels, height) = (self.view.channels, self.height());
        // What a shard shares are the gradients of bias and gain.
        let (errors, products) = at.share.split_at(channels);
        for (block, sums) in [products, errors].into_iter().enumerate() {
            let gradient = at.gradient[block * height..].as_flattened_mut();
            for (gradient, &sum) in gradient.iter_mut().zip(sums) {
                *gradient += sum as f32;
            }
        }
        let [gain] = parts(at.weights.shared, height);
        let [mean, inverse, mean_error, mean_product] = parts(at.whole, height);
        let moments = Moments { mean, inverse };
        let terms = Terms { moments, gain, mean_error, mean_product };
        let Some(target) = at.upstream.target(0) else { return };
        kernel::backward(
            at.isa,
            channels,
            terms,
            at.samples,
            target.input,
            at.error,
            target.rows,
            target.add,
        );
    }

    fn whole_batch(&self) -> Option<&dyn WholeBatch> {
        Some(self)
    }
}

impl WholeBatch for BatchNorm {
    /// Means and sums of squared deviations; then sums of errors and of their products with what was
    /// normalised.
    fn share_len(&self) -> usize {
        2 * self.view.channels
    }

    /// Mean, 1 / deviation, mean error and mean product; and the unbiased variance.
    fn whole_rows(&self) -> usize {
        5 * self.height()
    }

    fn share_forward(
        &self,
        isa: Isa,
        input: &[Row],
        samples: usize,
        scratch: &mut [Row],
        share: &mut [f64],
    ) {
        let (means, squares) = share.split_at_mut(self.view.channels);
        let count = (samples * self.view.positions()) as f64;
        means.fill(0.0);
        squares.fill(0.0);
        kernel::sums(isa, input, samples, means);
        means.iter_mut().for_each(|sum| *sum /= count);
        // About the mean as an f32, so that little is lost; the difference is put right.
        let near = &mut scratch[..self.height()];
        put(means.iter().copied(), near);
        kernel::square_sums(isa, input, near, samples, squares);
        for ((square, mean), near) in squares.iter_mut().zip(means).zip(near.as_flattened()) {
            *square -= count * (*mean - f64::from(*near)).powi(2);
        }
    }

    fn settle_forward(&self, shares: Shares<'_, '_>, totals: &mut [f64], whole: &mut [Row]) {
        let (channels, height) = (self.view.channels, self.height());
        totals.fill(0.0);
        let (mean, squares) = totals.split_at_mut(channels);
        let mut count = 0.0;
        // Chan, Golub and LeVeque's way to put means and sums of squares together.
        for Share { samples, numbers } in shares {
            let own = (samples * self.view.positions()) as f64;
            let (means, own_squares) = numbers.split_at(channels);
            let all = count + own;
            for c in 0..channels {
                let difference = means[c] - mean[c];
                mean[c] += difference * own / all;
                squares[c] += own_squares[c] + difference * difference * count * own / all;
            }
            count = all;
        }
        let unbiased = (count - 1.0).max(1.0);
        put(mean.iter().copied(), &mut whole[..height]);
        let inverse = squares.iter().map(|&square| self.inverse(square / count));
        put(inverse, &mut whole[height..2 * height]);
        put(squares.iter().map(|square| square / unbiased), &mut whole[4 * height..]);
    }

    fn share_backward(
        &self,
        isa: Isa,
        input: &[Row],
        error: &[Row],
        samples: usize,
        whole: &[Row],
        share: &mut [f64],
    ) {
        let (errors, products) = share.split_at_mut(self.view.channels);
        errors.fill(0.0);
        products.fill(0.0);
        let [mean, inverse] = parts(whole, self.height());
        kernel::error_sums(isa, input, Moments { mean, inverse }, error, samples, errors, products);
    }

    fn settle_backward(&self, shares: Shares<'_, '_>, totals: &mut [f64], whole: &mut [Row]) {
        let (channels, height) = (self.view.channels, self.height());
        totals.fill(0.0);
        let mut count = 0.0;
        for Share { samples, numbers } in shares {
            count += (samples * self.view.positions()) as f64;
            totals.iter_mut().zip(numbers).for_each(|(sum, number)| *sum += number);
        }
        let (errors, products) = totals.split_at(channels);
        put(errors.iter().map(|sum| sum / count), &mut whole[2 * height..3 * height]);
        put(products.iter().map(|sum| sum / count), &mut whole[3 * height..4 * height]);
    }

    fn keep(&self, whole: &[Row], parameters: &mut [Row]) {
        let height = self.height();
        let [mean, _, _, _, variance] = parts(whole, height);
        for (block, new) in [(2, mean), (3, variance)] {
            let running = parameters[block * height..(block + 1) * height].as_flattened_mut();
            for (running, new) in running.iter_mut().zip(new.as_flattened()) {
                *running += self.momentum * (new - *running);
            }
        }
    }
}

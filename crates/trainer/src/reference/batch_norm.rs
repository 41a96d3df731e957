//! Batch norm: (x - mean) / sqrt(variance + epsilon) * gain + bias, mean and variance being those of a channel
//! over all samples and positions of the minibatch, or in predictions the running ones.

use super::formula::{At, Form, Formula};
use super::number::{Number, sum};
use crate::layer::BatchNorm;
use crate::layer::interface::Layer;

impl Formula for BatchNorm {
    const MIXES_SAMPLES: bool = true;

    fn values<N: Number>(&self, at: At<'_, N>) -> Vec<Vec<N>> {
        let [gain, bias, running_mean, running_variance] = at.parameters else {
            unreachable!("batch norm has four tensors")
        };
        let channels = self.output().channels;
        let samples = at.inputs[0];
        let mut values = samples.to_vec();
        for channel in 0..channels {
            let of_channel = || {
                let sample = |sample: &Vec<N>| {
                    sample[channel..].iter().copied().step_by(channels).collect::<Vec<N>>()
                };
                samples.iter().flat_map(sample)
            };
            let count = N::from(of_channel().count() as f64);
            let (mean, variance) = match at.form {
                Form::Prediction => (running_mean[channel], running_variance[channel]),
                Form::Training => {
                    let mean = sum(of_channel()) / count;
                    let squares = of_channel().map(|x| (x - mean) * (x - mean));
                    (mean, sum(squares) / count)
                }
            };
            let deviation = (variance + N::from(f64::from(self.epsilon))).sqrt();
            for sample in &mut values {
                for x in sample[channel..].iter_mut().step_by(channels) {
                    *x = (*x - mean) / deviation * gain[channel] + bias[channel];
                }
            }
        }
        values
    }
}

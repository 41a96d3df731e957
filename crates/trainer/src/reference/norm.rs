//! Layer norm and RMS norm: (x - mean) / sqrt(mean of (x - mean)^2 + epsilon) * gain + bias over the channels of a
//! position; RMS norm without mean and bias.

use super::formula::{At, Formula};
use super::number::{Number, sum};
use crate::layer::Norm;
use crate::layer::interface::Layer;

impl Formula for Norm {
    fn values<N: Number>(&self, at: At<'_, N>) -> Vec<Vec<N>> {
        let (gain, bias) = (&at.parameters[0], at.parameters.get(1));
        let channels = self.output().channels;
        let count = N::from(channels as f64);
        at.each(|inputs, _| {
            let position = |position: &[N]| {
                let mean = match self.is_centred {
                    true => sum(position.iter().copied()) / count,
                    false => N::from(0.0),
                };
                let squares = sum(position.iter().map(|&x| (x - mean) * (x - mean))) / count;
                let deviation = (squares + N::from(f64::from(self.epsilon))).sqrt();
                let channel = |(channel, &x): (usize, &N)| {
                    let scaled = (x - mean) / deviation * gain[channel];
                    bias.map_or(scaled, |bias| scaled + bias[channel])
                };
                position.iter().enumerate().map(channel).collect::<Vec<N>>()
            };
            inputs.chunks(channels).flat_map(position).collect()
        })
    }
}

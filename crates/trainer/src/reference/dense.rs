//! Dense: f(W x + b).

use super::formula::{At, Formula};
use super::functions;
use super::number::Number;
use crate::layer::Dense;

impl Formula for Dense {
    fn values<N: Number>(&self, at: At<'_, N>) -> Vec<Vec<N>> {
        let (weights, bias) = (&at.parameters[0], at.parameters.get(1));
        at.each(|inputs, kinks| {
            let unit = |(unit, weights): (usize, &[N])| {
                let start = bias.map_or(N::from(0.0), |bias| bias[unit]);
                let products = weights.iter().zip(inputs).map(|(&weight, &x)| weight * x);
                let sum = products.fold(start, |sum, product| sum + product);
                functions::activation(self.activation, sum, kinks)
            };
            weights.chunks(self.shape.inputs).enumerate().map(unit).collect()
        })
    }
}

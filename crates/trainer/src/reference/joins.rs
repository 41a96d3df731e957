//! Layers that only put values together: sums, channels side by side, and images as plain numbers.

use super::formula::{At, Formula};
use super::number::{Number, sum};
use crate::layer::{Add, Concat, Flatten};

impl Formula for Add {
    fn values<N: Number>(&self, at: At<'_, N>) -> Vec<Vec<N>> {
        let of =
            |sample: usize, unit: usize| sum(at.inputs.iter().map(|input| input[sample][unit]));
        let units = 0..self.view.units();
        let samples = 0..at.inputs[0].len();
        samples.map(|sample| units.clone().map(|unit| of(sample, unit)).collect()).collect()
    }
}

impl Formula for Concat {
    fn values<N: Number>(&self, at: At<'_, N>) -> Vec<Vec<N>> {
        let of = |sample: usize| {
            let mut values = Vec::new();
            for position in 0..self.view.positions() {
                for (input, &channels) in at.inputs.iter().zip(&self.channels) {
                    values.extend(&input[sample][position * channels..][..channels]);
                }
            }
            values
        };
        (0..at.inputs[0].len()).map(of).collect()
    }
}

impl Formula for Flatten {
    fn values<N: Number>(&self, at: At<'_, N>) -> Vec<Vec<N>> {
        at.each_value(|x, _| x)
    }
}

//! Start weights: every one a pure function of (seed, layer, tensor, place in it).

use crate::random::{Purpose, Random};

/// How the numbers of a tensor start.
#[derive(Debug, Clone, PartialEq)]
pub enum Init {
    /// All zero.
    Zeros,
    /// All this.
    Constant(f32),
    /// Evenly in `-limit..limit`.
    Uniform {
        /// Largest absolute value.
        limit: f64,
    },
    /// Normally around 0.
    Normal {
        /// Standard deviation.
        deviation: f64,
    },
    /// These numbers, row-major `[outputs][inputs]`.
    Explicit(Vec<f32>),
}

impl Init {
    /// Glorot and Bengio's, for activations that are symmetric around 0: evenly in
    /// +-`scale` sqrt(6 / (inputs + outputs)).
    pub fn xavier(scale: f64, inputs: usize, outputs: usize) -> Init {
        Init::Uniform { limit: scale * (6.0 / (inputs + outputs) as f64).sqrt() }
    }

    /// He's, for activations that are nearly 0 on one side: deviation `scale` sqrt(2 / inputs).
    pub fn he(scale: f64, inputs: usize) -> Init {
        Init::Normal { deviation: scale * (2.0 / inputs as f64).sqrt() }
    }

    /// LeCun's, which keeps the variance of a linear layer: deviation `scale` sqrt(1 / inputs).
    pub fn lecun(scale: f64, inputs: usize) -> Init {
        Init::Normal { deviation: scale * (1.0 / inputs as f64).sqrt() }
    }

    /// The numbers of a tensor, in its order in files.
    ///
    /// # Panics
    /// The explicit numbers are not `count`.
    pub fn numbers(&self, seed: u64, place: Place, count: usize) -> Vec<f32> {
        let draws = Random::new(seed, Purpose::Weights).part(place.layer as u64);
        let draws = if place.part == 0 { draws } else { draws.part(place.part as u64) };
        let numbers = 0..count as u64;
        match self {
            Init::Zeros => vec![0.0; count],
            Init::Constant(value) => vec![*value; count],
            Init::Uniform { limit } => {
                numbers.map(|i| (limit * (2.0 * draws.uniform(i) - 1.0)) as f32).collect()
            }
            Init::Normal { deviation } => {
                numbers.map(|i| (deviation * draws.normal(i)) as f32).collect()
            }
            Init::Explicit(weights) => {
                assert_eq!(weights.len(), count, "as many numbers as the tensor has");
                weights.clone()
            }
        }
    }

    /// The weights of layer number `layer`, row-major `[outputs][inputs]`.
    ///
    /// # Panics
    /// The explicit weights are not `outputs * inputs`.
    pub fn weights(&self, seed: u64, layer: usize, inputs: usize, outputs: usize) -> Vec<f32> {
        self.numbers(seed, Place { layer, part: 0 }, inputs * outputs)
    }
}

/// Which tensor of a network it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Number of its layer.
    pub layer: usize,
    /// Number of the tensor within the layer.
    pub part: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean_and_deviation(values: &[f32]) -> (f64, f64) {
        let n = values.len() as f64;
        let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
        let variance = values.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / n;
        (mean, variance.sqrt())
    }

    #[test]
    fn drawn_weights_have_the_deviation_of_their_scheme() {
        let (inputs, outputs) = (300, 200);
        let cases = [
            (Init::Uniform { limit: 0.3 }, 0.3 / 3f64.sqrt()),
            (Init::Normal { deviation: 0.7 }, 0.7),
            (Init::xavier(1.0, inputs, outputs), (2.0 / 500f64).sqrt()),
            (Init::he(1.0, inputs), (2.0 / 300f64).sqrt()),
            (Init::lecun(2.0, inputs), 2.0 * (1.0 / 300f64).sqrt()),
        ];
        for (init, expected) in cases {
            let weights = init.weights(1, 0, inputs, outputs);
            assert_eq!(weights.len(), inputs * outputs);
            let (mean, deviation) = mean_and_deviation(&weights);
            let count = (inputs * outputs) as f64;
            assert!(mean.abs() < 4.0 * expected / count.sqrt(), "{init:?}: mean {mean}");
            let error = (deviation / expected - 1.0).abs();
            assert!(error < 4.0 / (2.0 * count).sqrt(), "{init:?}: deviation {deviation}");
            if let Init::Uniform { limit } = init {
                assert!(weights.iter().all(|&w| w.abs() <= limit as f32));
            }
        }
    }

    #[test]
    fn seeds_and_layers_draw_different_weights() {
        let init = Init::he(1.0, 8);
        let weights = init.weights(1, 0, 8, 8);
        assert_eq!(weights, init.weights(1, 0, 8, 8));
        assert_ne!(weights, init.weights(2, 0, 8, 8));
        assert_ne!(weights, init.weights(1, 1, 8, 8));
    }

    #[test]
    fn zeros_and_explicit_weights_are_as_given() {
        assert_eq!(Init::Zeros.weights(1, 0, 2, 2), [0.0; 4]);
        let explicit = Init::Explicit(vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        assert_eq!(explicit.weights(1, 0, 3, 2), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    }
}

//! Between the activations of kernels and those of models.

use gristmill_io::model;
use gristmill_kernels::Activation;

/// What a model's activation is computed by.
pub(super) fn loaded(activation: model::Activation) -> Activation {
    match activation {
        model::Activation::Identity => Activation::Identity,
        model::Activation::Sigmoid => Activation::Sigmoid,
        model::Activation::Tanh => Activation::Tanh,
        model::Activation::Relu => Activation::Relu,
        model::Activation::LeakyRelu { slope } => Activation::LeakyRelu { slope },
        model::Activation::Elu { alpha } => Activation::Elu { alpha },
        model::Activation::Gelu => Activation::Gelu,
        model::Activation::Silu => Activation::Silu,
        model::Activation::Softplus => Activation::Softplus,
    }
}

/// What an activation is in a model.
pub(crate) fn stored(activation: Activation) -> model::Activation {
    match activation {
        Activation::Identity => model::Activation::Identity,
        Activation::Sigmoid => model::Activation::Sigmoid,
        Activation::Tanh => model::Activation::Tanh,
        Activation::Relu => model::Activation::Relu,
        Activation::LeakyRelu { slope } => model::Activation::LeakyRelu { slope },
        Activation::Elu { alpha } => model::Activation::Elu { alpha },
        Activation::Gelu => model::Activation::Gelu,
        Activation::Silu => model::Activation::Silu,
        Activation::Softplus => model::Activation::Softplus,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn activations_come_back() {
        for name in Activation::NAMES {
            let activation = Activation::from_name(name, None).unwrap();
            assert_eq!(stored(activation).name(), name);
            assert_eq!(loaded(stored(activation)), activation);
        }
    }
}

//! Between a network in training and a model on disk.

use crate::error::TrainError;
use crate::layer::{self, Kind, Shape};
use crate::network::{Network, Source};
use crate::preprocess::Preprocess;
use gristmill_io::model::{self, FEATURES};
use gristmill_io::{Dense, Model, Node, OutputKind, Scale};
use gristmill_kernels::{Activation, Loss};

/// A network with all that is done to its inputs and outputs: ready to predict.
#[derive(Debug, Clone)]
pub struct Trained {
    /// The layers and their weights.
    pub network: Network,
    /// What is done to features, and was done to numeric targets.
    pub preprocess: Preprocess,
    /// What is done to the last layer's values.
    pub output: OutputKind,
}

impl Trained {
    /// Takes a model apart.
    ///
    /// # Errors
    /// Names the first node of the model that this program cannot run.
    pub fn from_model(model: &Model) -> Result<Trained, TrainError> {
        let dense: Vec<&Dense> =
            model.chain().map_err(TrainError::Model)?.into_iter().map(|(_, dense)| dense).collect();
        let layer = |dense: &&Dense| layer::Dense {
            shape: Shape {
                inputs: dense.inputs as usize,
                outputs: dense.outputs as usize,
                bias: dense.bias.is_some(),
            },
            activation: loaded(dense.activation),
            dropout: 0.0,
        };
        let mut network = Network::chain(dense.iter().map(layer).collect());
        for (i, dense) in dense.into_iter().enumerate() {
            let bias = dense.bias.as_deref().unwrap_or(&[]);
            network.set_layer_weights(i, &dense.weights, bias);
        }
        let preprocess = Preprocess::new(&model.inputs, model.outputs.clone());
        Ok(Trained { network, preprocess, output: model.output })
    }

    /// The layers as a model file holds them.
    pub fn nodes(network: &Network) -> Vec<Node> {
        let name = |source: &Source| match source {
            Source::Features => FEATURES.to_owned(),
            Source::Node(node) => network.nodes()[*node].name.clone(),
        };
        let nodes = network.nodes().iter().enumerate();
        nodes
            .map(|(i, node)| Node {
                name: node.name.clone(),
                inputs: node.inputs.iter().map(name).collect(),
                layer: stored_layer(&node.layer, network.read(i, network.weights())),
            })
            .collect()
    }

    /// The scale of a feature or target that is taken as it is.
    pub const UNSCALED: Scale = Scale::UNIT;
}

/// What a layer with these values is in a model.
fn stored_layer(layer: &Kind, values: Vec<Vec<f32>>) -> gristmill_io::Layer {
    let mut values = values.into_iter();
    let mut take = || values.next().expect("a value for each tensor");
    match layer {
        Kind::Dense(layer) => gristmill_io::Layer::Dense(Dense {
            inputs: layer.shape.inputs as u32,
            outputs: layer.shape.outputs as u32,
            activation: stored(layer.activation),
            weights: take(),
            bias: layer.shape.bias.then(take),
        }),
        _ => unreachable!("a session refuses what it cannot store"),
    }
}

/// Refuses a network that a model file has no place for.
///
/// # Errors
/// Names the first node of another kind than dense.
pub(crate) fn check_storable(network: &Network) -> Result<(), TrainError> {
    match network.nodes().iter().find(|node| !matches!(node.layer, Kind::Dense(_))) {
        None => Ok(()),
        Some(node) => Err(TrainError::Model(format!(
            "model files have no place for the layer \"{}\" yet",
            node.name
        ))),
    }
}

/// What a model's activation is computed by.
fn loaded(activation: model::Activation) -> Activation {
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

/// What a model's loss is computed by.
pub(crate) fn loaded_loss(loss: model::Loss) -> Loss {
    match loss {
        model::Loss::MeanSquared => Loss::MeanSquared,
        model::Loss::HalfSumSquares => Loss::HalfSumSquares,
        model::Loss::MeanAbsolute => Loss::MeanAbsolute,
        model::Loss::Huber { delta } => Loss::Huber { delta: delta.unwrap_or(UNSTORED_DELTA) },
        model::Loss::BinaryCrossEntropy => Loss::BinaryCrossEntropy,
        model::Loss::SoftmaxCrossEntropy => Loss::SoftmaxCrossEntropy,
    }
}

/// What the delta of Huber is taken for in models that do not store it: the default of a run.
pub const UNSTORED_DELTA: f32 = 1.0;

/// What a loss is in a model.
pub(crate) fn stored_loss(loss: Loss) -> model::Loss {
    match loss {
        Loss::MeanSquared => model::Loss::MeanSquared,
        Loss::HalfSumSquares => model::Loss::HalfSumSquares,
        Loss::MeanAbsolute => model::Loss::MeanAbsolute,
        Loss::Huber { delta } => model::Loss::Huber { delta: Some(delta) },
        Loss::BinaryCrossEntropy => model::Loss::BinaryCrossEntropy,
        Loss::SoftmaxCrossEntropy => model::Loss::SoftmaxCrossEntropy,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn activations_and_losses_come_back() {
        for name in Activation::NAMES {
            let activation = Activation::from_name(name, None).unwrap();
            assert_eq!(stored(activation).name(), name);
            assert_eq!(loaded(stored(activation)), activation);
        }
        for name in Loss::NAMES {
            let loss = Loss::from_name(name, None).unwrap();
            assert_eq!(stored_loss(loss).name(), name);
            assert_eq!(loaded_loss(stored_loss(loss)), loss);
        }
        let loss = Loss::Huber { delta: 0.1 };
        assert_eq!(loaded_loss(stored_loss(loss)), loss);
    }
}

//! Between a network in training and a model on disk.

use crate::network::layout::Shape;
use crate::network::{Layer, Network};
use crate::preprocess::Preprocess;
use gristmill_io::{ActivationSpec, DenseLayer, Model, OutputKind, Scale};
use gristmill_kernels::{Activation, NameError};

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
    /// The model has an activation that this program does not know.
    pub fn from_model(model: &Model) -> Result<Trained, NameError> {
        let layer = |dense: &DenseLayer| {
            let spec = &dense.activation;
            Ok(Layer {
                shape: Shape {
                    inputs: dense.inputs as usize,
                    outputs: dense.outputs as usize,
                    bias: dense.bias.is_some(),
                },
                activation: Activation::from_name(&spec.name, spec.parameter)?,
                dropout: 0.0,
            })
        };
        let layers = model.layers.iter().map(layer).collect::<Result<Vec<_>, NameError>>()?;
        let mut network = Network::zeroed(layers);
        for (i, dense) in model.layers.iter().enumerate() {
            let bias = dense.bias.as_deref().unwrap_or(&[]);
            network.set_layer_weights(i, &dense.weights, bias);
        }
        let preprocess = Preprocess::new(&model.inputs, model.outputs.clone());
        Ok(Trained { network, preprocess, output: model.output })
    }

    /// The layers as a model file holds them.
    pub fn dense_layers(network: &Network) -> Vec<DenseLayer> {
        let dense = |(i, layer): (usize, &Layer)| {
            let (weights, bias) = network.layer_weights(i);
            DenseLayer {
                inputs: layer.shape.inputs as u32,
                outputs: layer.shape.outputs as u32,
                activation: ActivationSpec {
                    name: layer.activation.name().to_owned(),
                    parameter: layer.activation.parameter(),
                },
                weights,
                bias: layer.shape.bias.then_some(bias),
            }
        };
        network.layers().iter().enumerate().map(dense).collect()
    }

    /// The scale of a feature or target that is taken as it is.
    pub const UNSCALED: Scale = Scale { mean: 0.0, deviation: 1.0 };
}

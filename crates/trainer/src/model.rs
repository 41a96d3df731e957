//! Between a network in training and a model on disk.

mod activation;
mod layers;

use crate::data::samples::Samples;
use crate::error::TrainError;
use crate::network::Network;
use crate::preprocess::Preprocess;
use gristmill_io::model::{self, Series};
use gristmill_io::{Model, Node, OutputKind, Scale};
use gristmill_kernels::Loss;

/// A network with all that is done to its inputs and outputs: ready to predict.
#[derive(Debug, Clone)]
pub struct Trained {
    /// The layers and their weights.
    pub network: Network,
    /// What is done to features, and was done to numeric targets.
    pub preprocess: Preprocess,
    /// What is done to the last layer's values.
    pub output: OutputKind,
    /// Which rows of a data set a sample has, if it has several.
    pub series: Option<Series>,
}

impl Trained {
    /// Takes a model apart.
    ///
    /// # Errors
    /// Names the first node that does not fit what it takes.
    pub fn from_model(model: &Model) -> Result<Trained, TrainError> {
        let network = layers::network(model).map_err(TrainError::Model)?;
        let preprocess = Preprocess::new(&model.inputs, model.outputs.clone());
        Ok(Trained { network, preprocess, output: model.output, series: model.series })
    }

    /// The layers as a model file holds them.
    pub fn nodes(network: &Network) -> Vec<Node> {
        layers::nodes(network)
    }

    /// The scale of a feature or target that is taken as it is.
    pub const UNSCALED: Scale = Scale::UNIT;
}

/// Checks that rows that end early are for a network that knows it.
///
/// # Errors
/// They are not.
pub(crate) fn check_lengths<S: Samples>(samples: &S, network: &Network) -> Result<(), TrainError> {
    match samples.is_ragged() && network.lengths().is_none() {
        false => Ok(()),
        true => Err(TrainError::Data(format!(
            "the rows of {} are series of unequal length, and the model was trained on rows that are not",
            samples.name()
        ))),
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
    fn losses_come_back() {
        for name in Loss::NAMES {
            let loss = Loss::from_name(name, None).unwrap();
            assert_eq!(stored_loss(loss).name(), name);
            assert_eq!(loaded_loss(stored_loss(loss)), loss);
        }
        let loss = Loss::Huber { delta: 0.1 };
        assert_eq!(loaded_loss(stored_loss(loss)), loss);
    }
}

//! What training minimises: the loss, what it is taken against, and how rows count.

use crate::model::loaded_loss;
use gristmill_io::schema::Target;
use gristmill_io::{Model, OutputKind};
use gristmill_kernels::Loss;

/// What the network's outputs are compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetKind {
    /// The class of the row: 1 at its output and 0 at the others, or the class itself (0 or 1) where
    /// there is one output.
    Classes,
    /// The numeric targets of the row, one per output.
    Numbers,
}

impl TargetKind {
    /// How a network is compared with this target.
    pub fn of(target: &Target) -> TargetKind {
        match target {
            Target::Classes { .. } => TargetKind::Classes,
            Target::Numbers { .. } | Target::None => TargetKind::Numbers,
        }
    }
}

/// Loss, targets and class weights of a run.
#[derive(Debug, Clone)]
pub struct Objective {
    /// The loss of a sample.
    pub loss: Loss,
    /// What it is taken against.
    pub targets: TargetKind,
    /// A factor per class on the weight of its rows; empty for all ones.
    pub class_weights: Vec<f32>,
}

impl Objective {
    /// What a trained model is measured by: the loss that it was trained with, or where it does not say
    /// which, the usual one for its output; with all classes weighing the same.
    pub fn of_model(model: &Model) -> Objective {
        let loss = model.loss.map_or_else(
            || match model.output {
                OutputKind::Softmax => Loss::SoftmaxCrossEntropy,
                OutputKind::Sigmoid => Loss::BinaryCrossEntropy,
                OutputKind::Values => Loss::MeanSquared,
            },
            loaded_loss,
        );
        let targets = TargetKind::of(&model.encoding.target);
        Objective { loss, targets, class_weights: Vec::new() }
    }

    /// The factor on the weight of a row of this class.
    #[inline]
    pub fn class_weight(&self, label: u32) -> f32 {
        self.class_weights.get(label as usize).copied().unwrap_or(1.0)
    }

    /// What the gradient summed over a minibatch is multiplied by: the loss of a minibatch is the
    /// weighted mean over its samples, or for [`Loss::HalfSumSquares`] the weighted sum.
    pub fn gradient_scale(&self, total_weight: f64) -> f64 {
        match self.loss {
            Loss::HalfSumSquares => 1.0,
            _ if total_weight > 0.0 => 1.0 / total_weight,
            _ => 0.0,
        }
    }
}

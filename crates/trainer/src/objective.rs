//! What training minimises: the loss, what it is taken against, and how rows count.

use gristmill_io::schema::Target;
use gristmill_io::{Model, OutputKind};
use gristmill_kernels::Loss;

/// What the network's outputs are compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetKind {
    /// The number of the class, for softmax cross-entropy over an output per class.
    Classes,
    /// 0 or 1 per output: the class number itself if there is one output, else one-hot.
    Indicators,
    /// The numeric targets of the row, one per output.
    Numbers,
}

impl TargetKind {
    /// What a loss is taken against.
    pub fn of(loss: Loss, is_class: bool) -> TargetKind {
        match loss {
            Loss::SoftmaxCrossEntropy => TargetKind::Classes,
            _ if is_class => TargetKind::Indicators,
            _ => TargetKind::Numbers,
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
    /// What a trained model is measured by: the loss that it was trained with, as far as the model
    /// notes it, with all classes weighing the same.
    pub fn of_model(model: &Model) -> Objective {
        let noted = model.training.iter().find(|(name, _)| name == "loss");
        let noted = noted.and_then(|(_, name)| Loss::from_name(name, None).ok());
        let loss = match model.output {
            OutputKind::Softmax => Loss::SoftmaxCrossEntropy,
            OutputKind::Sigmoid => Loss::BinaryCrossEntropy,
            OutputKind::Values => {
                noted.filter(|loss| !loss.takes_logits()).unwrap_or(Loss::MeanSquared)
            }
        };
        let is_class = matches!(model.encoding.target, Target::Classes { .. });
        Objective { loss, targets: TargetKind::of(loss, is_class), class_weights: Vec::new() }
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

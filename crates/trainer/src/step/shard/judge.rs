//! How good a shard's outputs are: the loss with its derivative, and what is counted as right.

use super::{RowContext, Shard};
use crate::network::workspace::Space;
use crate::objective::{Objective, TargetKind};
use gristmill_io::Scale;
use gristmill_kernels as kernels;
use gristmill_kernels::loss::LossPanels;
use gristmill_kernels::{LANES, Row, Targets};

impl Shard {
    /// Weighted scores of the samples: 1 where the class is right, or the squared error of numbers.
    pub(super) fn score<S>(&mut self, context: &RowContext<'_, S>, objective: &Objective) {
        let outputs = context.network.outputs();
        let last = self.spaces.last().expect("a network has a layer");
        let logits = objective.loss.takes_logits();
        for panel in 0..self.columns() {
            let output = &last.output[panel * outputs..][..outputs];
            let score = match objective.targets {
                TargetKind::Classes if self.has_mixed_classes => {
                    let shares = &self.targets[panel * outputs..][..outputs];
                    right(output, logits, &larger_class(shares))
                }
                TargetKind::Classes => right(output, logits, &self.targets[panel]),
                TargetKind::Numbers => {
                    let targets = &self.targets[panel * outputs..][..outputs];
                    squared_error(output, targets, &context.preprocess.targets)
                }
            };
            let weighted = score.iter().zip(&self.weights[panel]).map(|(score, w)| score * w);
            for (out, score) in self.scores[panel].iter_mut().zip(weighted) {
                *out = score;
            }
        }
    }

    /// Weighted losses of the samples, and the error of the last layer.
    pub(super) fn loss<S>(&mut self, context: &RowContext<'_, S>, objective: &Objective) {
        let columns = self.columns();
        let outputs = context.network.outputs();
        let Space { output, error, .. } = self.spaces.last_mut().expect("a network has a layer");
        let targets = match objective.targets {
            TargetKind::Classes if !self.has_mixed_classes => {
                Targets::Classes(&self.targets[..columns])
            }
            _ => Targets::Numbers(&self.targets[..columns * outputs]),
        };
        let error = &mut error[..columns * outputs];
        let has_gradient = !self.loss_gradient.is_empty();
        let gradient =
            if has_gradient { &mut self.loss_gradient[..columns * outputs] } else { &mut *error };
        let panels = LossPanels {
            outputs,
            values: &output[..columns * outputs],
            targets,
            weights: &self.weights[..columns],
            gradient,
            losses: &mut self.losses[..columns],
        };
        kernels::loss::loss(context.isa, objective.loss, panels);
        if has_gradient {
            let gradient = &self.loss_gradient[..columns * outputs];
            kernels::activation::chain(context.isa, gradient, error);
        }
    }
}

/// 1 for each sample whose largest output is that of its class; a single output is of the second class
/// where its probability is above one half.
fn right(output: &[Row], logits: bool, classes: &Row) -> Row {
    let mut best = [if logits { 0.0 } else { 0.5 }; LANES];
    let mut class = [0.0; LANES];
    let first = if output.len() == 1 { 1.0 } else { 0.0 };
    if output.len() > 1 {
        best = [f32::NEG_INFINITY; LANES];
    }
    for (number, row) in output.iter().enumerate() {
        for lane in 0..LANES {
            let better = row[lane] > best[lane];
            best[lane] = if better { row[lane] } else { best[lane] };
            class[lane] = if better { first + number as f32 } else { class[lane] };
        }
    }
    std::array::from_fn(|lane| f32::from(class[lane] == classes[lane]))
}

/// The class that each sample has the larger share of.
fn larger_class(shares: &[Row]) -> Row {
    if let [share] = shares {
        return share.map(|share| f32::from(share > 0.5));
    }
    std::array::from_fn(|lane| {
        let better = |best: usize, class: usize| {
            if shares[class][lane] > shares[best][lane] { class } else { best }
        };
        (0..shares.len()).fold(0, better) as f32
    })
}

/// For each sample, summed over its outputs.
fn squared_error(output: &[Row], targets: &[Row], scales: &[Scale]) -> Row {
    let mut sum = [0.0; LANES];
    for (k, (output, target)) in output.iter().zip(targets).enumerate() {
        let unit = scales.get(k).map_or(1.0, |scale| scale.deviation);
        for lane in 0..LANES {
            let error = unit * (output[lane] - target[lane]);
            sum[lane] += error * error;
        }
    }
    sum
}

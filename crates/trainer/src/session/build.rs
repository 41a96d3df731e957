//! What a plan makes of the data: the network at its start, the scales, and the objective.

use crate::config::{ClassWeights, TrainingPlan};
use crate::data::augment::Augment;
use crate::data::samples::Samples;
use crate::data::subset::Subset;
use crate::model::Trained;
use crate::network::Network;
use crate::network::init::Place;
use crate::objective::{Objective, TargetKind};
use crate::preprocess::{Preprocess, by_channel, feature_scale, standard_scale};
use gristmill_io::schema::{Statistics, Target};
use gristmill_io::{OutputKind, Scale};
use gristmill_kernels::Loss;

/// The network of a plan with its start weights.
pub(crate) fn network(plan: &TrainingPlan) -> Network {
    let nodes = plan.layers.iter().map(|layer| layer.node.clone()).collect();
    let mut network = Network::new(plan.features, nodes);
    for (i, layer) in plan.layers.iter().enumerate() {
        let parts = network.parts(i).into_iter().zip(&layer.start).enumerate();
        let values: Vec<Vec<f32>> = parts
            .map(|(part, ((_, shape), init))| {
                let numbers = shape.iter().product();
                init.numbers(plan.seed, Place { layer: i, part }, numbers)
            })
            .collect();
        network.write(i, &values);
    }
    network
}

/// The scale of each feature. Indices of categories stay as they are.
pub(super) fn input_scales<S: Samples>(plan: &TrainingPlan, samples: &S) -> Vec<Scale> {
    let statistics = samples.statistics();
    if !plan.standardize_inputs {
        return vec![Trained::UNSCALED; statistics.len()];
    }
    let pooled = match (plan.augment.filter(Augment::changes_pixels), samples.view()) {
        // Of late steps, which few series have, as of all.
        (None, Some(view)) if samples.is_ragged() => {
            let steps = |s: &Statistics| samples.rows().saturating_sub(s.missing) as f64;
            Some(by_channel(statistics, view.channels, steps))
        }
        (None, _) => None,
        // Where pixels move, a value may stand at any position.
        (Some(_), _) => Some(by_channel(statistics, plan.features.channels, |_| 1.0)),
    };
    let of_features = pooled.as_deref().unwrap_or(statistics).iter().cycle();
    let scale = |feature| feature_scale(feature, samples.element());
    let mut scales: Vec<Scale> = of_features.take(statistics.len()).map(scale).collect();
    for column in plan.looked_up() {
        scales[column.unit] = Trained::UNSCALED;
    }
    scales
}

/// The scales of features and numeric targets.
pub(super) fn preprocess<S: Samples>(plan: &TrainingPlan, samples: &S) -> Preprocess {
    let targets = samples.target_statistics();
    let targets = if plan.standardize_targets {
        targets.iter().map(standard_scale).collect()
    } else {
        vec![Trained::UNSCALED; targets.len()]
    };
    Preprocess::new(&input_scales(plan, samples), targets)
}

/// What the numbers of the last layer become.
pub(super) fn output_kind(plan: &TrainingPlan) -> OutputKind {
    match plan.loss {
        Loss::SoftmaxCrossEntropy => OutputKind::Softmax,
        Loss::BinaryCrossEntropy => OutputKind::Sigmoid,
        _ => OutputKind::Values,
    }
}

/// What is minimised over the rows that are learned from.
pub(super) fn objective<S: Samples>(plan: &TrainingPlan, train: &Subset<'_, S>) -> Objective {
    let names = match &train.samples().encoding().target {
        Target::Classes { names, .. } => names.as_slice(),
        _ => &[],
    };
    let targets = TargetKind::of(&train.samples().encoding().target);
    let class_weights = match &plan.class_weights {
        ClassWeights::None => Vec::new(),
        weights => {
            let rows = (0..train.len()).map(|i| train.row(i));
            let counted = rows.filter(|&row| train.samples().weight(row) != 0.0);
            let counts = class_counts(train.samples(), counted, names.len());
            weights.by_class(names, &counts).into_iter().map(|w| w as f32).collect()
        }
    };
    Objective { loss: plan.loss, targets, class_weights }
}

/// How many of these rows there are of each class.
pub(super) fn class_counts<S: Samples>(
    samples: &S,
    rows: impl Iterator<Item = u64>,
    classes: usize,
) -> Vec<u64> {
    let mut counts = vec![0; classes];
    for row in rows {
        if let Some(count) = counts.get_mut(samples.label(row) as usize) {
            *count += 1;
        }
    }
    counts
}

//! Are the gradients right? The f32 step against backpropagation in f64, and that against
//! differences of the loss.

use crate::config::TrainingPlan;
use crate::data::samples::{Samples, Table, TableError};
use crate::error::TrainError;
use crate::model::Trained;
use crate::network::Network;
use crate::objective::{Objective, TargetKind};
use crate::preprocess::Preprocess;
use crate::random::{Purpose, Random};
use crate::reference;
use crate::reference::check::{GradientCheck, gradient_check};
use crate::session::build;
use crate::step::engine::{Engine, Setup};
use gristmill_io::Model;
use gristmill_kernels::{Isa, UpdateRule};

/// How well the ways to the gradient agree.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GradientReport {
    /// Backpropagation in f64 against central differences: the largest relative error.
    pub differences: GradientCheck,
    /// The f32 kernels against backpropagation in f64: the largest error of an element, relative to
    /// the largest element of the same layer.
    pub kernels: f64,
}

/// Parameters of each layer for which differences of the loss are taken.
const PARAMETERS_PER_LAYER: usize = 200;

/// Checks the network that a plan starts with, on `samples` random rows.
///
/// # Errors
/// The rows cannot be made up.
pub fn check_plan(
    isa: Isa,
    plan: &TrainingPlan,
    is_class: bool,
    samples: usize,
) -> Result<GradientReport, TrainError> {
    let targets = if is_class { TargetKind::Classes } else { TargetKind::Numbers };
    let objective = Objective { loss: plan.loss, targets, class_weights: Vec::new() };
    check_gradient(isa, &build::network(plan), &objective, samples, plan.seed)
}

/// Checks a trained network, on `samples` random rows.
///
/// # Errors
/// The model is none that this program can run.
pub fn check_model(
    isa: Isa,
    model: &Model,
    samples: usize,
    seed: u64,
) -> Result<GradientReport, TrainError> {
    let network = Trained::from_model(model)?.network;
    check_gradient(isa, &network, &Objective::of_model(model), samples, seed)
}

/// Checks the gradient of a network on `samples` random rows.
///
/// # Panics
/// If the objective does not fit the network.
pub fn check_gradient(
    isa: Isa,
    network: &Network,
    objective: &Objective,
    samples: usize,
    seed: u64,
) -> Result<GradientReport, TrainError> {
    let table = random_rows(network, objective, samples, seed)
        .map_err(|error| TrainError::Data(error.to_string()))?;
    let inputs: Vec<f64> = (0..table.rows())
        .flat_map(|row| table.row(row).as_chunks::<4>().0)
        .map(|bytes| f64::from(f32::from_le_bytes(*bytes)))
        .collect();
    let labels: Vec<u32> = (0..table.rows()).map(|row| table.label(row)).collect();
    let mut numbers = vec![0.0; network.outputs()];
    let numbers: Vec<f64> = (0..table.rows())
        .flat_map(|row| {
            table.targets(row, &mut numbers);
            numbers.iter().map(|&y| f64::from(y)).collect::<Vec<_>>()
        })
        .collect();
    let weights: Vec<f64> =
        labels.iter().map(|&label| f64::from(objective.class_weight(label))).collect();
    let batch = reference::Batch {
        inputs: &inputs,
        targets: match objective.targets {
            TargetKind::Numbers => reference::Targets::Numbers(&numbers),
            _ => reference::Targets::Classes(&labels),
        },
        weights: &weights,
    };
    let layers = reference::layers_of(network);
    let exact = reference::gradient(&layers, &batch, objective.loss);

    let mut engine = Engine::new(Setup {
        threads: 1,
        isa,
        network: network.clone(),
        preprocess: Preprocess::new(&vec![Trained::UNSCALED; network.inputs()], Vec::new()),
        objective: objective.clone(),
        rule: UpdateRule::Sgd,
        clip_norm: None,
        batch: samples,
    });
    let (_, layers_f32) = engine.gradient(&table, samples, &|i| i as u64, 0);
    let mut kernels = 0.0f64;
    for (exact, values) in exact.layers.iter().zip(&layers_f32) {
        let exact = exact.weights.iter().chain(exact.bias.iter().flatten());
        let pairs = exact.zip(values.iter().flatten());
        let largest = pairs.clone().fold(0.0f64, |m, (a, _)| m.max(a.abs()));
        let error = pairs.fold(0.0f64, |m, (a, &b)| m.max((a - f64::from(b)).abs()));
        let error = if largest > 0.0 { error / largest } else { error };
        kernels = if error.is_nan() { f64::INFINITY } else { kernels.max(error) };
    }
    Ok(GradientReport {
        differences: gradient_check(&layers, &batch, objective.loss, PARAMETERS_PER_LAYER),
        kernels,
    })
}

/// Standard normal features, and answers of the kind that the objective asks for.
fn random_rows(
    network: &Network,
    objective: &Objective,
    samples: usize,
    seed: u64,
) -> Result<Table, TableError> {
    let draws = Random::new(seed, Purpose::Weights).part(u64::MAX);
    let features: Vec<f32> =
        (0..samples * network.inputs()).map(|i| draws.normal(i as u64) as f32).collect();
    let answers = draws.part(1);
    let outputs = network.outputs();
    if objective.targets == TargetKind::Numbers {
        let targets = (0..samples * outputs).map(|i| answers.normal(i as u64) as f32).collect();
        return Table::of_numbers(&features, targets, outputs);
    }
    let classes = outputs.max(2);
    let label = |i| (answers.uniform(i as u64) * classes as f64) as u32;
    let names = (0..classes).map(|i| i.to_string()).collect();
    Table::of_classes(&features, (0..samples).map(label).collect(), names)
}

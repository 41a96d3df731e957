//! Are the gradients right? The f32 step against backpropagation in f64, and that against
//! differences of the loss.

use crate::config::TrainingPlan;
use crate::data::samples::{Samples, Table, TableError};
use crate::error::TrainError;
use crate::layer::Kind;
use crate::model::Trained;
use crate::network::Network;
use crate::objective::{Objective, TargetKind};
use crate::preprocess::Preprocess;
use crate::random::{Purpose, Random};
use crate::reference::check::{GradientCheck, gradient_check};
use crate::reference::{Batch, Gradient, Targets, TensorGradient, Twin};
use crate::session::build;
use crate::step::engine::{Engine, Setup};
use gristmill_io::Model;
use gristmill_kernels::{Isa, UpdateRule};

/// How well the ways to the gradient agree, in training with batch statistics and no dropout.
#[derive(Debug, Clone, PartialEq)]
pub struct GradientReport {
    /// Backpropagation in f64 against central differences: the largest relative error.
    pub differences: GradientCheck,
    /// The f32 kernels against backpropagation in f64: the largest error of an element, relative to
    /// the largest element of its tensor.
    pub kernels: f64,
    /// The tensor of that error: node and part, as in `conv1.weight`.
    pub worst: String,
}

/// Numbers of each tensor for which differences of the loss are taken.
const NUMBERS_PER_TENSOR: usize = 200;

/// Where the terms of a gradient cancel each other (as before batch norm, which takes a bias away again), its
/// elements are nothing but rounding errors, and are compared with this share of the terms' absolute values.
const SHARE_OF_TERMS: f64 = 1.0 / 16.0;

/// Checks the network that a plan starts with, on `samples` random rows.
///
/// # Errors
/// The rows cannot be made up.
pub fn check_plan(
    isa: Isa,
    plan: &TrainingPlan,
    samples: usize,
) -> Result<GradientReport, TrainError> {
    let targets = if plan.is_class { TargetKind::Classes } else { TargetKind::Numbers };
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
/// # Errors
/// The rows cannot be made up.
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
    let problem = Problem::new(network, objective, samples, seed)?;
    let (kernels, worst) = problem.kernels(isa, &problem.exact());
    Ok(GradientReport { differences: problem.differences(), kernels, worst })
}

/// A network without dropout, and random rows that it learns from.
pub struct Problem {
    network: Network,
    objective: Objective,
    table: Table,
    inputs: Vec<f64>,
    labels: Vec<u32>,
    numbers: Vec<f64>,
    weights: Vec<f64>,
}

impl Problem {
    /// With `samples` rows.
    ///
    /// # Errors
    /// The rows cannot be made up.
    pub fn new(
        network: &Network,
        objective: &Objective,
        samples: usize,
        seed: u64,
    ) -> Result<Problem, TrainError> {
        let table = random_rows(network, objective, samples, seed)
            .and_then(|table| cut(table, network, seed))
            .map_err(|error| TrainError::Data(error.to_string()))?;
        let inputs = (0..table.rows())
            .flat_map(|row| table.row(row).as_chunks::<4>().0)
            .map(|bytes| f64::from(f32::from_le_bytes(*bytes)))
            .collect();
        let labels: Vec<u32> = (0..table.rows()).map(|row| table.label(row)).collect();
        let mut numbers = vec![0.0; network.outputs()];
        let numbers = (0..table.rows())
            .flat_map(|row| {
                table.targets(row, &mut numbers);
                numbers.iter().map(|&y| f64::from(y)).collect::<Vec<_>>()
            })
            .collect();
        let weights =
            labels.iter().map(|&label| f64::from(objective.class_weight(label))).collect();
        let (network, objective) = (without_dropout(network), objective.clone());
        Ok(Problem { network, objective, table, inputs, labels, numbers, weights })
    }

    fn batch(&self) -> Batch<'_> {
        let targets = match self.objective.targets {
            TargetKind::Numbers => Targets::Numbers(&self.numbers),
            TargetKind::Classes => Targets::Classes(&self.labels),
        };
        Batch { inputs: &self.inputs, targets, weights: &self.weights }
    }

    /// The gradient by backpropagation in f64.
    pub fn exact(&self) -> Gradient {
        Twin::of(&self.network).gradient(&self.batch(), self.objective.loss)
    }

    /// Backpropagation in f64 against differences.
    pub fn differences(&self) -> GradientCheck {
        let twin = Twin::of(&self.network);
        gradient_check(&twin, &self.batch(), self.objective.loss, NUMBERS_PER_TENSOR)
    }

    /// The largest error of the f32 kernels, relative to the largest element of its tensor, and the name of the
    /// tensor.
    pub fn kernels(&self, isa: Isa, exact: &Gradient) -> (f64, String) {
        let (network, samples) = (&self.network, self.weights.len());
        let mut engine = Engine::new(Setup {
            threads: 1,
            isa,
            network: network.clone(),
            preprocess: Preprocess::new(&vec![Trained::UNSCALED; network.inputs()], Vec::new()),
            objective: self.objective.clone(),
            rule: UpdateRule::Sgd,
            clip_norm: None,
            batch: samples,
        });
        let (_, nodes) = engine.gradient(&self.table, samples, &|i| i as u64, 0);
        let (mut largest, mut worst) = (0.0, String::new());
        for (node, (exact, values)) in exact.nodes.iter().zip(&nodes).enumerate() {
            let parts = network.parts(node);
            for ((exact, values), (part, _)) in exact.iter().zip(values).zip(parts) {
                let error = error_of(exact, values);
                if error >= largest {
                    largest = error;
                    worst = format!("{}.{part}", network.nodes()[node].name);
                }
            }
        }
        (largest, worst)
    }
}

/// The largest error of a tensor's gradient, relative to its largest element.
fn error_of(exact: &TensorGradient, values: &[f32]) -> f64 {
    let largest = |numbers: &[f64]| numbers.iter().fold(0.0f64, |most, n| most.max(n.abs()));
    let scale = largest(&exact.slopes).max(SHARE_OF_TERMS * largest(&exact.magnitudes));
    let pairs = exact.slopes.iter().zip(values);
    let errors = pairs.map(|(&exact, &value)| (exact - f64::from(value)).abs());
    // max would pass over an error that is not a number.
    let error = errors.map(|e| if e.is_nan() { f64::INFINITY } else { e }).fold(0.0, f64::max);
    if scale > 0.0 { error / scale } else { error }
}

/// The network with nothing dropped: which values are is drawn anew for each step, and is no part of a formula.
fn without_dropout(network: &Network) -> Network {
    let mut nodes = network.nodes().to_vec();
    for node in &mut nodes {
        match &mut node.layer {
            Kind::Dense(dense) => dense.dropout = 0.0,
            Kind::Drop(drop) => drop.rate = 0.0,
            _ => {}
        }
    }
    let mut whole = Network::new(network.features(), nodes);
    whole.weights_mut().copy_from_slice(network.weights());
    match network.lengths() {
        Some(_) => whole.of_unequal_lengths().expect("the network has lengths"),
        None => whole,
    }
}

/// The same rows; of unequal length, if those of the network are.
fn cut(table: Table, network: &Network, seed: u64) -> Result<Table, TableError> {
    if network.lengths().is_none() {
        return Ok(table);
    }
    let steps = network.features().width;
    let draws = Random::new(seed, Purpose::Weights).part(u64::MAX).part(3);
    let length = |row| 1 + (draws.uniform(row) * steps as f64) as usize;
    let lengths: Vec<usize> = (0..table.rows()).map(length).collect();
    table.with_lengths(steps, &lengths)
}

/// Standard normal features, but random categories where they are looked up (now and then of no category); and
/// answers of the kind that the objective asks for.
fn random_rows(
    network: &Network,
    objective: &Objective,
    samples: usize,
    seed: u64,
) -> Result<Table, TableError> {
    let draws = Random::new(seed, Purpose::Weights).part(u64::MAX);
    let mut features: Vec<f32> =
        (0..samples * network.inputs()).map(|i| draws.normal(i as u64) as f32).collect();
    let picks = draws.part(2);
    for column in network.looked_up() {
        for (i, row) in features.chunks_exact_mut(network.inputs()).enumerate() {
            let pick = picks.uniform((i * network.inputs() + column.unit) as u64);
            row[column.unit] = (pick * f64::from(column.categories + 1)) as u32 as f32;
        }
    }
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

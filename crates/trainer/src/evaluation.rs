//! Measuring a network on rows whose answers are known.

use crate::engine::{shard_rows, worth_threads};
use crate::error::TrainError;
use crate::metrics::{ClassMeter, LossMeter, NumberMeter, Report};
use crate::model::Trained;
use crate::network::Network;
use crate::objective::{Objective, TargetKind};
use crate::preprocess::Preprocess;
use crate::samples::Samples;
use crate::shard::{RowContext, Shard};
use crate::subset::Subset;
use gristmill_io::OutputKind;
use gristmill_io::schema::Target;
use gristmill_kernels::{Isa, Loss};
use rayon::prelude::*;

/// Rows that are measured per thread in one go.
const ROWS_PER_THREAD: usize = 1024;

/// Measures rows, some thousand at a time, on the threads of the current pool.
///
/// The sums are taken in the order of the rows, so they do not depend on the threads.
pub struct Evaluator {
    isa: Isa,
    objective: Objective,
    shards: Vec<Shard>,
    parallel: bool,
    predictions: Vec<f32>,
    targets: Vec<f32>,
}

enum Meter {
    Classes(ClassMeter),
    Numbers(NumberMeter),
}

/// Measures a trained network on all rows of a data set, on the threads of the current pool.
///
/// The loss reported is the one that trains such an output by default: cross-entropy of classes, the
/// mean squared error of (standardised) numbers.
///
/// # Errors
/// A row has a class that does not exist: the data set is damaged.
pub fn evaluate<S: Samples>(
    isa: Isa,
    trained: &Trained,
    samples: &S,
    seen: &mut dyn FnMut(u64),
) -> Result<Report, TrainError> {
    let loss = match trained.output {
        OutputKind::Softmax => Loss::SoftmaxCrossEntropy,
        OutputKind::Sigmoid => Loss::BinaryCrossEntropy,
        OutputKind::Values => Loss::MeanSquared,
    };
    let targets = match &samples.encoding().target {
        Target::Classes { .. } => TargetKind::Classes,
        _ => TargetKind::Numbers,
    };
    let objective = Objective { loss, targets, class_weights: Vec::new() };
    let subject = Subject {
        network: &trained.network,
        preprocess: &trained.preprocess,
        output: trained.output,
    };
    let rows = Subset::all(samples);
    Evaluator::new(isa, &trained.network, objective).measure(subject, &rows, seen)
}

/// A network as it is measured.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// Its layers and weights.
    pub network: &'a Network,
    /// What is done to features and numeric targets.
    pub preprocess: &'a Preprocess,
    /// What is done to the last layer's values.
    pub output: OutputKind,
}

impl Evaluator {
    /// An evaluator with workspaces for networks of this shape.
    pub fn new(isa: Isa, network: &Network, objective: Objective) -> Evaluator {
        let threads = rayon::current_num_threads();
        let batch = ROWS_PER_THREAD * threads;
        let parallel = worth_threads(network, batch, threads);
        let capacity = shard_rows(batch, if parallel { threads } else { 1 });
        let shards = (0..batch.div_ceil(capacity)).map(|_| Shard::new(network, capacity, true));
        let shards: Vec<Shard> = shards.collect();
        Evaluator {
            isa,
            objective,
            predictions: vec![0.0; shards.len() * capacity * network.outputs()],
            targets: vec![0.0; network.outputs()],
            shards,
            parallel,
        }
    }

    /// Measures all rows of a subset; `seen` is told how many are done, now and then.
    ///
    /// # Errors
    /// A row has a class that does not exist: the data set is damaged.
    pub fn measure<S: Samples>(
        &mut self,
        subject: Subject<'_>,
        rows: &Subset<'_, S>,
        seen: &mut dyn FnMut(u64),
    ) -> Result<Report, TrainError> {
        let samples = rows.samples();
        let outputs = subject.network.outputs();
        let mut loss = LossMeter::default();
        let mut meter = match &samples.encoding().target {
            Target::Classes { names, .. } => Meter::Classes(ClassMeter::new(names.len())),
            _ => Meter::Numbers(NumberMeter::new(outputs)),
        };
        let batch = self.batch() as u64;
        for start in (0..rows.len()).step_by(batch as usize) {
            let end = rows.len().min(start + batch);
            self.run(subject, rows, start, end);
            let mut predictions = self.predictions.chunks_exact(outputs);
            for shard in &self.shards {
                if let Some(row) = shard.stray() {
                    return Err(TrainError::stray(row));
                }
                for (losses, weights) in shard.losses() {
                    for (&sum, &weight) in losses.iter().zip(weights) {
                        loss.add(f64::from(sum), f64::from(weight));
                    }
                }
                for (&row, predicted) in shard.rows().iter().zip(predictions.by_ref()) {
                    let weight = f64::from(samples.weight(row));
                    match &mut meter {
                        Meter::Classes(meter) => meter.add(predicted, samples.label(row), weight),
                        Meter::Numbers(meter) => {
                            samples.targets(row, &mut self.targets);
                            meter.add(predicted, &self.targets, weight);
                        }
                    }
                }
            }
            seen(end);
        }
        let loss = loss.value(self.objective.loss);
        Ok(match meter {
            Meter::Classes(meter) => Report::Classes(meter.report(loss)),
            Meter::Numbers(meter) => Report::Numbers(meter.report(loss)),
        })
    }

    /// Rows that are measured in one go.
    fn batch(&self) -> usize {
        self.shards.iter().map(Shard::capacity).sum()
    }

    /// Runs the rows `start..end` of a subset through the shards; predictions are dense in their order.
    fn run<S: Samples>(
        &mut self,
        subject: Subject<'_>,
        rows: &Subset<'_, S>,
        start: u64,
        end: u64,
    ) {
        let Subject { network, preprocess, output } = subject;
        let context = RowContext { isa: self.isa, network, preprocess, samples: rows.samples() };
        let objective = &self.objective;
        let run = |(i, (shard, out)): (usize, (&mut Shard, &mut [f32]))| {
            let first = start + (i * shard.capacity()) as u64;
            shard.assign(0, (first.min(end)..end).map(|row| rows.row(row)));
            shard.measure(&context, objective);
            shard.finish(context.isa, network, preprocess, output, out);
        };
        let width = self.shards[0].capacity() * network.outputs();
        if self.parallel {
            let parts = self.predictions.par_chunks_mut(width);
            self.shards.par_iter_mut().zip(parts).enumerate().for_each(run);
        } else {
            let parts = self.predictions.chunks_mut(width);
            self.shards.iter_mut().zip(parts).enumerate().for_each(run);
        }
    }
}

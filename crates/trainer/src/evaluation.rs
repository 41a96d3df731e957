//! Measuring a network on rows whose answers are known.

use crate::engine::{shard_rows, worth_threads};
use crate::error::TrainError;
use crate::metrics::{ClassMeter, LossMeter, NumberMeter, Report};
use crate::model::Trained;
use crate::network::Network;
use crate::objective::Objective;
use crate::pass::Pass;
use crate::preprocess::Preprocess;
use crate::samples::Samples;
use crate::shard::{RowContext, Shard};
use crate::subset::Subset;
use gristmill_io::schema::Target;
use gristmill_io::{Model, OutputKind};
use gristmill_kernels::Isa;
use rayon::prelude::*;
use std::ops::Range;
use std::time::Duration;

/// Rows that are measured per thread in one go.
const ROWS_PER_THREAD: usize = 1024;

/// Measures rows, some thousand at a time, on the threads of the current pool.
///
/// The sums are taken in the order of the rows, so they do not depend on the threads.
pub(crate) struct Evaluator {
    isa: Isa,
    objective: Objective,
    shards: Vec<Shard>,
    parallel: bool,
    predictions: Vec<f32>,
    targets: Vec<f32>,
}

/// A network as it is measured.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'a> {
    /// Its layers and weights.
    pub(crate) network: &'a Network,
    /// What is done to features and numeric targets.
    pub(crate) preprocess: &'a Preprocess,
    /// What is done to the last layer's values.
    pub(crate) output: OutputKind,
}

impl Evaluator {
    /// An evaluator with workspaces for networks of this shape.
    pub(crate) fn new(isa: Isa, network: &Network, objective: Objective) -> Evaluator {
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

    /// Measures the rows of a pass; `progress` is told how many are done. The time is how long it waited
    /// for rows.
    ///
    /// # Errors
    /// A row has a class that does not exist, so that the data set is damaged, or cannot be read.
    pub(crate) fn measure<S: Samples>(
        &mut self,
        subject: Subject<'_>,
        pass: &Pass<'_, '_, S>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(Report, Duration), TrainError> {
        let rows = pass.rows();
        let outputs = subject.network.outputs();
        let mut losses = LossMeter::default();
        let mut meter = match &rows.samples().encoding().target {
            Target::Classes { names, .. } => Meter::Classes(ClassMeter::new(names.len())),
            _ => Meter::Numbers(NumberMeter::new(outputs)),
        };
        let capacity = self.shards[0].capacity();
        let batch = (self.shards.len() * capacity) as u64;
        let waited = pass.run(batch, |indices| {
            let end = indices.end;
            self.run(subject, rows, indices);
            let mut predictions = self.predictions.chunks_exact(outputs);
            for shard in &self.shards {
                if let Some(row) = shard.stray() {
                    return Err(TrainError::stray(rows.samples(), row));
                }
                for (loss, weights) in shard.losses() {
                    for (&loss, &weight) in loss.iter().zip(weights) {
                        losses.add(f64::from(loss), f64::from(weight));
                    }
                }
                for (&row, predicted) in shard.rows().iter().zip(&mut predictions) {
                    meter.add(rows.samples(), row, predicted, &mut self.targets);
                }
            }
            progress(end);
            Ok::<(), TrainError>(())
        })?;
        Ok((meter.report(losses.value(self.objective.loss)), waited))
    }

    /// Runs some rows of a subset through the shards; predictions are dense in their order.
    fn run<S: Samples>(
        &mut self,
        subject: Subject<'_>,
        rows: &Subset<'_, S>,
        Range { start, end }: Range<u64>,
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

/// Takes the predictions of the task at hand.
enum Meter {
    Classes(ClassMeter),
    Numbers(NumberMeter),
}

impl Meter {
    fn add<S: Samples>(&mut self, samples: &S, row: u64, predicted: &[f32], targets: &mut [f32]) {
        let weight = f64::from(samples.weight(row));
        match self {
            Meter::Classes(meter) => meter.add(predicted, samples.label(row), weight),
            Meter::Numbers(meter) => {
                samples.targets(row, targets);
                meter.add(predicted, targets, weight);
            }
        }
    }

    fn report(&self, loss: f64) -> Report {
        match self {
            Meter::Classes(meter) => Report::Classes(meter.report(loss)),
            Meter::Numbers(meter) => Report::Numbers(meter.report(loss)),
        }
    }
}

/// Measures a trained model on all rows of a data set, on the threads of the current pool, with
/// `memory` bytes for rows (`None` is no limit but the machine's); `progress` is told how many rows are
/// done.
///
/// # Errors
/// The rows are not encoded as the model needs them or cannot be read, one has a class that does not
/// exist, or the model has an activation that this program does not know.
pub fn evaluate<S: Samples>(
    isa: Isa,
    model: &Model,
    samples: &S,
    memory: Option<u64>,
    progress: &mut dyn FnMut(u64),
) -> Result<Report, TrainError> {
    if let Some(reason) = model.encoding.mismatch(samples.encoding(), true) {
        return Err(TrainError::Data(format!("the rows do not fit the model: {reason}")));
    }
    let Trained { network, preprocess, output } = Trained::from_model(model)?;
    let mut evaluator = Evaluator::new(isa, &network, Objective::of_model(model));
    let subject = Subject { network: &network, preprocess: &preprocess, output };
    let rows = Subset::all(samples);
    let (report, _) = evaluator.measure(subject, &Pass::alone(&rows, memory), progress)?;
    Ok(report)
}

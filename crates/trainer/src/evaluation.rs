//! Measuring a network on rows whose answers are known.

use crate::data::pass::Pass;
use crate::data::samples::Samples;
use crate::data::subset::Subset;
use crate::data::windows::Windows;
use crate::error::TrainError;
use crate::inference::{self, Workspaces};
use crate::metrics::{ClassMeter, JudgedClass, LossMeter, NumberMeter, Report};
use crate::model::{self, Trained};
use crate::network::Network;
use crate::objective::Objective;
use crate::preprocess::Preprocess;
use crate::step::shard::{Purpose, RowContext, Shard};
use gristmill_io::schema::Target;
use gristmill_io::{Model, OutputKind};
use gristmill_kernels::Isa;
use std::ops::Range;
use std::time::Duration;

/// Measures rows, some thousand at a time, on the threads of the current pool.
///
/// Sums are taken in parts of the same rows and in their order, so they do not depend on the threads.
pub struct Evaluator {
    isa: Isa,
    objective: Objective,
    workspaces: Workspaces,
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
        Evaluator { isa, objective, workspaces: Workspaces::new(network, Purpose::Measure) }
    }

    /// Measures the rows of a pass; `progress` is told how many are done. The time is how long it waited
    /// for rows.
    ///
    /// # Errors
    /// A row has a class that does not exist, so that the data set is damaged, or cannot be read.
    pub fn measure<S: Samples>(
        &mut self,
        subject: Subject<'_>,
        pass: &Pass<'_, '_, S>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(Report, Duration), TrainError> {
        match &pass.rows().samples().encoding().target {
            Target::Classes { names, .. } => {
                self.measure_by(ClassMeter::new(names.len()), subject, pass, progress)
            }
            _ => {
                let meter = NumberMeter::new(subject.network.outputs());
                self.measure_by(meter, subject, pass, progress)
            }
        }
    }

    fn measure_by<M: Meter, S: Samples>(
        &mut self,
        mut meter: M,
        subject: Subject<'_>,
        pass: &Pass<'_, '_, S>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(Report, Duration), TrainError> {
        let rows = pass.rows();
        let Subject { network, preprocess, output } = subject;
        let samples = rows.samples();
        let context = RowContext { isa: self.isa, network, preprocess, samples };
        let objective = &self.objective;
        let outputs = network.outputs();
        let run = |shard: &mut Shard, range: Range<u64>, part: &mut Part<M::Part>| {
            shard.assign(0, range.map(|row| rows.row(row)));
            shard.measure(&context, objective);
            part.stray = shard.stray();
            if part.stray.is_some() {
                return;
            }
            for (loss, weights) in shard.losses() {
                for (&loss, &weight) in loss.iter().zip(weights) {
                    part.losses.add(f64::from(loss), f64::from(weight));
                }
            }
            part.predictions.resize(shard.rows().len() * outputs, 0.0);
            shard.finish(context.isa, network, preprocess, output, &mut part.predictions);
            for (&row, predicted) in shard.rows().iter().zip(part.predictions.chunks_exact(outputs))
            {
                M::judge(&mut part.judged, samples, row, predicted);
            }
        };
        let mut losses = LossMeter::default();
        let batch = self.workspaces.batch() as u64;
        let part_rows = inference::part_rows(rows.len());
        let mut parts = Vec::new();
        let waited = pass.run(batch, |Range { start, end }| {
            let count = ((end - start) as usize).div_ceil(part_rows);
            parts.resize_with(count, || Part::new(meter.part()));
            self.workspaces.run(start..end, part_rows, parts.iter_mut(), run);
            for part in &mut parts {
                if let Some(row) = part.stray {
                    return Err(TrainError::stray(samples, row));
                }
                losses.merge(std::mem::take(&mut part.losses));
                meter.add(&mut part.judged, &part.predictions);
            }
            progress(end);
            Ok::<(), TrainError>(())
        })?;
        Ok((meter.report(losses.value(self.objective.loss)), waited))
    }
}

/// A part of the rows, as the task that ran it leaves it.
struct Part<P> {
    stray: Option<u64>,
    losses: LossMeter,
    /// Rows x outputs.
    predictions: Vec<f32>,
    judged: P,
}

impl<P> Part<P> {
    fn new(judged: P) -> Part<P> {
        Part { stray: None, losses: LossMeter::default(), predictions: Vec::new(), judged }
    }
}

/// A meter that takes rows in parts: what costs most is done by the tasks that run them.
trait Meter {
    /// What a task finds out about its rows.
    type Part: Send;

    /// One without rows.
    fn part(&self) -> Self::Part;
    /// Takes a row with its prediction.
    fn judge<S: Samples>(part: &mut Self::Part, samples: &S, row: u64, predicted: &[f32]);
    /// Adds all rows of a part, whose predictions these are, and leaves it without.
    fn add(&mut self, part: &mut Self::Part, predictions: &[f32]);
    fn report(&self, loss: f64) -> Report;
}

struct JudgedClasses {
    classes: usize,
    rows: Vec<JudgedClass>,
}

impl Meter for ClassMeter {
    type Part = JudgedClasses;

    fn part(&self) -> JudgedClasses {
        JudgedClasses { classes: self.classes(), rows: Vec::new() }
    }

    fn judge<S: Samples>(part: &mut JudgedClasses, samples: &S, row: u64, predicted: &[f32]) {
        let weight = f64::from(samples.weight(row));
        let judged = JudgedClass::new(part.classes, predicted, samples.label(row), weight);
        part.rows.push(judged);
    }

    fn add(&mut self, part: &mut JudgedClasses, predictions: &[f32]) {
        let width = predictions.len() / part.rows.len();
        for (row, predicted) in part.rows.drain(..).zip(predictions.chunks_exact(width)) {
            self.add_judged(row, predicted);
        }
    }

    fn report(&self, loss: f64) -> Report {
        Report::Classes(self.report(loss))
    }
}

struct JudgedNumbers {
    meter: NumberMeter,
    /// The targets of one row.
    targets: Vec<f32>,
}

impl Meter for NumberMeter {
    type Part = JudgedNumbers;

    fn part(&self) -> JudgedNumbers {
        let targets = self.targets();
        JudgedNumbers { meter: NumberMeter::new(targets), targets: vec![0.0; targets] }
    }

    fn judge<S: Samples>(part: &mut JudgedNumbers, samples: &S, row: u64, predicted: &[f32]) {
        samples.targets(row, &mut part.targets);
        part.meter.add(predicted, &part.targets, f64::from(samples.weight(row)));
    }

    fn add(&mut self, part: &mut JudgedNumbers, _predictions: &[f32]) {
        self.merge(&part.meter);
        part.meter = NumberMeter::new(self.targets());
    }

    fn report(&self, loss: f64) -> Report {
        Report::Numbers(self.report(loss))
    }
}

/// Measures a trained model on all rows of a data set, on the threads of the current pool, with
/// `memory` bytes for rows (`None` is no limit but the machine's); `progress` is told how many rows are
/// done. Of a model of windows these are the windows of the rows.
///
/// # Errors
/// The rows are not encoded as the model needs them or cannot be read, one has a class that does not
/// exist, or the model is none that this program can run.
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
    let Trained { network, preprocess, output, series } = Trained::from_model(model)?;
    let mut evaluator = Evaluator::new(isa, &network, Objective::of_model(model));
    let subject = Subject { network: &network, preprocess: &preprocess, output };
    model::check_lengths(samples, &network)?;
    let rows = Subset::of(Windows::new(samples, series)?);
    let (report, _) = evaluator.measure(subject, &Pass::alone(&rows, memory), progress)?;
    Ok(report)
}

//! Running a workload forward only: its rows predicted, and measured against their targets.

use super::{Measurement, Subject, Task};
use crate::ceiling::Ceilings;
use crate::network;
use crate::ours::{self, timed};
use crate::report::median;
use crate::trace::Trace;
use crate::workload::{Loss, Workload};
use anyhow::Result;
use gristmill_io::OutputKind;
use gristmill_kernels::Isa;
use gristmill_trainer::data::pass::Pass;
use gristmill_trainer::data::samples::{Samples, Table};
use gristmill_trainer::data::subset::Subset;
use gristmill_trainer::evaluation::{self, Evaluator};
use gristmill_trainer::inference::Predictor;
use gristmill_trainer::model::Trained;
use gristmill_trainer::objective::{Objective, TargetKind};
use gristmill_trainer::on_threads;
use gristmill_trainer::preprocess::Preprocess;

/// Features of all rows together: more than caches hold.
const FEATURES: usize = 1 << 23;
const MOST_ROWS: usize = 1 << 16;

/// A network with all that runs it forward.
pub(super) struct Inference {
    workload: Workload,
    task: Task,
    table: Table,
    predictor: Predictor,
    evaluator: Evaluator,
    predictions: Vec<f32>,
    rates: Vec<f64>,
}

impl Inference {
    /// Predicts or evaluates with the network that the workload starts from.
    ///
    /// # Errors
    /// The system refuses to start threads.
    pub(super) fn new(isa: Isa, workload: Workload, task: Task) -> Result<Inference> {
        eprintln!("preparing {} {}", workload.name, task.name());
        let rows = (FEATURES / workload.layers[0]).clamp(1, MOST_ROWS);
        let trace = Trace::random(&workload, rows.div_ceil(workload.batch));
        let network = ours::network(&workload, &trace);
        let (table, objective, output) = answers(&workload, &trace)?;
        let features = vec![Trained::UNSCALED; workload.layers[0]];
        let preprocess = Preprocess::new(&features, Vec::new());
        let (evaluator, predictor) = on_threads(workload.threads, || {
            let evaluator = Evaluator::new(isa, &network, objective);
            (evaluator, Predictor::new(isa, Trained { network, preprocess, output, series: None }))
        })?;
        let predictions = vec![0.0; predictor.batch() * predictor.outputs()];
        let rates = Vec::new();
        Ok(Inference { workload, task, table, predictor, evaluator, predictions, rates })
    }

    /// Runs every row forward.
    fn pass(&mut self) -> Result<()> {
        match self.task {
            Task::Evaluate => {
                let Trained { network, preprocess, output, .. } = self.predictor.trained();
                let subject = evaluation::Subject { network, preprocess, output: *output };
                let rows = Subset::all(&self.table);
                self.evaluator.measure(subject, &Pass::alone(&rows, None), &mut |_| ())?;
            }
            _ => {
                let (rows, batch) = (self.table.rows(), self.predictor.batch());
                for start in (0..rows).step_by(batch) {
                    let end = rows.min(start + batch as u64);
                    let values = (end - start) as usize * self.predictor.outputs();
                    let out = &mut self.predictions[..values];
                    self.predictor.predict(&self.table, start..end, out);
                }
            }
        }
        Ok(())
    }
}

impl Subject for Inference {
    fn take_turn(&mut self, seconds: f64) -> Result<()> {
        let threads = self.workload.threads;
        let rows = self.table.rows() as usize;
        let rate = on_threads(threads, || {
            // The threads are new, and what others left in the caches goes.
            self.pass()?;
            let mut result = Ok(());
            let slice = timed(seconds, rows, || result = self.pass());
            result.map(|()| slice.rate())
        })??;
        self.rates.push(rate);
        Ok(())
    }

    fn measurement(self: Box<Self>, ceilings: &Ceilings) -> Measurement {
        let Inference { workload, task, rates, .. } = *self;
        let samples_per_second = median(&rates);
        let work = network::inference(&workload);
        let gflops = samples_per_second * work.flops / 1e9;
        Measurement {
            task,
            samples_per_second,
            gflops,
            share_of_fma: gflops / ceilings.gflops,
            share_of_roofline: samples_per_second / ceilings.roofline(work),
            parts: None,
            scalar: None,
            of_sweep: None,
            workload,
            rates,
        }
    }
}

/// The rows with what is predicted of them: classes where the loss is of classes.
fn answers(workload: &Workload, trace: &Trace) -> Result<(Table, Objective, OutputKind)> {
    let objective = ours::objective(workload.loss);
    Ok(match workload.loss {
        Loss::BinaryCrossEntropy if workload.outputs() == 1 => {
            let labels = trace.targets.iter().map(|&class| class as u32).collect();
            let names = ["0", "1"].map(str::to_owned).to_vec();
            let table = Table::of_classes(&trace.inputs, labels, names)?;
            let objective = Objective { targets: TargetKind::Classes, ..objective };
            (table, objective, OutputKind::Sigmoid)
        }
        Loss::BinaryCrossEntropy => (trace.table(workload)?, objective, OutputKind::Sigmoid),
        Loss::SoftmaxCrossEntropy => (trace.table(workload)?, objective, OutputKind::Softmax),
        Loss::MeanSquared | Loss::MeanAbsolute => {
            (trace.table(workload)?, objective, OutputKind::Values)
        }
    })
}

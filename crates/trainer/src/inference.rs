//! Predictions of many rows: the forward half of a step, on all threads.

use crate::engine::worth_threads;
use crate::model::Trained;
use crate::network::Network;
use crate::preprocess::Preprocess;
use crate::samples::Samples;
use crate::shard::{Purpose, RowContext, Shard};
use crate::threads;
use gristmill_io::OutputKind;
use gristmill_kernels as kernels;
use gristmill_kernels::{Isa, LANES, Probabilities, Row};
use rayon::prelude::*;
use std::ops::Range;
use std::sync::Mutex;

/// Rows that a thread runs forward in one go. What is summed part by part must not depend on the
/// threads, so neither does this.
const PART_ROWS: usize = 128;

/// Rows per thread between two joins.
const ROWS_PER_THREAD: usize = 1024;

/// Workspaces to run rows forward in: one for each thread that is worth having.
pub(crate) struct Workspaces(Vec<Shard>);

impl Workspaces {
    /// Workspaces for the threads of the current pool.
    pub(crate) fn new(network: &Network, purpose: Purpose) -> Workspaces {
        let threads = threads::useful();
        let parallel = worth_threads(network, ROWS_PER_THREAD * threads, threads);
        let threads = if parallel { threads } else { 1 };
        Workspaces((0..threads).map(|_| Shard::new(network, PART_ROWS, purpose)).collect())
    }

    /// Most rows between two joins: a whole number of parts.
    pub(crate) fn batch(&self) -> usize {
        ROWS_PER_THREAD * self.0.len()
    }

    /// The rows `start..end` in parts, in order.
    pub(crate) fn parts(start: u64, end: u64) -> impl Iterator<Item = Range<u64>> + Send {
        (start..end).step_by(PART_ROWS).map(move |first| first..end.min(first + PART_ROWS as u64))
    }

    /// Values of a part with so many per row.
    pub(crate) fn part_values(width: usize) -> usize {
        PART_ROWS * width
    }

    /// Runs every part in whichever workspace is free.
    pub(crate) fn run<P>(
        &mut self,
        parts: impl Iterator<Item = P> + Send,
        run: impl Fn(&mut Shard, P) + Sync,
    ) {
        let parts = Mutex::new(parts);
        let next = || parts.lock().expect("the parts are counted without a panic").next();
        self.0.par_iter_mut().with_max_len(1).for_each(|shard| {
            while let Some(part) = next() {
                run(shard, part);
            }
        });
    }
}

/// Predicts rows of data sets, some thousand at a time, on the threads of the current pool.
///
/// What it predicts for a row does not depend on the rows beside it, nor on the threads.
pub struct Predictor {
    isa: Isa,
    trained: Trained,
    workspaces: Workspaces,
}

impl Predictor {
    /// A predictor with workspaces for the threads of the current pool.
    pub fn new(isa: Isa, trained: Trained) -> Predictor {
        let workspaces = Workspaces::new(&trained.network, Purpose::Predict);
        Predictor { isa, trained, workspaces }
    }

    /// What is predicted with.
    pub fn trained(&self) -> &Trained {
        &self.trained
    }

    /// Numbers that come out per row: a probability per class (only that of the second where the
    /// output is one sigmoid), or the predicted numbers in the unit of the targets.
    pub fn outputs(&self) -> usize {
        self.trained.network.outputs()
    }

    /// Most rows that [`predict`](Self::predict) takes at once.
    pub fn batch(&self) -> usize {
        self.workspaces.batch()
    }

    /// Predicts some rows of a data set: rows x outputs, into `out`.
    ///
    /// # Panics
    /// If there are more rows than [`batch`](Self::batch), or `out` has another size.
    pub fn predict<S: Samples>(&mut self, samples: &S, rows: Range<u64>, out: &mut [f32]) {
        let count = (rows.end - rows.start) as usize;
        let outputs = self.outputs();
        assert!(count <= self.batch(), "{count} rows, at most {}", self.batch());
        assert_eq!(out.len(), count * outputs, "room for {count} rows");
        let Trained { network, preprocess, output } = &self.trained;
        let context = RowContext { isa: self.isa, network, preprocess, samples };
        let parts = out.chunks_mut(Workspaces::part_values(outputs));
        let parts = Workspaces::parts(rows.start, rows.end).zip(parts);
        self.workspaces.run(parts, |shard, (rows, out)| {
            shard.assign(0, rows);
            shard.infer(&context);
            shard.finish(context.isa, network, preprocess, *output, out);
        });
    }
}

impl Shard {
    /// Turns the last layer's values into predictions, rows x outputs.
    pub(crate) fn finish(
        &mut self,
        isa: Isa,
        network: &Network,
        preprocess: &Preprocess,
        kind: OutputKind,
        out: &mut [f32],
    ) {
        if self.rows().is_empty() {
            return;
        }
        let outputs = network.outputs();
        let samples = self.rows().len();
        let values = self.output_mut(outputs);
        match kind {
            OutputKind::Softmax => {
                kernels::loss::probabilities(isa, Probabilities::Softmax, values, outputs);
            }
            OutputKind::Sigmoid => {
                kernels::loss::probabilities(isa, Probabilities::Sigmoid, values, outputs);
            }
            OutputKind::Values => {
                for column in values.chunks_exact_mut(outputs) {
                    unscale(column, preprocess);
                }
            }
        }
        for (sample, row) in out.chunks_exact_mut(outputs).take(samples).enumerate() {
            let column = &values[sample / LANES * outputs..][..outputs];
            for (x, lanes) in row.iter_mut().zip(column) {
                *x = lanes[sample % LANES];
            }
        }
    }
}

/// From standardised to the targets' own unit.
fn unscale(column: &mut [Row], preprocess: &Preprocess) {
    for (lanes, scale) in column.iter_mut().zip(&preprocess.targets) {
        for x in lanes {
            *x = *x * scale.deviation + scale.mean;
        }
    }
}

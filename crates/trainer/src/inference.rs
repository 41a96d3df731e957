//! Predictions of many rows: the forward half of a step, on all threads.

use crate::engine::{shard_rows, worth_threads};
use crate::error::TrainError;
use crate::model::Trained;
use crate::network::Network;
use crate::pass::Pass;
use crate::preprocess::Preprocess;
use crate::samples::Samples;
use crate::shard::{RowContext, Shard};
use crate::subset::Subset;
use gristmill_io::OutputKind;
use gristmill_kernels as kernels;
use gristmill_kernels::{Isa, LANES, Probabilities, Row};
use rayon::prelude::*;
use std::ops::Range;

/// Rows that are predicted per thread in one go.
const ROWS_PER_THREAD: usize = 1024;

/// Predicts rows of data sets, some thousand at a time, on the threads of the current pool.
///
/// What it predicts for a row does not depend on the rows beside it, nor on the threads.
pub struct Predictor {
    isa: Isa,
    trained: Trained,
    shards: Vec<Shard>,
    batch: usize,
    parallel: bool,
}

impl Predictor {
    /// A predictor with workspaces for the threads of the current pool.
    pub fn new(isa: Isa, trained: Trained) -> Predictor {
        let threads = rayon::current_num_threads();
        let batch = ROWS_PER_THREAD * threads;
        let parallel = worth_threads(&trained.network, batch, threads);
        let capacity = shard_rows(batch, if parallel { threads } else { 1 });
        let shard = |_| Shard::new(&trained.network, capacity, false);
        let shards = (0..batch.div_ceil(capacity)).map(shard).collect();
        Predictor { isa, trained, shards, batch, parallel }
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
        self.batch
    }

    /// Predicts all rows of a data set in their order, with `memory` bytes for rows (`None` is no limit but
    /// the machine's): `each` is given the predictions of some rows, rows x outputs, and up to which row
    /// they go.
    ///
    /// # Errors
    /// The rows cannot be read, or what `each` fails with.
    pub fn predict_all<S: Samples, E: From<TrainError>>(
        &mut self,
        samples: &S,
        memory: Option<u64>,
        mut each: impl FnMut(u64, &[f32]) -> Result<(), E>,
    ) -> Result<(), E> {
        let outputs = self.outputs();
        let mut values = vec![0.0; self.batch * outputs];
        let all = Subset::all(samples);
        Pass::alone(&all, memory).run(self.batch as u64, |rows| {
            let values = &mut values[..(rows.end - rows.start) as usize * outputs];
            self.predict(samples, rows.clone(), values);
            each(rows.end, values)
        })?;
        Ok(())
    }

    /// Predicts some rows of a data set: rows x outputs, into `out`.
    ///
    /// # Panics
    /// If there are more rows than [`batch`](Self::batch), or `out` has another size.
    pub fn predict<S: Samples>(&mut self, samples: &S, rows: Range<u64>, out: &mut [f32]) {
        let count = (rows.end - rows.start) as usize;
        let outputs = self.outputs();
        assert!(count <= self.batch, "{count} rows, at most {}", self.batch);
        assert_eq!(out.len(), count * outputs, "room for {count} rows");
        let Trained { network, preprocess, output } = &self.trained;
        let context = RowContext { isa: self.isa, network, preprocess, samples };
        let run = |(shard, (i, out)): (&mut Shard, (usize, &mut [f32]))| {
            let capacity = shard.capacity();
            shard.assign(0, rows.clone().skip(i * capacity));
            shard.infer(&context);
            shard.finish(context.isa, network, preprocess, *output, out);
        };
        let Some(capacity) = self.shards.first().map(Shard::capacity) else { return };
        if self.parallel {
            let parts = out.par_chunks_mut(capacity * outputs).enumerate();
            self.shards.par_iter_mut().zip(parts).for_each(run);
        } else {
            let parts = out.chunks_mut(capacity * outputs).enumerate();
            self.shards.iter_mut().zip(parts).for_each(run);
        }
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

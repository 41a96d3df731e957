//! Predictions of many rows: the forward half of a step, on all threads.

use crate::data::pass::Pass;
use crate::data::samples::Samples;
use crate::data::subset::Subset;
use crate::data::windows::Windows;
use crate::error::TrainError;
use crate::model::{self, Trained};
use crate::network::Network;
use crate::preprocess::Preprocess;
use crate::step::shard::{Purpose, RowContext, Shard};
use crate::threads;
use gristmill_io::OutputKind;
use gristmill_kernels as kernels;
use gristmill_kernels::{FlushDenormals, Isa, LANES, Probabilities, Row};
use rayon::prelude::*;
use std::ops::{Range, RangeInclusive};
use std::sync::Mutex;

/// Most rows that a thread runs forward in one go: their activations share the second-level cache with a
/// tile of weights.
const PART_ROWS: usize = 256;

/// Least parts that rows are cut into, so that several threads have work, unless parts would become smaller
/// than `LEAST_PART_ROWS`: each part reads all weights.
const LEAST_PARTS: usize = 8;
const LEAST_PART_ROWS: usize = 32;

/// Multiply-adds per thread and batch: beside them the cost of a join does not count. The limits on rows and
/// on outputs bound the memory of a batch.
const WORK_PER_THREAD: usize = 1 << 26;
const ROWS_PER_THREAD: RangeInclusive<usize> = LEAST_PARTS * PART_ROWS..=16_384;
const OUTPUTS_PER_THREAD: usize = 1 << 20;

/// What a row costs besides its multiply-adds, in their number.
const ROW_WORK: usize = 1024;

/// Below this many multiply-adds rows are run on the calling thread: a join would cost more.
const PARALLEL_WORK: usize = 1 << 22;

/// Workspaces to run rows forward in, one for each thread that is worth having.
pub(crate) struct Workspaces {
    shards: Vec<Shard>,
    /// Multiply-adds of a row, with what else it costs.
    row_work: usize,
    outputs: usize,
}

impl Workspaces {
    /// Workspaces for the threads of the current pool.
    pub(crate) fn new(network: &Network, purpose: Purpose) -> Workspaces {
        let shard = |_| Shard::new(network, PART_ROWS, purpose);
        Workspaces {
            shards: (0..threads::useful()).map(shard).collect(),
            row_work: network.work() + ROW_WORK,
            outputs: network.outputs(),
        }
    }

    /// Most rows between two joins.
    pub(crate) fn batch(&self) -> usize {
        let (least, most) = ROWS_PER_THREAD.into_inner();
        let rows = (WORK_PER_THREAD / self.row_work).min(OUTPUTS_PER_THREAD / self.outputs);
        rows.clamp(least, most).next_multiple_of(PART_ROWS) * self.shards.len()
    }

    /// Runs rows, part by part in whichever workspace is free, each part with one of the extras.
    pub(crate) fn run<P>(
        &mut self,
        rows: Range<u64>,
        part_rows: usize,
        extras: impl Iterator<Item = P> + Send,
        run: impl Fn(&mut Shard, Range<u64>, P) + Sync,
    ) {
        let work = (rows.end - rows.start) as usize * self.row_work;
        let threads = if work < PARALLEL_WORK { 1 } else { self.shards.len() };
        let part = |first: u64| first..rows.end.min(first + part_rows as u64);
        let parts = rows.clone().step_by(part_rows).map(part).zip(extras);
        let parts = Mutex::new(parts);
        let next = || parts.lock().expect("counting parts does not panic").next();
        self.shards[..threads].par_iter_mut().with_max_len(1).for_each(|shard| {
            let _mode = FlushDenormals::on_this_thread();
            while let Some((rows, extra)) = next() {
                run(shard, rows, extra);
            }
        });
    }
}

/// Rows of each part but the last, where there are `all` rows. Sums are taken part by part and must not
/// depend on the number of threads, so neither does this, and batches are whole parts.
pub(crate) fn part_rows(all: u64) -> usize {
    let share = usize::try_from(all).unwrap_or(usize::MAX) / LEAST_PARTS;
    share.clamp(LEAST_PART_ROWS, PART_ROWS).next_multiple_of(LANES)
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

    /// Predicts some rows of a data set: rows x outputs, into `out`. Where the model takes windows of a series, these rows
    /// are [`Windows`].
    ///
    /// # Panics
    /// If there are more rows than [`batch`](Self::batch), or `out` has another size.
    pub fn predict<S: Samples>(&mut self, samples: &S, rows: Range<u64>, out: &mut [f32]) {
        self.run(samples, rows, out, std::iter::repeat(()), |_, _, ()| ());
    }

    /// Predicts all rows of a data set in their order, or all windows of these where the model takes such, with `memory`
    /// bytes for rows (`None` is no limit but the machine's). What `make` makes of parts of the predictions, as in
    /// [`predict_with`](Self::predict_with), is given to `each`, with the row or window up to which it goes.
    ///
    /// # Errors
    /// The rows are fewer than a window has or cannot be read, or what `each` fails with.
    pub fn predict_all<S: Samples, R: Default + Send, E: From<TrainError>>(
        &mut self,
        samples: &S,
        memory: Option<u64>,
        make: impl Fn(u64, &[f32], &mut R) + Sync,
        mut each: impl FnMut(u64, &[R]) -> Result<(), E>,
    ) -> Result<(), E> {
        let (batch, outputs) = (self.batch(), self.outputs());
        let mut values = vec![0.0; batch * outputs];
        let mut results = Vec::new();
        model::check_lengths(samples, &self.trained.network)?;
        let all = Subset::of(Windows::to_predict(samples, self.trained.series)?);
        Pass::alone(&all, memory).run(batch as u64, |rows| {
            let values = &mut values[..(rows.end - rows.start) as usize * outputs];
            self.predict_with(all.samples(), rows.clone(), values, &mut results, &make);
            each(rows.end, &results)
        })?;
        Ok(())
    }

    /// Predicts as [`predict`](Self::predict) does, and makes something of the predictions while it is
    /// at it: the rows are cut into parts, and for each `make` is given its first row, its share of `out` and its
    /// element of `results`, which are made as many as there are parts, on any of the threads.
    ///
    /// # Panics
    /// As [`predict`](Self::predict).
    pub fn predict_with<S: Samples, R: Default + Send>(
        &mut self,
        samples: &S,
        rows: Range<u64>,
        out: &mut [f32],
        results: &mut Vec<R>,
        make: impl Fn(u64, &[f32], &mut R) + Sync,
    ) {
        let count = out.len() / self.outputs();
        results.resize_with(count.div_ceil(part_rows(count as u64)), R::default);
        self.run(samples, rows, out, results.iter_mut(), make);
    }

    fn run<S: Samples, R: Send>(
        &mut self,
        samples: &S,
        rows: Range<u64>,
        out: &mut [f32],
        results: impl Iterator<Item = R> + Send,
        make: impl Fn(u64, &[f32], R) + Sync,
    ) {
        let count = (rows.end - rows.start) as usize;
        let outputs = self.outputs();
        assert!(count <= self.batch(), "{count} rows, at most {}", self.batch());
        assert_eq!(out.len(), count * outputs, "room for {count} rows");
        let Trained { network, preprocess, output, .. } = &self.trained;
        let context = RowContext { isa: self.isa, network, preprocess, samples };
        let part_rows = part_rows(count as u64);
        let extras = out.chunks_mut(part_rows * outputs).zip(results);
        self.workspaces.run(rows, part_rows, extras, |shard, rows, (out, result)| {
            let first = rows.start;
            shard.assign(0, rows);
            shard.infer(&context);
            shard.finish(context.isa, network, preprocess, *output, out);
            make(first, out, result);
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

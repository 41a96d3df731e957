//! How rows of the data set and their targets get into a shard.

use super::{RowContext, Shard};
use crate::data::counted;
use crate::data::samples::Samples;
use crate::objective::{Objective, TargetKind};
use gristmill_kernels::{LANES, RowSource, gather, panels};

/// The rows of a shard, as the gather wants them.
struct ShardRows<'a, S> {
    samples: &'a S,
    rows: &'a [u64],
}

impl<S: Samples> RowSource for ShardRows<'_, S> {
    fn len(&self) -> usize {
        self.rows.len()
    }
    #[inline(always)]
    fn row(&self, i: usize) -> &[u8] {
        self.samples.row(self.rows[i])
    }
}

impl Shard {
    /// Decodes and standardises the features, as rows and as columns.
    pub(super) fn gather<S: Samples>(&mut self, context: &RowContext<'_, S>) {
        let width = context.network.inputs();
        let samples = self.rows.len();
        let columns = self.columns();
        let inputs = &mut self.inputs[..panels(width) * samples];
        let rows = ShardRows { samples: context.samples, rows: &self.rows };
        gather::gather(
            context.isa,
            gather::Gather {
                element: context.samples.element(),
                features: width,
                source: &rows,
                shift: &context.preprocess.shift,
                scale: &context.preprocess.scale,
                rows: samples,
                out: inputs,
            },
        );
        let features = &mut self.features[..columns * width];
        gather::transpose_panels(context.isa, inputs, samples, width, features);
    }

    /// Takes targets and weights, and notes a row whose class does not exist.
    pub(super) fn gather_targets<S: Samples>(
        &mut self,
        context: &RowContext<'_, S>,
        objective: &Objective,
    ) {
        self.stray = None;
        match objective.targets {
            TargetKind::Classes => self.gather_classes(context),
            TargetKind::Numbers => self.gather_numbers(context),
        }
        self.gather_weights(context, objective);
    }

    fn gather_classes<S: Samples>(&mut self, context: &RowContext<'_, S>) {
        let classes = context.network.outputs().max(2);
        let lanes = self.targets.as_flattened_mut();
        for (lane, &row) in lanes.iter_mut().zip(&self.rows) {
            let label = context.samples.label(row);
            if label as usize >= classes {
                self.stray.get_or_insert(row);
            }
            *lane = label as f32;
        }
    }

    fn gather_numbers<S: Samples>(&mut self, context: &RowContext<'_, S>) {
        let outputs = context.network.outputs();
        let scales = &context.preprocess.targets;
        for (i, &row) in self.rows.iter().enumerate() {
            let (panel, lane) = (i / LANES, i % LANES);
            context.samples.targets(row, &mut self.target_row);
            let column = &mut self.targets[panel * outputs..][..outputs];
            for (k, (values, &y)) in column.iter_mut().zip(&self.target_row).enumerate() {
                values[lane] = scales.get(k).map_or(y, |s| (y - s.mean) / s.deviation);
            }
        }
    }

    /// Row weight times class weight; 0 in the lanes beyond the rows.
    fn gather_weights<S: Samples>(&mut self, context: &RowContext<'_, S>, objective: &Objective) {
        let columns = self.columns();
        let lanes = self.weights[..columns].as_flattened_mut();
        let (used, unused) = lanes.split_at_mut(self.rows.len());
        unused.fill(0.0);
        let samples = context.samples;
        if objective.class_weights.is_empty() && !samples.has_weights() {
            used.fill(1.0);
            return;
        }
        for (lane, &row) in used.iter_mut().zip(&self.rows) {
            *lane = counted::weight(samples, objective, row);
        }
    }
}

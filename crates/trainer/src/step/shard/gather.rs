//! How rows of the data set and their targets get into a shard.

use super::{RowContext, Shard};
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
        let outputs = context.network.outputs();
        let columns = self.columns();
        let classes = outputs.max(2);
        self.stray = None;
        self.weights[columns - 1] = [0.0; LANES];
        for (i, &row) in self.rows.iter().enumerate() {
            let (panel, lane) = (i / LANES, i % LANES);
            let mut weight = context.samples.weight(row);
            match objective.targets {
                TargetKind::Classes => {
                    let label = context.samples.label(row);
                    if label as usize >= classes {
                        self.stray.get_or_insert(row);
                    }
                    weight *= objective.class_weight(label);
                    self.targets[panel][lane] = label as f32;
                }
                TargetKind::Numbers => {
                    context.samples.targets(row, &mut self.target_row);
                    let column = &mut self.targets[panel * outputs..][..outputs];
                    let scales = &context.preprocess.targets;
                    for (k, (values, &y)) in column.iter_mut().zip(&self.target_row).enumerate() {
                        values[lane] = scales.get(k).map_or(y, |s| (y - s.mean) / s.deviation);
                    }
                }
            }
            self.weights[panel][lane] = weight;
        }
    }
}

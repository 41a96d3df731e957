//! How rows of the data set and their targets get into a shard.

use super::{RowContext, Shard};
use crate::data::augment::Augmentation;
use crate::data::counted;
use crate::data::picked::Picked;
use crate::data::samples::Samples;
use crate::objective::{Objective, TargetKind};
use gristmill_kernels::{Element, LANES, Row, RowSource, gather, panels};

/// The rows of a shard after they were changed.
struct ChangedRows<'a> {
    bytes: &'a [u8],
    row_bytes: usize,
}

impl RowSource for ChangedRows<'_> {
    fn len(&self) -> usize {
        self.bytes.len() / self.row_bytes
    }
    #[inline(always)]
    fn row(&self, i: usize) -> &[u8] {
        &self.bytes[i * self.row_bytes..][..self.row_bytes]
    }
}

impl Shard {
    /// Decodes and standardises the features, as rows and as columns.
    pub(super) fn gather<S: Samples>(&mut self, context: &RowContext<'_, S>) {
        self.gather_rows(context);
        self.turn_features(context);
    }

    /// Decodes and standardises the features, as rows.
    pub(super) fn gather_rows<S: Samples>(&mut self, context: &RowContext<'_, S>) {
        match context.samples.augmentation().filter(|it| it.changes_pixels()) {
            None => {
                let source = Picked { samples: context.samples, rows: &self.rows };
                decode(context, &source, &mut self.inputs);
            }
            Some(augmentation) => {
                self.change(context.samples, augmentation);
                let row_bytes = self.changed.len() / self.rows.len();
                let source = ChangedRows { bytes: &self.changed, row_bytes };
                decode(context, &source, &mut self.inputs);
            }
        }
        if let Some(ends) = &mut self.ends {
            let samples = self.rows.len();
            let inputs = &mut self.inputs[..panels(context.network.inputs()) * samples];
            ends.find(context.network, inputs, samples);
        }
    }

    /// The features as columns.
    pub(super) fn turn_features<S>(&mut self, context: &RowContext<'_, S>) {
        let (width, samples) = (context.network.inputs(), self.rows.len());
        let inputs = &self.inputs[..panels(width) * samples];
        let features = &mut self.features[..panels(samples) * width];
        gather::transpose_panels(context.isa, inputs, samples, width, features);
    }

    /// Changes the rows as they are stored.
    fn change<S: Samples>(&mut self, samples: &S, augmentation: &Augmentation) {
        let row_bytes = samples.row(self.rows[0]).len();
        self.changed.resize(row_bytes * self.rows.len(), 0);
        let change = match samples.element() {
            Element::U8 => Augmentation::change::<1>,
            Element::F16 => Augmentation::change::<2>,
            Element::F32 => Augmentation::change::<4>,
        };
        for (out, &row) in self.changed.chunks_exact_mut(row_bytes).zip(&self.rows) {
            change(augmentation, row, samples.row(row), out);
        }
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

/// Decodes and standardises rows.
fn decode<S: Samples>(context: &RowContext<'_, S>, source: &impl RowSource, inputs: &mut [Row]) {
    let (features, rows) = (context.network.inputs(), source.len());
    let gather = gather::Gather {
        element: context.samples.element(),
        features,
        source,
        shift: &context.preprocess.shift,
        scale: &context.preprocess.scale,
        rows,
        out: &mut inputs[..panels(features) * rows],
    };
    gather::gather(context.isa, gather);
}

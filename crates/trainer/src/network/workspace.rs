//! The values of each node for the samples of a shard, and how a layer gets at those of others.

use super::edges::{Delivery, Source, Way};
use crate::layer::uses::Uses;
use gristmill_kernels::{Isa, Row, Rows, elementwise};

/// One node's values.
pub(crate) struct Space {
    /// Values of a sample.
    pub(crate) units: usize,
    /// units x samples. Forward: the values. Backward, where the only receiver multiplies the slopes: its
    /// partial sums.
    pub(crate) output: Rows,
    /// units x samples. Forward: the slopes, if it has some. Backward: the error.
    pub(crate) error: Rows,
    /// units x samples: errors of several receivers, before the slopes are multiplied.
    pub(crate) sums: Rows,
    /// samples x units: the values again, where a matrix multiplies them.
    pub(crate) transposed: Rows,
    /// What the layer keeps for its backward pass.
    pub(crate) kept: Rows,
    /// Uses of the rows of its table.
    pub(crate) uses: Uses,
}

/// The inputs of a layer.
#[derive(Clone, Copy)]
pub(crate) struct Inputs<'a> {
    pub(crate) sources: &'a [Source],
    /// features x samples.
    pub(crate) features: &'a [Row],
    /// The nodes before it.
    pub(crate) before: &'a [Space],
    /// Panels of samples.
    pub(crate) columns: usize,
}

impl<'a> Inputs<'a> {
    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.sources.len()
    }

    /// The values of one: units x samples.
    pub(crate) fn get(&self, input: usize) -> &'a [Row] {
        match self.sources[input] {
            Source::Features => self.features,
            Source::Node(node) => {
                let space = &self.before[node];
                &space.output[..self.columns * space.units]
            }
        }
    }
}

impl Target<'_> {
    /// Hands an error on as it is.
    pub(crate) fn hand_on(self, isa: Isa, error: &[Row]) {
        match self.add {
            true => elementwise::add(isa, error, self.rows),
            false => self.rows.copy_from_slice(error),
        }
    }
}

/// The inputs of a layer, and where their errors go.
pub(crate) struct Upstream<'a> {
    pub(crate) sources: &'a [Source],
    pub(crate) deliveries: &'a [Option<Delivery>],
    pub(crate) features: &'a [Row],
    pub(crate) before: &'a mut [Space],
    pub(crate) columns: usize,
}

/// Where the error of one input goes.
pub(crate) struct Target<'a> {
    /// The values of the input; none where `slopes` are given.
    pub(crate) input: &'a [Row],
    /// Gets the error.
    pub(crate) rows: &'a mut [Row],
    /// Whether it is added to what is there.
    pub(crate) add: bool,
    /// The layer multiplies these by the error, and `rows` is scratch. Only layers with a matrix are asked to.
    pub(crate) slopes: Option<&'a mut [Row]>,
}

impl Upstream<'_> {
    /// How many inputs there are.
    pub(crate) fn len(&self) -> usize {
        self.sources.len()
    }

    /// The values of an input: units x samples.
    pub(crate) fn input(&self, input: usize) -> &[Row] {
        let Upstream { sources, features, ref before, columns, .. } = *self;
        Inputs { sources, features, before, columns }.get(input)
    }

    /// Where the error of an input goes; `None` where nobody wants it.
    pub(crate) fn target(&mut self, input: usize) -> Option<Target<'_>> {
        let Delivery { to, add, way } = self.deliveries[input]?;
        let Space { units, output, error, sums, .. } = &mut self.before[to];
        let rows = self.columns * *units;
        let (output, error) = (&mut output[..rows], &mut error[..rows]);
        Some(match way {
            Way::Error => Target { input: output, rows: error, add, slopes: None },
            Way::Sums => Target { input: output, rows: &mut sums[..rows], add, slopes: None },
            Way::Slopes => Target { input: &[], rows: output, add, slopes: Some(error) },
        })
    }
}

//! Series of unequal length in a shard: where each sample ends in the values of each node.
//!
//! In the data what lies beyond the end of a series is not a number. In the network it is zero, and so is its error.

use crate::layer::View;
use crate::network::edges::Source;
use crate::network::{Lengths, Network};
use gristmill_kernels::{LANES, Row, panels};

/// Where the samples of a shard end.
pub(super) struct Ends {
    /// Steps of each sample.
    steps: Vec<usize>,
    /// Of the features: one row per panel of samples, empty where they have no positions.
    features: Vec<Row>,
    nodes: Vec<Vec<Row>>,
}

impl Ends {
    /// For a network, if its series are of unequal length.
    pub(super) fn new(network: &Network) -> Option<Box<Ends>> {
        let nodes = network.nodes().iter().map(|_| Vec::new()).collect();
        network.lengths().map(|_| Box::new(Ends { steps: Vec::new(), features: Vec::new(), nodes }))
    }

    /// Finds where samples end, and makes zeros of what lies beyond, unless it is to be looked up: `inputs` are the
    /// features as they were gathered, samples x features.
    pub(super) fn find(&mut self, network: &Network, inputs: &mut [Row], samples: usize) {
        let Some(lengths) = network.lengths() else { return };
        let View { width: steps, channels, .. } = network.features();
        let is_there = |sample: usize, step: usize| {
            let feature = step * channels;
            !inputs[feature / LANES * samples + sample][feature % LANES].is_nan()
        };
        // Nothing is allocated in a steady step.
        let mut ends = std::mem::take(&mut self.steps);
        ends.clear();
        ends.extend(
            (0..samples)
                .map(|sample| (0..steps).take_while(|&step| is_there(sample, step)).count()),
        );
        fill(&mut self.features, lengths, Source::Features, &ends);
        for (node, rows) in self.nodes.iter_mut().enumerate() {
            fill(rows, lengths, Source::Node(node), &ends);
        }
        self.steps = ends;
        if network.looked_up().next().is_none() {
            let beyond = inputs.iter_mut().flatten().filter(|x| x.is_nan());
            beyond.for_each(|x| *x = 0.0);
        }
    }

    /// Where samples end in what a node takes; `None` where that has no positions.
    pub(super) fn of(&self, source: Source) -> Option<&[Row]> {
        let rows = match source {
            Source::Features => &self.features,
            Source::Node(node) => &self.nodes[node],
        };
        Some(&rows[..]).filter(|rows| !rows.is_empty())
    }

    /// Makes zeros of what lies beyond the end of samples in a node's values, or in their errors.
    pub(super) fn cut(&self, node: usize, view: View, rows: &mut [Row]) {
        let Some(ends) = self.of(Source::Node(node)) else { return };
        for (panel, ends) in rows.chunks_exact_mut(view.units()).zip(ends) {
            let positions = panel.chunks_exact_mut(view.channels).enumerate();
            let shortest = ends.iter().fold(f32::INFINITY, |a, &b| a.min(b)) as usize;
            for (position, rows) in positions.skip(shortest) {
                for (x, end) in rows.iter_mut().flat_map(|row| row.iter_mut().zip(ends)) {
                    *x = if (position as f32) < *end { *x } else { 0.0 };
                }
            }
        }
    }
}

/// Puts the positions of each sample into its lane; lanes without a sample have all.
fn fill(rows: &mut Vec<Row>, lengths: &Lengths, source: Source, ends: &[usize]) {
    let Some(positions) = lengths.of_source(source) else { return };
    let all = positions.last().copied().unwrap_or(0.0);
    rows.clear();
    rows.resize(panels(ends.len()), [all; LANES]);
    for (sample, &end) in ends.iter().enumerate() {
        rows[sample / LANES][sample % LANES] = positions[end];
    }
}

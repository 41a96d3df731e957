//! Segments: how far a shard gets before it must wait for what the whole minibatch comes to.
//!
//! Samples are independent of each other but where a layer, such as batch norm, takes something of the whole
//! minibatch. A network without such a layer is one segment.

use super::graph::Node;
use std::ops::Range;

/// What a shard does between two joins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Segment {
    /// Whether it gathers its rows first.
    pub(crate) gathers: bool,
    /// Nodes that it runs forward.
    pub(crate) forward: Range<usize>,
    /// Whether it then takes the loss.
    pub(crate) has_loss: bool,
    /// Nodes that it runs backward, from the last.
    pub(crate) backward: Range<usize>,
    /// The node whose shares are settled when all shards are through.
    pub(crate) settles: Option<Settles>,
}

/// Which shares are settled after a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Settles {
    /// Of the input of this node, which runs forward next.
    Forward(usize),
    /// Of the input and error of this node, which runs backward next.
    Backward(usize),
}

/// The segments of a training step.
pub(crate) fn segments(nodes: &[Node]) -> Vec<Segment> {
    let is_whole = |node: &usize| nodes[*node].layer.as_layer().whole_batch().is_some();
    let barriers: Vec<usize> = (0..nodes.len()).filter(is_whole).collect();
    let mut segments: Vec<Segment> = Vec::with_capacity(2 * barriers.len() + 1);
    let none =
        Segment { gathers: false, forward: 0..0, has_loss: false, backward: 0..0, settles: None };
    let mut begin = 0;
    for &node in &barriers {
        let settles = Some(Settles::Forward(node));
        let gathers = segments.is_empty();
        segments.push(Segment { gathers, forward: begin..node, settles, ..none.clone() });
        begin = node;
    }
    let mut end = nodes.len();
    let gathers = segments.is_empty();
    let mut last = Segment { gathers, forward: begin..end, has_loss: true, ..none.clone() };
    for &node in barriers.iter().rev() {
        last.backward = node + 1..end;
        last.settles = Some(Settles::Backward(node));
        end = node + 1;
        segments.push(std::mem::replace(&mut last, none.clone()));
    }
    last.backward = 0..end;
    segments.push(last);
    segments
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::{Activate, BatchNorm, Kind, View};
    use crate::network::Source;
    use gristmill_kernels::Activation;

    /// Nodes that need the whole minibatch where the letter is B.
    fn nodes(kinds: &str) -> Vec<Node> {
        let view = View::flat(3);
        let layer = |kind| match kind {
            'B' => Kind::BatchNorm(BatchNorm::new(view, 1e-5, 0.1)),
            _ => Kind::Activate(Activate { view, activation: Activation::Relu }),
        };
        let node = |(i, kind): (usize, char)| Node {
            name: format!("n{i}"),
            inputs: vec![i.checked_sub(1).map_or(Source::Features, Source::Node)],
            layer: layer(kind),
        };
        kinds.chars().enumerate().map(node).collect()
    }

    #[test]
    fn every_node_runs_once_each_way_and_after_its_shares_are_settled() {
        for kinds in ["a", "aaa", "B", "aBa", "BaB", "aBBa", "aaBaaBa"] {
            let nodes = nodes(kinds);
            let segments = segments(&nodes);
            assert_eq!(segments.len(), 1 + 2 * kinds.matches('B').count(), "{kinds}");
            assert_eq!(segments.iter().filter(|segment| segment.gathers).count(), 1, "{kinds}");
            let forward: Vec<usize> = segments.iter().flat_map(|s| s.forward.clone()).collect();
            assert_eq!(forward, Vec::from_iter(0..nodes.len()), "{kinds}");
            let backward = segments.iter().flat_map(|s| s.backward.clone().rev());
            assert_eq!(Vec::from_iter(backward), Vec::from_iter((0..nodes.len()).rev()), "{kinds}");
            for pair in segments.windows(2) {
                match pair[0].settles.expect("all but the last wait for something") {
                    Settles::Forward(node) => assert_eq!(pair[1].forward.start, node, "{kinds}"),
                    Settles::Backward(node) => {
                        assert_eq!(pair[1].backward.end, node + 1, "{kinds}");
                    }
                }
            }
        }
    }
}

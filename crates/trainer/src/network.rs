//! A feed-forward network: its layers in the order in which they run, and their weights.

pub(crate) mod edges;
pub mod graph;
pub mod init;
pub mod layout;
pub(crate) mod lengths;
pub(crate) mod segment;
pub mod summary;
pub(crate) mod weights;
pub(crate) mod workspace;

use crate::layer::{Dense, Kind, Parameters, View};
pub use edges::Source;
pub use graph::Node;
use graph::Wiring;
use gristmill_kernels::embedding::Column;
use gristmill_kernels::{Row, Rows};
use layout::{LayerValues, Layout};
pub use lengths::Lengths;
use segment::Segment;

/// Layers and their weights.
#[derive(Debug, Clone)]
pub struct Network {
    features: View,
    nodes: Vec<Node>,
    wiring: Vec<Wiring>,
    segments: Vec<Segment>,
    layout: Layout,
    outputs: usize,
    weights: Rows,
    /// Where series end that are of unequal length; `None` where all rows have all their steps.
    lengths: Option<Lengths>,
}

impl Network {
    /// A network of these nodes with all weights zero. What it gives are the values of the last one.
    ///
    /// # Panics
    /// There is no node, or one takes what does not come before it.
    pub fn new(features: View, nodes: Vec<Node>) -> Network {
        assert!(!nodes.is_empty(), "a network has a layer");
        for (i, node) in nodes.iter().enumerate() {
            let is_before = |source: &Source| !matches!(source, Source::Node(n) if *n >= i);
            assert!(node.inputs.iter().all(is_before), "{} takes what comes before it", node.name);
            assert!(node.layer.output().units() > 0, "no layer is empty");
        }
        let layout = Layout::new(nodes.iter().map(|node| node.layer.parameters()));
        let weights = Rows::zeroed(layout.rows());
        let (wiring, segments) = (graph::wire(&nodes), segment::segments(&nodes));
        let outputs = nodes[nodes.len() - 1].layer.output().units();
        Network { features, wiring, segments, nodes, layout, outputs, weights, lengths: None }
    }

    /// The same for rows that are series of unequal length.
    ///
    /// # Errors
    /// Rows are no series, or a layer does not know where they end.
    pub fn of_unequal_lengths(mut self) -> Result<Network, String> {
        self.lengths = Some(Lengths::of(self.features, &self.nodes)?);
        Ok(self)
    }

    /// Where series end that are of unequal length.
    pub fn lengths(&self) -> Option<&Lengths> {
        self.lengths.as_ref()
    }

    /// Dense layers each of which takes what the one before gives, with all weights zero.
    ///
    /// # Panics
    /// If there is no layer, a layer has no units, or neighbours do not fit.
    pub fn chain(layers: Vec<Dense>) -> Network {
        for pair in layers.windows(2) {
            assert_eq!(pair[0].shape.outputs, pair[1].shape.inputs, "neighbouring layers fit");
        }
        let features = layers.first().map_or(0, |first| first.shape.inputs);
        assert!(features > 0, "a network has a layer, and features");
        let node = |(i, layer): (usize, Dense)| Node {
            name: format!("dense{}", i + 1),
            inputs: vec![i.checked_sub(1).map_or(Source::Features, Source::Node)],
            layer: Kind::Dense(layer),
        };
        let nodes = layers.into_iter().enumerate().map(node).collect();
        Network::new(View::flat(features), nodes)
    }

    /// The nodes, first to last.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// For each node what follows from who takes its values.
    pub(crate) fn wiring(&self) -> &[Wiring] {
        &self.wiring
    }

    /// What a shard does between joins.
    pub(crate) fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// How the features of a row are arranged.
    pub fn features(&self) -> View {
        self.features
    }

    /// Features of a row that comes in.
    pub fn inputs(&self) -> usize {
        self.features.units()
    }

    /// Numbers that come out.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Multiply-adds of a sample in the forward pass.
    pub fn work(&self) -> usize {
        self.nodes.iter().map(|node| node.layer.work()).sum()
    }

    /// Where each weight stands.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// All weights, in the order of the layout.
    pub fn weights(&self) -> &Rows {
        &self.weights
    }

    /// All weights, in the order of the layout.
    pub fn weights_mut(&mut self) -> &mut [Row] {
        &mut self.weights
    }

    /// Nodes, layout and weights together, for an update in place.
    pub(crate) fn parts_mut(&mut self) -> (&[Node], &Layout, &mut [Row]) {
        (&self.nodes, &self.layout, &mut self.weights)
    }

    /// The matrix of a dense layer, row by row (outputs x inputs), and its bias terms (empty if it has none).
    ///
    /// # Panics
    /// The layer has no matrix.
    pub fn layer_weights(&self, layer: usize) -> LayerValues {
        self.layout.read_weights(layer, &self.weights)
    }

    /// Sets the matrix and bias terms of a dense layer, as [`layer_weights`](Self::layer_weights) gives them.
    ///
    /// # Panics
    /// If the sizes are not the layer's.
    pub fn set_layer_weights(&mut self, layer: usize, weights: &[f32], bias: &[f32]) {
        self.layout.write_weights(layer, weights, bias, &mut self.weights);
    }

    /// The tensors of a node: what they are called within it, and their shapes.
    pub fn parts(&self, node: usize) -> Vec<(&'static str, Vec<usize>)> {
        weights::parts(&self.nodes[node].layer)
    }

    /// The tensors of a node, out of an arena of this network's layout.
    pub fn read(&self, node: usize, arena: &[Row]) -> Vec<Vec<f32>> {
        weights::read_node(&self.nodes[node].layer, &self.layout, node, arena)
    }

    /// Sets all that a node has, as [`read`](Self::read) gives it.
    ///
    /// # Panics
    /// If the sizes are not the layer's.
    pub fn write(&mut self, node: usize, values: &[Vec<f32>]) {
        let layer = &self.nodes[node].layer;
        weights::write_node(layer, &self.layout, node, values, &mut self.weights);
    }

    /// Features that are numbers of categories, which an embedding looks up.
    pub(crate) fn looked_up(&self) -> impl Iterator<Item = Column> + '_ {
        graph::looked_up(&self.nodes)
    }

    /// Whether a node has a table.
    pub(crate) fn has_tables(&self) -> bool {
        self.nodes.iter().any(|node| matches!(node.layer.parameters(), Parameters::Table(_)))
    }

    /// Whether a node has parameters whose gradient is summed shard by shard: then the shards are cut alike
    /// on any number of threads.
    pub(crate) fn has_shared(&self) -> bool {
        self.nodes.iter().any(|node| matches!(node.layer.parameters(), Parameters::Shared(_)))
    }
}

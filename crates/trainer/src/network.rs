//! A feed-forward network: the shape of its layers and their weights.

pub mod init;
pub mod layout;
pub(crate) mod weights;

use gristmill_kernels::{Activation, Row, Rows};
use layout::{LayerValues, Layout, Shape};

/// One dense layer: a = f(W x + b), then dropout while training.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Layer {
    /// Inputs, outputs, bias or none.
    pub shape: Shape,
    /// The activation function f.
    pub activation: Activation,
    /// Share of the outputs that is dropped in each training step, in [0, 1).
    pub dropout: f32,
}

/// Dense layers and their weights.
#[derive(Debug, Clone)]
pub struct Network {
    layers: Vec<Layer>,
    layout: Layout,
    weights: Rows,
}

impl Network {
    /// A network of these layers with all weights zero.
    ///
    /// # Panics
    /// If there is no layer, a layer has no units, or neighbours do not fit.
    pub fn zeroed(layers: Vec<Layer>) -> Network {
        assert!(!layers.is_empty(), "a network has a layer");
        for pair in layers.windows(2) {
            assert_eq!(pair[0].shape.outputs, pair[1].shape.inputs, "neighbouring layers fit");
        }
        let shapes: Vec<Shape> = layers.iter().map(|layer| layer.shape).collect();
        assert!(shapes.iter().all(|s| s.inputs > 0 && s.outputs > 0), "no layer is empty");
        let layout = Layout::new(&shapes);
        let weights = Rows::zeroed(layout.rows());
        Network { layers, layout, weights }
    }

    /// The layers, first to last.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// Features of a row that comes in.
    pub fn inputs(&self) -> usize {
        self.layers[0].shape.inputs
    }

    /// Numbers that come out.
    pub fn outputs(&self) -> usize {
        self.layers[self.layers.len() - 1].shape.outputs
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

    /// Layout and weights together, for an update in place.
    pub(crate) fn layout_and_weights_mut(&mut self) -> (&Layout, &mut [Row]) {
        (&self.layout, &mut self.weights)
    }

    /// One layer's matrix, row by row (outputs x inputs), and its bias terms (empty if it has none).
    pub fn layer_weights(&self, layer: usize) -> LayerValues {
        self.layout.read_weights(layer, &self.weights)
    }

    /// Sets one layer's matrix and bias terms, as [`layer_weights`](Self::layer_weights) gives them.
    ///
    /// # Panics
    /// If the sizes are not the layer's.
    pub fn set_layer_weights(&mut self, layer: usize, weights: &[f32], bias: &[f32]) {
        self.layout.write_weights(layer, weights, bias, &mut self.weights);
    }
}

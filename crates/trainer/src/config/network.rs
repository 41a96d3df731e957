//! The `[network]` section: layers, activations and start weights.

use crate::names::named;
use serde::{Deserialize, Serialize};

named! {
    /// How start weights are drawn, by name.
    pub enum InitKind {
        /// `he` before the relu family, `xavier` otherwise.
        Auto = "auto",
        /// Evenly in -scale..scale; default scale 0.05.
        Uniform = "uniform",
        /// Normally with deviation scale; default scale 0.05.
        Normal = "normal",
        /// Glorot's: evenly in +-scale sqrt(6 / (inputs + outputs)); default scale 1.
        Xavier = "xavier",
        /// Normally with deviation scale sqrt(2 / inputs); default scale 1.
        He = "he",
        /// Normally with deviation scale sqrt(1 / inputs); default scale 1.
        Lecun = "lecun",
        /// All zero.
        Zeros = "zeros",
    }
}

/// The `[network]` section. What it says holds for every layer that does not say otherwise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NetworkConfig {
    /// Widths of the hidden layers, the first next to the input; default `[128]`.
    /// Empty is a network of the output layer alone. Not together with `layers`.
    pub hidden: Option<Vec<usize>>,
    /// Activation of hidden layers: a name, with a parameter as in `leaky_relu(0.01)`.
    pub activation: String,
    /// Whether layers add a bias.
    pub bias: bool,
    /// Fraction of a hidden layer's outputs that is dropped while training, 0 to below 1.
    pub dropout: f64,
    /// How start weights are drawn.
    pub init: InitKind,
    /// Scales the start weights; the default depends on `init`.
    pub init_scale: Option<f64>,
    /// Hidden layers one by one, in place of `hidden`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<LayerConfig>,
    /// The output layer.
    pub output: OutputConfig,
}

impl Default for NetworkConfig {
    fn default() -> Self {
        NetworkConfig {
            hidden: None,
            activation: "relu".to_owned(),
            bias: true,
            dropout: 0.0,
            init: InitKind::Auto,
            init_scale: None,
            layers: Vec::new(),
            output: OutputConfig::default(),
        }
    }
}

/// One hidden layer; what it leaves out is as `[network]` says.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayerConfig {
    /// Width of the layer; at least 1.
    pub units: usize,
    /// As [`NetworkConfig::activation`].
    pub activation: Option<String>,
    /// As [`NetworkConfig::bias`].
    pub bias: Option<bool>,
    /// As [`NetworkConfig::dropout`].
    pub dropout: Option<f64>,
    /// As [`NetworkConfig::init`]. Not together with `weights`.
    pub init: Option<InitKind>,
    /// As [`NetworkConfig::init_scale`].
    pub init_scale: Option<f64>,
    /// Explicit start weights: a row per unit, a number per input.
    pub weights: Option<Vec<Vec<f64>>>,
    /// Explicit start biases: a number per unit; zeros if left out.
    pub biases: Option<Vec<f64>>,
}

/// The output layer: its width comes from the data and its activation from the loss.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OutputConfig {
    /// Default `identity`: cross-entropies take logits, and numbers are unbounded.
    pub activation: Option<String>,
    /// As [`NetworkConfig::bias`].
    pub bias: Option<bool>,
    /// As [`NetworkConfig::init`]. Not together with `weights`.
    pub init: Option<InitKind>,
    /// As [`NetworkConfig::init_scale`].
    pub init_scale: Option<f64>,
    /// Explicit start weights: a row per output, a number per input.
    pub weights: Option<Vec<Vec<f64>>>,
    /// Explicit start biases: a number per output; zeros if left out.
    pub biases: Option<Vec<f64>>,
}

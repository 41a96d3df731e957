//! The `[network]` section: layers, activations and start weights.

use super::error::ConfigError;
use super::layers::{LayerConfig, LayerKind};
use crate::layer::dense_settings::DenseConfig;
use crate::layer::settings::{Defaults, Planned, Planning, parse_activation};
use crate::layer::start::{InitKind, SharedStart};
use crate::layer::{Kind, View};
use crate::network::init::Init;
use crate::network::{Node, Source};
use gristmill_io::schema::IndexColumns;
use gristmill_io::suggest::did_you_mean;
use gristmill_kernels::{Activation, Loss};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The `[network]` section. What it says holds for every layer that does not say otherwise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NetworkConfig {
    /// Widths of the hidden layers, the first next to the input; default `[128]`.
    /// Empty is a network of the output layer alone. Not together with `layers`.
    pub hidden: Option<Vec<usize>>,
    /// Activation of hidden layers: a name, with a parameter as in `leaky-relu(0.01)`.
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
    /// As [`NetworkConfig::init_scale`], which counts only where `init` is left out too.
    pub init_scale: Option<f64>,
    /// Explicit start weights: a row per output, a number per input.
    pub weights: Option<Vec<Vec<f64>>>,
    /// Explicit start biases: a number per output; zeros if left out.
    pub biases: Option<Vec<f64>>,
}

/// One node, decided in every point.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerPlan {
    /// The layer in its place.
    pub node: Node,
    /// How each of its tensors starts.
    pub start: Vec<Init>,
}

/// What layers call the features of a row in `from`.
const FEATURES: &str = "features";

impl NetworkConfig {
    /// Checks what does not depend on the data: all but whether layers and explicit weights fit them, and the
    /// output the loss.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let is_dense = |layer: &LayerConfig| matches!(layer.kind, LayerKind::Dense(_));
        if !self.layers.iter().all(is_dense) {
            return Ok(());
        }
        let mut network = self.clone();
        if let Some(LayerKind::Dense(first)) = network.layers.first_mut().map(|l| &mut l.kind) {
            first.weights = None;
        }
        network.output.weights = None;
        network.output.biases = None;
        network.resolve(View::flat(1), &[], 1, Loss::MeanSquared).map(drop)
    }

    /// The layers of a network between these, and this section with nothing left open.
    pub(super) fn resolve(
        &self,
        features: View,
        index_columns: &[IndexColumns],
        outputs: usize,
        loss: Loss,
    ) -> Result<(NetworkConfig, Vec<LayerPlan>), ConfigError> {
        let mut complete = self.clone();
        let hidden = if self.layers.is_empty() {
            let widths = complete.hidden.get_or_insert_with(|| vec![128]);
            let layer = |&units| {
                LayerConfig::of(LayerKind::Dense(DenseConfig { units, ..DenseConfig::default() }))
            };
            widths.iter().map(layer).collect()
        } else if let Some(widths) = &self.hidden {
            let expected = "there are network.layers as well; leave one of them out";
            return Err(ConfigError::value("network.hidden", format!("{widths:?}"), expected));
        } else {
            self.layers.clone()
        };
        let output = &mut complete.output;
        output.activation.get_or_insert_with(|| "identity".to_owned());
        output.bias.get_or_insert(self.bias);
        let output = output.clone().into_layer(outputs);
        self.check_output(&output, loss)?;

        let defaults = self.defaults();
        let mut graph = Graph { features, index_columns, defaults, layers: Vec::new() };
        for (i, layer) in hidden.iter().enumerate() {
            let name = if self.layers.is_empty() { "hidden" } else { "layers" };
            graph.add(&format!("network.{name}[{i}]"), layer)?;
        }
        graph.add("network.output", &LayerConfig::of(LayerKind::Dense(output)))?;
        graph.check_used()?;
        Ok((complete, graph.layers))
    }

    fn check_output(&self, output: &DenseConfig, loss: Loss) -> Result<(), ConfigError> {
        let key = "network.output.activation";
        let activation = parse_activation(key, output.activation.as_deref().unwrap_or("identity"))?;
        match loss.takes_logits() && activation != Activation::Identity {
            false => Ok(()),
            true => Err(ConfigError::value(
                key,
                activation.name(),
                format!("{} takes logits, so expected identity", loss.name()),
            )),
        }
    }

    fn defaults(&self) -> Defaults {
        Defaults {
            activation: self.activation.clone(),
            bias: self.bias,
            dropout: self.dropout,
            start: SharedStart { init: self.init, scale: self.init_scale },
        }
    }
}

/// The nodes of a network, as far as they are planned.
struct Graph<'a> {
    features: View,
    index_columns: &'a [IndexColumns],
    defaults: Defaults,
    layers: Vec<LayerPlan>,
}

impl Graph<'_> {
    fn add(&mut self, key: &str, layer: &LayerConfig) -> Result<(), ConfigError> {
        let inputs = self.sources(key, layer)?;
        let view = |source: &Source| match *source {
            Source::Features => self.features,
            Source::Node(node) => self.layers[node].node.layer.output(),
        };
        let views: Vec<View> = inputs.iter().map(view).collect();
        let takes_features = inputs.contains(&Source::Features);
        let index_columns = if takes_features { self.index_columns } else { &[] };
        if !index_columns.is_empty() && !matches!(layer.kind, LayerKind::Embedding(_)) {
            let given = format!("a layer of kind {}", layer.kind.name());
            let expected = "the data have index columns, numbers of categories or words that mean nothing as amounts: \
                            begin with an embedding, as in --layers \"embedding 8, dense 128\" (for words \
                            \"embedding 32 combine=mean\"), or import categories one-hot with --category";
            return Err(ConfigError::value(key, given, expected));
        }
        let defaults = &self.defaults;
        let planning = Planning { key, inputs: &views, takes_features, defaults, index_columns };
        let Planned { layer: kind, start } = layer.kind.plan(&planning)?;
        let name = self.name(key, layer)?;
        self.layers.push(LayerPlan { node: Node { name, inputs, layer: kind }, start });
        Ok(())
    }

    fn sources(&self, key: &str, layer: &LayerConfig) -> Result<Vec<Source>, ConfigError> {
        let Some(names) = &layer.from else {
            return Ok(vec![
                self.layers.len().checked_sub(1).map_or(Source::Features, Source::Node),
            ]);
        };
        let source = |name: &String| {
            if name == FEATURES {
                return Ok(Source::Features);
            }
            let before = self.layers.iter().position(|layer| layer.node.name == *name);
            before.map(Source::Node).ok_or_else(|| {
                let names = self.layers.iter().map(|layer| layer.node.name.as_str());
                let meant = did_you_mean(name, names.clone());
                let known: Vec<&str> = names.chain([FEATURES]).collect();
                let expected = format!(
                    "no layer before it has that name{meant}; there are {}",
                    known.join(", ")
                );
                ConfigError::value(format!("{key}.from"), format!("{name:?}"), expected)
            })
        };
        names.iter().map(source).collect()
    }

    /// What a layer is called: its kind and a number, unless it says so itself.
    fn name(&self, key: &str, layer: &LayerConfig) -> Result<String, ConfigError> {
        let is_taken = |name: &str| self.layers.iter().any(|before| before.node.name == name);
        if let Some(name) = &layer.name {
            let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
            let expected = if name.is_empty() || !name.chars().all(is_plain) {
                "expected letters, digits, _ and -"
            } else if [FEATURES, "inputs", "outputs"].contains(&name.as_str()) {
                "this name means something else"
            } else if is_taken(name) {
                "another layer has this name"
            } else {
                return Ok(name.clone());
            };
            return Err(ConfigError::value(format!("{key}.name"), format!("{name:?}"), expected));
        }
        let kind = layer.kind.name();
        let mut numbers = (1..).map(|number| format!("{kind}{number}"));
        Ok(numbers.find(|name| !is_taken(name)).expect("there is always a next number"))
    }

    /// Refuses layers whose values nobody takes.
    fn check_used(&self) -> Result<(), ConfigError> {
        let mut is_used = BTreeSet::new();
        for source in self.layers.iter().flat_map(|layer| &layer.node.inputs) {
            if let Source::Node(node) = source {
                is_used.insert(*node);
            }
        }
        let others = 0..self.layers.len() - 1;
        match others.into_iter().find(|node| !is_used.contains(node)) {
            None => Ok(()),
            Some(node) => Err(ConfigError::value(
                format!("network.layers[{node}]"),
                format!("\"{}\"", self.layers[node].node.name),
                "no layer takes its values; name it in a later layer's `from`, or leave it out",
            )),
        }
    }
}

impl OutputConfig {
    fn into_layer(self, units: usize) -> DenseConfig {
        let OutputConfig { activation, bias, init, init_scale, weights, biases } = self;
        let dropout = Some(0.0);
        DenseConfig { units, activation, bias, dropout, init, init_scale, weights, biases }
    }
}

impl LayerPlan {
    /// The activation of a dense layer.
    pub(super) fn activation(&self) -> Activation {
        match &self.node.layer {
            Kind::Dense(dense) => dense.activation,
            _ => Activation::Identity,
        }
    }
}

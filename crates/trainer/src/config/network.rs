//! The `[network]` section: layers, activations and start weights.

use super::error::{ConfigError, require};
use crate::names::named;
use crate::network::init::Init;
use gristmill_io::suggest::{alike, did_you_mean};
use gristmill_kernels::{Activation, Loss};
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
    /// As [`NetworkConfig::init_scale`], which counts only where `init` is left out too.
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
    /// As [`NetworkConfig::init_scale`], which counts only where `init` is left out too.
    pub init_scale: Option<f64>,
    /// Explicit start weights: a row per output, a number per input.
    pub weights: Option<Vec<Vec<f64>>>,
    /// Explicit start biases: a number per output; zeros if left out.
    pub biases: Option<Vec<f64>>,
}

/// One layer, decided in every point.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerPlan {
    /// Units of the layer before, or features; at least 1.
    pub inputs: usize,
    /// Units; at least 1.
    pub outputs: usize,
    /// Applied to every unit's sum.
    pub activation: Activation,
    /// Fraction of the outputs dropped while training; 0 for the output layer.
    pub dropout: f64,
    /// How the weights start.
    pub init: Init,
    /// Start biases, one per output; `None` if the layer adds none.
    pub bias: Option<Vec<f32>>,
}

/// Widest layer.
const MAX_UNITS: usize = 1 << 20;
/// Most parameters of a network: 4 GiB of f32.
const MAX_PARAMETERS: usize = 1 << 30;

impl NetworkConfig {
    /// Checks what does not depend on the data: all but whether explicit weights fit them, and the output
    /// the loss.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let mut network = self.clone();
        if let Some(first) = network.layers.first_mut() {
            first.weights = None;
        }
        network.output.weights = None;
        network.output.biases = None;
        network.resolve(1, 1, Loss::MeanSquared).map(drop)
    }

    /// The layers of a network between these widths, and this section with nothing left open.
    pub(super) fn resolve(
        &self,
        features: usize,
        outputs: usize,
        loss: Loss,
    ) -> Result<(NetworkConfig, Vec<LayerPlan>), ConfigError> {
        let mut complete = self.clone();
        let hidden = if self.layers.is_empty() {
            let widths = complete.hidden.get_or_insert_with(|| vec![128]);
            let layer = |&units| LayerConfig { units, ..LayerConfig::default() };
            widths.iter().map(layer).collect()
        } else if let Some(widths) = &self.hidden {
            let expected = "there are network.layers as well; leave one of them out";
            return Err(ConfigError::value("network.hidden", format!("{widths:?}"), expected));
        } else {
            self.layers.clone()
        };

        let mut layers: Vec<LayerPlan> = Vec::with_capacity(hidden.len() + 1);
        for (i, layer) in hidden.iter().enumerate() {
            let name = if self.layers.is_empty() { "hidden" } else { "layers" };
            let inputs = layers.last().map_or(features, |before| before.outputs);
            layers.push(self.layer(&format!("network.{name}[{i}]"), layer, inputs)?);
        }
        let inputs = layers.last().map_or(features, |before| before.outputs);
        let output = &mut complete.output;
        output.activation.get_or_insert_with(|| "identity".to_owned());
        output.bias.get_or_insert(self.bias);
        let output = output.clone().into_layer(outputs);
        let output = self.layer("network.output", &output, inputs)?;
        if loss.takes_logits() && output.activation != Activation::Identity {
            return Err(ConfigError::value(
                "network.output.activation",
                output.activation.name(),
                format!("{} takes logits, so expected identity", loss.name()),
            ));
        }
        layers.push(output);
        Ok((complete, layers))
    }

    /// One layer; what it leaves out is as this section says.
    fn layer(
        &self,
        key: &str,
        layer: &LayerConfig,
        inputs: usize,
    ) -> Result<LayerPlan, ConfigError> {
        let own = |name: &str, given: bool| {
            if given { format!("{key}.{name}") } else { format!("network.{name}") }
        };
        let outputs = layer.units;
        if !(1..=MAX_UNITS).contains(&outputs) {
            return Err(ConfigError::value(
                key,
                outputs,
                format!("expected 1 to {MAX_UNITS} units"),
            ));
        }
        if inputs.saturating_mul(outputs) > MAX_PARAMETERS {
            return Err(ConfigError::value(
                "network",
                format!("{inputs} by {outputs} units in a layer"),
                format!("expected at most {MAX_PARAMETERS} parameters"),
            ));
        }
        let activation = parse_activation(
            &own("activation", layer.activation.is_some()),
            layer.activation.as_ref().unwrap_or(&self.activation),
        )?;
        let dropout = layer.dropout.unwrap_or(self.dropout);
        let dropout_key = own("dropout", layer.dropout.is_some());
        require(&dropout_key, dropout, (0.0..1.0).contains(&dropout), "0 to below 1")?;
        Ok(LayerPlan {
            inputs,
            outputs,
            activation,
            dropout,
            init: self.start_weights(key, layer, inputs, activation)?,
            bias: self.start_biases(key, layer)?,
        })
    }

    fn start_weights(
        &self,
        key: &str,
        layer: &LayerConfig,
        inputs: usize,
        activation: Activation,
    ) -> Result<Init, ConfigError> {
        let outputs = layer.units;
        if let Some(rows) = &layer.weights {
            if let Some(kind) = layer.init {
                let expected = "there are explicit weights as well; leave one of them out";
                return Err(ConfigError::value(format!("{key}.init"), kind, expected));
            }
            return explicit_weights(&format!("{key}.weights"), rows, inputs, outputs);
        }
        let kind = layer.init.unwrap_or(self.init);
        // A scale belongs to its scheme: a layer with its own scheme does not take the network's.
        let shared_scale = self.init_scale.filter(|_| layer.init.is_none());
        let scale = layer.init_scale.or(shared_scale);
        if let Some(scale) = scale {
            let section = if layer.init_scale.is_some() { key } else { "network" };
            require(&format!("{section}.init_scale"), scale, scale > 0.0, "a positive number")?;
        }
        let factor = scale.unwrap_or(1.0);
        Ok(match kind {
            InitKind::Auto if one_sided(activation) => Init::he(factor, inputs),
            InitKind::Auto | InitKind::Xavier => Init::xavier(factor, inputs, outputs),
            InitKind::Uniform => Init::Uniform { limit: scale.unwrap_or(0.05) },
            InitKind::Normal => Init::Normal { deviation: scale.unwrap_or(0.05) },
            InitKind::He => Init::he(factor, inputs),
            InitKind::Lecun => Init::lecun(factor, inputs),
            InitKind::Zeros => Init::Zeros,
        })
    }

    fn start_biases(
        &self,
        key: &str,
        layer: &LayerConfig,
    ) -> Result<Option<Vec<f32>>, ConfigError> {
        let biases_key = format!("{key}.biases");
        match (layer.bias.unwrap_or(self.bias), &layer.biases) {
            (false, None) => Ok(None),
            (true, None) => {
                let mut zeros = Vec::new();
                let given = zeros.try_reserve_exact(layer.units);
                given.map_err(|_| {
                    ConfigError::value(key, layer.units, "expected as many units as memory holds")
                })?;
                zeros.resize(layer.units, 0.0);
                Ok(Some(zeros))
            }
            (true, Some(biases)) => explicit_row(&biases_key, biases, layer.units).map(Some),
            (false, Some(_)) => Err(ConfigError::value(
                biases_key,
                "given",
                "the layer adds no bias; leave them out or set bias = true",
            )),
        }
    }
}

impl OutputConfig {
    fn into_layer(self, units: usize) -> LayerConfig {
        let OutputConfig { activation, bias, init, init_scale, weights, biases } = self;
        let dropout = Some(0.0);
        LayerConfig { units, activation, bias, dropout, init, init_scale, weights, biases }
    }
}

/// Whether about half of the outputs are nearly 0, so that start weights must be larger.
fn one_sided(activation: Activation) -> bool {
    use Activation::*;
    matches!(activation, Relu | LeakyRelu { .. } | Elu { .. } | Gelu | Silu)
}

/// `name` or `name(parameter)`.
fn parse_activation(key: &str, text: &str) -> Result<Activation, ConfigError> {
    let wrong = |expected: String| ConfigError::value(key, format!("{text:?}"), expected);
    let (name, parameter) = match text.strip_suffix(')').and_then(|t| t.split_once('(')) {
        Some((name, parameter)) => {
            let parsed = parameter.trim().parse::<f32>();
            let number = parsed.map_err(|_| wrong(format!("{parameter:?} is not a number")))?;
            (name, Some(number))
        }
        None => (text, None),
    };
    let name = name.trim();
    let Some(known) = Activation::NAMES.into_iter().find(|known| alike(known, name)) else {
        let (meant, names) = (did_you_mean(name, Activation::NAMES), Activation::NAMES.join(", "));
        return Err(wrong(format!("there is no such activation{meant}; there are {names}")));
    };
    Activation::from_name(known, parameter).map_err(|error| wrong(error.to_string()))
}

fn explicit_weights(
    key: &str,
    rows: &[Vec<f64>],
    inputs: usize,
    outputs: usize,
) -> Result<Init, ConfigError> {
    if rows.len() != outputs {
        let expected = format!("expected {}, one per unit", counted(outputs, "row"));
        return Err(ConfigError::value(key, counted(rows.len(), "row"), expected));
    }
    let mut weights = Vec::with_capacity(inputs * outputs);
    for (i, row) in rows.iter().enumerate() {
        weights.extend(explicit_row(&format!("{key}[{i}]"), row, inputs)?);
    }
    Ok(Init::Explicit(weights))
}

fn explicit_row(key: &str, row: &[f64], length: usize) -> Result<Vec<f32>, ConfigError> {
    if row.len() != length {
        let expected = format!("expected {}", counted(length, "number"));
        return Err(ConfigError::value(key, counted(row.len(), "number"), expected));
    }
    for (i, &value) in row.iter().enumerate() {
        require(&format!("{key}[{i}]"), value, (value as f32).is_finite(), "a finite number")?;
    }
    Ok(row.iter().map(|&value| value as f32).collect())
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

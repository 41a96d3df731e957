//! What a configuration says of a dense layer.

use super::dense::Dense;
use crate::config::error::{ConfigError, require};
use crate::layer::settings::{
    MAX_PARAMETERS, MAX_UNITS, Planned, Planning, counted, parse_activation,
};
use crate::layer::start::{self, Fan, InitKind, OwnStart};
use crate::layer::{Kind, Shape};
use crate::network::init::Init;
use gristmill_kernels::Activation;
use serde::{Deserialize, Serialize};

/// A dense layer; what it leaves out is as `[network]` says. Pixels and steps are inputs like any others.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DenseConfig {
    /// Width of the layer; at least 1.
    pub units: usize,
    /// Activation: a name, with a parameter as in `leaky-relu(0.01)`.
    pub activation: Option<String>,
    /// Whether it adds a bias.
    pub bias: Option<bool>,
    /// Fraction of its outputs that is dropped while training, 0 to below 1.
    pub dropout: Option<f64>,
    /// How start weights are drawn. Not together with `weights`.
    pub init: Option<InitKind>,
    /// Scales the start weights; the network's counts only where `init` is left out too.
    pub init_scale: Option<f64>,
    /// Explicit start weights: a row per unit, a number per input.
    pub weights: Option<Vec<Vec<f64>>>,
    /// Explicit start biases: a number per unit; zeros if left out.
    pub biases: Option<Vec<f64>>,
}

impl DenseConfig {
    pub(crate) fn plan(&self, at: &Planning<'_>) -> Result<Planned, ConfigError> {
        let key = at.key;
        let own = |name: &str, given: bool| {
            if given { format!("{key}.{name}") } else { format!("network.{name}") }
        };
        let (inputs, outputs) = (at.input()?.units(), self.units);
        if !(1..=MAX_UNITS).contains(&outputs) {
            let expected = format!("expected 1 to {MAX_UNITS} units");
            return Err(ConfigError::value(key, outputs, expected));
        }
        if inputs.saturating_mul(outputs) > MAX_PARAMETERS {
            return Err(ConfigError::value(
                "network",
                format!("{inputs} by {outputs} units in a layer"),
                format!("expected at most {MAX_PARAMETERS} parameters"),
            ));
        }
        let activation = parse_activation(
            &own("activation", self.activation.is_some()),
            self.activation.as_ref().unwrap_or(&at.defaults.activation),
        )?;
        let dropout = self.dropout.unwrap_or(at.defaults.dropout);
        let dropout_key = own("dropout", self.dropout.is_some());
        require(&dropout_key, dropout, (0.0..1.0).contains(&dropout), "0 to below 1")?;
        let bias = self.bias.unwrap_or(at.defaults.bias);
        let mut start = vec![self.start_weights(at, inputs, activation)?];
        start.extend(self.start_biases(key, bias)?);
        let shape = Shape { inputs, outputs, bias };
        let layer = Kind::Dense(Dense { shape, activation, dropout: dropout as f32 });
        Ok(Planned { layer, start })
    }

    fn start_weights(
        &self,
        at: &Planning<'_>,
        inputs: usize,
        activation: Activation,
    ) -> Result<Init, ConfigError> {
        let (key, outputs) = (at.key, self.units);
        if let Some(rows) = &self.weights {
            if let Some(kind) = self.init {
                let expected = "there are explicit weights as well; leave one of them out";
                return Err(ConfigError::value(format!("{key}.init"), kind, expected));
            }
            return explicit_weights(&format!("{key}.weights"), rows, inputs, outputs);
        }
        let own = OwnStart { init: self.init, scale: self.init_scale };
        start::weights(key, own, at.defaults.start, Fan { inputs, outputs }, activation)
    }

    fn start_biases(&self, key: &str, bias: bool) -> Result<Option<Init>, ConfigError> {
        let biases_key = format!("{key}.biases");
        match (bias, &self.biases) {
            (false, None) => Ok(None),
            (true, None) => Ok(Some(Init::Zeros)),
            (true, Some(biases)) => {
                let biases = explicit_row(&biases_key, biases, self.units)?;
                Ok(Some(Init::Explicit(biases)))
            }
            (false, Some(_)) => Err(ConfigError::value(
                biases_key,
                "given",
                "the layer adds no bias; leave them out or set bias = true",
            )),
        }
    }
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

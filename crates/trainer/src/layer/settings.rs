//! What a configuration says of one layer, and what is made of it.

use super::start::SharedStart;
use super::{Kind, View};
use crate::config::error::ConfigError;
use crate::network::init::Init;
use gristmill_io::schema::IndexColumns;
use gristmill_io::suggest::{alike, did_you_mean};
use gristmill_kernels::Activation;
use std::fmt;

/// Most parameters of a layer: 4 GiB of f32.
pub(crate) const MAX_PARAMETERS: usize = 1 << 30;
/// Most values of a layer.
pub(crate) const MAX_UNITS: usize = 1 << 20;

/// What `[network]` says for every layer that does not say otherwise.
#[derive(Debug, Clone)]
pub(crate) struct Defaults {
    pub(crate) activation: String,
    pub(crate) bias: bool,
    pub(crate) dropout: f64,
    pub(crate) start: SharedStart,
}

/// Where a layer stands while it is planned.
pub(crate) struct Planning<'a> {
    /// Its key, as in `network.layers[3]`.
    pub(crate) key: &'a str,
    /// How its inputs are arranged.
    pub(crate) inputs: &'a [View],
    /// Whether the features of a row are among them.
    pub(crate) takes_features: bool,
    pub(crate) defaults: &'a Defaults,
    /// Units of its input that are numbers of categories or words.
    pub(crate) index_columns: &'a [IndexColumns],
}

/// A layer, decided in every point.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// What it computes.
    pub layer: Kind,
    /// How each of its tensors starts, in their order.
    pub start: Vec<Init>,
}

impl Planned {
    /// A layer without parameters.
    pub(crate) fn bare(layer: Kind) -> Planned {
        Planned { layer, start: Vec::new() }
    }
}

impl Planning<'_> {
    /// The only input.
    ///
    /// # Errors
    /// There are several.
    pub(crate) fn input(&self) -> Result<View, ConfigError> {
        match self.inputs {
            &[input] => Ok(input),
            inputs => Err(self.wrong("from", counted(inputs.len(), "layer"), "it takes one input")),
        }
    }

    /// An error about one of its keys.
    pub(crate) fn wrong(
        &self,
        name: &str,
        value: impl fmt::Display,
        expected: impl Into<String>,
    ) -> ConfigError {
        ConfigError::value(format!("{}.{name}", self.key), value, expected)
    }

    /// An error about the shape that comes in.
    pub(crate) fn misfit(&self, came: View, needs: impl fmt::Display) -> ConfigError {
        ConfigError::value(
            self.key,
            format!("given an input of {came}"),
            format!("it needs {needs}"),
        )
    }

    /// A number that must be at least 1.
    pub(crate) fn at_least_one(&self, name: &str, value: usize) -> Result<usize, ConfigError> {
        match value {
            0 => Err(self.wrong(name, 0, "expected at least 1")),
            _ => Ok(value),
        }
    }

    /// Its activation, where it has one of its own, else this.
    pub(crate) fn activation(
        &self,
        own: Option<&str>,
        otherwise: Activation,
    ) -> Result<Activation, ConfigError> {
        own.map_or(Ok(otherwise), |text| {
            parse_activation(&format!("{}.activation", self.key), text)
        })
    }
}

/// `name` or `name(parameter)`.
pub(crate) fn parse_activation(key: &str, text: &str) -> Result<Activation, ConfigError> {
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

/// `1 row`, `3 rows`.
pub(crate) fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

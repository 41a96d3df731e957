//! `[[network.layers]]`: one layer after the other, of any kind.

use crate::config::error::ConfigError;
use crate::layer::activate::ActivateConfig;
use crate::layer::add::AddConfig;
use crate::layer::attention::AttentionConfig;
use crate::layer::batch_norm::BatchNormConfig;
use crate::layer::concat::ConcatConfig;
use crate::layer::conv::ConvConfig;
use crate::layer::dense_settings::DenseConfig;
use crate::layer::drop::DropConfig;
use crate::layer::embedding_settings::EmbeddingConfig;
use crate::layer::flatten::FlattenConfig;
use crate::layer::learned::{PreluConfig, ScaleConfig};
use crate::layer::norm::{LayerNormConfig, RmsNormConfig};
use crate::layer::periodic::PeriodicConfig;
use crate::layer::piecewise::PiecewiseConfig;
use crate::layer::pool::{GlobalPoolConfig, PoolConfig};
use crate::layer::positions::PositionsConfig;
use crate::layer::recurrent::{GruConfig, LstmConfig};
use crate::layer::settings::{Planned, Planning};
use crate::layer::smooth_clip::SmoothClipConfig;
use gristmill_io::suggest::{alike, did_you_mean};
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

/// One hidden layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Table", into = "Table")]
pub struct LayerConfig {
    /// What it is called in files, and by layers that take its values; its kind and a number if left out.
    pub name: Option<String>,
    /// The layers whose values it takes, or `features`; the layer before if left out.
    pub from: Option<Vec<String>>,
    /// What it computes.
    pub kind: LayerKind,
}

/// Declares the kinds with their names and settings.
macro_rules! kinds {
    ($( $(#[$doc:meta])* $variant:ident($settings:ty) = $name:literal $positional:expr ),+ $(,)?) => {
        /// What a layer computes, with what a configuration says of it.
        #[derive(Debug, Clone, PartialEq)]
        pub enum LayerKind { $( $(#[$doc])* $variant($settings) ),+ }

        impl LayerKind {
            /// Every name of a kind.
            pub const NAMES: &'static [&'static str] = &[$($name),+];

            /// The name of the kind.
            pub fn name(&self) -> &'static str {
                match self { $( LayerKind::$variant(_) => $name ),+ }
            }

            /// The keys to which a short form gives its first words.
            pub(super) fn positional(name: &str) -> &'static [&'static str] {
                match name { $( $name => &$positional, )+ _ => &[] }
            }

            fn from_table(name: &str, table: Table) -> Result<LayerKind, toml::de::Error> {
                Ok(match name {
                    $( $name => LayerKind::$variant(table.try_into()?), )+
                    _ => unreachable!("the name is one of NAMES"),
                })
            }

            fn to_table(&self) -> Table {
                let table = match self { $( LayerKind::$variant(it) => Table::try_from(it) ),+ };
                table.expect("every field has a TOML form")
            }

            pub(super) fn plan(&self, at: &Planning<'_>) -> Result<Planned, ConfigError> {
                match self { $( LayerKind::$variant(it) => it.plan(at) ),+ }
            }
        }
    };
}

kinds! {
    /// A matrix, a bias and an activation.
    Dense(DenseConfig) = "dense" ["units"],
    /// A vector for each category, looked up by its number.
    Embedding(EmbeddingConfig) = "embedding" ["size"],
    /// A convolution of images or series.
    Conv(ConvConfig) = "conv" ["filters", "kernel"],
    /// The largest or the mean of each window of positions.
    Pool(PoolConfig) = "pool" ["window"],
    /// The mean or the largest over all positions.
    GlobalPool(GlobalPoolConfig) = "global-pool" ["function"],
    /// Each channel normalised over the minibatch.
    BatchNorm(BatchNormConfig) = "batch-norm" [],
    /// The channels of each position at mean 0 and deviation 1.
    LayerNorm(LayerNormConfig) = "layer-norm" [],
    /// The channels of each position at root mean square 1.
    RmsNorm(RmsNormConfig) = "rms-norm" [],
    /// A gated recurrent unit over the steps of a series.
    Gru(GruConfig) = "gru" ["units"],
    /// A long short-term memory over the steps of a series.
    Lstm(LstmConfig) = "lstm" ["units"],
    /// Attention between the positions of a sample.
    Attention(AttentionConfig) = "attention" ["heads"],
    /// A learned vector added to each position.
    Positions(PositionsConfig) = "positions" [],
    /// A learned factor for each channel.
    Scale(ScaleConfig) = "scale" [],
    /// ReLU with a learned slope for each channel.
    Prelu(PreluConfig) = "prelu" [],
    /// Each value brought within 3 of 0.
    SmoothClip(SmoothClipConfig) = "smooth-clip" [],
    /// Each number with mixtures of waves of it.
    Periodic(PeriodicConfig) = "periodic" ["size"],
    /// Each feature as functions that bend at its quantiles.
    PiecewiseLinear(PiecewiseConfig) = "piecewise-linear" ["size"],
    /// An activation by itself.
    Activate(ActivateConfig) = "activation" ["function"],
    /// Drops values while training.
    Drop(DropConfig) = "dropout" ["rate"],
    /// The sum of several layers: a residual connection.
    Add(AddConfig) = "add" [],
    /// The channels of several layers, one after the other.
    Concat(ConcatConfig) = "concat" [],
    /// All values as channels of a single position.
    Flatten(FlattenConfig) = "flatten" [],
}

/// The kind of a layer that does not say.
const DEFAULT_KIND: &str = "dense";

/// The kind of this name, whatever its case and separators.
pub(super) fn kind_named(name: &str) -> Result<&'static str, String> {
    let names = LayerKind::NAMES.iter().copied();
    names.clone().find(|known| alike(known, name)).ok_or_else(|| {
        let meant = did_you_mean(name, names);
        format!("there is no layer \"{name}\"{meant}; there are {}", LayerKind::NAMES.join(", "))
    })
}

impl LayerKind {
    /// Whether it goes over the positions of an image or a series.
    pub(super) fn needs_positions(&self) -> bool {
        matches!(
            self,
            LayerKind::Conv(_)
                | LayerKind::Pool(_)
                | LayerKind::GlobalPool(_)
                | LayerKind::Gru(_)
                | LayerKind::Lstm(_)
                | LayerKind::Attention(_)
                | LayerKind::Positions(_)
        )
    }
}

impl LayerConfig {
    /// A layer that takes what the one before gives.
    pub fn of(kind: LayerKind) -> LayerConfig {
        LayerConfig { name: None, from: None, kind }
    }
}

impl TryFrom<Table> for LayerConfig {
    type Error = String;

    fn try_from(mut table: Table) -> Result<LayerConfig, String> {
        let text = |key: &str, value: Value| match value {
            Value::String(text) => Ok(text),
            other => Err(format!("`{key}` is {other}, expected a text")),
        };
        let name = table.remove("name").map(|name| text("name", name)).transpose()?;
        let from = match table.remove("from") {
            None => None,
            Some(Value::Array(names)) => {
                Some(names.into_iter().map(|name| text("from", name)).collect::<Result<_, _>>()?)
            }
            Some(name) => Some(vec![text("from", name)?]),
        };
        let kind = match table.remove("kind") {
            None => DEFAULT_KIND,
            Some(kind) => kind_named(&text("kind", kind)?)?,
        };
        let of_kind =
            |error: toml::de::Error| format!("a layer of kind {kind}: {}", error.message());
        let kind = LayerKind::from_table(kind, table).map_err(of_kind)?;
        Ok(LayerConfig { name, from, kind })
    }
}

impl From<LayerConfig> for Table {
    fn from(layer: LayerConfig) -> Table {
        let mut table = Table::new();
        if layer.kind.name() != DEFAULT_KIND {
            table.insert("kind".to_owned(), Value::String(layer.kind.name().to_owned()));
        }
        if let Some(name) = layer.name {
            table.insert("name".to_owned(), Value::String(name));
        }
        if let Some(from) = layer.from {
            let names = from.into_iter().map(Value::String).collect();
            table.insert("from".to_owned(), Value::Array(names));
        }
        table.extend(layer.kind.to_table());
        table
    }
}

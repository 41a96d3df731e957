//! The network and its loss.

use clap::Args;
use gristmill_trainer::config::{InitKind, LossConfig, LossKind, RunConfig};
use std::str::FromStr;

/// What overrides the `[network]` and `[loss]` sections of a configuration.
#[derive(Args)]
#[command(next_help_heading = "Network")]
pub(crate) struct NetworkArgs {
    /// Widths of the hidden layers, as in 300,300, or "none" [default: 128]
    #[arg(long, value_name = "WIDTHS")]
    hidden: Option<Widths>,
    /// Activation of hidden layers: identity, sigmoid, tanh, relu, leaky-relu, elu, gelu, silu or
    /// softplus, with a parameter as in "elu(0.5)" [default: relu]
    #[arg(long, value_name = "NAME")]
    activation: Option<String>,
    /// Leave the biases out
    #[arg(long)]
    no_bias: bool,
    /// Share of the hidden units that is dropped in each step, below 1 [default: 0]
    #[arg(long, value_name = "SHARE")]
    dropout: Option<f64>,
    /// Start weights: uniform, normal, xavier, he, lecun or zeros [default: he before relu and its
    /// kin, else xavier]
    #[arg(long, value_name = "NAME")]
    init: Option<InitKind>,
    /// What is minimised: mean-squared, half-sum-squares, mean-absolute, huber,
    /// binary-cross-entropy or softmax-cross-entropy [default: cross-entropy for classes,
    /// mean-squared for numbers]
    #[arg(long, value_name = "NAME")]
    loss: Option<LossKind>,
}

impl NetworkArgs {
    /// Puts what was given into the configuration.
    pub(crate) fn apply(self, config: &mut RunConfig) {
        let network = &mut config.network;
        if let Some(Widths(widths)) = self.hidden {
            network.hidden = Some(widths);
            network.layers.clear();
            // Explicit weights were those of an output layer of other inputs.
            network.output.weights = None;
        }
        network.activation = self.activation.unwrap_or_else(|| network.activation.clone());
        network.bias &= !self.no_bias;
        network.dropout = self.dropout.unwrap_or(network.dropout);
        network.init = self.init.unwrap_or(network.init);
        // Another loss takes its own defaults in place of those that were spelled out for the last.
        if let Some(kind) = self.loss.filter(|kind| *kind != config.loss.kind) {
            config.loss = LossConfig { kind, ..Default::default() };
        }
    }
}

/// Widths of hidden layers.
#[derive(Clone)]
struct Widths(Vec<usize>);

impl FromStr for Widths {
    type Err = String;

    fn from_str(text: &str) -> Result<Widths, String> {
        if text == "none" {
            return Ok(Widths(Vec::new()));
        }
        let width = |part: &str| match part.trim().parse() {
            Ok(width @ 1..) => Ok(width),
            _ => Err(format!("{part:?} is no width; expected numbers as in 300,300, or \"none\"")),
        };
        text.split(',').map(width).collect::<Result<_, _>>().map(Widths)
    }
}

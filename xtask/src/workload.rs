//! Workloads: the training steps that are timed, by name or by flags.

use anyhow::{Result, bail, ensure};
use clap::ValueEnum;
use serde::Serialize;

/// One training step, as `benches/peers/README.md` describes its JSON.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Workload {
    pub(crate) name: String,
    pub(crate) layers: Vec<usize>,
    pub(crate) batch: usize,
    pub(crate) optimizer: Optimizer,
    pub(crate) learning_rate: f64,
    pub(crate) momentum: f64,
    pub(crate) loss: Loss,
    pub(crate) activation: Activation,
    pub(crate) output: Activation,
    pub(crate) threads: usize,
}

/// How parameters follow their gradient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Optimizer {
    Sgd,
    Momentum,
    Adam,
}

/// What is minimised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Loss {
    MeanSquared,
    MeanAbsolute,
    BinaryCrossEntropy,
    SoftmaxCrossEntropy,
}

/// The function after a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Activation {
    Identity,
    Sigmoid,
    Tanh,
    Relu,
    Gelu,
    Silu,
}

/// Which workloads to time.
#[derive(clap::Args)]
pub(crate) struct Choice {
    /// Named workloads.
    #[arg(long, value_delimiter = ',', value_name = "NAMES", default_value = "seed,tab,higgs,mnist,wide", value_parser = clap::builder::PossibleValuesParser::new(NAMES))]
    workloads: Vec<String>,
    /// A workload of your own instead: widths from the input to the output, as 784,512,10.
    #[arg(long, value_delimiter = ',', value_name = "WIDTHS", conflicts_with = "workloads")]
    layers: Option<Vec<usize>>,
    /// Rows per step, with --layers.
    #[arg(long, default_value_t = 128, requires = "layers")]
    batch: usize,
    /// The optimiser, with --layers.
    #[arg(long, value_enum, default_value = "adam", requires = "layers")]
    optimizer: Optimizer,
    /// The loss, with --layers.
    #[arg(long, value_enum, default_value = "softmax-cross-entropy", requires = "layers")]
    loss: Loss,
    /// The activation of hidden layers, with --layers.
    #[arg(long, value_enum, default_value = "relu", requires = "layers")]
    activation: Activation,
    /// Threads that each program may use.
    #[arg(long, default_value_t = 2)]
    threads: usize,
}

impl Choice {
    /// The workloads chosen; at least one.
    ///
    /// # Errors
    /// Numbers that make no network.
    pub(crate) fn workloads(&self) -> Result<Vec<Workload>> {
        ensure!(self.threads > 0, "--threads 0: expected at least 1");
        let Some(layers) = &self.layers else {
            return self.workloads.iter().map(|name| named(name, self.threads)).collect();
        };
        ensure!(
            layers.len() > 1 && !layers.contains(&0),
            "--layers: expected at least an input and an output width, none of them 0"
        );
        ensure!(self.batch > 0, "--batch 0: expected at least 1");
        let mut own = Workload::new(&widths(layers), layers, self.batch, self.optimizer, self.loss);
        own.activation = self.activation;
        own.threads = self.threads;
        Ok(vec![own])
    }
}

fn widths(layers: &[usize]) -> String {
    layers.iter().map(usize::to_string).collect::<Vec<_>>().join("-")
}

/// The names of the standing workloads, smallest first.
pub(crate) const NAMES: [&str; 5] = ["seed", "tab", "higgs", "mnist", "wide"];

fn named(name: &str, threads: usize) -> Result<Workload> {
    use {Loss::*, Optimizer::*};
    let mut workload = match name {
        "seed" => Workload {
            output: Activation::Sigmoid,
            ..Workload::new(name, &[3, 1], 4, Sgd, MeanSquared)
        },
        "tab" => Workload::new(name, &[28, 64, 64, 1], 64, Adam, BinaryCrossEntropy),
        "higgs" => {
            Workload::new(name, &[28, 300, 300, 300, 300, 1], 1024, Adam, BinaryCrossEntropy)
        }
        "mnist" => Workload::new(name, &[784, 512, 256, 10], 128, Adam, SoftmaxCrossEntropy),
        "wide" => {
            Workload::new(name, &[1024, 4096, 4096, 1000], 512, Momentum, SoftmaxCrossEntropy)
        }
        _ => bail!("no workload is called {name:?}; expected one of {}", NAMES.join(", ")),
    };
    workload.threads = threads;
    Ok(workload)
}

impl Workload {
    fn new(name: &str, layers: &[usize], batch: usize, optimizer: Optimizer, loss: Loss) -> Self {
        Workload {
            name: name.to_owned(),
            layers: layers.to_vec(),
            batch,
            optimizer,
            learning_rate: if optimizer == Optimizer::Adam { 1e-3 } else { 1e-2 },
            momentum: if optimizer == Optimizer::Momentum { 0.9 } else { 0.0 },
            loss,
            activation: Activation::Relu,
            output: Activation::Identity,
            threads: 1,
        }
    }

    /// The workload as JSON on one line.
    pub(crate) fn json(&self) -> String {
        serde_json::to_string(self).expect("plain fields have a JSON form")
    }

    /// (inputs, outputs) of every layer.
    pub(crate) fn links(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.layers.windows(2).map(|pair| (pair[0], pair[1]))
    }

    /// Floating-point operations of the matrix products of a step, per row: forward, the weights'
    /// gradient, and for every layer but the first the inputs' gradient.
    pub(crate) fn flops_per_sample(&self) -> f64 {
        let all: usize = self.links().map(|(i, o)| 6 * i * o).sum();
        (all - 2 * self.layers[0] * self.layers[1]) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_a_workload() {
        for name in NAMES {
            let workload = named(name, 2).unwrap();
            assert_eq!((workload.name.as_str(), workload.threads), (name, 2));
        }
        assert!(named("none", 1).is_err());
    }

    #[test]
    fn json_has_the_documented_names() {
        let json = named("seed", 3).unwrap().json();
        assert_eq!(
            json,
            r#"{"name":"seed","layers":[3,1],"batch":4,"optimizer":"sgd","learning_rate":0.01,"momentum":0.0,"loss":"mean-squared","activation":"relu","output":"sigmoid","threads":3}"#
        );
    }

    #[test]
    fn the_first_layer_needs_no_gradient_of_its_inputs() {
        let two = Workload::new("", &[2, 3, 5], 1, Optimizer::Sgd, Loss::MeanSquared);
        assert_eq!(two.flops_per_sample(), (4 * 2 * 3 + 6 * 3 * 5) as f64);
    }
}

//! Workloads: the training steps that are timed, by name or by flags.

use crate::named::Named;
use anyhow::{Result, bail, ensure};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// One training step, as `benches/peers/README.md` describes its JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Workload {
    pub(crate) name: String,
    /// A network that is no chain of dense layers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) network: Option<Named>,
    /// Widths from the input to the output; of a named network these two alone.
    pub(crate) layers: Vec<usize>,
    pub(crate) batch: usize,
    /// Of the data set: a whole number of batches.
    pub(crate) rows: usize,
    pub(crate) optimizer: Optimizer,
    pub(crate) learning_rate: f64,
    pub(crate) momentum: f64,
    pub(crate) loss: Loss,
    pub(crate) activation: Activation,
    pub(crate) output: Activation,
    pub(crate) threads: usize,
}

/// How parameters follow their gradient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Optimizer {
    Sgd,
    Momentum,
    Adam,
}

/// What is minimised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Loss {
    #[value(alias = "mse")]
    MeanSquared,
    #[value(alias = "mae")]
    MeanAbsolute,
    #[value(alias = "bce")]
    BinaryCrossEntropy,
    #[value(alias = "ce")]
    SoftmaxCrossEntropy,
}

/// The function after a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Activation {
    Identity,
    Sigmoid,
    Tanh,
    Relu,
    Gelu,
    Silu,
}

/// The least that is done for a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Work {
    /// Floating-point operations of matrix products.
    pub(crate) flops: f64,
    /// Bytes of memory read and written.
    pub(crate) bytes: f64,
}

/// Which workloads to time.
#[derive(clap::Args)]
pub(crate) struct Choice {
    /// Named workloads [default: all].
    #[arg(value_name = "WORKLOADS", value_parser = clap::builder::PossibleValuesParser::new(NAMES))]
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
        self.or(&NAMES)
    }

    /// The workloads chosen, or the one of this name if there are none.
    ///
    /// # Errors
    /// Numbers that make no network.
    pub(crate) fn workloads_or(&self, name: &str) -> Result<Vec<Workload>> {
        self.or(&[name])
    }

    fn or(&self, default: &[&str]) -> Result<Vec<Workload>> {
        ensure!(self.threads > 0, "--threads 0: expected at least 1");
        let Some(layers) = &self.layers else {
            let names = self.workloads.iter().map(String::as_str);
            let names = if self.workloads.is_empty() { default.to_vec() } else { names.collect() };
            return names.into_iter().map(|name| named(name, self.threads)).collect();
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

/// The names of the standing workloads: chains of dense layers, smallest first, and networks of other kinds.
pub(crate) const NAMES: [&str; 10] =
    ["seed", "seed-4096", "tab", "higgs", "mnist", "wide", "lenet", "residual", "gru", "embedding"];

/// The standing workload of this name.
///
/// # Errors
/// There is none.
pub(crate) fn named(name: &str, threads: usize) -> Result<Workload> {
    use {Loss::*, Optimizer::*};
    let mut workload = match name {
        // Four rows are all there is: an epoch is a step.
        "seed" => Workload {
            output: Activation::Sigmoid,
            rows: 4,
            ..Workload::new(name, &[3, 1], 4, Sgd, MeanSquared)
        },
        "seed-4096" => Workload { name: name.to_owned(), rows: 4096, ..named("seed", threads)? },
        "tab" => Workload::new(name, &[28, 64, 64, 1], 64, Adam, BinaryCrossEntropy),
        "higgs" => {
            Workload::new(name, &[28, 300, 300, 300, 300, 1], 1024, Adam, BinaryCrossEntropy)
        }
        "mnist" => Workload::new(name, &[784, 512, 256, 10], 128, Adam, SoftmaxCrossEntropy),
        "wide" => {
            Workload::new(name, &[1024, 4096, 4096, 1000], 512, Momentum, SoftmaxCrossEntropy)
        }
        "lenet" => Workload::of(name, Named::Lenet, 10, 128, Adam, SoftmaxCrossEntropy),
        "residual" => Workload::of(name, Named::Residual, 10, 128, Momentum, SoftmaxCrossEntropy),
        "gru" => Workload::of(name, Named::Gru, 10, 128, Adam, SoftmaxCrossEntropy),
        // Batches that together look up most of the table.
        "embedding" => Workload {
            rows: 64 * 2048,
            ..Workload::of(name, Named::Embedding, 1, 2048, Sgd, BinaryCrossEntropy)
        },
        _ => bail!("no workload is called {name:?}; expected one of {}", NAMES.join(", ")),
    };
    workload.threads = threads;
    Ok(workload)
}

impl Workload {
    /// With ReLU, and the learning rate and momentum that suit the optimiser.
    pub(crate) fn new(
        name: &str,
        layers: &[usize],
        batch: usize,
        optimizer: Optimizer,
        loss: Loss,
    ) -> Self {
        let mut workload = Workload {
            name: name.to_owned(),
            network: None,
            layers: layers.to_vec(),
            batch,
            rows: batch,
            optimizer,
            learning_rate: if optimizer == Optimizer::Adam { 1e-3 } else { 1e-2 },
            momentum: if optimizer == Optimizer::Momentum { 0.9 } else { 0.0 },
            loss,
            activation: Activation::Relu,
            output: Activation::Identity,
            threads: 1,
        };
        workload.set_batch(batch);
        workload
    }

    /// A named network with this many outputs.
    fn of(
        name: &str,
        network: Named,
        outputs: usize,
        batch: usize,
        optimizer: Optimizer,
        loss: Loss,
    ) -> Self {
        let widths = [network.shape().iter().product(), outputs];
        Workload { network: Some(network), ..Workload::new(name, &widths, batch, optimizer, loss) }
    }

    /// What figures call it.
    pub(crate) fn title(&self) -> String {
        match self.network {
            Some(network) => network.title().to_owned(),
            None => widths(&self.layers),
        }
    }

    /// So many rows a step, and batches that together do not fit in the first caches.
    pub(crate) fn set_batch(&mut self, batch: usize) {
        self.batch = batch;
        self.rows = batch * usize::max((65_536 / batch).clamp(2, 16), 4096 / batch);
    }

    /// The workload as JSON on one line.
    pub(crate) fn json(&self) -> String {
        serde_json::to_string(self).expect("plain fields have a JSON form")
    }

    /// (inputs, outputs) of every layer.
    pub(crate) fn links(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.layers.windows(2).map(|pair| (pair[0], pair[1]))
    }

    /// Outputs of the last layer.
    pub(crate) fn outputs(&self) -> usize {
        self.layers[self.layers.len() - 1]
    }

    /// Numbers per row that the outputs are compared with: one class, or a value per output.
    pub(crate) fn targets(&self) -> usize {
        if self.loss == Loss::SoftmaxCrossEntropy { 1 } else { self.outputs() }
    }

    /// How many batches of data there are.
    pub(crate) fn batches(&self) -> usize {
        self.rows / self.batch
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
            r#"{"name":"seed","layers":[3,1],"batch":4,"rows":4,"optimizer":"sgd","learning_rate":0.01,"momentum":0.0,"loss":"mean-squared","activation":"relu","output":"sigmoid","threads":3}"#
        );
        let json = named("gru", 3).unwrap().json();
        assert!(json.starts_with(r#"{"name":"gru","network":"gru","layers":[1300,10],"#), "{json}");
    }
}

//! Workloads: the training steps that are timed, by name or by flags.

use anyhow::{Result, bail, ensure};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// One training step, as `benches/peers/README.md` describes its JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Workload {
    pub(crate) name: String,
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

/// The names of the standing workloads, smallest first.
pub(crate) const NAMES: [&str; 6] = ["seed", "seed-4096", "tab", "higgs", "mnist", "wide"];

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

    /// Weights and biases.
    pub(crate) fn parameters(&self) -> usize {
        self.links().map(|(inputs, outputs)| (inputs + 1) * outputs).sum()
    }

    /// How many batches of data there are.
    pub(crate) fn batches(&self) -> usize {
        self.rows / self.batch
    }

    /// What a training step cannot do without, per row: its matrix products; parameters and optimiser
    /// state read and written, and the rows of the minibatch read.
    pub(crate) fn training(&self) -> Work {
        Work { flops: self.flops_per_sample(), bytes: self.step_bytes() / self.batch as f64 }
    }

    /// What running a row forward cannot do without: its matrix products; the row read, and its outputs
    /// written or its target read. Parameters are read once for any number of rows.
    pub(crate) fn inference(&self) -> Work {
        let multiply_adds: usize = self.links().map(|(i, o)| i * o).sum();
        let numbers = self.layers[0] + self.targets();
        Work { flops: (2 * multiply_adds) as f64, bytes: (4 * numbers) as f64 }
    }

    fn step_bytes(&self) -> f64 {
        let slots = match self.optimizer {
            Optimizer::Sgd => 0,
            Optimizer::Momentum => 1,
            Optimizer::Adam => 2,
        };
        let arenas = 2 * self.parameters() * (1 + slots);
        (4 * (arenas + self.batch * (self.layers[0] + self.targets()))) as f64
    }

    /// Forward, the weights' gradient, and for every layer but the first the inputs' gradient.
    fn flops_per_sample(&self) -> f64 {
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
            r#"{"name":"seed","layers":[3,1],"batch":4,"rows":4,"optimizer":"sgd","learning_rate":0.01,"momentum":0.0,"loss":"mean-squared","activation":"relu","output":"sigmoid","threads":3}"#
        );
    }

    #[test]
    fn state_and_rows_move_once() {
        let workload = Workload::new("", &[2, 3, 1], 7, Optimizer::Adam, Loss::MeanSquared);
        assert_eq!(workload.parameters(), 9 + 4);
        assert_eq!(workload.training().bytes, (4 * (2 * 3 * 13 + 7 * 3)) as f64 / 7.0);
    }

    #[test]
    fn the_first_layer_needs_no_gradient_of_its_inputs() {
        let two = Workload::new("", &[2, 3, 5], 1, Optimizer::Sgd, Loss::MeanSquared);
        assert_eq!(two.training().flops, (4 * 2 * 3 + 6 * 3 * 5) as f64);
    }

    #[test]
    fn running_forward_reads_a_row_and_writes_its_outputs() {
        let two = Workload::new("", &[2, 3, 5], 7, Optimizer::Adam, Loss::MeanSquared);
        let work = Work { flops: (2 * 2 * 3 + 2 * 3 * 5) as f64, bytes: (4 * (2 + 5)) as f64 };
        assert_eq!(two.inference(), work);
    }
}

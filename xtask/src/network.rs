//! The networks of workloads, and the least work of their steps.

use crate::named::Named;
use crate::workload::{Activation, Optimizer, Work, Workload};
use gristmill_trainer::config::{Assignment, DataShape, RunConfig, TargetShape, layers_of_line};
use gristmill_trainer::layer::{Dense, Kind, Parameters, Shape};
use gristmill_trainer::network::{Network, Node, Source};

/// The network of a workload, with all weights zero.
pub(crate) fn network(workload: &Workload) -> Network {
    if let Some(named) = workload.network {
        return described(named, workload);
    }
    let last = workload.layers.len() - 2;
    let layer = |(i, (inputs, outputs))| Dense {
        shape: Shape { inputs, outputs, bias: true },
        activation: if i == last { workload.output } else { workload.activation }.kernel(),
        dropout: 0.0,
    };
    Network::chain(workload.links().enumerate().map(layer).collect())
}

fn described(named: Named, workload: &Workload) -> Network {
    let layers = layers_of_line(&named.line(workload.activation.kernel().name()));
    let shape: Vec<i64> = named.shape().iter().map(|&length| length as i64).collect();
    let given = [
        Assignment::new("shape", "data.shape", shape),
        Assignment::new("layers", "network.layers", layers.expect("lines are right")),
    ];
    let (config, _) = RunConfig::default().assign(&given).expect("lines are right");
    // Two classes have one output.
    let names: Vec<String> = (0..workload.outputs().max(2)).map(|i| i.to_string()).collect();
    let target = TargetShape::Classes(&names);
    let features = named.shape().iter().product();
    let plan = config.resolve(&DataShape { features, index_columns: &[], target });
    let plan = plan.expect("lines are right");
    Network::new(plan.features, plan.layers.into_iter().map(|layer| layer.node).collect())
}

/// What a training step cannot do without, per row: its matrix products; parameters and optimiser state
/// read and written, of tables those of the rows that are looked up; and the rows of the minibatch read.
pub(crate) fn training(workload: &Workload) -> Work {
    let network = network(workload);
    let slots = match workload.optimizer {
        Optimizer::Sgd => 0,
        Optimizer::Momentum => 1,
        Optimizer::Adam => 2,
    };
    let batch = workload.batch as f64;
    let parameters: f64 = network.nodes().iter().map(|node| used(node, batch)).sum();
    let numbers = (workload.layers[0] + workload.targets()) as f64;
    let bytes = 4.0 * (2.0 * parameters * f64::from(1 + slots) / batch + numbers);
    let multiply_adds: usize = network
        .nodes()
        .iter()
        .map(|node| {
            let Products { all, of_inputs } = products(&node.layer);
            let is_first = node.inputs.iter().all(|source| *source == Source::Features);
            // Forward, the weights' gradient and the errors of what it takes, which features need none of.
            3 * all - if is_first { of_inputs } else { 0 }
        })
        .sum();
    Work { flops: (2 * multiply_adds) as f64, bytes }
}

/// What running a row forward cannot do without: its matrix products; the row read, and its outputs written or
/// its target read. Parameters are read once for any number of rows.
pub(crate) fn inference(workload: &Workload) -> Work {
    let network = network(workload);
    let multiply_adds: usize = network.nodes().iter().map(|node| products(&node.layer).all).sum();
    let numbers = workload.layers[0] + workload.targets();
    Work { flops: (2 * multiply_adds) as f64, bytes: (4 * numbers) as f64 }
}

/// Numbers that a step on `batch` rows at random learns.
fn used(node: &Node, batch: f64) -> f64 {
    match node.layer.parameters() {
        Parameters::Table(table) => {
            let (categories, looked_up) = (table.categories as f64, table.errors as f64 * batch);
            let distinct = categories * (1.0 - (1.0 - 1.0 / categories).powf(looked_up));
            distinct * table.width as f64
        }
        parameters => parameters.learned() as f64,
    }
}

/// Multiply-adds of the matrix products of a layer for a sample.
struct Products {
    all: usize,
    /// Those with its inputs.
    of_inputs: usize,
}

fn products(layer: &Kind) -> Products {
    match layer {
        Kind::Dense(dense) => {
            let all = dense.shape.inputs * dense.shape.outputs;
            Products { all, of_inputs: all }
        }
        Kind::Conv(_) | Kind::Attention(_) => {
            Products { all: layer.work(), of_inputs: layer.work() }
        }
        Kind::Recurrent(recurrent) => {
            let (inputs, states) = (recurrent.channels, recurrent.units);
            let all = layer.work();
            Products { all, of_inputs: all / (inputs + states) * inputs }
        }
        _ => Products { all: 0, of_inputs: 0 },
    }
}

impl Activation {
    /// As the kernels call it.
    pub(crate) fn kernel(self) -> gristmill_kernels::Activation {
        match self {
            Activation::Identity => gristmill_kernels::Activation::Identity,
            Activation::Sigmoid => gristmill_kernels::Activation::Sigmoid,
            Activation::Tanh => gristmill_kernels::Activation::Tanh,
            Activation::Relu => gristmill_kernels::Activation::Relu,
            Activation::Gelu => gristmill_kernels::Activation::Gelu,
            Activation::Silu => gristmill_kernels::Activation::Silu,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::{Loss, named};

    #[test]
    fn state_and_rows_move_once() {
        let workload = Workload::new("", &[2, 3, 1], 7, Optimizer::Adam, Loss::MeanSquared);
        let bytes = (4 * (2 * 3 * (9 + 4) + 7 * 3)) as f64 / 7.0;
        assert!((training(&workload).bytes - bytes).abs() < 1e-9);
    }

    #[test]
    fn the_first_layer_needs_no_gradient_of_its_inputs() {
        let two = Workload::new("", &[2, 3, 5], 1, Optimizer::Sgd, Loss::MeanSquared);
        assert_eq!(training(&two).flops, (4 * 2 * 3 + 6 * 3 * 5) as f64);
    }

    #[test]
    fn running_forward_reads_a_row_and_writes_its_outputs() {
        let two = Workload::new("", &[2, 3, 5], 7, Optimizer::Adam, Loss::MeanSquared);
        let work = Work { flops: (2 * 2 * 3 + 2 * 3 * 5) as f64, bytes: (4 * (2 + 5)) as f64 };
        assert_eq!(inference(&two), work);
    }

    #[test]
    fn named_networks_are_what_their_page_says() {
        let forward = |name| inference(&named(name, 1).unwrap()).flops / 2.0;
        // Windows of five taps a side, which the edges cut by two and by one at either end.
        let same = (5 * 28 - 2 * (1 + 2)) * (5 * 28 - 2 * (1 + 2)) * 16;
        let lenet = same + 10 * 10 * 32 * 25 * 16 + 800 * 128 + 128 * 10;
        assert_eq!(forward("lenet"), lenet as f64);
        assert_eq!(forward("gru"), (100 * 192 * (13 + 64) + 640) as f64);
        assert_eq!(forward("embedding"), (416 * 64 + 64) as f64);
        let gru = training(&named("gru", 1).unwrap());
        assert_eq!(gru.flops, 2.0 * (100 * 192 * (2 * 13 + 3 * 64) + 3 * 640) as f64);
    }

    #[test]
    fn a_table_moves_the_rows_that_are_looked_up() {
        let workload = named("embedding", 1).unwrap();
        let bytes = training(&workload).bytes * workload.batch as f64;
        let dense = 2 * (417 * 64 + 65) + 2048 * 27;
        let rows = (bytes / 4.0 - dense as f64) / 32.0;
        assert!((51_800.0..51_900.0).contains(&rows), "{rows} of 53,248 are distinct");
    }
}

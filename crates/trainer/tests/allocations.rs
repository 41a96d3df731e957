//! How much memory training takes, and that a steady step asks for none. One test, alone in its
//! program: others would allocate meanwhile.

mod common;

use gristmill_kernels::{Activation, Crew, Isa, Loss, Step, UpdateRule};
use gristmill_trainer::data::samples::Table;
use gristmill_trainer::layer::Dense;
use gristmill_trainer::model::Trained;
use gristmill_trainer::network::Network;
use gristmill_trainer::network::layout::Shape;
use gristmill_trainer::objective::{Objective, TargetKind};
use gristmill_trainer::preprocess::Preprocess;
use gristmill_trainer::step::engine::{Engine, Setup, StepPlan};
use gristmill_trainer::{on_threads, useful_threads, with_crew};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::alloc::System;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const RULES: [UpdateRule; 5] = [
    UpdateRule::Sgd,
    UpdateRule::Momentum { beta: 0.9, nesterov: true },
    UpdateRule::RmsProp { rho: 0.99, epsilon: 1e-8 },
    UpdateRule::Adagrad { epsilon: 1e-10 },
    UpdateRule::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
];

#[test]
fn memory_is_what_the_numbers_need() {
    for (widths, batch) in [(&[28, 300, 300, 300, 300, 1][..], 1024), (&[784, 512, 256, 10], 128)] {
        let table = table(widths, batch);
        for rule in RULES {
            for threads in [1, 2] {
                let (held, allowed) = on_threads(threads, || held(widths, batch, rule, &table))
                    .expect("threads start");
                assert!(held <= allowed, "{widths:?} {rule:?}: {held} bytes, not {allowed}");
            }
        }
    }
    let widths = [40, 150, 70, 10];
    let table = table(&widths, 200);
    for rule in RULES {
        for threads in [1, 2] {
            for clip_norm in [None, Some(1.0)] {
                on_threads(threads, || steady(chain(&widths), rule, clip_norm, &table))
                    .expect("threads start");
            }
        }
    }
    let table = self::table(&[105, 3], 200);
    for (shape, line) in GRAPHS {
        for threads in [1, 2] {
            for clip_norm in [None, Some(1.0)] {
                let adam = UpdateRule::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
                on_threads(threads, || steady(graph(shape, line), adam, clip_norm, &table))
                    .expect("threads start");
            }
        }
    }
}

/// Networks of other layers, on 105 features.
const GRAPHS: [(&str, &str); 4] = [
    (
        "5x7x3",
        "conv 8 3x3 padding=same bias=false, batch-norm, relu name=first, conv 8 3x3 padding=same bias=false, \
         batch-norm, add from=first+batch-norm2, relu, pool 2, dropout 0.2, dense 20",
    ),
    ("35x3", "gru 9 gives=all, layer-norm, lstm 7, dense 9"),
    ("35x3", "positions, conv 12 1, attention 2 rotary=true, conv 6 1 stride=2, global-pool"),
    ("105", "embedding 4 vocabulary=2, dense 20"),
];

/// Bytes that an engine holds once it runs, and how many it may: 1.2 times its parameters and their
/// optimiser state and one minibatch's values, which are the input twice (as rows and as columns),
/// and of each layer the output, the error, and but for the last the output transposed.
fn held(widths: &[usize], batch: usize, rule: UpdateRule, table: &Table) -> (usize, usize) {
    let region = Region::new(ALLOCATOR);
    let mut engine = engine(chain(widths), batch, rule, None);
    with_crew(engine.crew_size(), |crew| train(crew, &mut engine, rule, batch, table, 5));
    let change = region.change();
    let parameters: usize = widths.windows(2).map(|w| (w[0] + 1) * w[1]).sum();
    let hidden: usize = widths[1..widths.len() - 1].iter().sum();
    let values = 2 * widths[0] + 3 * hidden + 2 * widths[widths.len() - 1];
    let numbers = parameters * (1 + rule.slots()) + batch * values;
    (change.bytes_allocated - change.bytes_deallocated, 4 * numbers * 12 / 10)
}

/// Scratch grows when a thread gets its first tile, which may be late; then no step allocates.
fn steady(network: Network, rule: UpdateRule, clip_norm: Option<f64>, table: &Table) {
    let batch = 200;
    let names: Vec<&str> = network.nodes().iter().map(|node| node.name.as_str()).collect();
    let what = names.join(", ");
    let mut engine = engine(network, batch, rule, clip_norm);
    let quiet = with_crew(engine.crew_size(), |crew| {
        (0..20).any(|_| {
            let region = Region::new(ALLOCATOR);
            train(crew, &mut engine, rule, batch, table, 50);
            let change = region.change();
            change.allocations + change.reallocations + change.deallocations == 0
        })
    });
    assert!(quiet, "{what}, {rule:?}, clip_norm {clip_norm:?}: steps allocate");
}

fn train(
    crew: &mut Crew,
    engine: &mut Engine,
    rule: UpdateRule,
    batch: usize,
    table: &Table,
    steps: u64,
) {
    for t in 1..=steps {
        let step = Step::plain(rule, 1e-3, t);
        let plan = StepPlan { step, dropout_seed: t };
        let loss = engine.step(crew, table, batch, &|i| i as u64, plan);
        assert!(loss.mean().is_finite());
    }
}

fn table(widths: &[usize], rows: usize) -> Table {
    let classes = widths[widths.len() - 1].max(2);
    let features: Vec<f32> =
        (0..rows * widths[0]).map(|i| (i * 7919 % 101) as f32 / 50.0 - 1.0).collect();
    let labels = (0..rows).map(|row| (row % classes) as u32).collect();
    let names = (0..classes).map(|class| class.to_string()).collect();
    Table::of_classes(&features, labels, names).expect("a table")
}

/// Dense layers of these widths.
fn chain(widths: &[usize]) -> Network {
    let layer = |pair: &[usize]| Dense {
        shape: Shape { inputs: pair[0], outputs: pair[1], bias: true },
        activation: Activation::Relu,
        dropout: 0.1,
    };
    let mut layers: Vec<Dense> = widths.windows(2).map(layer).collect();
    let last = layers.last_mut().expect("a network has a layer");
    (last.activation, last.dropout) = (Activation::Identity, 0.0);
    Network::chain(layers)
}

/// Layers as `--layers` takes them, on rows of this shape, and three classes.
fn graph(shape: &str, line: &str) -> Network {
    let plan = common::plan(shape, &[], line);
    let mut network =
        Network::new(plan.features, plan.layers.iter().map(|layer| layer.node.clone()).collect());
    let weights = network.weights_mut().as_flattened_mut().iter_mut().enumerate();
    weights.for_each(|(i, weight)| *weight = (i * 31 % 97) as f32 / 970.0 + 0.01);
    network
}

fn engine(network: Network, batch: usize, rule: UpdateRule, clip_norm: Option<f64>) -> Engine {
    let (features, outputs) = (network.inputs(), network.outputs());
    let loss = if outputs == 1 { Loss::BinaryCrossEntropy } else { Loss::SoftmaxCrossEntropy };
    Engine::new(Setup {
        threads: useful_threads(),
        isa: Isa::best(),
        network,
        preprocess: Preprocess::new(&vec![Trained::UNSCALED; features], Vec::new()),
        objective: Objective { loss, targets: TargetKind::Classes, class_weights: Vec::new() },
        rule,
        clip_norm,
        batch,
    })
}

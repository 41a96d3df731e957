use super::*;
use crate::data::samples::Table;
use crate::layer::{Dense, Shape};
use crate::model::Trained;
use crate::objective::TargetKind;
use crate::threads::{on_threads, with_crew};
use gristmill_kernels::{Activation, Loss};

const FEATURES: usize = 21;
const WIDTH: usize = 300;
const CLASSES: usize = 3;

fn table(rows: usize) -> Table {
    let features: Vec<f32> =
        (0..rows * FEATURES).map(|i| (i * 7919 % 101) as f32 / 50.0 - 1.0).collect();
    let labels = (0..rows).map(|row| (row * row % 7 % CLASSES) as u32).collect();
    let names = (0..CLASSES).map(|class| class.to_string()).collect();
    Table::of_classes(&features, labels, names).expect("a table")
}

fn engine(threads: usize, isa: Isa, batch: usize, clip_norm: Option<f64>) -> Engine {
    let layer = |inputs, outputs, activation, dropout| Dense {
        shape: Shape { inputs, outputs, bias: true },
        activation,
        dropout,
    };
    let network = Network::chain(vec![
        layer(FEATURES, WIDTH, Activation::Relu, 0.1),
        layer(WIDTH, CLASSES, Activation::Identity, 0.0),
    ]);
    Engine::new(Setup {
        threads,
        isa,
        network,
        preprocess: Preprocess::new(&[Trained::UNSCALED; FEATURES], Vec::new()),
        objective: Objective {
            loss: Loss::SoftmaxCrossEntropy,
            targets: TargetKind::Classes,
            class_weights: Vec::new(),
        },
        rule: UpdateRule::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
        clip_norm,
        batch,
    })
}

/// Losses of a few steps, and the weights that they lead to.
fn trained(mut engine: Engine, table: &Table, batch: usize) -> (Vec<f64>, Vec<Row>) {
    let layers = engine.network.nodes().len();
    for layer in 0..layers {
        let Shape { inputs, outputs, .. } = engine.network.layout().shape(layer);
        let weight = |i: usize| (i * 31 % 97) as f32 / 97.0 - 0.5;
        let weights: Vec<f32> = (0..inputs * outputs).map(weight).collect();
        engine.network.set_layer_weights(layer, &weights, &vec![0.1; outputs]);
    }
    let losses = with_crew(engine.crew_size(), |crew| {
        let mut step = |t| {
            let step = Step::plain(engine.rule, 1e-2, t);
            let plan = StepPlan { step, dropout_seed: t };
            engine.step(crew, table, batch, &|i| i as u64, plan).loss
        };
        (1..=3).map(&mut step).collect()
    });
    (losses, engine.network.weights().to_vec())
}

#[test]
fn neither_rounds_nor_threads_change_a_bit() {
    const BATCH: usize = 2 * ROUND_BYTES / (4 * 3 * WIDTH) + 77;
    let table = table(BATCH);
    for isa in Isa::available() {
        for clip_norm in [None, Some(0.1)] {
            let run = |threads, prepare: fn(&mut Engine)| {
                on_threads(threads, || {
                    let mut engine = engine(threads, isa, BATCH, clip_norm);
                    assert_eq!(engine.crew_size(), threads);
                    prepare(&mut engine);
                    trained(engine, &table, BATCH)
                })
                .expect("threads start")
            };
            let in_rounds = |engine: &mut Engine| {
                engine.shards.truncate(engine.threads);
                let room = engine.shards.len() * engine.shards[0].capacity();
                assert!(room < BATCH, "it takes several rounds");
                engine.collected = Some(Collected::new(&engine.tasks));
            };
            let whole = |engine: &mut Engine| {
                let rows = engine.shards[0].capacity();
                let shard = |_| Shard::new(&engine.network, rows, Purpose::Train);
                engine.shards = (0..BATCH.div_ceil(rows)).map(shard).collect();
                if engine.clip_norm.is_none() {
                    engine.collected = None;
                }
            };
            let reference = run(1, whole);
            for threads in [1, 2, 3, 8] {
                let context = format!("{isa}, {threads} threads, clip_norm {clip_norm:?}");
                assert!(run(threads, whole) == reference, "{context}");
                assert!(run(threads, in_rounds) == reference, "{context}, in rounds");
            }
        }
    }
}

#[test]
fn rounds_are_for_many_samples_of_small_networks() {
    let square = |width| {
        let shape = Shape { inputs: width, outputs: width, bias: true };
        let layer = Dense { shape, activation: Activation::Relu, dropout: 0.0 };
        Network::chain(vec![layer; 2])
    };
    let (small, large) = (square(64), square(1024));
    assert_eq!(shards_per_round(&small, 16, 128, 2), 16, "all fits");
    assert_eq!(shards_per_round(&large, 6, 128, 2), 6, "the gradient is a third as large");
    assert!(6 * 128 * Shard::row_bytes(&large) > 2 * ROUND_BYTES);
    for threads in [1, 2, 64] {
        let at_once = shards_per_round(&small, 100_000, 128, threads);
        assert_eq!(at_once % threads, 0, "every thread has as many");
        let bytes = at_once * 128 * Shard::row_bytes(&small);
        assert!(bytes <= threads * ROUND_BYTES && 2 * bytes > threads * ROUND_BYTES);
    }
}

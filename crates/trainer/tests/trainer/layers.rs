//! Networks of every kind of layer: the f32 gradient against backpropagation in f64, and that against differences
//! of the loss, on odd shapes; the same bits on any number of threads; running statistics.

use gristmill_io::OutputKind;
use gristmill_kernels::{Isa, Loss, Row, Step, UpdateRule};
use gristmill_trainer::data::samples::{Samples, Table};
use gristmill_trainer::gradcheck::Problem;
use gristmill_trainer::inference::Predictor;
use gristmill_trainer::model::Trained;
use gristmill_trainer::network::Network;
use gristmill_trainer::network::init::Init;
use gristmill_trainer::objective::{Objective, TargetKind};
use gristmill_trainer::preprocess::Preprocess;
use gristmill_trainer::reference::Twin;
use gristmill_trainer::step::engine::{Engine, Setup, StepPlan};
use gristmill_trainer::{on_threads, with_crew};
use std::ops::Range;

const CLASSES: usize = 3;

/// What the last layer of a network is.
#[derive(Clone, Copy)]
enum End {
    /// A dense layer of an output for each class.
    Dense,
    /// The last layer of the line.
    Line,
}

/// Layers as `--layers` takes them, on rows of this shape. All tensors are drawn, so that none is neutral.
fn network(shape: &str, line: &str, end: End) -> Network {
    network_of(shape, &[], line, end)
}

/// The same with index columns: features that are numbers of categories, and how many categories each has.
fn network_of(
    shape: &str,
    index_columns: &[(Range<usize>, usize)],
    line: &str,
    end: End,
) -> Network {
    let plan = crate::common::plan(shape, index_columns, line);
    let mut nodes: Vec<_> = plan.layers.iter().map(|layer| layer.node.clone()).collect();
    if let End::Line = end {
        nodes.pop();
    }
    let mut network = Network::new(plan.features, nodes);
    for node in 0..network.nodes().len() {
        let parts = network.parts(node).into_iter().enumerate();
        let values =
            parts.map(|(part, (name, shape))| drawn(name, &shape, (node * 10 + part) as u64));
        let values: Vec<Vec<f32>> = values.collect();
        network.write(node, &values);
    }
    network
}

/// Numbers of the size that the tensors of a trained network have.
fn drawn(name: &str, shape: &[usize], seed: u64) -> Vec<f32> {
    let count: usize = shape.iter().product();
    if name == "edges" {
        // Ascending, and one of them twice.
        let edge = |i: usize| if i % shape[1] == 1 { 2 } else { i % shape[1] };
        return (0..count).map(|i| 2.0 * edge(i) as f32 / shape[1] as f32 - 0.9).collect();
    }
    let init = match name {
        "weight" | "input_weight" | "hidden_weight" => {
            Init::lecun(1.0, shape[1..].iter().product())
        }
        _ => Init::Uniform { limit: 0.3 },
    };
    let about = if ["gain", "variance", "scale"].contains(&name) { 1.0 } else { 0.0 };
    init.weights(seed, 0, 1, count).into_iter().map(|number| about + number).collect()
}

fn classes() -> Objective {
    let (loss, targets) = (Loss::SoftmaxCrossEntropy, TargetKind::Classes);
    Objective { loss, targets, class_weights: vec![1.0, 0.5, 2.0] }
}

fn numbers() -> Objective {
    Objective { loss: Loss::MeanSquared, targets: TargetKind::Numbers, class_weights: Vec::new() }
}

/// Samples of a minibatch: one, a panel and one, two panels and one, and several shards.
const SAMPLES: [usize; 4] = [1, 17, 33, 100];

/// Compares the gradients of a network. A kernel's result may be off by `most` of the largest element of its
/// tensor.
fn check(network: &Network, objective: &Objective, samples: &[usize], most: f64, what: &str) {
    let differences = Problem::new(network, objective, 6, 3).unwrap().differences();
    assert!(differences.largest_relative_error < 1e-6, "{what}: {differences:?}");
    assert!(differences.compared > 10 * differences.skipped, "{what}: {differences:?}");
    for &samples in samples {
        let problem = Problem::new(network, objective, samples, 1).unwrap();
        let exact = problem.exact();
        let largest = exact.nodes.iter().flatten().flat_map(|tensor| &tensor.slopes);
        assert!(largest.fold(0.0f64, |most, g| most.max(g.abs())) > 1e-3, "{what}: all but zero");
        for isa in Isa::available() {
            let (error, worst) = problem.kernels(isa, &exact);
            assert!(error < most, "{what}, {samples} samples, {isa}: {error:e} in {worst}");
        }
    }
}

/// Some eight rounding errors of a half unit each (3e-8) in a row, which a network of three layers can have.
const MOST: f64 = 3e-6;

fn check_all(shapes_and_lines: &[(&str, &str)]) {
    for (shape, line) in shapes_and_lines {
        let network = network(shape, line, End::Dense);
        check(&network, &classes(), &SAMPLES, MOST, &format!("{shape}: {line}"));
    }
}

#[test]
fn convolutions_of_images() {
    check_all(&[
        ("5x7x1", "conv 3 3x3, tanh"),
        ("5x7x3", "conv 17 3x3 padding=same activation=gelu"),
        ("5x7x7", "conv 3 2x3 stride=2 padding=same bias=false, silu"),
        ("5x7x3", "conv 7 3x2 dilation=2 stride=1x2 activation=sigmoid"),
        ("5x7x3", "conv 5 3x3 padding=2x1 stride=3 activation=relu"),
        ("5x7x17", "conv 17 3x3 padding=same groups=17 activation=tanh, conv 3 1x1"),
        ("5x7x6", "conv 9 3x3 groups=3 activation=elu(0.7), conv 4 3x5 activation=softplus"),
        ("5x7x1", "conv 1 5x7"),
    ]);
}

#[test]
fn convolutions_of_series() {
    check_all(&[
        ("9x1", "conv 7 3 activation=tanh"),
        ("9x3", "conv 17 3 dilation=3 padding=same activation=gelu, conv 3 2 stride=2"),
        ("9x17", "conv 34 4 groups=17 stride=2 padding=same activation=leaky-relu(0.1)"),
    ]);
}

#[test]
fn pools() {
    check_all(&[
        ("5x7x3", "conv 7 3x3 padding=same activation=tanh, pool 2"),
        ("5x7x3", "conv 3 3x3 activation=gelu, pool 3x2 stride=1 padding=same function=average"),
        ("5x7x1", "conv 17 3x3 activation=silu, pool 2 stride=2x3 padding=1"),
        ("5x7x7", "conv 3 1x1 activation=tanh, global-pool"),
        ("9x3", "conv 7 3 activation=tanh, pool 3 stride=2 padding=same, global-pool max"),
        ("9x3", "pool 2, conv 4 2"),
    ]);
}

#[test]
fn batch_norm() {
    // Its errors are what is left of larger ones when mean and slope are taken out.
    for (shape, line, end, samples) in [
        ("5x7x3", "batch-norm, conv 7 3x3, batch-norm, relu", End::Dense, &SAMPLES[..]),
        ("5x7x1", "conv 17 3x3 bias=false, batch-norm, tanh, pool 2", End::Dense, &SAMPLES[..]),
        ("9x3", "conv 7 3, batch-norm, batch-norm, gelu", End::Dense, &SAMPLES[..]),
        ("9x3", "batch-norm epsilon=0.1, batch-norm, dense 5", End::Dense, &SAMPLES[..]),
        // On plain numbers a channel needs several samples.
        (
            "17",
            "dense 33 activation=identity, batch-norm, relu, dense 3 activation=tanh, batch-norm",
            End::Line,
            &SAMPLES[1..],
        ),
        ("7", "batch-norm, dense 17 activation=silu, batch-norm", End::Dense, &SAMPLES[1..]),
    ] {
        let network = network(shape, line, end);
        for objective in [classes(), numbers()] {
            check(&network, &objective, samples, 2.0 * MOST, &format!("{shape}: {line}"));
        }
    }
}

#[test]
fn norms_of_a_position_and_learned_functions() {
    check_all(&[
        ("5x7x17", "layer-norm, conv 7 2x2, layer-norm, relu, conv 3 1x1, rms-norm"),
        ("9x3", "rms-norm epsilon=0.1, conv 17 3 activation=tanh, rms-norm, layer-norm"),
        ("17", "dense 33 activation=silu, layer-norm, dense 7 activation=gelu, rms-norm"),
        ("5x7x3", "scale, conv 17 2x2, prelu, pool 2, scale, prelu"),
    ]);
}

#[test]
fn embeddings_of_numbers() {
    check_all(&[
        ("7", "smooth-clip, dense 5 activation=tanh"),
        ("17", "periodic, dense 7 activation=gelu"),
        ("3", "periodic 2 frequencies=1 deviation=0.5, smooth-clip, layer-norm"),
        (
            "5x7x3",
            "conv 3 2x2, periodic 3 frequencies=5, smooth-clip, pool 2, conv 4 1 activation=tanh",
        ),
        ("7", "piecewise-linear, dense 5 activation=tanh"),
        ("17", "piecewise-linear 3 bins=5, scale, smooth-clip"),
        ("5x7x3", "piecewise-linear 2 bins=4, conv 4 3x3 activation=tanh, pool 2"),
        ("33", "dense 7, smooth-clip, periodic 5 frequencies=7, add from=periodic1+periodic1"),
    ]);
}

#[test]
fn recurrent_layers() {
    check_all(&[
        ("9x1", "gru 7"),
        ("9x3", "lstm 17"),
        ("7x17", "gru 3 gives=all direction=backward, lstm 5 gives=all, gru 17"),
        (
            "7x3",
            "conv 7 3 padding=same activation=tanh, lstm 7 direction=backward gives=all, add from=conv1+lstm1, \
                 gru 4 name=there, gru 3 name=back direction=backward from=add1, concat from=there+back",
        ),
    ]);
}

#[test]
fn embeddings_of_tokens() {
    check_all(&[
        ("4", "embedding 1 vocabulary=3, dense 5 activation=tanh"),
        ("7x1", "embedding 7 vocabulary=33, conv 5 3 activation=tanh, global-pool"),
        ("9", "embedding 17 vocabulary=5 combine=mean, dense 7 activation=tanh"),
        ("17", "embedding 33 vocabulary=100 combine=sum, layer-norm"),
        (
            "3x2",
            "embedding 16 vocabulary=7 name=in, gru 5, embedding 3 vocabulary=4 from=features, \
                 flatten, concat from=gru1+flatten1",
        ),
    ]);
}

#[test]
fn embeddings_of_index_columns() {
    for (columns, line) in [
        (&[(1..2, 5)][..], "embedding 8, dense 17 activation=tanh"),
        (&[(0..1, 3), (2..3, 1000), (3..4, 2)], "embedding 7, dense 9 activation=gelu"),
        (&[(4..5, 70), (2..3, 40)], "embedding 32 combine=mean, batch-norm"),
        (&[(0..5, 2)], "embedding 1 combine=sum, dense 3"),
        (&[(0..3, 7), (4..5, 3)], "embedding 5, dense 9 activation=tanh"),
    ] {
        let network = network_of("5", columns, line, End::Dense);
        check(&network, &classes(), &SAMPLES[1..], 2.0 * MOST, &format!("{columns:?} {line}"));
    }
}

#[test]
fn attention() {
    check_all(&[
        ("5x6", "attention heads=2"),
        ("7x3", "conv 12 1, attention 2 causal=true, layer-norm"),
        ("9x3", "conv 24 1 bias=false, attention 2 rotary=true, conv 5 1 activation=tanh"),
        (
            "17x7",
            "conv 6 1, positions, layer-norm name=in, conv 18 1, attention 3 rotary=true causal=true, conv 6 1, \
             add from=positions1+conv3, layer-norm, conv 9 1 activation=gelu, conv 6 1, add from=add1+conv5, \
             global-pool",
        ),
        ("3x4x6", "positions, attention, add from=attention1+attention1"),
    ]);
}

#[test]
fn values_that_several_take() {
    check_all(&[
        // A residual block, its sum taken by two more.
        (
            "5x7x3",
            "conv 7 3x3 padding=same activation=gelu, conv 7 3x3 padding=same, add from=conv1+conv2, \
                   tanh, conv 3 3x3, dense 4 from=add1, dense 5 from=conv3, concat from=dense1+dense2",
        ),
        // Slopes of a value that a matrix and others take.
        (
            "5x7x1",
            "conv 3 3x3 activation=tanh, dense 4 activation=silu, conv 4 3x3 from=conv1, flatten, \
                   concat from=dense1+flatten1",
        ),
        (
            "9",
            "dense 17 activation=gelu, dense 17 activation=tanh, add from=dense1+dense2+dense1, \
               dense 7 activation=elu(0.7), concat from=dense3+dense1+dense3",
        ),
        (
            "9x1",
            "conv 5 3 padding=same activation=tanh, conv 2 1 from=features, pool 3 stride=1 padding=same from=conv1, \
                 concat from=conv1+conv2+pool1, conv 7 2 activation=softplus",
        ),
        ("5x7x3", "conv 3 1x1, add from=conv1+features, sigmoid, add from=activation1+activation1"),
        ("7", "tanh, concat from=features+activation1+features"),
    ]);
}

#[test]
fn a_residual_network_with_batch_norm() {
    let line = "conv 7 3x3 padding=same bias=false, batch-norm, relu name=start, \
                conv 7 3x3 padding=same bias=false, batch-norm, relu, \
                conv 7 3x3 padding=same bias=false, batch-norm name=last, add from=start+last, relu, \
                dropout 0.3, global-pool, dense 17 dropout=0.5";
    let network = network("5x7x3", line, End::Dense);
    check(&network, &classes(), &SAMPLES, 2.0 * MOST, line);
}

fn table(features: usize, rows: usize) -> Table {
    let values: Vec<f32> =
        (0..rows * features).map(|i| (i * 7919 % 101) as f32 / 50.0 - 1.0).collect();
    let labels = (0..rows).map(|row| (row * row % 7 % CLASSES) as u32).collect();
    let names = (0..CLASSES).map(|class| class.to_string()).collect();
    Table::of_classes(&values, labels, names).unwrap()
}

fn engine(
    network: Network,
    isa: Isa,
    threads: usize,
    clip_norm: Option<f64>,
    batch: usize,
) -> Engine {
    Engine::new(Setup {
        threads,
        isa,
        preprocess: Preprocess::new(&vec![Trained::UNSCALED; network.inputs()], Vec::new()),
        network,
        objective: classes(),
        rule: UpdateRule::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
        clip_norm,
        batch,
    })
}

/// Losses of a few steps of different sizes, and the weights that they lead to.
fn trained(engine: &mut Engine, table: &Table, batch: usize) -> (Vec<f64>, Vec<Row>) {
    let losses = with_crew(engine.crew_size(), |crew| {
        let mut step = |t: u64| {
            let step =
                Step::plain(UpdateRule::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }, 1e-2, t);
            let count = if t == 3 { batch / 3 } else { batch };
            let plan = StepPlan { step, dropout_seed: t };
            engine
                .step(crew, table, count, &|i| (i + 7 * t as usize) as u64 % table.rows(), plan)
                .loss
        };
        (1..=5).map(&mut step).collect()
    });
    (losses, engine.network.weights().to_vec())
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let conv = "conv 17 3x3 padding=same activation=gelu, pool 2, conv 7 2x2, dense 33 dropout=0.2";
    let residual = "conv 7 3x3 padding=same, batch-norm, relu, dropout 0.2, conv 7 3x3 padding=same, batch-norm, \
                    add from=batch-norm2+dropout1, relu, dense 150";
    let (features, batch) = (5 * 7 * 3, 290);
    let table = table(features, batch);
    for isa in Isa::available() {
        for (line, clip_norm) in
            [(conv, None), (conv, Some(0.1)), (residual, None), (residual, Some(0.1))]
        {
            let run = |threads| {
                on_threads(threads, || {
                    let mut engine =
                        engine(network("5x7x3", line, End::Dense), isa, threads, clip_norm, batch);
                    assert_eq!(engine.crew_size(), threads, "the steps are worth all threads");
                    trained(&mut engine, &table, batch)
                })
                .unwrap()
            };
            let reference = run(1);
            assert!(reference.0.iter().all(|loss| loss.is_finite()));
            for threads in [2, 3, 8] {
                assert!(
                    run(threads) == reference,
                    "{isa}, {threads} threads, {clip_norm:?}: {line}"
                );
            }
        }
    }
}

#[test]
fn predictions_use_the_running_statistics() {
    let (rows, momentum) = (50, 0.25);
    let table = table(7, rows);
    for isa in Isa::available() {
        let line = format!("batch-norm momentum={momentum}, dense 5 activation=tanh, batch-norm");
        let before = network("7", &line, End::Dense);
        let mut engine = engine(before.clone(), isa, 1, None, rows);
        with_crew(1, |crew| {
            let step = Step::plain(UpdateRule::Sgd, 0.0, 1);
            engine.step(crew, &table, rows, &|i| i as u64, StepPlan { step, dropout_seed: 0 });
        });
        // Of the first batch norm they are those of the rows.
        let values = |network: &Network| network.read(0, network.weights());
        let (old, new) = (values(&before), values(&engine.network));
        assert_eq!((&old[0], &old[1]), (&new[0], &new[1]), "a learning rate of 0");
        for channel in 0..7 {
            let of_channel =
                (0..rows).map(|row| ((row * 7 + channel) * 7919 % 101) as f64 / 50.0 - 1.0);
            let mean = of_channel.clone().sum::<f64>() / rows as f64;
            let squares: f64 = of_channel.map(|x| (x - mean).powi(2)).sum();
            for (part, batch) in [(2, mean), (3, squares / (rows - 1) as f64)] {
                let before = f64::from(old[part][channel]);
                let expected = before + momentum * (batch - before);
                let found = f64::from(new[part][channel]);
                assert!((found - expected).abs() < 1e-6, "{isa}: {found}, not {expected}");
            }
        }
        // And predictions are made of them, one row at a time as well as all at once.
        let network = engine.network;
        let preprocess = Preprocess::new(&[Trained::UNSCALED; 7], Vec::new());
        let inputs: Vec<f64> =
            (0..rows * 7).map(|i| f64::from((i * 7919 % 101) as f32 / 50.0 - 1.0)).collect();
        let expected = Twin::of(&network).predict(&inputs);
        let trained = Trained { network, preprocess, output: OutputKind::Values, series: None };
        let mut predictor = Predictor::new(isa, trained);
        let mut together = vec![0.0; rows * CLASSES];
        predictor.predict(&table, 0..rows as u64, &mut together);
        for (value, expected) in together.iter().zip(&expected) {
            assert!((f64::from(*value) - expected).abs() < 1e-5, "{isa}: {value}, not {expected}");
        }
        let mut alone = vec![0.0; CLASSES];
        predictor.predict(&table, 20..21, &mut alone);
        assert_eq!(alone, together[20 * CLASSES..21 * CLASSES], "{isa}");
    }
}

//! Predictions and metrics: those of the slow network, with equal bits on any number of threads.

use gristmill_io::OutputKind;
use gristmill_kernels::{Activation, Isa, Loss};
use gristmill_trainer::data::pass::Pass;
use gristmill_trainer::data::samples::{Samples, Table};
use gristmill_trainer::data::subset::Subset;
use gristmill_trainer::evaluation::{Evaluator, Subject};
use gristmill_trainer::inference::Predictor;
use gristmill_trainer::layer::Dense;
use gristmill_trainer::metrics::{ClassMeter, Metric, NumberMeter, Report};
use gristmill_trainer::model::Trained;
use gristmill_trainer::network::Network;
use gristmill_trainer::network::init::Init;
use gristmill_trainer::network::layout::Shape;
use gristmill_trainer::objective::{Objective, TargetKind};
use gristmill_trainer::on_threads;
use gristmill_trainer::preprocess::Preprocess;
use gristmill_trainer::reference::Twin;

const FEATURES: usize = 37;

/// A part, some parts with rest, and more rows than one thread takes at once.
const ROWS: [usize; 3] = [5, 300, 5000];

/// Several tiles a layer; ReLU, and an output with an activation.
fn network(hidden: Activation, outputs: usize, output: Activation) -> Network {
    let widths = [FEATURES, 270, 140, outputs];
    let layer = |i: usize| Dense {
        shape: Shape { inputs: widths[i], outputs: widths[i + 1], bias: true },
        activation: if i == 2 { output } else { hidden },
        dropout: 0.0,
    };
    let mut network = Network::chain((0..3).map(layer).collect());
    for i in 0..3 {
        let (inputs, outputs) = (widths[i], widths[i + 1]);
        let weights = Init::lecun(1.5, inputs).weights(3, i, inputs, outputs);
        let terms = Init::Uniform { limit: 0.3 }.weights(4, i, 1, outputs);
        network.set_layer_weights(i, &weights, &terms);
    }
    network
}

fn slow_outputs(network: &Network, features: &[f32]) -> Vec<f64> {
    let features: Vec<f64> = features.iter().copied().map(f64::from).collect();
    Twin::of(network).predict(&features)
}

fn features(rows: usize) -> Vec<f32> {
    Init::Uniform { limit: 1.7 }.weights(7, 0, FEATURES, rows)
}

fn trained(network: &Network, output: OutputKind) -> Trained {
    let preprocess = Preprocess::new(&[Trained::UNSCALED; FEATURES], Vec::new());
    Trained { network: network.clone(), preprocess, output, series: None }
}

/// All predictions, which must come in parts as they come whole.
fn predictions(isa: Isa, trained: &Trained, table: &Table) -> Vec<f32> {
    let mut predictor = Predictor::new(isa, trained.clone());
    let outputs = predictor.outputs();
    let (mut all, mut parts) = (Vec::new(), Vec::new());
    for start in (0..table.rows()).step_by(predictor.batch()) {
        let end = table.rows().min(start + predictor.batch() as u64);
        let mut values = vec![0.0; (end - start) as usize * outputs];
        predictor.predict(table, start..end, &mut values);
        let mut again = vec![0.0; values.len()];
        predictor.predict_with(table, start..end, &mut again, &mut parts, |_, values, part| {
            *part = values.to_vec();
        });
        assert_eq!(values, again);
        assert_eq!(values, parts.concat());
        all.extend(values);
    }
    all
}

fn report(isa: Isa, trained: &Trained, objective: &Objective, table: &Table) -> Report {
    let Trained { network, preprocess, output, .. } = trained;
    let mut evaluator = Evaluator::new(isa, network, objective.clone());
    let subject = Subject { network, preprocess, output: *output };
    let mut done = 0;
    let rows = Subset::all(table);
    let pass = Pass::alone(&rows, None);
    let (report, _) = evaluator.measure(subject, &pass, &mut |rows| done = rows).unwrap();
    assert_eq!(done, table.rows());
    report
}

/// Predicts and measures on several numbers of threads; all must come to the same bits.
fn on_any_threads(
    isa: Isa,
    trained: &Trained,
    objective: &Objective,
    table: &Table,
) -> (Vec<f32>, Report) {
    let on = |threads| {
        let work = || (predictions(isa, trained, table), report(isa, trained, objective, table));
        on_threads(threads, work).unwrap()
    };
    let one = on(1);
    for threads in [2, 3, 8] {
        assert_eq!(on(threads), one, "{isa}, {threads} threads");
    }
    one
}

#[test]
fn numbers_are_those_of_the_slow_network() {
    for isa in Isa::available() {
        for (rows, hidden) in
            ROWS.into_iter().zip([Activation::Relu, Activation::Gelu, Activation::Relu])
        {
            let network = network(hidden, 2, Activation::Tanh);
            let features = features(rows);
            let expected = slow_outputs(&network, &features);
            let targets: Vec<f32> = Init::Uniform { limit: 1.0 }.weights(8, 0, 2, rows);
            let table = Table::of_numbers(&features, targets.clone(), 2).unwrap();
            let objective = Objective {
                loss: Loss::MeanSquared,
                targets: TargetKind::Numbers,
                class_weights: Vec::new(),
            };
            let trained = trained(&network, OutputKind::Values);
            let (values, report) = on_any_threads(isa, &trained, &objective, &table);
            for (value, expected) in values.iter().zip(&expected) {
                assert!((f64::from(*value) - expected).abs() < 1e-5, "{isa}: {value}, {expected}");
            }
            let mut meter = NumberMeter::new(2);
            for (value, target) in values.chunks(2).zip(targets.chunks(2)) {
                meter.add(value, target, 1.0);
            }
            let errors = expected.iter().zip(&targets).map(|(y, t)| (y - f64::from(*t)).powi(2));
            let loss = errors.sum::<f64>() / targets.len() as f64;
            assert_close(&report, &Report::Numbers(meter.report(loss)));
        }
    }
}

#[test]
fn classes_are_those_of_the_slow_network() {
    for isa in Isa::available() {
        for rows in ROWS {
            for (outputs, loss, output) in [
                (1, Loss::BinaryCrossEntropy, OutputKind::Sigmoid),
                (3, Loss::SoftmaxCrossEntropy, OutputKind::Softmax),
            ] {
                let network = network(Activation::Relu, outputs, Activation::Identity);
                let features = features(rows);
                let labels: Vec<u32> =
                    (0..rows).map(|i| (i * i % 7 % outputs.max(2)) as u32).collect();
                let names = (0..outputs.max(2)).map(|class| class.to_string()).collect();
                let table = Table::of_classes(&features, labels.clone(), names).unwrap();
                let objective =
                    Objective { loss, targets: TargetKind::Classes, class_weights: Vec::new() };
                let trained = trained(&network, output);
                let (values, report) = on_any_threads(isa, &trained, &objective, &table);
                let logits = slow_outputs(&network, &features);
                let mut meter = ClassMeter::new(outputs.max(2));
                let mut losses = 0.0;
                for ((values, logits), &label) in
                    values.chunks(outputs).zip(logits.chunks(outputs)).zip(&labels)
                {
                    let expected = probabilities(logits);
                    for (value, expected) in values.iter().zip(&expected) {
                        assert!((f64::from(*value) - expected).abs() < 1e-5, "{isa} {outputs}");
                    }
                    losses -= match (outputs, label) {
                        (1, 0) => (1.0 - expected[0]).ln(),
                        (1, _) => expected[0].ln(),
                        _ => expected[label as usize].ln(),
                    };
                    meter.add(values, label, 1.0);
                }
                assert_close(&report, &Report::Classes(meter.report(losses / rows as f64)));
            }
        }
    }
}

fn probabilities(logits: &[f64]) -> Vec<f64> {
    match logits {
        [z] => vec![1.0 / (1.0 + (-z).exp())],
        _ => {
            let sum: f64 = logits.iter().map(|z| z.exp()).sum();
            logits.iter().map(|z| z.exp() / sum).collect()
        }
    }
}

/// The same metrics, but for the order of sums, and the loss but for f32.
fn assert_close(report: &Report, expected: &Report) {
    let (values, expected) = (report.values(), expected.values());
    assert_eq!(values.len(), expected.len());
    for ((metric, value), (_, expected)) in values.into_iter().zip(expected) {
        let bound = if metric == Metric::Loss { 1e-5 } else { 1e-9 };
        assert!((value - expected).abs() < bound, "{metric}: {value} instead of {expected}");
    }
}

//! Series of unequal length: gradients, and that nothing depends on what lies beyond the end of a series.

use gristmill_io::Model;
use gristmill_kernels::{Isa, Loss};
use gristmill_trainer::Session;
use gristmill_trainer::config::RunConfig;
use gristmill_trainer::data::samples::Table;
use gristmill_trainer::evaluation::evaluate;
use gristmill_trainer::gradcheck::Problem;
use gristmill_trainer::inference::Predictor;
use gristmill_trainer::metrics::Metric;
use gristmill_trainer::model::Trained;
use gristmill_trainer::network::Network;
use gristmill_trainer::network::init::Init;
use gristmill_trainer::objective::{Objective, TargetKind};
use gristmill_trainer::preprocess::Preprocess;

/// Every kind that knows where a series ends, and those between.
const LINES: &[&str] = &[
    "gru 5",
    "gru 4 direction=backward",
    "lstm 3",
    "lstm 5 gives=all direction=backward, gru 3",
    "gru 4 gives=all, global-pool max",
    "conv 5 3 padding=same activation=tanh, global-pool",
    "conv 4 4 activation=silu, pool 2, lstm 3",
    "conv 12 1, attention 2, global-pool",
    "layer-norm, conv 6 1, attention 1 causal=true, gru 3",
    "positions, conv 4 3 padding=same stride=2, prelu, scale, global-pool",
];

/// Layers on series of up to `steps` steps of three channels, with tensors that are drawn.
fn network(steps: usize, line: &str) -> Network {
    let plan = crate::common::plan(&format!("{steps}x3"), &[], line);
    let nodes = plan.layers.iter().map(|layer| layer.node.clone()).collect();
    let mut network = Network::new(plan.features, nodes);
    for node in 0..network.nodes().len() {
        let parts = network.parts(node).into_iter().enumerate();
        let values: Vec<Vec<f32>> = parts
            .map(|(part, (_, shape))| {
                let count = shape.iter().product();
                let limit = (shape[1..].iter().product::<usize>() as f64).powf(-0.5);
                Init::Uniform { limit }.weights((node * 10 + part) as u64, 0, 1, count)
            })
            .collect();
        network.write(node, &values);
    }
    network.of_unequal_lengths().unwrap()
}

#[test]
fn gradients_are_those_of_the_formulas_and_of_differences() {
    let objective = Objective {
        loss: Loss::SoftmaxCrossEntropy,
        targets: TargetKind::Classes,
        class_weights: vec![1.0, 0.5, 2.0],
    };
    for line in LINES {
        let network = network(9, line);
        let differences = Problem::new(&network, &objective, 6, 3).unwrap().differences();
        assert!(differences.largest_relative_error < 1e-6, "{line}: {differences:?}");
        assert!(differences.compared > 10 * differences.skipped, "{line}: {differences:?}");
        for samples in [1, 17, 100] {
            let problem = Problem::new(&network, &objective, samples, 1).unwrap();
            let exact = problem.exact();
            for isa in Isa::available() {
                let (error, worst) = problem.kernels(isa, &exact);
                assert!(error < 3e-6, "{line}, {samples} samples, {isa}: {error:e} in {worst}");
            }
        }
    }
}

fn value(series: usize, step: usize, channel: usize) -> f32 {
    ((series * 31 + step * 7 + channel * 3) * 7919 % 101) as f32 / 50.0 - 1.0
}

/// Series of 1 to 6 steps, in room for more.
fn series(count: usize, steps: usize) -> Table {
    let mut features = Vec::new();
    for i in 0..count {
        // What lies beyond is something else in each room.
        features.extend((0..steps * 3).map(|at| value(i + steps, at / 3, at % 3)));
        let row = i * steps * 3;
        let own = (0..steps.min(6) * 3).map(|at| value(i, at / 3, at % 3));
        features[row..row + steps.min(6) * 3].copy_from_slice(&own.collect::<Vec<_>>());
    }
    let labels = (0..count).map(|i| u32::from(value(i, 0, 0) > 0.0)).collect();
    let names = ["down", "up"].map(str::to_owned).to_vec();
    let lengths: Vec<usize> = (0..count).map(|i| 1 + i * i % 6).collect();
    Table::of_classes(&features, labels, names).unwrap().with_lengths(steps, &lengths).unwrap()
}

#[test]
fn predictions_do_not_depend_on_how_much_room_there_is() {
    // Learned positions, and windows that are cut by the edge of the room, do.
    let lines =
        LINES.iter().filter(|line| !line.contains("positions") && !line.contains("conv 4 4"));
    for line in lines {
        for isa in Isa::available() {
            let of_room = |steps: usize| {
                let (network, table) = (network(steps, line), series(40, steps));
                let preprocess = Preprocess::new(&vec![Trained::UNSCALED; steps * 3], Vec::new());
                let output = gristmill_io::OutputKind::Values;
                let mut predictor =
                    Predictor::new(isa, Trained { network, preprocess, output, series: None });
                let mut values = vec![0.0; 40 * predictor.outputs()];
                predictor.predict(&table, 0..40, &mut values);
                values
            };
            let (narrow, wide) = (of_room(6), of_room(11));
            assert!(narrow.iter().all(|value| value.is_finite()), "{line}");
            for (a, b) in narrow.iter().zip(&wide) {
                assert!((a - b).abs() < 1e-6, "{isa} {line}: {a} and {b}");
            }
        }
    }
}

const CONFIG: &str = "
    seed = 2
    [[network.layers]]
    kind = 'gru'
    units = 7
    [training]
    batch_size = 40
    epochs = 20
    [optimizer]
    learning_rate = 0.02";

fn trained(threads: usize, isa: Isa) -> Model {
    let mut config = RunConfig::from_toml(CONFIG).unwrap();
    config.training.threads = threads;
    let table = series(300, 8);
    let mut session = Session::new(&config, isa, &table, None).unwrap();
    session.fit(&mut (), &mut |_| Ok(())).unwrap();
    session.model()
}

#[test]
fn a_run_learns_and_its_model_knows_where_series_end() {
    for isa in Isa::available() {
        let model = trained(1, isa);
        for threads in [2, 3, 8] {
            assert!(trained(threads, isa) == model, "{isa}, {threads} threads");
        }
        let report = evaluate(isa, &model, &series(300, 8), None, &mut |_| ()).unwrap();
        assert!(report.get(Metric::Accuracy).unwrap() > 0.95, "{report:?}");
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("m.gristmill");
        model.save(&file).unwrap();
        let loaded = Model::load(&file).unwrap();
        assert!(loaded == model);
        assert!(Trained::from_model(&loaded).unwrap().network.lengths().is_some());
        // A channel has one scale, whatever the step.
        assert!(model.inputs.chunks(3).all(|step| step == &model.inputs[..3]));
    }
}

#[test]
fn what_cannot_heed_the_ends_is_refused_by_name() {
    let refused = |toml: &str| {
        let config = RunConfig::from_toml(toml).unwrap();
        let table = series(40, 8);
        Session::new(&config, Isa::best(), &table, None).err().unwrap().to_string()
    };
    let line =
        "network.layers = [{ kind = 'conv', filters = 2, kernel = 3 }, { kind = 'batch-norm' }]";
    assert!(
        refused(line).contains("batch-norm, whose statistics would count"),
        "{}",
        refused(line)
    );
    assert!(refused("data.window = 2").contains("leave --window out"));
    let image =
        "data.shape = [2, 4, 3]\nnetwork.layers = [{ kind = 'conv', filters = 2, kernel = 2 }]";
    assert!(refused(image).contains("arrange their features as STEPSxCHANNELS, not as 2x4x3"));

    let whole = Table::of_classes(&[0.5; 48], vec![0, 1], vec!["a".into(), "b".into()]).unwrap();
    let config = RunConfig::from_toml("training.epochs = 1").unwrap();
    let session = Session::new(&config, Isa::best(), &whole, None).unwrap();
    let model = session.model();
    let ragged = whole.clone().with_lengths(8, &[3, 8]).unwrap();
    let error = evaluate(Isa::best(), &model, &ragged, None, &mut |_| ()).unwrap_err().to_string();
    assert!(
        error.contains("are series of unequal length, and the model was trained on rows"),
        "{error}"
    );
    for (steps, lengths, part) in [
        (8, &[0, 8][..], "a series of 0 steps"),
        (8, &[9, 8], "a series of 9 steps"),
        (7, &[1, 2], "2 lengths of at most 7 steps"),
        (8, &[1], "1 lengths"),
    ] {
        let error = whole.clone().with_lengths(steps, lengths).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
}

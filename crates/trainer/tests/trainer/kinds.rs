//! Networks of every kind of layer, from the configuration to the model file and back.

use gristmill_io::Model;
use gristmill_kernels::Isa;
use gristmill_trainer::config::layers_of_line;
use gristmill_trainer::prelude::*;

/// Rows of 5 x 7 pixels of 3 channels, with a class that depends on them.
fn images(rows: usize) -> Table {
    let value = |i: usize| ((i * 7919 + i / 105 * 31) % 211) as f32 / 105.0 - 1.0;
    let features: Vec<f32> = (0..rows * 105).map(value).collect();
    let sum = |row: usize| features[row * 105..][..105].iter().take(40).sum::<f32>();
    let labels = (0..rows).map(|row| u32::from(sum(row) > 0.0)).collect();
    Table::of_classes(&features, labels, vec!["no".into(), "yes".into()]).unwrap()
}

fn config(shape: &str, layers: &str) -> RunConfig {
    let text =
        format!("data.shape = [{shape}]\ntraining.epochs = 2\ntraining.batch_size = 50\nseed = 3");
    let mut config = RunConfig::from_toml(&text).unwrap();
    config.network.layers = layers_of_line(layers).unwrap().try_into().unwrap();
    config
}

/// Shapes of the features, and layers.
const NETWORKS: [(&str, &str); 10] = [
    (
        "5, 7, 3",
        "conv 6 3x3 padding=same bias=false, batch-norm, relu, conv 6 3 padding=1 activation=tanh, \
         add from=conv2+activation1, pool 2, conv 12 2 groups=3 activation=silu, batch-norm, \
         dropout 0.2, global-pool, dense 9",
    ),
    (
        "5, 7, 3",
        "pool 3 function=average stride=2, flatten, layer-norm, dense 17, scale, prelu, rms-norm",
    ),
    ("35, 3", "gru 7 gives=all, lstm 5 direction=backward, dense 4"),
    ("35, 3", "conv 8 5 stride=2 dilation=2, relu, lstm 6 gives=all, gru 3"),
    (
        "35, 3",
        "conv 12 3 stride=4, positions, layer-norm, conv 36 1, attention 3 rotary=true causal=true, \
         add from=positions1+attention1, attention 2 from=conv2, add from=add1+attention2 name=both, global-pool, dense 5",
    ),
    ("105", "scale, smooth-clip, periodic 3 frequencies=4, dense 9, periodic, dense 5"),
    ("105", "piecewise-linear 5 bins=7, smooth-clip, dense 9"),
    ("35, 3", "embedding 5 vocabulary=2, conv 8 3, relu, global-pool"),
    ("105", "embedding 9 vocabulary=2 combine=mean, dense 7"),
    (
        "105",
        "dense 16, dense 16 dropout=0.1, add from=dense1+dense2, \
         concat from=add1+dense1+features, elu(0.5), batch-norm",
    ),
];

/// The model of a run, and its weights.
fn trained(config: &RunConfig, table: &Table, isa: Isa) -> (Model, Vec<f32>) {
    let mut session = Session::new(config, isa, table, None).unwrap();
    session.fit(&mut (), &mut |_| Ok(())).unwrap();
    let values = session.network().weights().as_flattened().to_vec();
    (session.model(), values)
}

#[test]
fn models_of_every_kind_come_back_from_their_files_and_predict_the_same() {
    let table = images(130);
    let directory = tempfile::tempdir().unwrap();
    for (index, (shape, text)) in NETWORKS.iter().enumerate() {
        let config = config(shape, text);
        let (model, _) = trained(&config, &table, Isa::best());
        model.validate().unwrap_or_else(|e| panic!("{text}: {e}"));
        let path = directory.path().join(format!("{index}.gristmill"));
        model.save(&path).unwrap();
        let loaded = Model::load(&path).unwrap();
        assert!(loaded == model, "{text}");
        let predict = |model: &Model| {
            let mut predictor = Predictor::new(Isa::best(), Trained::from_model(model).unwrap());
            let mut out = vec![0.0; 130 * predictor.outputs()];
            predictor.predict(&table, 0..130, &mut out);
            out
        };
        let predictions = predict(&model);
        assert!(predictions.iter().all(|p| (0.0..=1.0).contains(p)), "{text}");
        assert_eq!(predictions, predict(&loaded), "{text}");
        let again = Trained::nodes(&Trained::from_model(&model).unwrap().network);
        assert!(
            again.iter().zip(&model.nodes).all(|(a, b)| a.layer.tensors() == b.layer.tensors())
        );
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let table = images(130);
    for (shape, text) in NETWORKS {
        let config = config(shape, text);
        for isa in Isa::available() {
            let run = |threads| {
                let mut config = config.clone();
                config.training.threads = threads;
                trained(&config, &table, isa).1
            };
            let reference = run(1);
            assert!(reference.iter().all(|w| w.is_finite()), "{isa} {text}");
            for threads in [2, 3, 8] {
                assert!(run(threads) == reference, "{isa} {text}: {threads} threads");
            }
        }
    }
}

#[test]
fn a_run_that_is_interrupted_goes_on_to_the_same_bits() {
    let table = images(130);
    for (shape, text) in NETWORKS {
        let config = config(shape, text);
        let whole = trained(&config, &table, Isa::best()).1;
        let mut first = Session::new(&config, Isa::best(), &table, None).unwrap();
        let outcome = first.fit(&mut StopAfter(2), &mut |_| Ok(())).unwrap();
        assert_eq!(outcome.reason, Reason::Interrupted, "{text}");
        let saved = first.checkpoint().collect();
        let mut second = Session::new(&config, Isa::best(), &table, None).unwrap();
        second.restore(&saved).unwrap();
        second.fit(&mut (), &mut |_| Ok(())).unwrap();
        assert!(second.network().weights().as_flattened() == whole, "{text}");
    }
}

/// Ends a run after this number of steps.
struct StopAfter(u64);

impl Observer for StopAfter {
    fn step(&mut self, report: &StepReport) -> Control {
        if report.step >= self.0 { Control::Stop } else { Control::Continue }
    }
}

#[test]
fn shapes_that_do_not_fit_are_refused_by_layer() {
    let table = images(10);
    for (shape, text, parts) in [
        ("5, 7, 3", "conv 3 6", ["`network.layers[0]`", "given an input of 5x7x3"]),
        ("5, 7, 3", "gru 3", ["`network.layers[0]`", "a series"]),
        ("105", "dense 3, dense 4, add from=dense1+dense2", ["`network.layers[2]`", "it needs 3"]),
        ("5, 7, 4", "dense 3", ["`data.shape` is 5x7x4", "105 features"]),
        ("105", "dense 3, piecewise-linear 4", ["`network.layers[1]`", "quantiles of features"]),
        ("105", "dense 3, dense 4 from=dense3", ["`network.layers[1].from`", "did you mean"]),
        ("105", "dense 3, dense 4, dense 5 from=dense1", ["`network.layers[1]`", "no layer takes"]),
    ] {
        let error = Session::new(&config(shape, text), Isa::best(), &table, None).err();
        let message = error.expect(text).to_string();
        assert!(parts.iter().all(|part| message.contains(part)), "{text}: {message}");
    }
}

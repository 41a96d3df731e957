//! Files of earlier versions open for ever, with the values that were written. `golden/v1/README.md` and
//! `golden/v2/README.md` say what they are.

use gristmill_io::model::{Activation, Loss, View};
use gristmill_io::schema::{InputKind, Target, Vocabulary};
use gristmill_io::{Checkpoint, Dataset, Dtype, Model, OutputKind, Scale};
use std::path::{Path, PathBuf};

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/v1").join(name)
}

fn golden_2(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/v2").join(name)
}

fn texts(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

fn numbers(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
}

/// Of a node its name, widths, activation, first weight and first bias.
type Summary<'a> = (&'a str, u32, u32, Activation, f32, Option<f32>);

fn layers(model: &Model) -> Vec<Summary<'_>> {
    let nodes = model.chain().unwrap().into_iter();
    let layer = nodes.map(|(name, dense)| {
        let bias = dense.bias.as_ref().map(|bias| bias[0]);
        (name, dense.inputs, dense.outputs, dense.activation, dense.weights[0], bias)
    });
    layer.collect()
}

#[test]
fn data_sets_of_version_1() {
    let flowers = Dataset::open(&golden("run/data.grist")).unwrap();
    assert_eq!((flowers.rows(), flowers.features(), flowers.dtype()), (90, 5, Dtype::F32));
    assert_eq!(flowers.fingerprint(), 0xc5be_e452_ff67_de84);
    let names = ["length", "width", "colour=blue", "colour=white", "colour=é"];
    assert_eq!(flowers.encoding().feature_names(), names);
    let InputKind::Number { fill } = flowers.encoding().inputs[1].kind else { panic!() };
    assert_eq!(fill, Some(1.5426966), "the mean stood for what was missing");
    let classes = texts(&["aster", "bellis", "crocus"]);
    let target = Target::Classes { column: "kind".to_owned(), names: classes };
    assert_eq!(flowers.encoding().target, target);
    assert_eq!(numbers(flowers.row(7)), [1.02, 1.5426966, 0.0, 0.0, 1.0]);
    assert_eq!((flowers.label(7), flowers.class_counts()), (1, &[30, 30, 30][..]));
    assert_eq!((flowers.statistics()[1].missing, flowers.statistics()[1].max), (1, 2.73));
    assert!(!flowers.has_weights());

    let prices = Dataset::open(&golden("prices.grist")).unwrap();
    assert_eq!((prices.rows(), prices.features()), (60, 2));
    assert_eq!(prices.encoding().target, Target::Numbers { columns: texts(&["price", "tax"]) });
    let mut targets = [0.0; 2];
    prices.targets(2, &mut targets);
    assert_eq!((numbers(prices.row(2)), targets), (vec![127.2, 3.0], [347.62, 25.333]));
    assert_eq!([0, 1, 2].map(|row| prices.weight(row)), [1.0, 2.0, 0.5]);
}

#[test]
fn data_sets_of_version_2() {
    let steps = Dataset::open(&golden_2("steps.grist")).unwrap();
    steps.verify().unwrap();
    assert_eq!((steps.rows(), steps.dtype(), steps.is_ragged()), (12, Dtype::F16, false));
    assert_eq!(steps.view(), Some(View { height: 1, width: 2, channels: 2 }));
    assert_eq!(steps.fingerprint(), 0x9202_fbf6_1f71_1b7b);
    let (mut row, mut target) = ([0.0; 4], [0.0]);
    steps.dtype().decode(steps.row(5), &mut row);
    steps.targets(5, &mut target);
    assert_eq!((row, target), ([5.0, 5.5, 10.0, -5.0], [25.0]));

    let index = Dataset::open(&golden_2("index.grist")).unwrap();
    index.verify().unwrap();
    let vocabulary = Vocabulary::Names(texts(&["bonn", "kiel", "ulm"]));
    assert_eq!(index.encoding().inputs[0].kind, InputKind::Index { vocabulary });
    assert_eq!(
        (index.dtype(), index.row(0), index.row(1), index.view()),
        (Dtype::U8, &[2][..], &[0][..], None)
    );
}

#[test]
fn models_of_version_1() {
    let classes = Model::load(&golden("classes.gristmill")).unwrap();
    let (leaky, identity) = (Activation::LeakyRelu { slope: 0.2 }, Activation::Identity);
    let expected = [
        ("dense1", 5, 6, leaky, -1.802_679, Some(-0.8315506)),
        ("dense2", 6, 3, identity, -0.18639551, Some(-0.76948416)),
    ];
    assert_eq!(layers(&classes), expected);
    assert_eq!(classes.loss, Some(Loss::SoftmaxCrossEntropy));
    assert_eq!((classes.output, classes.outputs.len()), (OutputKind::Softmax, 0));
    assert_eq!(classes.inputs[0], Scale { mean: 0.99333334, deviation: 0.91062003 });
    assert_eq!(classes.encoding, *Dataset::open(&golden("run/data.grist")).unwrap().encoding());
    assert_eq!(classes.training[0], ("epochs".to_owned(), "40".to_owned()));

    let huber = Model::load(&golden("huber.gristmill")).unwrap();
    let expected = [
        ("dense1", 2, 5, Activation::Gelu, -2.1060147, Some(0.4026085)),
        ("dense2", 5, 4, Activation::Gelu, -0.14343631, Some(0.29732352)),
        ("dense3", 4, 2, identity, 0.9522751, Some(-0.14423007)),
    ];
    assert_eq!(layers(&huber), expected);
    assert_eq!(huber.loss, Some(Loss::Huber { delta: None }));
    assert_eq!(huber.outputs[1], Scale { mean: 22.4724, deviation: 10.57641 });

    let binary = Model::load(&golden("binary.gristmill")).unwrap();
    assert_eq!(layers(&binary), [("dense1", 2, 1, identity, 1.3280908, None)]);
    assert_eq!((binary.output, binary.loss), (OutputKind::Sigmoid, Some(Loss::BinaryCrossEntropy)));
}

#[test]
fn models_of_version_1_are_the_same_when_saved_anew() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("m");
    for name in ["classes", "huber", "binary", "resumed"] {
        let model = Model::load(&golden(&format!("{name}.gristmill"))).unwrap();
        model.save(&path).unwrap();
        assert_eq!(Model::load(&path).unwrap(), model, "{name}");
    }
}

#[test]
fn checkpoints_of_version_1() {
    let path = Checkpoint::path_in(&golden("run/checkpoints"), 132);
    let checkpoint = Checkpoint::load(&path).unwrap();
    assert_eq!((checkpoint.epoch, checkpoint.step_in_epoch, checkpoint.step), (5, 12, 132));
    assert_eq!(checkpoint.fingerprint, 0xc5be_e452_ff67_de84);
    assert!(checkpoint.config.contains("patience = 300"));
    assert_eq!(checkpoint.history.len(), 5);
    let rows = checkpoint.counters.iter().find(|(name, _)| name == "data.rows");
    assert_eq!(rows.unwrap().1, 90.0);
    let names: Vec<&str> = checkpoint.tensors.iter().map(|t| t.info.name.as_str()).collect();
    let mut expected = Vec::new();
    for prefix in ["parameters", "moments0", "moments1", "best"] {
        for layer in 1..=3 {
            expected.extend(["weight", "bias"].map(|part| format!("{prefix}.dense{layer}.{part}")));
        }
    }
    assert_eq!(names, expected);
    assert_eq!(checkpoint.tensors[2].values.len(), 30);
    assert_eq!(checkpoint.check_resumable(), Ok(()));
    let described = Checkpoint::describe(&path).unwrap();
    let infos: Vec<_> = checkpoint.tensors.iter().map(|tensor| tensor.info.clone()).collect();
    assert_eq!((described.history, described.tensors), (checkpoint.history, infos));
}

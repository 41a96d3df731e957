//! A small model in every format that models are read from, and models to make more of.
#![allow(dead_code)] // each test program uses a part

use gristmill_io::model::{Activation, Loss};
use gristmill_io::schema::{Encoding, InputColumn, InputKind, Target};
use gristmill_io::{
    Dense, FormatChoice, Layer, MODEL_FORMATS, Model, Node, OutputKind, Scale, export_model,
};

/// All activations.
pub(crate) const ACTIVATIONS: [Activation; 9] = [
    Activation::Identity,
    Activation::Sigmoid,
    Activation::Tanh,
    Activation::Relu,
    Activation::LeakyRelu { slope: 0.125 },
    Activation::Elu { alpha: 1.5 },
    Activation::Gelu,
    Activation::Silu,
    Activation::Softplus,
];

/// Dense layers of these widths with these activations, from the first to the last.
pub(crate) fn nodes(widths: &[u32], activations: &[Activation]) -> Vec<Node> {
    let mut layers = Vec::new();
    for (widths, &activation) in widths.windows(2).zip(activations) {
        let (inputs, outputs) = (widths[0], widths[1]);
        let has_bias = layers.len() % 2 == 0;
        layers.push(Layer::Dense(Dense {
            inputs,
            outputs,
            activation,
            weights: (0..inputs * outputs).map(|i| (i % 17) as f32 / 8.0 - 0.9).collect(),
            bias: has_bias.then(|| (0..outputs).map(|i| i as f32 / 3.0).collect()),
        }));
    }
    Node::chain(layers)
}

/// Numbers, one of which may be missing, and a text.
pub(crate) fn encoding(target: Target) -> Encoding {
    let column = |name: &str, kind| InputColumn { name: name.to_owned(), kind };
    let categories = ["blue", "light \"red\"", "é"].map(str::to_owned).to_vec();
    let inputs = vec![
        column("length", InputKind::Number { fill: None }),
        column("colour", InputKind::OneHot { categories }),
        column("width", InputKind::Number { fill: Some(0.1) }),
    ];
    Encoding { inputs, target }
}

/// A classifier with an activation of every kind.
pub(crate) fn classifier() -> Model {
    let names = ["aster", "bellis", "crocus"].map(str::to_owned).to_vec();
    let mut activations = ACTIVATIONS.to_vec();
    activations.rotate_left(1);
    Model {
        encoding: encoding(Target::Classes { column: "kind".to_owned(), names }),
        series: None,
        inputs: (0..5).map(|i| Scale { mean: i as f32 / 7.0, deviation: 1.5 }).collect(),
        outputs: vec![],
        nodes: nodes(&[5, 4, 3, 4, 3, 4, 3, 4, 3, 3], &activations),
        output: OutputKind::Softmax,
        loss: Some(Loss::SoftmaxCrossEntropy),
        training: vec![("loss".to_owned(), "cross-entropy".to_owned())],
    }
}

/// Each format that is read, an ending of its files, and the model in it.
pub(crate) fn all() -> Vec<(&'static str, String, Vec<u8>)> {
    let directory = tempfile::tempdir().unwrap();
    let read = MODEL_FORMATS.iter().filter(|format| format.reader().is_some());
    let write = |format: &&dyn gristmill_io::ModelFormat| {
        let name = format!("m.{}", format.extensions()[0]);
        let path = directory.path().join(&name);
        export_model(&classifier(), &path, &FormatChoice::default()).unwrap();
        (format.name(), name, std::fs::read(path).unwrap())
    };
    read.map(write).collect()
}

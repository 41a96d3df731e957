//! Networks that together have every kind of layer.
#![allow(dead_code)] // each test program uses a part

use gristmill_io::model::{
    Activate, Activation, Add, Attention, Attributes, BatchNorm, Combine, Concat, Conv, Dropout,
    Embedding, FEATURES, Flatten, Gru, IndexColumn, LayerNorm, Lstm, Periodic, PiecewiseLinear,
    Pool, PoolFunction, Positions, Prelu, Reshape, RmsNorm, ScaleLayer, SmoothClip, Window, With,
};
use gristmill_io::schema::{Encoding, InputColumn, InputKind, Target, Vocabulary};
use gristmill_io::{Dense, FormatChoice, Layer, Model, Node, OutputKind, Scale, export_model};

/// A layer whose tensors have small numbers, positive where they are variances.
fn with<A: Attributes>(attributes: A) -> With<A> {
    let values = |(part, (name, shape)): (usize, (&str, Vec<usize>))| {
        let number = |i: usize| ((i * 37 + part * 11) % 23) as f32 / 23.0 - 0.4;
        let numbers = (0..shape.iter().product()).map(number);
        match name {
            "edges" => (0..shape.iter().product()).map(|i| (i % shape[1]) as f32 / 2.0).collect(),
            "variance" => numbers.map(|x| x * x + 0.1).collect(),
            _ => numbers.collect(),
        }
    };
    let tensors = attributes.tensors().into_iter().enumerate().map(values).collect();
    With { attributes, tensors }
}

pub(crate) fn reshape(height: usize, width: usize, channels: usize) -> Layer {
    Layer::Reshape(with(Reshape { height, width, channels, padded: false }))
}

/// A convolution of `[channels, filters, groups]`.
pub(crate) fn conv(
    [channels, filters, groups]: [usize; 3],
    window: Window,
    activation: Activation,
    bias: bool,
) -> Layer {
    Layer::Conv(with(Conv { channels, filters, groups, window, activation, bias }))
}

pub(crate) fn window(
    size: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 2],
    output: [usize; 2],
) -> Window {
    Window { size, stride, dilation: [1, 1], padding, output }
}

pub(crate) fn pool(function: PoolFunction, window: Window) -> Layer {
    Layer::Pool(with(Pool { function, window }))
}

pub(crate) fn dense(inputs: u32, outputs: u32) -> Layer {
    let numbers = |count: u32| (0..count).map(|i| (i * 29 % 31) as f32 / 31.0 - 0.5).collect();
    Layer::Dense(Dense {
        inputs,
        outputs,
        activation: Activation::Identity,
        weights: numbers(inputs * outputs),
        bias: Some(numbers(outputs)),
    })
}

pub(crate) fn batch_norm(channels: usize) -> Layer {
    Layer::BatchNorm(with(BatchNorm { channels, epsilon: 1e-5, momentum: 0.1 }))
}

pub(crate) fn layer_norm(channels: usize) -> Layer {
    Layer::LayerNorm(with(LayerNorm { channels, epsilon: 1e-5 }))
}

pub(crate) fn rms_norm(channels: usize) -> Layer {
    Layer::RmsNorm(with(RmsNorm { channels, epsilon: 1e-6 }))
}

pub(crate) fn gru(channels: usize, units: usize, reversed: bool, all: bool) -> Layer {
    Layer::Gru(with(Gru { channels, units, reversed, all }))
}

pub(crate) fn lstm(channels: usize, units: usize, reversed: bool, all: bool) -> Layer {
    Layer::Lstm(with(Lstm { channels, units, reversed, all }))
}

pub(crate) fn attention(channels: usize, heads: usize, causal: bool, rotary: bool) -> Layer {
    Layer::Attention(with(Attention { channels, heads, causal, rotary }))
}

pub(crate) fn positions(positions: usize, channels: usize) -> Layer {
    Layer::Positions(with(Positions { positions, channels }))
}

pub(crate) fn smooth_clip() -> Layer {
    Layer::SmoothClip(with(SmoothClip {}))
}

pub(crate) fn periodic(channels: usize, size: usize, waves: usize) -> Layer {
    Layer::Periodic(with(Periodic { channels, size, waves }))
}

pub(crate) fn piecewise(channels: usize, size: usize, bins: usize) -> Layer {
    Layer::PiecewiseLinear(with(PiecewiseLinear { channels, size, bins }))
}

pub(crate) fn scale(channels: usize) -> Layer {
    Layer::Scale(with(ScaleLayer { channels }))
}

pub(crate) fn prelu(channels: usize) -> Layer {
    Layer::Prelu(with(Prelu { channels }))
}

pub(crate) fn activation(function: Activation) -> Layer {
    Layer::Activate(with(Activate { function }))
}

pub(crate) fn dropout() -> Layer {
    Layer::Dropout(with(Dropout { rate: 0.25 }))
}

pub(crate) fn flatten() -> Layer {
    Layer::Flatten(with(Flatten {}))
}

pub(crate) fn add(name: &str, inputs: &[&str]) -> Node {
    joined(name, inputs, Layer::Add(with(Add {})))
}

pub(crate) fn concat(name: &str, inputs: &[&str]) -> Node {
    joined(name, inputs, Layer::Concat(with(Concat {})))
}

fn joined(name: &str, inputs: &[&str], layer: Layer) -> Node {
    let inputs = inputs.iter().map(|&input| input.to_owned()).collect();
    Node { name: name.to_owned(), inputs, layer }
}

/// A node that takes what another gives.
pub(crate) fn after(name: &str, input: &str, layer: Layer) -> Node {
    joined(name, &[input], layer)
}

/// A classifier of three classes by `features` numbers.
pub(crate) fn classifier(features: usize, nodes: Vec<Node>) -> Model {
    let column = |i| InputColumn { name: format!("x{i}"), kind: InputKind::Number { fill: None } };
    let names = ["aster", "bellis", "crocus"].map(str::to_owned).to_vec();
    Model {
        encoding: Encoding {
            inputs: (0..features).map(column).collect(),
            target: Target::Classes { column: "kind".to_owned(), names },
        },
        series: None,
        inputs: (0..features).map(|i| Scale { mean: i as f32 / 9.0, deviation: 1.5 }).collect(),
        outputs: vec![],
        nodes,
        output: OutputKind::Softmax,
        loss: None,
        training: vec![],
    }
}

/// A classifier by a number, the index of a name, a code and another number.
fn by_categories(combine: Combine, nodes: impl FnOnce(Layer) -> Vec<Node>) -> Model {
    let columns = [(1, 0, 2), (2, 2, 4)];
    let columns = columns.map(|(unit, first, categories)| IndexColumn { unit, first, categories });
    let embedding = Embedding { size: 3, categories: 6, columns: columns.to_vec(), combine };
    let mut model = classifier(4, nodes(Layer::Embedding(with(embedding))));
    let names = Vocabulary::Names(["no", "yes"].map(str::to_owned).to_vec());
    for (column, vocabulary) in [(1, names), (2, Vocabulary::Codes(4))] {
        model.encoding.inputs[column].kind = InputKind::Index { vocabulary };
        model.inputs[column] = Scale::UNIT;
    }
    model
}

/// The same network as predicting numbers.
pub(crate) fn by_numbers(model: Model) -> Model {
    let columns = ["y0", "y1", "y2"].map(str::to_owned).to_vec();
    Model {
        encoding: Encoding { target: Target::Numbers { columns }, ..model.encoding },
        outputs: vec![Scale { mean: -3.0, deviation: 0.25 }; 3],
        output: OutputKind::Values,
        ..model
    }
}

/// A model as ONNX.
pub(crate) fn onnx(model: &Model) -> Vec<u8> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("model.onnx");
    export_model(model, &path, &FormatChoice::default()).unwrap();
    std::fs::read(&path).unwrap()
}

/// A model as ONNX whose description no reader finds: a graph as another program would write it.
pub(crate) fn graph(model: &Model) -> Vec<u8> {
    let (name, mut bytes) = (b"gristmill", onnx(model));
    for at in 0..bytes.len() - name.len() {
        if bytes[at..].starts_with(name) {
            bytes[at] = b'G';
        }
    }
    bytes
}

/// Whether the operators of a network tell its layers: embeddings of any kind and attention are many operators each, and
/// read where a graph is ours.
pub(crate) fn are_layers_operators(name: &str) -> bool {
    !name.ends_with("categories") && !["embedded", "bent", "attended"].contains(&name)
}

/// Networks that together have every kind of layer, in every form of its values.
pub(crate) fn all() -> Vec<(&'static str, Model)> {
    let images = Node::chain([
        reshape(5, 7, 3),
        conv([3, 6, 1], window([3, 3], [1, 1], [1, 1], [5, 7]), Activation::Identity, false),
        batch_norm(6),
        prelu(6),
        conv(
            [6, 4, 2],
            Window {
                size: [2, 2],
                stride: [2, 1],
                dilation: [1, 2],
                padding: [0, 0],
                output: [2, 5],
            },
            Activation::Silu,
            true,
        ),
        pool(PoolFunction::Max, window([2, 2], [1, 2], [0, 1], [1, 3])),
        scale(4),
        pool(PoolFunction::Average, window([1, 2], [1, 2], [0, 0], [1, 2])),
        rms_norm(4),
        pool(PoolFunction::Average, window([1, 2], [1, 1], [0, 0], [1, 1])),
        dense(4, 3),
    ]);
    let series = vec![
        after("shaped", FEATURES, reshape(1, 6, 4)),
        after("there", "shaped", gru(4, 3, false, true)),
        after("back", "shaped", gru(4, 3, true, true)),
        concat("both", &["there", "back"]),
        after("norm", "both", layer_norm(6)),
        after("memory", "norm", lstm(6, 3, false, true)),
        after("last", "memory", lstm(3, 5, true, false)),
        after("state", "there", gru(3, 5, true, false)),
        add("sum", &["last", "state"]),
        after("normed", "sum", batch_norm(5)),
        after("out", "normed", dense(5, 3)),
    ];
    let all = window([1, 1], [1, 1], [0, 0], [1, 6]);
    let attended = vec![
        after("shaped", FEATURES, reshape(1, 6, 4)),
        after("placed", "shaped", positions(6, 4)),
        after("mixed", "placed", conv([4, 12, 1], all, Activation::Identity, true)),
        after("before", "mixed", attention(4, 2, true, true)),
        after("everywhere", "mixed", attention(4, 1, false, false)),
        add("sum", &["placed", "before", "everywhere"]),
        after("out", "sum", dense(24, 3)),
    ];
    let embedded = Node::chain([smooth_clip(), periodic(4, 3, 5), smooth_clip(), dense(12, 3)]);
    let bent = Node::chain([piecewise(4, 3, 5), dense(12, 3)]);
    let residual = vec![
        after("shaped", FEATURES, reshape(4, 4, 2)),
        after(
            "first",
            "shaped",
            conv([2, 2, 2], window([3, 3], [1, 1], [1, 1], [4, 4]), Activation::Tanh, true),
        ),
        after("second", "first", activation(Activation::Elu { alpha: 0.5 })),
        add("sum", &["shaped", "second", "first"]),
        concat("wide", &["sum", "shaped"]),
        after("most", "wide", pool(PoolFunction::Max, window([4, 4], [1, 1], [0, 0], [1, 1]))),
        after("flat", "wide", flatten()),
        after("less", "flat", dropout()),
        after("hidden", "less", dense(64, 4)),
        concat("all", &["hidden", "most"]),
        after("slope", "all", prelu(8)),
        after("columns", "slope", dense(8, 6)),
        after("predictions", "columns", dense(6, 3)),
    ];
    let side_by_side = |embedding| Node::chain([embedding, dense(8, 3)]);
    let mean = |embedding| Node::chain([embedding, batch_norm(5), dense(5, 3)]);
    vec![
        ("categories", by_categories(Combine::Concat, side_by_side)),
        ("mean of categories", by_categories(Combine::Mean, mean)),
        ("images", classifier(105, images)),
        ("series", classifier(24, series)),
        ("embedded", classifier(4, embedded)),
        ("bent", classifier(4, bent)),
        ("attended", classifier(24, attended)),
        ("residual", classifier(32, residual)),
    ]
}

//! Networks of all kinds of layers in the formats of other programs.

use crate::network_samples::{
    after, all, are_layers_operators, by_numbers, classifier, dense, graph, pool, reshape, window,
};
use gristmill_io::model::{FEATURES, PoolFunction, Window};
use gristmill_io::{FormatChoice, MODEL_FORMATS, Model, Node, export_model, import_model};
use std::collections::BTreeSet;

fn exported(model: &Model, format: &str) -> Result<Vec<u8>, String> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("model");
    export_model(model, &path, &Some(format).into()).map_err(|error| error.to_string())?;
    Ok(std::fs::read(&path).unwrap())
}

fn imported(bytes: &[u8]) -> Result<Model, String> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("model");
    std::fs::write(&path, bytes).unwrap();
    import_model(&path, &FormatChoice::default()).map_err(|error| error.to_string())
}

#[test]
fn the_samples_have_every_kind() {
    let models = all();
    let kinds = models.iter().flat_map(|(_, model)| &model.nodes).map(|node| node.layer.kind());
    let kinds: BTreeSet<&str> = kinds.collect();
    let expected = [
        "activation",
        "add",
        "attention",
        "batch-norm",
        "concat",
        "conv",
        "dense",
        "dropout",
        "embedding",
        "flatten",
        "gru",
        "layer-norm",
        "lstm",
        "periodic",
        "piecewise-linear",
        "pool",
        "positions",
        "prelu",
        "reshape",
        "rms-norm",
        "scale",
        "smooth-clip",
    ];
    assert_eq!(Vec::from_iter(kinds), expected);
}

#[test]
fn every_kind_comes_back_from_every_format_that_is_read() {
    for (name, model) in all() {
        model.validate().unwrap_or_else(|e| panic!("{name}: {e}"));
        for format in MODEL_FORMATS.iter().filter(|format| format.reader().is_some()) {
            let bytes = exported(&model, format.name()).unwrap();
            let back =
                imported(&bytes).unwrap_or_else(|e| panic!("{name}, {}: {e}", format.name()));
            assert!(back == model, "{name}, {}", format.name());
            assert!(exported(&back, format.name()).unwrap() == bytes, "{name}, {}", format.name());
        }
    }
}

/// A graph whose nodes and description do not belong together.
#[test]
fn an_onnx_graph_that_was_changed_is_refused() {
    let models = all();
    let (_, model) = models.into_iter().find(|(name, _)| *name == "series").unwrap();
    let bytes = exported(&model, "onnx").unwrap();
    let change = |from: &[u8], to: &[u8]| {
        let at = bytes.windows(from.len()).position(|window| window == from).unwrap();
        let mut changed = bytes.clone();
        changed[at..at + to.len()].copy_from_slice(to);
        imported(&changed).unwrap_err()
    };
    let error = change(b"LayerNormalization", b"LayerNormalisation");
    assert!(error.contains("\"LayerNormalisation\" called \"/norm\""), "{error}");
    let error = change(b"reverse", b"forward");
    assert!(error.contains("\"GRU\" called \"/back/states\""), "{error}");
}

#[test]
fn a_window_that_onnx_cannot_express_is_refused_by_name() {
    let network = |window: Window, places: u32| {
        let nodes = vec![
            after("shaped", FEATURES, reshape(1, 9, 1)),
            after("most", "shaped", pool(PoolFunction::Max, window)),
            Node { name: "out".into(), inputs: vec!["most".into()], layer: dense(places, 3) },
        ];
        exported(&classifier(9, nodes), "onnx")
    };
    // Windows at 0, 2, 4 and 6 would fit; there are but three.
    let error = network(window([1, 3], [1, 2], [0, 0], [1, 3]), 3).unwrap_err();
    assert!(error.contains("the node \"most\" has a window"), "{error}");
    assert!(network(window([1, 3], [1, 2], [0, 0], [1, 4]), 4).is_ok());
}

/// Layers that compute nothing are none in a graph, and activations become part of the layer before.
#[test]
fn a_graph_of_another_program_is_read_by_its_operators() {
    for (name, model) in all().into_iter().filter(|(name, _)| are_layers_operators(name)) {
        let model = by_numbers(model);
        let back = imported(&graph(&model)).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(back.encoding.feature_names()[1], "f1", "{name}");
        assert_eq!((&back.inputs, &back.outputs), (&model.inputs, &model.outputs), "{name}");
        let numbers = |model: &Model| -> Vec<Vec<u32>> {
            let tensors = model.nodes.iter().flat_map(|node| node.layer.tensors());
            tensors.map(|tensor| tensor.values.iter().map(|x| x.to_bits()).collect()).collect()
        };
        assert_eq!(numbers(&back), numbers(&model), "{name}");
        let views = |model: &Model| model.views().unwrap().last().copied();
        assert_eq!(views(&back), views(&model), "{name}");
    }
}

/// Each operator that is not understood, or not so, is named.
#[test]
fn what_is_not_understood_in_a_graph_is_named() {
    let of = |name: &str| {
        let (_, model) = all().into_iter().find(|(other, _)| *other == name).unwrap();
        graph(&by_numbers(model))
    };
    for (sample, from, to, parts) in [
        ("images", "MaxPool", "MaxPoll", ["\"MaxPoll\" called", "is not supported"]),
        ("images", "strides", "slopes1", ["\"Conv\" called \"/conv1/sums\"", "attribute slopes1"]),
        (
            "series",
            "linear_before_reset",
            "linear_behind_reset",
            ["\"GRU\" called", "linear_before_reset = 0"],
        ),
        (
            "series",
            "forward",
            "sideway",
            ["\"GRU\" called \"/there/states\"", "direction = \"sideway\""],
        ),
    ] {
        let mut bytes = of(sample);
        let at = bytes.windows(from.len()).position(|window| window == from.as_bytes()).unwrap();
        bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
        let error = imported(&bytes).unwrap_err();
        assert!(parts.iter().all(|part| error.contains(part)), "{from}: {error}");
    }
}

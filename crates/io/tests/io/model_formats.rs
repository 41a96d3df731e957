//! Models in the formats of other programs: what is written is read as the same model, to the bit.

use crate::model_samples::{ACTIVATIONS, classifier, encoding, nodes};
use gristmill_io::model::{Activation, Loss};
use gristmill_io::schema::Target;
use gristmill_io::{
    FormatChoice, Layer, MODEL_FORMATS, Model, OutputKind, Scale, export_model, import_model,
};
use proptest::prelude::*;

/// Writes and reads a model in every format that is read.
fn assert_round_trips(model: &Model) {
    let directory = tempfile::tempdir().unwrap();
    for format in MODEL_FORMATS.iter().filter(|format| format.reader().is_some()) {
        let path = directory.path().join("model");
        export_model(model, &path, &Some(format.name()).into()).unwrap();
        // By content: the name says nothing.
        let back = import_model(&path, &FormatChoice::default())
            .unwrap_or_else(|e| panic!("{}: {e}", format.name()));
        assert_eq!(back.encoding, model.encoding, "{}", format.name());
        let bits = |model: &Model| -> Vec<u32> {
            let tensors = model.tensors();
            tensors.iter().flat_map(|tensor| tensor.values.iter()).map(|x| x.to_bits()).collect()
        };
        assert_eq!(bits(&back), bits(model), "{}", format.name());
        assert_eq!(&back, model, "{}", format.name());
        let again = directory.path().join("again");
        export_model(&back, &again, &Some(format.name()).into()).unwrap();
        assert!(std::fs::read(&path).unwrap() == std::fs::read(&again).unwrap());
    }
}

fn with_target(target: Target, output: OutputKind, width: u32) -> Model {
    let columns = match &target {
        Target::Numbers { columns } => columns.len(),
        _ => 0,
    };
    Model {
        encoding: encoding(target),
        series: None,
        outputs: vec![Scale { mean: 1000.0, deviation: 0.1 }; columns],
        nodes: nodes(&[5, 3, width], &[Activation::Tanh, Activation::Identity]),
        output,
        loss: None,
        ..classifier()
    }
}

fn texts(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn every_kind_of_model() {
    assert_round_trips(&classifier());
    for activation in ACTIVATIONS {
        let nodes = nodes(&[5, 4, 3], &[activation, Activation::Identity]);
        assert_round_trips(&Model { nodes, ..classifier() });
    }
    let two = || Target::Classes { column: "answer".to_owned(), names: texts(&["no", "yes"]) };
    assert_round_trips(&with_target(two(), OutputKind::Sigmoid, 1));
    assert_round_trips(&with_target(two(), OutputKind::Softmax, 2));
    let numbers = || Target::Numbers { columns: texts(&["price", "tax"]) };
    let values = with_target(numbers(), OutputKind::Values, 2);
    assert_round_trips(&values);
    for loss in [Loss::MeanSquared, Loss::MeanAbsolute, Loss::Huber { delta: Some(0.1) }] {
        assert_round_trips(&Model { loss: Some(loss), ..values.clone() });
    }
}

#[test]
fn columns_of_any_name() {
    for name in [
        "",
        "input",
        "numbers",
        "layers.0.weight",
        "dense1.weight",
        "dense2.x",
        "/predictions/one",
        "a\n\"b\"",
        "é",
        "label",
    ] {
        let mut model = classifier();
        model.encoding.inputs[0].name = name.to_owned();
        assert_round_trips(&model);
        let mut model = classifier();
        model.encoding.inputs[1].name = name.to_owned();
        assert_round_trips(&model);
    }
}

#[test]
fn a_model_without_metadata_is_told_how_to_get_some() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("m.safetensors");
    let header = br#"{"layers.0.weight":{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]}}"#;
    let bytes = [&(header.len() as u64).to_le_bytes()[..], header, &[0; 4]].concat();
    std::fs::write(&path, bytes).unwrap();
    let error = import_model(&path, &FormatChoice::default()).unwrap_err().to_string();
    assert!(error.contains("no metadata \"gristmill\"") && error.contains("docs/formats.md"));
}

/// A safetensors file of this description and these tensors, each a byte of zeros or ones a number.
fn safetensors(description: &str, tensors: &[(&str, &[usize], &[f32])]) -> Vec<u8> {
    let (mut entries, mut data) = (Vec::new(), Vec::new());
    for (name, shape, values) in tensors {
        let begin = data.len();
        data.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        let end = data.len();
        entries.push(format!(
            r#""{name}":{{"dtype":"F32","shape":{shape:?},"data_offsets":[{begin},{end}]}}"#
        ));
    }
    let description = serde_json::to_string(description).unwrap();
    entries.push(format!(r#""__metadata__":{{"gristmill":{description}}}"#));
    let header = format!("{{{}}}", entries.join(","));
    [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &data].concat()
}

fn imported(description: &str, tensors: &[(&str, &[usize], &[f32])]) -> Result<Model, String> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("m.safetensors");
    std::fs::write(&path, safetensors(description, tensors)).unwrap();
    import_model(&path, &FormatChoice::default()).map_err(|error| error.to_string())
}

const TENSORS: [(&str, &[usize], &[f32]); 3] = [
    ("a.weight", &[2, 3], &[0.5; 6]),
    ("a.bias", &[2], &[1.0; 2]),
    ("b.weight", &[1, 2], &[-1.0; 2]),
];

fn described(nodes: &str) -> String {
    format!(r#"{{"version":2,"output":"values","nodes":[{nodes}]}}"#)
}

const A: &str = r#"{"name":"a","kind":"dense","attributes":{"activation":{"kind":"elu","alpha":0.5},"bias":true}}"#;
const B: &str =
    r#"{"name":"b","kind":"dense","attributes":{"activation":{"kind":"identity"},"bias":false}}"#;

#[test]
fn a_network_is_described_by_hand() {
    let model = imported(&described(&format!("{A},{B}")), &TENSORS).unwrap();
    assert_eq!(model.encoding.feature_names(), ["f0", "f1", "f2"]);
    assert_eq!(model.loss, None);
    let [a, b] = model.nodes.as_slice() else { panic!("{:?}", model.nodes) };
    assert_eq!((a.name.as_str(), b.name.as_str()), ("a", "b"));
    assert_eq!((a.inputs[0].as_str(), b.inputs[0].as_str()), ("features", "a"));
    let Layer::Dense(dense) = &a.layer else { panic!("a dense layer") };
    assert_eq!((dense.inputs, dense.outputs), (3, 2));
    assert_eq!(dense.activation, Activation::Elu { alpha: 0.5 });
}

#[test]
fn a_description_of_version_1_is_read() {
    let text = r#"{"version":1,"output":"values",
        "activations":[{"name":"leaky-relu"},{"name":"identity"}],"training":[["loss","huber"]]}"#;
    let tensors = [
        ("layers.0.weight", &[2, 3][..], &[0.5; 6][..]),
        ("layers.0.bias", &[2], &[1.0; 2]),
        ("layers.1.weight", &[1, 2], &[-1.0; 2]),
        ("inputs.mean", &[3], &[7.0; 3]),
    ];
    let model = imported(text, &tensors).unwrap();
    assert_eq!(model.loss, Some(Loss::Huber { delta: None }));
    assert_eq!(model.inputs, [Scale { mean: 7.0, deviation: 1.0 }; 3]);
    let names: Vec<String> = model.tensors().into_iter().map(|tensor| tensor.info.name).collect();
    let scales = ["inputs.mean", "inputs.deviation", "outputs.mean", "outputs.deviation"];
    assert_eq!(names, [&scales[..], &["dense1.weight", "dense1.bias", "dense2.weight"]].concat());
    let Layer::Dense(dense) = &model.nodes[0].layer else { panic!("a dense layer") };
    assert_eq!(dense.activation, Activation::LeakyRelu { slope: 0.01 });
    let refused = imported(text, &tensors[1..]).unwrap_err();
    assert!(refused.contains("there is no tensor \"dense1.weight\""), "{refused}");
}

#[test]
fn what_is_wrong_with_a_network_is_named() {
    let with = |old: &str, new: &str| described(&format!("{A},{}", B.replace(old, new)));
    for (description, part) in [
        (
            with(r#""kind":"dense""#, r#""kind":"convolution""#),
            "\"b\": is of the kind \"convolution\"",
        ),
        (with("identity", "swish"), "\"b\": the activation \"swish\" is not known"),
        (with(r#""identity""#, r#""relu","slope":1"#), "\"relu\" has no parameter"),
        (with(r#""identity""#, r#""elu","slope":1"#), "\"elu\" has no slope"),
        (with(r#""bias":false"#, r#""bias":false,"stride":2"#), "stride"),
        (with(r#""bias":false"#, r#""bias":true"#), "there is no tensor \"b.bias\""),
        (with(r#""name":"b""#, r#""name":"a""#), "there is no tensor \"a.weight\""),
        (
            with(r#""name":"b""#, r#""name":"b","inputs":["c"]"#),
            "takes \"c\", which no node is called",
        ),
        (
            with(r#""name":"b""#, r#""name":"b","inputs":["b"]"#),
            "\"b\", which does not come before it",
        ),
        (with(r#""name":"b""#, r#""name":"b","inputs":["a","a"]"#), "takes 2 inputs, expected one"),
        (with(r#""name":"b""#, r#""name":"b","inputs":[]"#), "takes 0 inputs, expected one"),
        (with(r#""name":"b""#, r#""name":"b","inputs":["features"]"#), "takes 2 values but gets 3"),
        (
            described(&format!("{B},{A}")).replace(r#""name":"b""#, r#""name":"b","inputs":["a"]"#),
            "\"a\", which does not come before it",
        ),
        (described(A), "the tensor \"b.weight\", which no node needs"),
        (described(""), "it has no nodes"),
        (described(A).replace(":2", ":3"), "version 3, this program reads versions 1 to 2"),
        (described(A).replace("values", "logits"), "logits"),
    ] {
        let error = imported(&description, &TENSORS).unwrap_err();
        assert!(error.contains(part), "{description}: {error}");
    }
    let both = described(&format!("{A},{B}"));
    let changed = |index: usize, tensor: (&'static str, &'static [usize], &'static [f32])| {
        let mut tensors = TENSORS.to_vec();
        tensors[index] = tensor;
        imported(&both, &tensors).unwrap_err()
    };
    for (error, part) in [
        (
            changed(0, ("a.weight", &[6], &[0.5; 6])),
            "has the shape [6], expected [outputs, inputs]",
        ),
        (
            changed(1, ("a.bias", &[3], &[0.5; 3])),
            "\"a\": its bias has the shape [3], expected [2]",
        ),
        (changed(1, ("a.bias", &[2], &[0.5, f32::NAN])), "the tensor \"a.bias\" has NaN at [1]"),
        (
            changed(2, ("b.weight", &[1, 2], &[0.5, f32::INFINITY])),
            "\"b.weight\" has inf at [0, 1]",
        ),
    ] {
        assert!(error.contains(part), "{error}");
    }
}

/// NaN in a scale is refused by every reader.
#[test]
fn scales_that_are_not_numbers_are_refused() {
    let both = described(&format!("{A},{B}"));
    for (value, part) in [
        (f32::NAN, "the tensor \"inputs.deviation\" has NaN at [2]"),
        (0.0, "the tensor \"inputs.deviation\" has 0 at [2], expected a positive number"),
    ] {
        let values = [1.0, 1.0, value];
        let tensors = [&TENSORS[..], &[("inputs.deviation", &[3], &values)]].concat();
        let error = imported(&both, &tensors).unwrap_err();
        assert!(error.contains(part), "{error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_network(
        widths in prop::collection::vec(1u32..9, 0..4),
        activations in prop::collection::vec(prop::sample::select(ACTIVATIONS.to_vec()), 4),
        numbers in prop::collection::vec(prop::num::f32::NORMAL | prop::num::f32::SUBNORMAL | prop::num::f32::ZERO, 16),
        deviation in 1e-30f32..1e30,
    ) {
        let widths: Vec<u32> = [5].into_iter().chain(widths).chain([3]).collect();
        let mut model = Model { nodes: nodes(&widths, &activations), ..classifier() };
        let mut numbers = numbers.iter().cycle();
        for node in &mut model.nodes {
            let Layer::Dense(layer) = &mut node.layer else { panic!("a dense layer") };
            for value in layer.weights.iter_mut().chain(layer.bias.iter_mut().flatten()) {
                *value = *numbers.next().unwrap();
            }
        }
        model.inputs = vec![Scale { mean: *numbers.next().unwrap(), deviation }; 5];
        assert_round_trips(&model);
    }
}

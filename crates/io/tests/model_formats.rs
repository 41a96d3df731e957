//! Models in the formats of other programs: what is written is read as the same model, to the bit.

#[path = "common/model_samples.rs"]
mod model_samples;

use gristmill_io::schema::Target;
use gristmill_io::{
    FormatChoice, MODEL_FORMATS, Model, OutputKind, Scale, export_model, import_model,
};
use model_samples::{ACTIVATIONS, classifier, encoding, layers};
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
            let scales = model.inputs.iter().chain(&model.outputs);
            let scales = scales.flat_map(|scale| [scale.mean, scale.deviation]);
            let layers = model.layers.iter();
            let weights = layers.flat_map(|l| l.weights.iter().chain(l.bias.iter().flatten()));
            scales.chain(weights.copied()).map(f32::to_bits).collect()
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
        outputs: vec![Scale { mean: 1000.0, deviation: 0.1 }; columns],
        layers: layers(&[5, 3, width], &[("tanh", None), ("identity", None)]),
        output,
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
        let layers = layers(&[5, 4, 3], &[activation, ("identity", None)]);
        assert_round_trips(&Model { layers, ..classifier() });
    }
    let two = || Target::Classes { column: "answer".to_owned(), names: texts(&["no", "yes"]) };
    assert_round_trips(&with_target(two(), OutputKind::Sigmoid, 1));
    assert_round_trips(&with_target(two(), OutputKind::Softmax, 2));
    let numbers = || Target::Numbers { columns: texts(&["price", "tax"]) };
    assert_round_trips(&with_target(numbers(), OutputKind::Values, 2));
}

#[test]
fn columns_of_any_name() {
    for name in
        ["", "input", "numbers", "layers.0.weight", "/predictions/one", "a\n\"b\"", "é", "label"]
    {
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
        let mut model = Model { layers: layers(&widths, &activations), ..classifier() };
        let mut numbers = numbers.iter().cycle();
        for layer in &mut model.layers {
            for value in layer.weights.iter_mut().chain(layer.bias.iter_mut().flatten()) {
                *value = *numbers.next().unwrap();
            }
        }
        model.inputs = vec![Scale { mean: *numbers.next().unwrap(), deviation }; 5];
        assert_round_trips(&model);
    }
}

//! Model files and checkpoints: written, read back, damaged.

mod common;

use common::{assert_every_damage_is_refused, classes, names_in, numbers};
use gristmill_io::schema::{Encoding, InputColumn, InputKind, Target};
use gristmill_io::{
    ActivationSpec, Checkpoint, DenseLayer, Error, FileKind, HistoryRow, Model, OutputKind, Scale,
};
use std::path::Path;

fn model() -> Model {
    let layer = |inputs: u32, outputs: u32, name: &str, parameter, bias: bool| DenseLayer {
        inputs,
        outputs,
        activation: ActivationSpec { name: name.to_owned(), parameter },
        weights: (0..inputs * outputs).map(|i| i as f32 * 0.5 - 1.0).collect(),
        bias: bias.then(|| vec![0.25; outputs as usize]),
    };
    let mut encoding = numbers(&["a", "b"], classes(&["no", "yes"]));
    encoding.inputs.push(InputColumn {
        name: "colour".to_owned(),
        kind: InputKind::OneHot { categories: common::texts(&["blue", "red"]) },
    });
    encoding.inputs[1].kind = InputKind::Number { fill: Some(0.5) };
    Model {
        encoding,
        inputs: vec![Scale { mean: 1.0, deviation: 2.0 }; 4],
        outputs: vec![],
        layers: vec![
            layer(4, 3, "leaky-relu", Some(0.01), true),
            layer(3, 2, "identity", None, false),
        ],
        output: OutputKind::Softmax,
        training: vec![("loss".to_owned(), "softmax".to_owned())],
    }
}

fn checkpoint(step: u64) -> Checkpoint {
    Checkpoint {
        config: "seed = 1\n".to_owned(),
        fingerprint: 0x1234_5678_9abc_def0,
        encoding: numbers(&["a"], Target::Numbers { columns: common::texts(&["y"]) }),
        epoch: 1,
        step_in_epoch: 2,
        step,
        counters: vec![("rate".to_owned(), 0.1)],
        history: vec![HistoryRow { epoch: 1, values: vec![("loss".to_owned(), 0.5)] }],
        tensors: vec![
            ("weights".to_owned(), vec![1.0, f32::NAN.copysign(-1.0), -0.0]),
            ("empty".to_owned(), vec![]),
        ],
    }
}

#[test]
fn a_model_reads_back_as_written() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("m.gristmill");
    model().save(&path).unwrap();
    assert_eq!(Model::load(&path).unwrap(), model());
    assert_eq!(FileKind::of(&path).unwrap(), Some(FileKind::Model));
    assert_eq!(names_in(directory.path()), ["m.gristmill"]);
}

#[test]
fn a_large_tensor_reads_back_as_written() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("c");
    let mut large = checkpoint(1);
    large.tensors = vec![("w".to_owned(), (0..100_001).map(|i| i as f32).collect())];
    large.save(&path).unwrap();
    assert_eq!(Checkpoint::load(&path).unwrap(), large);
}

#[test]
fn every_damage_to_a_model_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("m.gristmill");
    model().save(&path).unwrap();
    assert_every_damage_is_refused(&path, |path| Model::load(path).map(drop));
}

#[test]
fn every_damage_to_a_checkpoint_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("c.checkpoint");
    checkpoint(1).save(&path).unwrap();
    assert_every_damage_is_refused(&path, |path| Checkpoint::load(path).map(drop));
}

#[test]
fn a_model_that_does_not_fit_together_is_not_written() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("m.gristmill");
    type Break = fn(&mut Model);
    let breaks: [(&str, Break); 7] = [
        ("input scales", |m| m.inputs.truncate(3)),
        ("weights", |m| m.layers[0].weights.truncate(5)),
        ("bias", |m| m.layers[0].bias = Some(vec![0.0])),
        ("layer 0 takes 3", |m| m.layers.reverse()),
        ("no layers", |m| m.layers.clear()),
        ("target", |m| m.encoding.target = Target::None),
        ("scale", |m| m.inputs[0].deviation = 0.0),
    ];
    for (expected, break_it) in breaks {
        let mut model = model();
        break_it(&mut model);
        let error = model.save(&path).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert!(names_in(directory.path()).is_empty());
    }
}

#[test]
fn a_missing_file_is_named() {
    let error = Model::load(Path::new("/no/such/model")).unwrap_err().to_string();
    assert!(error.starts_with("cannot open /no/such/model: "), "{error}");
}

#[test]
fn other_files_are_told_apart() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("c");
    checkpoint(1).save(&path).unwrap();
    let error = Model::load(&path).unwrap_err();
    assert!(matches!(error, Error::WrongKind { found: Some(FileKind::Checkpoint), .. }), "{error}");
    assert!(error.to_string().ends_with("is not a gristmill model but a checkpoint"));
    std::fs::write(&path, "a,b\n1,2\n").unwrap();
    assert!(matches!(Model::load(&path), Err(Error::WrongKind { found: None, .. })));
    assert_eq!(FileKind::of(&path).unwrap(), None);
}

#[test]
fn another_format_version_is_refused_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("m");
    model().save(&path).unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[12] = 2;
    std::fs::write(&path, bytes).unwrap();
    assert!(matches!(Model::load(&path), Err(Error::Version { found: 2, supported: 1, .. })));
}

#[test]
fn a_header_that_claims_too_much_allocates_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("c");
    checkpoint(1).save(&path).unwrap();
    let whole = std::fs::read(&path).unwrap();
    // Sections 1 and 2 are the tensors: offset, length, crc from byte 40 on.
    for length in [1u64 << 40, u64::MAX, u64::MAX - 300] {
        let mut bytes = whole.clone();
        bytes[48..56].copy_from_slice(&length.to_le_bytes());
        let crc = crc32c::crc32c(&bytes[..80]);
        bytes[80..84].copy_from_slice(&crc.to_le_bytes());
        std::fs::write(&path, bytes).unwrap();
        let error = Checkpoint::load(&path).unwrap_err();
        assert!(matches!(error, Error::Damaged { .. }), "{error}");
    }
}

#[test]
fn the_newest_valid_checkpoint_is_found() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    assert_eq!(Checkpoint::newest_valid(directory).unwrap(), None);
    for step in [9, 10, 200] {
        checkpoint(step).save(&Checkpoint::path_in(directory, step)).unwrap();
    }
    std::fs::write(directory.join("notes.txt"), "not a checkpoint").unwrap();
    let newest = || Checkpoint::newest_valid(directory).unwrap().unwrap();
    assert_eq!(newest().1.step, 200);
    std::fs::write(Checkpoint::path_in(directory, 200), "damaged").unwrap();
    assert_eq!(newest().0, Checkpoint::path_in(directory, 10));
    for step in [9, 10] {
        std::fs::write(Checkpoint::path_in(directory, step), "").unwrap();
    }
    let error = Checkpoint::newest_valid(directory).unwrap_err().to_string();
    assert!(error.contains("step-000000000200"), "{error}");
}

#[test]
fn pruning_keeps_the_latest() {
    let directory = tempfile::tempdir().unwrap();
    for step in [1, 2, 1_000_000_000_000_000] {
        checkpoint(step).save(&Checkpoint::path_in(directory.path(), step)).unwrap();
    }
    Checkpoint::prune(directory.path(), 2).unwrap();
    let kept = ["step-000000000002.checkpoint", "step-1000000000000000.checkpoint"];
    assert_eq!(names_in(directory.path()), kept);
    Checkpoint::prune(directory.path(), 0).unwrap();
    assert_eq!(names_in(directory.path()), [kept[1]]);
}

#[test]
fn encodings_of_every_kind_read_back() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("c");
    for target in [Target::None, classes(&["x"]), Target::Numbers { columns: vec![] }] {
        let encoding = Encoding { inputs: vec![], target };
        let checkpoint = Checkpoint { encoding, tensors: vec![], ..checkpoint(1) };
        checkpoint.save(&path).unwrap();
        assert_eq!(Checkpoint::load(&path).unwrap(), checkpoint);
    }
}

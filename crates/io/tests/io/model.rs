//! Model files and checkpoints: written, read back, damaged.

use crate::common;
use crate::common::{assert_every_damage_is_refused, classes, names_in, numbers};
use gristmill_io::model::{Activation, Loss};
use gristmill_io::schema::{Encoding, InputColumn, InputKind, Target, Vocabulary};
use gristmill_io::{
    Checkpoint, Dense, Error, FileKind, FormatChoice, HistoryRow, Layer, Model, Node, OutputKind,
    Scale, Tensor, TensorInfo, TensorStream, export_model, import_model,
};
use std::path::Path;

fn model() -> Model {
    let layer = |inputs: u32, outputs: u32, activation, bias: bool| {
        Layer::Dense(Dense {
            inputs,
            outputs,
            activation,
            weights: (0..inputs * outputs).map(|i| i as f32 * 0.5 - 1.0).collect(),
            bias: bias.then(|| vec![0.25; outputs as usize]),
        })
    };
    let mut encoding = numbers(&["a", "b"], classes(&["no", "yes"]));
    encoding.inputs.push(InputColumn {
        name: "colour".to_owned(),
        kind: InputKind::OneHot { categories: common::texts(&["blue", "red"]) },
    });
    encoding.inputs[1].kind = InputKind::Number { fill: Some(0.5) };
    Model {
        encoding,
        series: None,
        inputs: vec![Scale { mean: 1.0, deviation: 2.0 }; 4],
        outputs: vec![],
        nodes: Node::chain([
            layer(4, 3, Activation::LeakyRelu { slope: 0.01 }, true),
            layer(3, 2, Activation::Identity, false),
        ]),
        output: OutputKind::Softmax,
        loss: Some(Loss::SoftmaxCrossEntropy),
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
            Tensor::new("parameters.dense1.weight", [1, 3], vec![1.0, f32::MIN_POSITIVE, -0.0]),
            Tensor::vector("empty", vec![]),
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
fn index_columns_read_back_as_written() {
    let directory = tempfile::tempdir().unwrap();
    let index = |name: &str, vocabulary| InputColumn {
        name: name.to_owned(),
        kind: InputKind::Index { vocabulary },
    };
    let columns = [
        index("names", Vocabulary::Names(common::texts(&["", "é"]))),
        index("codes", Vocabulary::Codes(1 << 24)),
    ];
    let mut indexed = model();
    indexed.encoding.inputs.splice(..2, columns.clone());
    for name in ["m.gristmill", "m.safetensors", "m.npz", "m.onnx"] {
        let path = directory.path().join(name);
        if name == "m.gristmill" {
            indexed.save(&path).unwrap();
            assert_eq!(Model::load(&path).unwrap(), indexed);
        } else {
            export_model(&indexed, &path, &FormatChoice::default()).unwrap();
            assert_eq!(import_model(&path, &FormatChoice::default()).unwrap(), indexed, "{name}");
        }
    }
    let path = directory.path().join("m.h");
    export_model(&indexed, &path, &FormatChoice::default()).unwrap();
    let header = std::fs::read_to_string(&path).unwrap();
    for part in ["0  names: the index of one of these (all else counts as 2", "< 16777216.0f && "] {
        assert!(header.contains(part), "{header}");
    }

    let mut indexed = checkpoint(3);
    indexed.encoding.inputs.extend(columns);
    let path = directory.path().join("c");
    indexed.save(&path).unwrap();
    assert_eq!(Checkpoint::load(&path).unwrap(), indexed);
}

#[test]
fn a_large_tensor_reads_back_as_written() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("c");
    let mut large = checkpoint(1);
    let numbers: Vec<f32> = (0..100_002).map(|i| i as f32).collect();
    large.tensors = vec![Tensor::new("w", [2, 50_001], numbers.clone())];
    large.save(&path).unwrap();
    assert_eq!(Checkpoint::load(&path).unwrap(), large);
    let whole = std::fs::read(&path).unwrap();

    // The same bytes come of parts of any size, which are not gathered before they are written.
    for part in [1, 7, 16_384, 20_000, 100_002] {
        let stream = TensorStream::new(TensorInfo::new("w", [2, 50_001]), |sink| {
            for part in numbers.chunks(part) {
                sink(part)?;
            }
            Ok(())
        });
        let Checkpoint { config, fingerprint, encoding, epoch, step_in_epoch, .. } = large.clone();
        let (step, counters, history) = (large.step, large.counters.clone(), large.history.clone());
        let tensors = vec![stream];
        let streamed = Checkpoint {
            config,
            fingerprint,
            encoding,
            epoch,
            step_in_epoch,
            step,
            counters,
            history,
            tensors,
        };
        streamed.save(&path).unwrap();
        assert!(std::fs::read(&path).unwrap() == whole, "parts of {part}");
        assert_eq!(streamed.collect(), large);
    }
}

#[test]
fn a_checkpoint_is_described_without_its_tensors() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("c");
    checkpoint(7).save(&path).unwrap();
    let described = Checkpoint::describe(&path).unwrap();
    assert_eq!((described.step, described.epoch), (7, 1));
    assert_eq!(described.history, checkpoint(7).history);
    let infos =
        [TensorInfo::new("parameters.dense1.weight", [1, 3]), TensorInfo::new("empty", [0])];
    assert_eq!(described.tensors, infos);
    // Damage to the numbers is not looked for; a length that is not there is.
    let mut bytes = std::fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    assert!(Checkpoint::describe(&path).is_ok() && Checkpoint::load(&path).is_err());
    bytes.pop();
    std::fs::write(&path, &bytes).unwrap();
    assert!(Checkpoint::describe(&path).is_err());
}

#[test]
fn what_no_run_can_go_on_from_is_named_and_passed_over() {
    let directory = tempfile::tempdir().unwrap();
    let save = |step, name: &str, value: f32| {
        let values = vec![0.0, 1.0, value, 2.0];
        let tensors = vec![Tensor::new(name, [2, 2], values)];
        let path = Checkpoint::path_in(directory.path(), step);
        Checkpoint { tensors, ..checkpoint(step) }.save(&path).unwrap();
        Checkpoint::load(&path).unwrap().check_resumable()
    };
    let weight = "parameters.dense1.weight";
    assert_eq!(save(1, weight, f32::MAX), Ok(()));
    // A sum of squares beyond f32 stops one weight, and no run.
    assert_eq!(save(2, "moments1.dense1.weight", f32::INFINITY), Ok(()));
    let stray = save(3, weight, f32::NAN).unwrap_err();
    assert_eq!(stray, "the tensor \"parameters.dense1.weight\" has NaN at [1, 0]");
    assert!(save(4, weight, f32::NEG_INFINITY).unwrap_err().contains("has -inf at [1, 0]"));
    assert!(save(5, "best.dense1.weight", f32::INFINITY).is_err());
    assert!(save(6, "moments0.dense1.weight", f32::NAN).is_err());
    let (_, newest) = Checkpoint::newest_valid(directory.path()).unwrap().unwrap();
    assert_eq!(newest.step, 2);
    for step in [1, 2] {
        std::fs::remove_file(Checkpoint::path_in(directory.path(), step)).unwrap();
    }
    let error = Checkpoint::newest_valid(directory.path()).unwrap_err().to_string();
    assert!(error.contains("step-000000000006") && error.contains("has NaN at [1, 0]"), "{error}");
}

#[test]
fn tensors_that_contradict_their_names_or_shapes_are_not_written() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("c");
    for (tensors, part) in [
        (
            vec![Tensor::vector("w", vec![1.0]), Tensor::vector("w", vec![2.0])],
            "several tensors \"w\"",
        ),
        (vec![Tensor::new("w", [2, 3], vec![1.0; 5])], "\"w\" has 5 numbers, which do not fit"),
    ] {
        let error = Checkpoint { tensors, ..checkpoint(1) }.save(&path).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
        assert!(names_in(directory.path()).is_empty());
    }
}

/// A model file of these tensors, as anyone could write it: name, type, shape and bytes of each.
fn model_file(description: &str, tensors: &[(&str, &str, &[u64], usize)]) -> Vec<u8> {
    let text = |text: &str| [&(text.len() as u64).to_le_bytes(), text.as_bytes()].concat();
    let mut metadata = (tensors.len() as u64).to_le_bytes().to_vec();
    for (name, dtype, shape, _) in tensors {
        metadata.extend([text(name), text(dtype)].concat());
        metadata.extend((shape.len() as u64).to_le_bytes());
        metadata.extend(shape.iter().flat_map(|size| size.to_le_bytes()));
    }
    metadata.extend(text(description));
    let data = tensors.iter().map(|(.., length)| vec![0; *length]);
    let sections: Vec<Vec<u8>> = std::iter::once(metadata).chain(data).collect();
    let mut file = b"\x89GRIST\r\n".to_vec();
    for number in [2, 2, sections.len() as u32] {
        file.extend(number.to_le_bytes());
    }
    let mut offset = (file.len() + 20 * sections.len() + 4) as u64;
    for section in &sections {
        file.extend(offset.to_le_bytes());
        file.extend((section.len() as u64).to_le_bytes());
        file.extend(crc32c::crc32c(section).to_le_bytes());
        offset += section.len() as u64;
    }
    file.extend(crc32c::crc32c(&file).to_le_bytes());
    file.extend(sections.concat());
    file
}

#[test]
fn a_file_that_contradicts_itself_is_refused_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("m");
    let description = |inputs: &str| {
        format!(
            r#"{{"version":2,"output":"values","loss":{{"kind":"huber","delta":0.1}},"nodes":[{{"name":"a",
            "kind":"dense"{inputs},"attributes":{{"activation":{{"kind":"relu"}},"bias":false}}}}]}}"#
        )
    };
    let load = |description: &str, tensors: &[(&str, &str, &[u64], usize)]| {
        std::fs::write(&path, model_file(description, tensors)).unwrap();
        Model::load(&path)
    };
    let model = load(&description(""), &[("a.weight", "f32", &[1, 2], 8)]).unwrap();
    assert_eq!(model.loss, Some(Loss::Huber { delta: Some(0.1) }));
    for (tensors, part) in [
        (&[("a.weight", "bf16", &[1, 2][..], 4)][..], "\"a.weight\" has numbers of type \"bf16\""),
        (
            &[("a.weight", "f32", &[1, 3], 8)],
            "\"a.weight\" has 8 bytes, which do not fit its shape [1, 3]",
        ),
        (&[("a.weight", "f32", &[1 << 62, 4], 8)], "\"a.weight\" has 8 bytes"),
        (&[("a.weight", "f32", &[2], 8)], "has the shape [2], expected [outputs, inputs]"),
        (&[("b.weight", "f32", &[1, 2], 8)], "there is no tensor \"a.weight\""),
        (
            &[("a.weight", "f32", &[1, 2], 8), ("a.weight", "f32", &[1, 2], 8)],
            "several tensors \"a.weight\"",
        ),
        (
            &[("a.weight", "f32", &[1, 2], 8), ("c", "f32", &[1], 4)],
            "the tensor \"c\", which no node needs",
        ),
        (&[], "there is no tensor \"a.weight\""),
    ] {
        let error = load(&description(""), tensors).unwrap_err();
        assert!(
            matches!(error, Error::Damaged { .. }) && error.to_string().contains(part),
            "{error}"
        );
    }
    let inputs = description(r#","inputs":["b"]"#);
    let error = load(&inputs, &[("a.weight", "f32", &[1, 2], 8)]).unwrap_err().to_string();
    assert!(error.contains("cannot be used: the node \"a\" takes \"b\", which no node"), "{error}");
    let error = load("{}", &[]).unwrap_err().to_string();
    assert!(error.contains("missing field `version`"), "{error}");
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

fn dense(model: &mut Model, node: usize) -> &mut Dense {
    let Layer::Dense(dense) = &mut model.nodes[node].layer else { panic!("a dense layer") };
    dense
}

#[test]
fn a_model_that_does_not_fit_together_is_not_written() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("m.gristmill");
    type Break = fn(&mut Model);
    let breaks: [(&str, Break); 15] = [
        ("input scales", |m| m.inputs.truncate(3)),
        ("\"dense1\" (4 to 3) has 5 weights", |m| dense(m, 0).weights.truncate(5)),
        ("\"dense1\" has not one bias", |m| dense(m, 0).bias = Some(vec![0.0])),
        ("\"dense2\" takes \"dense1\", which does not come before it", |m| m.nodes.swap(0, 1)),
        ("\"dense2\" takes 2 inputs", |m| m.nodes[1].inputs.push("features".to_owned())),
        ("no node takes what \"dense1\" gives", |m| {
            m.nodes[1] = Node { name: "dense2".to_owned(), ..m.nodes[0].clone() };
        }),
        ("several nodes \"dense1\"", |m| m.nodes[1].name = "dense1".to_owned()),
        ("\"a.b\" has a name of other than letters", |m| m.nodes[0].name = "a.b".to_owned()),
        ("\"inputs\" has a name that means", |m| m.nodes[0].name = "inputs".to_owned()),
        ("no nodes", |m| m.nodes.clear()),
        ("target", |m| m.encoding.target = Target::None),
        ("\"inputs.deviation\" has 0 at [0]", |m| m.inputs[0].deviation = 0.0),
        ("\"inputs.mean\" has inf at [1]", |m| m.inputs[1].mean = f32::INFINITY),
        ("\"dense1.weight\" has NaN at [1, 2]", |m| dense(m, 0).weights[6] = f32::NAN),
        ("loss \"huber\" does not fit its output \"softmax\"", |m| {
            m.loss = Some(Loss::Huber { delta: Some(1.0) });
        }),
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
    for version in [0, 3] {
        bytes[12] = version;
        std::fs::write(&path, &bytes).unwrap();
        let error = Model::load(&path).unwrap_err();
        assert!(matches!(error, Error::Version { supported: 2, .. }), "{error}");
        assert!(error.to_string().contains("reads versions 1 to 2"), "{error}");
    }
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
    let steps = [1, 2, 1_000_000_000_000_000];
    for step in steps {
        checkpoint(step).save(&Checkpoint::path_in(directory.path(), step)).unwrap();
    }
    Checkpoint::prune(directory.path(), steps[2], 2).unwrap();
    let kept = ["step-000000000002.checkpoint", "step-1000000000000000.checkpoint"];
    assert_eq!(names_in(directory.path()), kept);
    Checkpoint::prune(directory.path(), steps[2], 0).unwrap();
    assert_eq!(names_in(directory.path()), [kept[1]]);
}

#[test]
fn damaged_checkpoints_of_later_steps_do_not_push_out_good_ones() {
    let directory = tempfile::tempdir().unwrap();
    let path = |step| Checkpoint::path_in(directory.path(), step);
    for step in [10, 20, 30] {
        checkpoint(step).save(&path(step)).unwrap();
    }
    let damaged = std::fs::read(path(30)).unwrap();
    std::fs::write(path(30), &damaged[..damaged.len() - 1]).unwrap();
    Checkpoint::prune(directory.path(), 20, 1).unwrap();
    assert!(!path(10).exists() && path(20).exists() && path(30).exists());
    assert_eq!(Checkpoint::newest_valid(directory.path()).unwrap().unwrap().1.step, 20);
}

#[test]
fn only_checkpoints_of_ours_are_ever_pruned() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    for step in [10, 20] {
        checkpoint(step).save(&Checkpoint::path_in(directory.path(), step)).unwrap();
    }
    let copies = [
        "step-5.checkpoint",
        "step-0000000000005.checkpoint",
        "step-+00000000005.checkpoint",
        "step-000000000005.best.checkpoint",
        "step-000000000005.checkpoint.bak",
        "Step-000000000005.checkpoint",
    ];
    for name in copies {
        std::fs::copy(at("step-000000000010.checkpoint"), at(name)).unwrap();
    }
    std::fs::write(at("step-000000000006.checkpoint"), "of another program").unwrap();
    model().save(&at("step-000000000007.checkpoint")).unwrap();
    std::fs::create_dir(at("step-000000000008.checkpoint")).unwrap();
    let before = names_in(directory.path());
    let listed = Checkpoint::list(directory.path()).unwrap();
    let steps = [20, 10, 8, 7, 6].map(|step| Checkpoint::path_in(directory.path(), step));
    assert_eq!(listed, steps);
    Checkpoint::prune(directory.path(), 20, 1).unwrap();
    let is_kept = |name: &&String| *name != "step-000000000010.checkpoint";
    let kept: Vec<&String> = before.iter().filter(is_kept).collect();
    assert_eq!(names_in(directory.path()).iter().collect::<Vec<_>>(), kept);
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

//! Models and checkpoints as files: the loss that is stored, files of earlier versions, and numbers that
//! are none.

use crate::place::{Place, prices};
use gristmill_io::{Checkpoint, Model};
use serde_json::Value;
use std::path::Path;

/// A file of version 1.
fn golden(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../io/tests/golden/v1").join(name);
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_model_is_measured_by_the_loss_that_it_was_trained_with() {
    let place = Place::new();
    place.write("prices.csv", prices(80));
    place.write("run.toml", "[loss]\nkind = \"huber\"\ndelta = 0.1\n");
    place.ok("import prices.csv -o p.grist");
    place.ok("train p.grist --config run.toml --validation p.grist --epochs 3 --out run");
    let metrics = place.text("run/metrics.csv");
    let mut lines = metrics.lines();
    let column = lines.next().unwrap().split(',').position(|name| name == "val_loss").unwrap();
    let expected: f64 = lines.last().unwrap().split(',').nth(column).unwrap().parse().unwrap();
    let measured = place.json("evaluate --json run/model.gristmill p.grist");
    let is_expected = |loss: &Value| (loss.as_f64().unwrap() - expected).abs() < 1e-12;
    assert!(is_expected(&measured["loss"]), "{measured}: {expected} in training");
    let text = place.ok("inspect run/model.gristmill");
    assert!(text.contains("\nloss: huber (delta 0.1)\n"), "{text}");
    let model = place.json("inspect --json run/model.gristmill");
    assert_eq!(model["loss"]["kind"], "huber");
    assert_eq!(model["loss"]["delta"].as_f64().map(|delta| delta as f32), Some(0.1));
    // It goes with the model wherever that goes.
    for name in ["m.safetensors", "m.npz", "m.onnx"] {
        place.ok(&format!("export run/model.gristmill -o {name}"));
        place.ok(&format!("import-model {name} -o back.gristmill"));
        let measured = place.json("evaluate --json back.gristmill p.grist");
        assert!(is_expected(&measured["loss"]), "{name}: {measured}");
    }
}

#[test]
fn what_version_1_did_not_store_is_said() {
    let place = Place::new();
    let (model, data) = (golden("huber.gristmill"), golden("prices.grist"));
    let done = place.run(&format!("evaluate {model} {data}"));
    assert!(done.status.success() && done.stdout.contains("loss: 0.071982"), "{}", done.stdout);
    assert!(done.stderr.contains("does not store the delta of its Huber loss"), "{}", done.stderr);
    let model = golden("classes.gristmill");
    let done = place.run(&format!("evaluate {model} {}", golden("run/data.grist")));
    assert!(done.stdout.contains("loss: 0.33863") && !done.stderr.contains("warning"));
}

#[test]
fn inspect_shows_nodes_and_tensors() {
    let place = Place::new();
    let text = place.ok(&format!("inspect {}", golden("classes.gristmill")));
    for part in ["node", "dense1", "dense2", "features", "leaky-relu(0.2)", "softmax-cross-entropy"]
    {
        assert!(text.contains(part), "no {part} in {text}");
    }
    let checkpoint = golden("run/checkpoints/step-000000000132.checkpoint");
    assert!(place.ok(&format!("inspect {checkpoint}")).contains("moments1.dense3.bias"));
    let checkpoint = place.json(&format!("inspect --json {checkpoint}"));
    let tensor = &checkpoint["tensors"]["parameters.dense1.weight"];
    assert_eq!((&tensor["dtype"], &tensor["shape"][0]), (&"f32".into(), &30.into()));
}

#[test]
fn a_checkpoint_with_nan_is_not_resumable() {
    let place = Place::new();
    place.write("prices.csv", prices(40));
    place.ok("train prices.csv --hidden 3 --epochs 2 --batch-size 20 --set checkpoint.max_share=1 --out run");
    let newest = "run/checkpoints/step-000000000004.checkpoint";
    assert!(place.ok(&format!("verify {newest}")).contains("checkpoint: intact"));
    let path = place.path(newest);
    let mut checkpoint = Checkpoint::load(&path).unwrap();
    checkpoint.tensors[0].values.to_mut()[1] = f32::NAN;
    checkpoint.save(&path).unwrap();
    let done = place.run(&format!("verify {newest}"));
    assert_eq!(done.status.code(), Some(1), "{}", done.stdout);
    let part =
        "no run can go on from it: the tensor \"parameters.dense1.weight\" has NaN at [0, 1]";
    assert!(done.stdout.contains(part), "{}", done.stdout);
    let done = place.run("train --resume run");
    assert!(done.status.success(), "{}", done.stderr);
    assert!(
        done.stderr.contains("cannot be resumed; going on from the one before"),
        "{}",
        done.stderr
    );
    Model::load(&place.path("run/model.gristmill")).unwrap();
}

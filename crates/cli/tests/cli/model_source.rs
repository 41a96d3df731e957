//! Where a model is meant, a run's directory or a checkpoint of it will do.

use crate::place::{Place, flip, flowers};
use std::fs;

/// A run of flowers that has ended, and its last checkpoint.
fn with_run() -> (Place, String) {
    let place = Place::new();
    place.write("flowers.csv", flowers(90));
    place.ok("train flowers.csv --epochs 3 --hidden 4 --validation-split 0.2 --out run --set checkpoint.max_share=1");
    let checkpoint = place.names("run/checkpoints").pop().unwrap();
    (place, format!("run/checkpoints/{checkpoint}"))
}

#[test]
fn a_directory_and_a_checkpoint_stand_for_a_model() {
    let (place, checkpoint) = with_run();
    let model = "run/model.gristmill";
    for command in ["evaluate --json MODEL flowers.csv", "predict MODEL flowers.csv"] {
        let expected = place.ok(&command.replace("MODEL", model));
        for other in ["run", "run/", &checkpoint] {
            let done = place.run(&command.replace("MODEL", other));
            assert!(done.status.success(), "{other}: {}", done.stderr);
            assert_eq!(done.stdout, expected, "{command} {other}");
        }
    }
    let done = place.run("evaluate run flowers.csv");
    assert!(done.stderr.contains("model: run/model.gristmill\n"), "{}", done.stderr);
    place.ok(&format!("export {checkpoint} -o a.onnx --verify flowers.csv"));
    place.ok("export run -o b.onnx");
    place.ok("export run/model.gristmill -o c.onnx");
    assert_eq!(place.read("b.onnx"), place.read("c.onnx"));
    assert_eq!(place.ok("inspect run"), place.ok("inspect run/model.gristmill"));
    place.ok("gradcheck run");
    place.fails("predict run flowers.csv -o run/model.gristmill", &["run/model.gristmill"]);
}

#[test]
fn a_run_that_has_not_ended_has_its_newest_checkpoint() {
    let (place, checkpoint) = with_run();
    let expected = place.ok("predict run flowers.csv");
    fs::remove_file(place.path("run/model.gristmill")).unwrap();
    let done = place.run("predict run flowers.csv");
    assert_eq!(done.stdout, expected);
    let said = format!("the run has not ended; its newest checkpoint: {checkpoint}\n");
    assert!(done.stderr.contains(&said), "{}", done.stderr);
    assert!(place.ok("inspect run").starts_with(&format!("{checkpoint}: checkpoint\n")));

    // Inputs are scaled as the data of the run say.
    fs::remove_file(place.path("run/data.grist")).unwrap();
    let parts = [&checkpoint[..], "say how inputs are scaled", "run/data.grist"];
    place.fails("predict run flowers.csv", &parts);
}

#[test]
fn what_is_no_run_is_named() {
    let (place, _) = with_run();
    fs::create_dir(place.path("empty")).unwrap();
    for command in
        ["predict empty flowers.csv", "evaluate empty flowers.csv", "inspect empty", "verify empty"]
    {
        place.fails(command, &["empty: is a directory without a run"]);
    }
    place.fails("predict flowers.csv flowers.csv", &["flowers.csv is not a gristmill model"]);
}

#[test]
fn verify_looks_at_every_file_of_a_run() {
    let (place, checkpoint) = with_run();
    let intact = place.ok("verify run");
    for file in ["run/data.grist", "run/model.gristmill", &checkpoint] {
        assert!(intact.lines().any(|line| line.starts_with(&format!("{file}: "))), "{intact}");
    }
    assert_eq!(intact.lines().count(), 2 + place.names("run/checkpoints").len());
    flip(&place.path(&checkpoint), 200);
    let done = place.run("verify run");
    assert_eq!(done.status.code(), Some(1), "{}", done.stderr);
    assert!(done.stdout.contains(&checkpoint) && done.stderr.contains("1 of"), "{}", done.stderr);
}

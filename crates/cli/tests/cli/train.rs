//! `gristmill train`: runs, their directories and their configurations.

use crate::place::{Done, Place, flip, flowers, prices, truncate};
use std::fs;

#[test]
fn a_run_has_its_directory() {
    let place = Place::new();
    place.write("flowers.csv", flowers(120));
    let done = place.run(
        "train flowers.csv --validation-split 0.25 --epochs 4 --threads 2 --set checkpoint.max_share=1",
    );
    assert!(done.status.success(), "{}", done.stderr);
    for part in ["90 rows", "30 to validate on", "4 > 128 relu > 3", "instruction set", "2 threads"]
    {
        assert!(done.stderr.contains(part), "no {part:?} in {}", done.stderr);
    }
    assert_eq!(done.stderr.lines().filter(|line| line.starts_with("epoch ")).count(), 4);
    assert!(done.stdout.contains("val_accuracy: "), "{}", done.stdout);
    assert!(!done.stderr.contains("warning"), "{}", done.stderr);

    let names =
        ["checkpoints", "config.toml", "data.grist", "lock", "metrics.csv", "model.gristmill"];
    assert_eq!(place.names("runs/flowers-1"), names);
    assert_eq!(place.names("runs/flowers-1/checkpoints").len(), 3);
    let metrics = place.text("runs/flowers-1/metrics.csv");
    assert_eq!(metrics.lines().count(), 5);
    for name in ["train_loss", "val_loss", "val_accuracy", "seconds", "samples_per_second"] {
        assert!(metrics.lines().next().unwrap().contains(name), "{metrics}");
    }
    let config = place.text("runs/flowers-1/config.toml");
    for line in ["path = \"data.grist\"", "learning_rate = 0.001", "hidden = [128]", "epochs = 4"] {
        assert!(config.lines().any(|l| l == line), "no {line} in {config}");
    }
    place.ok("train flowers.csv --epochs 1");
    assert_eq!(place.names("runs"), ["flowers-1", "flowers-2"]);
}

#[test]
fn the_configuration_of_a_run_makes_the_same_model() {
    let place = Place::new();
    place.write("prices.csv", prices(200));
    place.ok("train prices.csv --hidden 8 --loss huber --optimizer nesterov --epochs 3 --out a");
    place.ok("train --config a/config.toml --out b");
    assert_eq!(place.read("a/model.gristmill"), place.read("b/model.gristmill"));
    // A kind that is changed takes its own defaults along.
    place.ok("train --config a/config.toml --optimizer adam --loss mean-absolute --out c");
    let config = place.text("c/config.toml");
    assert!(config.contains("learning_rate = 0.001") && !config.contains("momentum ="), "{config}");
}

#[test]
fn options_override_the_configuration() {
    let place = Place::new();
    place.write("flowers.csv", flowers(60));
    place.write("run.toml", "seed = 4\n[training]\nepochs = 9\nbatch_size = 16\n");
    place.ok("train flowers.csv --config run.toml --epochs 2 --set optimizer.beta1=0.8 --out run");
    let config = place.text("run/config.toml");
    for line in ["seed = 4", "epochs = 2", "batch_size = 16", "beta1 = 0.8"] {
        assert!(config.lines().any(|l| l == line), "no {line} in {config}");
    }
    place.write("bad.toml", "[training]\nepoch = 9\n");
    place.fails("train flowers.csv --config bad.toml", &["bad.toml"]);
    place.fails("train flowers.csv --config none.toml", &["none.toml"]);
    place.refuses("train flowers.csv --learning-rate=-1", &["optimizer.learning_rate", "-1"]);
    place.refuses("train flowers.csv --set training.epoch=3", &["training.epoch=3"]);
    assert!(!place.path("runs").exists() || place.names("runs").is_empty());
}

#[test]
fn nothing_is_overwritten() {
    let place = Place::new();
    place.write("flowers.csv", flowers(30));
    place.ok("train flowers.csv --epochs 1 --out run");
    let before = place.read("run/model.gristmill");
    place.fails("train flowers.csv --epochs 2 --out run", &["run", "resume"]);
    assert_eq!(place.read("run/model.gristmill"), before);
    fs::create_dir(place.path("letters")).unwrap();
    place.write("letters/dear.txt", "...");
    place.fails("train flowers.csv --out letters", &["letters", "not empty"]);
    assert_eq!(place.names("letters"), ["dear.txt"]);
}

#[test]
fn a_run_that_cannot_begin_leaves_nothing() {
    let place = Place::new();
    place.write("bad.csv", "a,b\n1,2\n3\n");
    place.fails("train bad.csv --out run", &["bad.csv", "line 3"]);
    place.write("flowers.csv", flowers(30));
    place.refuses("train flowers.csv --out run --dropout 2", &["network.dropout"]);
    place.fails("train flowers.csv --out run --validation none.csv", &["none.csv"]);
    place.fails("train none.csv --out run", &["none.csv"]);
    assert!(!place.path("run").exists());
}

#[test]
fn options_are_checked_before_anything_is_read() {
    let place = Place::new();
    place
        .refuses("train none.csv --activation rellu", &["network.activation", "rellu", "softplus"]);
    place.refuses("train none.csv --learning-rate -1", &["optimizer.learning_rate"]);
    let metric = "--patience 2 --set early_stopping.metric=f1";
    place.refuses(&format!("train none.csv {metric}"), &["needs validation data"]);
    place.refuses("split none.csv --shares 0.8,0.3 -o a.grist -o b.grist", &["shares"]);
    place.write("flowers.csv", flowers(30));
    let done = place.run("train flowers.csv --validation none.csv");
    done.assert_failed("train", &["none.csv"]);
    assert!(!done.stderr.contains("read flowers.csv"), "{}", done.stderr);
    place.ok("train flowers.csv --epochs 1 --out run");
    fs::remove_file(place.path("run/data.grist")).unwrap();
    place.refuses("train --resume run --epochs 0", &["training.epochs"]);
}

#[test]
fn validation_files_are_encoded_as_the_training_data() {
    let place = Place::new();
    place.write("flowers.csv", flowers(60));
    // Fewer classes, and another order of columns.
    place
        .write("held-out.csv", "kind,colour,width,length\nbellis,red,2.1,2.3\naster,white,0,0.1\n");
    place.ok("train flowers.csv --validation held-out.csv --epochs 2 --out run");
    assert!(place.path("run/validation.grist").exists());
    let done = place.run("train flowers.csv --validation held-out.csv --epochs 1 --out few");
    assert!(done.stderr.contains("warning: only 2 rows to validate on"), "{}", done.stderr);
    place.write("odd.csv", "kind,colour,width,length\ndahlia,red,1,1\n");
    place.fails("train flowers.csv --validation odd.csv --out odd", &["odd.csv", "dahlia"]);
}

#[test]
fn early_stopping_keeps_the_best() {
    let place = Place::new();
    place.write("flowers.csv", flowers(60));
    let options = "--validation-split 0.3 --patience 2 --learning-rate 0.3 --epochs 200 --seed 1";
    let done = place.run(&format!("train flowers.csv {options} --out run"));
    assert!(done.stderr.contains("stopped early"), "{}", done.stderr);
    let epoch = done.stdout.lines().next().unwrap().strip_prefix("epoch: ").unwrap();
    let lines = place.text("run/metrics.csv").lines().count() - 1;
    assert_eq!(epoch.parse::<usize>().unwrap() + 2, lines);
}

#[test]
fn early_stopping_watches_what_is_measured() {
    let place = Place::new();
    place.write("flowers.csv", flowers(60));
    let train = "train flowers.csv --out run --epochs 2 --set early_stopping.metric=f1";
    let parts = ["early_stopping.metric", "f1", "needs validation data", "--validation-split"];
    place.refuses(&format!("{train} --patience 2"), &parts);
    assert!(!place.path("run").exists());
    place.ok(&format!("{train} --patience 2 --validation-split 0.2"));
}

#[test]
fn a_loss_that_explodes_is_an_error() {
    let place = Place::new();
    place.write("prices.csv", prices(100));
    let options = "--optimizer sgd --learning-rate 1e30 --hidden 8 --out run";
    place.fails(&format!("train prices.csv {options}"), &["loss", "learning rate"]);
    assert!(!place.path("run/model.gristmill").exists());
}

#[test]
fn a_disk_that_fills_during_the_run_is_an_error() {
    let place = Place::new();
    place.write("flowers.csv", flowers(30));
    place.ok("import flowers.csv -o flowers.grist");
    let script = "trap '' XFSZ; ulimit -f 16";
    let arguments = "train flowers.grist --hidden 200 --out run";
    let done = place.command_after(script, arguments).output().unwrap();
    Done::of(done).assert_failed("train", &["checkpoint", "File too large"]);
    assert!(place.names("run/checkpoints").is_empty(), "{:?}", place.names("run/checkpoints"));
    assert!(!place.path("run/model.gristmill").exists());
}

#[test]
fn damaged_checkpoints_are_passed_over_until_none_is_left() {
    let place = Place::new();
    place.write("flowers.csv", flowers(60));
    place.ok("train flowers.csv --epochs 4 --out whole");
    place.ok("train flowers.csv --epochs 3 --out run --set checkpoint.max_share=1");
    let checkpoints = place.names("run/checkpoints");
    let path = |i: usize| place.path("run/checkpoints").join(&checkpoints[i]);
    flip(&path(2), 200);
    truncate(&path(1), 300);
    for i in [1, 2] {
        place.fails(&format!("inspect {}", path(i).display()), &[&checkpoints[i]]);
    }
    let done = place.run("train --resume run --epochs 4");
    assert!(done.status.success(), "{}", done.stderr);
    for i in [1, 2] {
        let warned = |line: &str| line.starts_with("warning") && line.contains(&checkpoints[i]);
        assert!(done.stderr.lines().any(warned), "{}", done.stderr);
    }
    assert_eq!(place.read("run/model.gristmill"), place.read("whole/model.gristmill"));

    for name in place.names("run/checkpoints") {
        place.write(&format!("run/checkpoints/{name}"), "nothing");
    }
    place.fails("train --resume run", &["checkpoint"]);
}

#[test]
fn inspect_tells_of_models_and_checkpoints() {
    let place = Place::new();
    place.write("flowers.csv", flowers(60));
    place.ok("train flowers.csv --hidden 5 --epochs 2 --batch-size 20 --out run");
    let text = place.ok("inspect run/model.gristmill");
    for part in ["4 > 5 relu > 3", "aster, bellis, crocus", "instruction set", "parameters: 43"] {
        assert!(text.contains(part), "no {part} in {text}");
    }
    let model = place.json("inspect --json run/model.gristmill");
    assert_eq!(model["nodes"][0]["outputs"], 5);
    let checkpoint = "run/checkpoints/step-000000000006.checkpoint";
    assert!(place.ok(&format!("inspect {checkpoint}")).contains("epochs completed: 2"));
    let checkpoint = place.json(&format!("inspect --json {checkpoint}"));
    assert_eq!((checkpoint["epoch"].as_u64(), checkpoint["step"].as_u64()), (Some(2), Some(6)));
    assert_eq!(checkpoint["history"][1]["epoch"], 2);
}

//! Help, wrong usage, and the two channels.

use crate::place::{Done, Place, flowers};
use std::io::Read;
use std::process::Stdio;

const COMMANDS: [&str; 15] = [
    "formats",
    "import",
    "synth",
    "head",
    "stats",
    "split",
    "verify",
    "train",
    "evaluate",
    "predict",
    "inspect",
    "gradcheck",
    "export-data",
    "export",
    "import-model",
];

#[test]
fn every_command_has_help_with_examples() {
    let place = Place::new();
    let all = place.ok("--help");
    for command in COMMANDS {
        assert!(all.contains(command));
        let help = place.ok(&format!("{command} --help"));
        assert!(help.contains(&format!("Examples:\n  gristmill {command}")), "{help}");
    }
}

#[test]
fn wrong_usage_exits_with_2() {
    let place = Place::new();
    for arguments in [
        "",
        "grind",
        "train",
        "train a.csv --epochs many",
        "train a.csv --loss hinge",
        "train a.csv --optimizer adamm",
        "train a.csv --hidden 3,,4",
        "train a.csv --hidden 0",
        "train a.csv --learning-rate -1",
        "train a.csv --optimizer -1",
        "head a.csv -n -3",
        "split a.csv --shares -0.5,0.5 -o b.grist -o c.grist",
        "synth -o a.grist --noise -1",
        "train a.csv --validation b.csv --validation-split 0.1",
        "train a.csv --resume runs/a-1",
        "train --resume runs/a-1 --seed 3",
        "train --resume runs/a-1 --hidden 3",
        "train --resume runs/a-1 --target y",
        "train --resume runs/a-1 --format csv",
        "import a.csv",
        "import a.csv -o a.grist --task cluster",
        "import a.csv -o a.grist --dtype f64",
        "import a.csv -o a.grist --memory plenty",
        "synth",
        "synth -o a.grist --regression --classes 3",
        "synth -o a.grist --regression --sorted",
        "synth -o a.grist --rows many",
        "head",
        "head a.csv --csv -o a.grist",
        "stats",
        "split",
        "split a.csv --shares most",
        "verify",
        "evaluate model",
        "predict model",
        "export-data a.grist",
        "export model",
        "import-model m.onnx",
        "inspect",
        "gradcheck model --hidden 3",
        "gradcheck model --features 3",
    ] {
        let done = place.run(arguments);
        assert_eq!(done.status.code(), Some(2), "{arguments}: {}", done.stderr);
        assert!(done.stderr.contains("Usage") || done.stderr.contains("error:"), "{arguments}");
        assert_eq!(done.stdout, "", "{arguments}");
    }
    assert_eq!(place.names("."), ["tmp"], "wrong usage makes no files");
}

#[test]
fn numbers_below_zero_are_refused_for_what_they_are() {
    let place = Place::new();
    for (arguments, part) in [
        ("train a.csv --warmup -0.5", "`schedule.warmup` is -0.5: expected 0 to"),
        ("train a.csv --l2 -0.001", "`optimizer.l2` is -0.001: expected at least 0"),
        ("train a.csv --epochs -1", "expected a whole number, 0 or more"),
        ("train a.csv --seed 5000000000", "too large"),
        ("train a.csv --memory -1", "\"-1\" is no size"),
        ("synth -o a.grist --rows -1", "expected a whole number"),
    ] {
        place.refuses(arguments, &[part]);
    }
}

#[test]
fn a_reader_that_has_enough_is_no_failure() {
    let place = Place::new();
    place.write("flowers.csv", flowers(20_000));
    place.ok("train flowers.csv --epochs 1 --out run");
    for arguments in ["predict run/model.gristmill flowers.csv", "inspect run/model.gristmill"] {
        let mut child =
            place.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut first = [0; 5];
        child.stdout.take().unwrap().read_exact(&mut first).unwrap();
        let done = Done::of(child.wait_with_output().unwrap());
        assert_eq!(done.status.code(), Some(0), "{arguments}: {}", done.stderr);
        assert!(!done.stderr.contains("error"), "{arguments}: {}", done.stderr);
    }
}

#[test]
fn results_that_cannot_be_written_are_an_error() {
    let place = Place::new();
    place.write("flowers.csv", flowers(30));
    place.ok("import flowers.csv -o flowers.grist");
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let done = place.command("inspect flowers.grist").stdout(full).output().unwrap();
    Done::of(done).assert_failed("inspect", &["standard output"]);
}

#[test]
fn quiet_leaves_only_the_results() {
    let place = Place::new();
    place.write("flowers.csv", flowers(30));
    let done = place.run("train --quiet flowers.csv --epochs 2");
    assert_eq!(done.stderr, "");
    assert!(done.stdout.ends_with("model: runs/flowers-1/model.gristmill\n"), "{}", done.stdout);
}

#[test]
fn an_unknown_instruction_set_is_named() {
    let place = Place::new();
    place.write("flowers.csv", flowers(30));
    let done = place.command("train flowers.csv").env("GRISTMILL_ISA", "mmx").output().unwrap();
    Done::of(done).assert_failed("train", &["mmx", "portable"]);
    assert_eq!(place.names("."), ["flowers.csv", "tmp"]);
}

#[test]
fn gradients_are_checked() {
    let place = Place::new();
    let report = place.json("gradcheck --hidden 8,5 --activation gelu --json");
    assert!(report["largest_relative_error"].as_f64().unwrap() < 1e-6, "{report}");
    assert!(report["kernels_error"].as_f64().unwrap() < 1e-4, "{report}");
    assert!(place.ok("gradcheck --classes 4 --hidden none").contains("central differences"));

    place.write("flowers.csv", flowers(30));
    place.ok("train flowers.csv --epochs 1 --activation tanh --hidden 6 --out run");
    let report = place.json("gradcheck run/model.gristmill --json");
    assert!(report["compared"].as_u64().unwrap() > 20, "{report}");

    place.refuses("gradcheck --classes 1", &["at least 2 classes"]);
    place.refuses("gradcheck --features 0", &["--features"]);
    place.refuses("gradcheck --activation rellu", &["rellu", "softplus"]);
}

//! Windows of a series: `--window`, `--horizon`, and the target among their inputs.

use crate::place::Place;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// A price that follows from the two before it, and a number that says nothing.
fn prices(rows: u32) -> String {
    let mut text = "noise,close\n".to_owned();
    let (mut before, mut close) = (0.0, 1.0);
    for row in 0..rows {
        writeln!(text, "{},{close}", f64::from(row * 7919 % 100) / 50.0).unwrap();
        (before, close) = (close, 1.9 * close - 0.98 * before);
    }
    text
}

const NETWORK: &str = "--hidden none --optimizer adam --learning-rate 0.05 --epochs 40";

fn inputs(place: &Place, file: &str) -> Vec<String> {
    let found = place.json(&format!("inspect --json {file}"));
    let inputs = found["encoding"]["inputs"].as_array().unwrap().clone();
    inputs.iter().map(|input| input["name"].as_str().unwrap().to_owned()).collect()
}

fn said(place: &Place, arguments: &str) -> String {
    let done = place.run(arguments);
    assert!(done.status.success(), "{arguments}: {}", done.stderr);
    done.stderr
}

#[test]
fn a_series_is_learned_from_its_past_and_predicted_beyond_its_end() {
    let place = Place::new();
    place.write("prices.csv", prices(400));
    let train = format!(
        "train prices.csv --window 2 --horizon 1 --validation-split 0.2 {NETWORK} --out run"
    );
    let told = said(&place, &train);
    for line in [
        "windows of 2 rows, the target 1 row after the last of them; the past of close is among the inputs\n",
        "the last rows are held out to validate on, as windows that have no row of those learned from\n",
        // 320 and 80 rows, each of which has 2 windows less.
        "on 318 windows of 2 features and 78 to validate on\n",
    ] {
        assert!(told.contains(line), "{line}: {told}");
    }
    assert_eq!(inputs(&place, "run/data.grist"), ["noise", "close"]);
    let config = place.text("run/config.toml");
    assert!(config.contains("window = 2\nhorizon = 1\n"), "{config}");
    let measured = place.json("evaluate --json run prices.csv");
    assert_eq!(measured["rows"], json!(398));
    assert!(measured["r2"].as_f64().unwrap() > 0.99, "{measured}");

    // One more row is what was predicted for the row after the last.
    place.write("more.csv", prices(401));
    let done = place.run("predict run prices.csv");
    assert!(
        done.stderr.contains("rows 3 to 401 are predicted; row 401 comes after the last"),
        "{}",
        done.stderr
    );
    let lines: Vec<&str> = done.stdout.lines().collect();
    assert_eq!((lines[0], lines.len()), ("row,close", 400));
    assert!(lines[1].starts_with("3,") && lines[399].starts_with("401,"), "{lines:?}");
    let expected: f64 =
        place.text("more.csv").lines().last().unwrap().split(',').nth(1).unwrap().parse().unwrap();
    let predicted: f64 = lines[399].split(',').nth(1).unwrap().parse().unwrap();
    assert!((predicted - expected).abs() < 0.05, "{predicted} for {expected}");

    // Other forms say the same; an array has no room for the number of the row.
    place.ok("predict run prices.csv -o p.jsonl");
    let first: Value = serde_json::from_str(place.text("p.jsonl").lines().next().unwrap()).unwrap();
    assert_eq!(first["row"], json!(3));
    assert_eq!(first["close"].as_f64().unwrap() as f32, lines[1][2..].parse::<f32>().unwrap());
    place.ok("predict run prices.csv -o p.npy");
    assert_eq!(place.read("p.npy").len() % 128, (399 * 4) % 128);
}

#[test]
fn the_past_of_the_target_may_be_left_out() {
    let place = Place::new();
    place.write("prices.csv", prices(60));
    let train = "train prices.csv --window 3 --hidden 2 --epochs 1";
    let told = said(&place, &format!("{train} --no-keep-target --out without"));
    assert!(
        told.contains("the past of close is not among the inputs; import with --keep-target"),
        "{told}"
    );
    assert_eq!(inputs(&place, "without/model.gristmill"), ["noise"]);
    // A data set says itself whether it has it.
    place.ok("import prices.csv -o plain.grist");
    place.ok("import prices.csv --keep-target -o kept.grist");
    assert_eq!(
        [inputs(&place, "plain.grist"), inputs(&place, "kept.grist")],
        [vec!["noise"], vec!["noise", "close"]]
    );
    let told = said(&place, "train plain.grist --window 3 --hidden 2 --epochs 1 --out plain");
    assert!(told.contains("is not among the inputs"), "{told}");
    place.ok(&format!("{train} --out table"));
    place.ok("train kept.grist --window 3 --hidden 2 --epochs 1 --out kept");
    assert!(place.read("table/model.gristmill") == place.read("kept/model.gristmill"));
    place.refuses("train kept.grist --window 3 --keep-target", &["--keep-target", "is a data set"]);
    place.fails(
        "train kept.grist --hidden 2",
        &["column close is an input as well as the target", "give --window", "--no-keep-target"],
    );
    place.fails("train kept.grist --window 3 --horizon 0", &["horizon of 0", "--horizon 1"]);
    // With it there is something to learn from even where the target is alone.
    place.write("alone.csv", "close\n1.5\n2.5\n4\n3\n2\n1\n1.25\n");
    place.fails(
        "train alone.csv --window 3 --no-keep-target",
        &["has no input columns left", "--keep-target"],
    );
    place.ok("train alone.csv --window 3 --hidden 2 --epochs 1 --task regress --out alone");
    assert_eq!(inputs(&place, "alone/model.gristmill"), ["close"]);
}

#[test]
fn a_kept_target_survives_every_way_of_a_data_set() {
    let place = Place::new();
    place.write("numbers.csv", prices(40));
    let kinds: String =
        (0..40).map(|i| format!("{i},{}\n", ["up", "down", "10.0"][i * i % 3])).collect();
    place.write("kinds.csv", format!("n,move\n{kinds}"));
    let signs: String = (0..40).map(|i| format!("{i},{}.0\n", i * i % 3)).collect();
    place.write("signs.csv", format!("n,move\n{signs}"));
    for (table, target) in [("numbers", "close"), ("kinds", "move"), ("signs", "move")] {
        place.ok(&format!("import {table}.csv --target {target} --keep-target -o a.grist"));
        assert_eq!(inputs(&place, "a.grist").last().unwrap(), target);
        place.ok("import a.grist -o b.grist");
        place.ok(&format!("import {table}.csv --like a.grist -o c.grist"));
        place.ok("head a.grist -n 40 -o d.grist");
        for copy in ["b.grist", "c.grist", "d.grist"] {
            assert!(place.read(copy) == place.read("a.grist"), "{table} {copy}");
        }
        place.ok("import a.grist --no-keep-target -o plain.grist");
        place.ok(&format!("import {table}.csv --target {target} -o e.grist"));
        assert!(place.read("plain.grist") == place.read("e.grist"), "{table}");
        for name in ["x.csv", "x.jsonl", "x.parquet", "x.arrow", "x.npz"] {
            let told = said(&place, &format!("export-data a.grist -o {name}"));
            let options = told
                .lines()
                .find_map(|line| line.strip_prefix("to import it again, say "))
                .unwrap();
            assert!(options.contains("--keep-target") || options.contains("--like"), "{options}");
            place.ok(&format!("import {name} -o again.grist {options}"));
            assert!(
                place.read("again.grist") == place.read("a.grist"),
                "{table} {name}: {options}"
            );
        }
        let train = "train a.grist --window 4 --horizon 2 --hidden 3 --epochs 1 --out";
        place.ok(&format!("{train} run-{table}"));
        // Columns are found by name, and classes however they are spelled.
        let of_file = place.ok(&format!("predict run-{table} a.grist"));
        assert_eq!(of_file.lines().count(), 1 + 37);
        assert_eq!(place.ok(&format!("predict run-{table} {table}.csv")), of_file);
        place.ok(&format!("evaluate run-{table} {table}.csv"));
    }
}

#[test]
fn runs_of_windows_are_the_same_however_they_are_read() {
    let place = Place::new();
    place.write("prices.csv", prices(3000));
    place.ok("import prices.csv --keep-target -o prices.grist");
    let layers = |run: &str, more: &str| {
        let train = format!(
            "train prices.grist --window 12 --horizon 3 --validation-split 0.1 --shuffle window \
             --set training.block_rows=64 --set training.window_blocks=8 --seed 4 --out {run} {more} --layers"
        );
        let done = place.command(&train).arg("conv 4 3, relu, gru 5").output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    };
    layers("one", "--epochs 2 --threads 1");
    for (run, more) in [("two", "--threads 2"), ("little", "--threads 3 --memory 4K")] {
        layers(run, &format!("--epochs 2 {more}"));
        assert!(
            place.read(&format!("{run}/model.gristmill")) == place.read("one/model.gristmill"),
            "{run}"
        );
    }
    layers("short", "--epochs 2 --threads 2");
    let predicted = place.ok("predict one/model.gristmill prices.grist");
    assert_eq!(place.ok("predict one/model.gristmill prices.grist --memory 5K"), predicted);
    let measured = place.ok("evaluate one prices.grist");
    assert_eq!(place.ok("evaluate one prices.grist --memory 5K --threads 1"), measured);
    // A checkpoint is a model too, and a longer run goes on.
    let checkpoints = place.names("short/checkpoints");
    let last = checkpoints.last().unwrap();
    assert_eq!(place.ok(&format!("evaluate short/checkpoints/{last} prices.grist")), measured);
    place.ok("train --resume short --epochs 3");
    layers("whole", "--epochs 3 --threads 1");
    assert!(place.read("short/model.gristmill") == place.read("whole/model.gristmill"));
}

#[test]
fn layers_and_models_of_windows_are_described() {
    let place = Place::new();
    place.write("prices.csv", prices(50));
    place.ok("import prices.csv --keep-target -o prices.grist");
    let describe = |arguments: &str| {
        let mut command = place.command(&format!("describe --json {arguments} --layers"));
        let done = command.arg("gru 5").output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        serde_json::from_slice::<Value>(&done.stdout).unwrap()["features"].clone()
    };
    assert_eq!(describe("--data prices.grist --window 6"), json!([1, 6, 2]));
    assert_eq!(describe("--window 6 --features 2"), json!([1, 6, 2]));
    assert_eq!(describe("--window 6 --shape 3x4"), json!([1, 3, 4]));
    place.ok("gradcheck --window 4 --features 3 --hidden 5");
    place.ok("train prices.grist --window 6 --horizon 2 --hidden 3 --epochs 1 --out run");
    let text = place.ok("inspect run");
    assert!(
        text.contains("windows of 6 rows, the target 2 rows after the last of them\n"),
        "{text}"
    );
    assert!(
        text.contains("network: 12 > 3 relu > 1\n")
            && text.contains("input columns: noise, close\n"),
        "{text}"
    );
    assert_eq!(place.json("inspect --json run")["series"], json!({ "window": 6, "horizon": 2 }));
    for name in ["m.onnx", "m.safetensors", "m.npz"] {
        let verified = place.ok(&format!("export run -o {name} --verify prices.grist"));
        assert_eq!(verified, "largest difference over 45 rows: 0\n", "{name}");
        place.ok(&format!("import-model {name} -o back.gristmill"));
        assert_eq!(
            place.ok("predict back.gristmill prices.grist"),
            place.ok("predict run prices.grist")
        );
    }
    place.ok("export run -o m.h");
    let header = place.text("m.h");
    assert!(header.contains("#define GRISTMILL_FEATURES 12\n"), "{header}");
    for line in ["     0  noise_t-5_\n", "     1  close_t-5_\n", "     11  close_t_\n"] {
        assert!(header.contains(line), "{line}: {header}");
    }
}

#[test]
fn what_makes_no_windows_is_refused_with_numbers() {
    let place = Place::new();
    place.write("prices.csv", prices(30));
    place.ok("import prices.csv -o a.grist");
    place.ok("import prices.csv -o b.grist");
    place.fails(
        "train a.grist --window 30",
        &[
            "a.grist has 30 rows, but a window of 30 with its target 1 after it takes 31",
            "shorter window",
        ],
    );
    place.fails(
        "train a.grist --window 5 --horizon 2 --validation-split 0.2",
        &[
            "cuts the 30 rows of a.grist into 24 to learn from and the last 6",
            "takes 7, more than the last 6 rows",
        ],
    );
    place.refuses(
        "train a.grist --window 3 --validation-split 0.3 --set validation.stratified=true",
        &["validation.stratified=true", "the last are held out"],
    );
    place.refuses("train a.grist --horizon 3", &["`data.horizon` is 3", "data.window"]);
    place.refuses("train a.grist --window 0", &["`data.window` is 0", "expected 1 to"]);
    place.refuses(
        "train a.grist b.grist --window 3",
        &["--window: 2 data sets are given", "gristmill import A.grist B.grist -o ALL.grist"],
    );
    place.ok("train a.grist --window 3 --validation b.grist --hidden 2 --epochs 1 --out run");
    place.write("few.csv", prices(3));
    place.fails(
        "evaluate run few.csv",
        &["has 3 rows, but a window of 3 with its target 1 after it takes 4"],
    );
    assert_eq!(
        place.ok("predict run few.csv").lines().count(),
        2,
        "one window, whose target is to come"
    );
    place.write("fewer.csv", prices(2));
    place.fails("predict run fewer.csv", &["has 2 rows, but a window takes 3"]);
}

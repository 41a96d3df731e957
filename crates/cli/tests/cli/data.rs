//! `gristmill synth`, `head`, `stats`, `split` and `verify`: data sets made, looked at, and divided.

use crate::place::{Done, Place, flip, flowers, truncate};
use std::collections::BTreeSet;

const SYNTH: &str = "synth -o s.grist --rows 3000 --features 5 --classes 3 --noise 0.3 --seed 4";

#[test]
fn what_is_made_is_what_was_asked_for() {
    let place = Place::new();
    let done = place.run(SYNTH);
    assert!(done.status.success() && done.stdout.is_empty(), "{}", done.stderr);
    assert!(done.stderr.contains("3,000 rows, 5 features stored as f32"), "{}", done.stderr);
    let found = place.json("inspect --json s.grist");
    assert_eq!((found["rows"].as_u64(), found["dtype"].as_str()), (Some(3000), Some("f32")));
    assert_eq!(found["features"].as_array().unwrap().len(), 5);
    assert_eq!(found["class_counts"].as_array().unwrap().len(), 3);

    place.ok(&SYNTH.replace("s.grist", "same.grist"));
    place.ok(&SYNTH.replace("s.grist", "other.grist").replace("seed 4", "seed 5"));
    assert_eq!(place.read("s.grist"), place.read("same.grist"));
    assert_ne!(place.read("s.grist"), place.read("other.grist"));

    place.ok("synth -o n.grist --rows 100 --features 3 --regression --dtype f16");
    let found = place.json("inspect --json n.grist");
    assert_eq!(
        (found["targets"][0]["name"].as_str(), found["dtype"].as_str()),
        (Some("y"), Some("f16"))
    );
    place.ok("synth -o sorted.grist --rows 100 --features 3 --sorted");
    let labels: Vec<String> = rows(&place.ok("head sorted.grist --csv -n 100"));
    assert!(labels.iter().map(|row| row.rsplit(',').next()).is_sorted());
}

#[test]
fn what_is_made_can_be_learned() {
    let place = Place::new();
    place.ok(SYNTH);
    place.ok("train s.grist --hidden 16 --epochs 10 --validation-split 0.2 --out run");
    let found = place.json("evaluate --json run/model.gristmill s.grist");
    let accuracy = found["metrics"]["accuracy"].as_f64().or(found["accuracy"].as_f64());
    assert!(accuracy.unwrap() > 0.9, "{found}");
}

#[test]
fn what_cannot_be_made_is_refused() {
    let place = Place::new();
    place.refuses("synth -o s.grist --rows 0", &["at least one row"]);
    place.refuses("synth -o s.grist --classes 1", &["at least 2 classes"]);
    place.fails("synth -o none/s.grist --rows 10", &["none/s.grist"]);
    assert_eq!(place.names("."), ["tmp"]);
}

/// The lines of a text but the first.
fn rows(csv: &str) -> Vec<String> {
    csv.lines().skip(1).map(str::to_owned).collect()
}

#[test]
fn the_first_rows_are_shown() {
    let place = Place::new();
    place.write("flowers.csv", flowers(30));
    let source = flowers(30);
    let first =
        |lines: usize| source.lines().take(lines).map(|l| format!("{l}\n")).collect::<String>();
    assert_eq!(place.ok("head flowers.csv --csv -n 4"), first(5));
    assert_eq!(place.ok("head flowers.csv --csv -n 1000"), first(31));
    assert_eq!(place.ok("head flowers.csv flowers.csv --csv -n 45").lines().count(), 46);
    assert_eq!(place.ok("head flowers.csv --csv -n 0"), first(1));
    let table = place.ok("head flowers.csv");
    assert_eq!(table.lines().count(), 11, "{table}");
    assert!(table.starts_with("  row  length"), "{table}");
    place.ok("import flowers.csv -o flowers.grist --dtype f32");
    assert_eq!(place.ok("head flowers.grist --csv -n 4"), first(5));
    assert_eq!(place.names("."), ["flowers.csv", "flowers.grist", "tmp"]);

    place.write("long.csv", "a,b\n1,\"two\nlines\"\n2,\"a \"\"quote\"\", and more\"\n");
    assert_eq!(place.ok("head long.csv --csv"), place.text("long.csv"));
    assert!(place.ok("head long.csv").contains("two\\nlines"));

    place.ok("synth -o wide.grist --rows 20 --features 40");
    let table = place.ok("head wide.grist -n 1");
    assert!(table.contains("29 more columns") && table.contains("x10  ...  class"), "{table}");
    assert!(place.ok("head wide.grist -n 1 --all").contains("x39"));
}

#[test]
fn a_head_can_be_a_data_set() {
    let place = Place::new();
    place.ok(SYNTH);
    place.ok("head s.grist -n 100 -o part.grist");
    let all = rows(&place.ok("head s.grist --csv -n 3000"));
    assert_eq!(rows(&place.ok("head part.grist --csv -n 3000")), all[..100]);
    place.write("flowers.csv", flowers(30));
    place.ok("head flowers.csv -n 7 -o flowers.grist");
    assert_eq!(place.json("inspect --json flowers.grist")["rows"], 7);
}

#[test]
fn statistics_of_tables_and_data_sets() {
    let place = Place::new();
    place.write("gaps.csv", "a,b,colour,y\n1,8,red,no\n,0,,yes\n3,4,red,no\n5,8,blue,no\n");
    let text = place.ok("stats gaps.csv");
    for part in ["rows: 4", "75.0 %", "colour=red", "colour=blue", "distribution", "█"] {
        assert!(text.contains(part), "no {part} in {text}");
    }
    let found = place.json("stats --json gaps.csv");
    let a = &found["features"][0];
    assert_eq!((a["missing"].as_u64(), a["mean"].as_f64()), (Some(1), Some(3.0)));
    let counts: Vec<u64> =
        a["histogram"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap()).collect();
    // What was filled in for the gap is not counted.
    assert_eq!(counts.iter().sum::<u64>(), 3);
    assert_eq!((counts[0], counts[12], counts[23]), (1, 1, 1));
    assert_eq!(found["classes"][0]["name"], "no");
    assert_eq!(found["classes"][0]["rows"], 3);

    place.ok("import gaps.csv -o gaps.grist --missing mean");
    assert_eq!(place.json("stats --json gaps.grist"), found);
    let found = place.json("stats --json gaps.csv --target b --task regress --drop y");
    assert_eq!(found["targets"][0]["name"], "b");
    assert_eq!(found["targets"][0]["max"], 8.0);
    place.ok("synth -o wide.grist --rows 20 --features 40");
    assert!(place.ok("stats wide.grist").contains("10 more features"));
    assert!(place.ok("stats wide.grist --all").contains("x39"));
    place.fails("stats none.csv", &["none.csv"]);
}

#[test]
fn parts_share_the_rows() {
    let place = Place::new();
    place.ok(SYNTH);
    place.ok("split s.grist");
    assert_eq!(place.names("."), ["s-test.grist", "s-train.grist", "s.grist", "tmp"]);
    let of = |file: &str| rows(&place.ok(&format!("head {file} --csv -n 3000")));
    let (all, train, test) = (of("s.grist"), of("s-train.grist"), of("s-test.grist"));
    assert_eq!((train.len(), test.len()), (2400, 600));
    let parts: BTreeSet<&String> = train.iter().chain(&test).collect();
    assert_eq!(parts, all.iter().collect());
    // Each class has its share in each part but for less than a row.
    let counts = |file: &str| -> Vec<f64> {
        let found = place.json(&format!("inspect --json {file}"));
        let counts = found["class_counts"].as_array().unwrap().clone();
        counts.iter().map(|count| count.as_f64().unwrap()).collect()
    };
    for (all, test) in counts("s.grist").iter().zip(counts("s-test.grist")) {
        assert!((0.2 * all - test).abs() < 1.0, "{test} of {all}");
    }

    let names = "-o a.grist -o b.grist";
    place.ok(&format!("split s.grist --shares 0.5,0.25 {names} --no-stratify --seed 3"));
    assert_eq!((of("a.grist").len(), of("b.grist").len()), (1500, 750));
    let before = place.read("a.grist");
    place.ok(&format!("split s.grist --shares 0.5,0.25 {names} --no-stratify --seed 3"));
    assert_eq!(place.read("a.grist"), before);
    place.ok(&format!("split s.grist --shares 0.5,0.25 {names} --no-stratify --seed 4"));
    assert_ne!(place.read("a.grist"), before);

    place.write("flowers.csv", flowers(30));
    place.ok("split flowers.csv --shares 0.6,0.2,0.2");
    let parts =
        ["train", "validation", "test"].map(|part| of(&format!("flowers-{part}.grist")).len());
    assert_eq!(parts, [18, 6, 6]);
    place.ok("synth -o n.grist --rows 100 --features 3 --regression");
    place.ok("split n.grist --shares 0.1,0.1,0.1,0.1");
    assert_eq!(of("n-4.grist").len(), 10);
}

#[test]
fn splits_that_cannot_be_are_refused() {
    let place = Place::new();
    place.ok(SYNTH);
    place.refuses("split s.grist --shares 0.8,0.3", &["shares", "1 at most"]);
    place.refuses("split s.grist -o a.grist", &["2 parts and 1 files"]);
    place.refuses("split s.grist -o a.grist -o a.grist", &["a.grist", "two parts"]);
    place.fails("split s.grist -o a.grist -o none/b.grist", &["none/b.grist"]);
    assert_eq!(place.names("."), ["s.grist", "tmp"]);
}

#[test]
fn every_damaged_block_is_named() {
    let place = Place::new();
    place.ok("synth -o s.grist --rows 150000 --features 8");
    place.ok("train s.grist --hidden none --epochs 1 --out run");
    let model = "run/model.gristmill";
    let checkpoint = format!("run/checkpoints/{}", place.names("run/checkpoints")[0]);
    let done = place.ok(&format!("verify s.grist {model} {checkpoint}"));
    assert_eq!(done.lines().filter(|line| line.ends_with(": intact")).count(), 3, "{done}");

    // In blocks 1 and 3 of the features.
    flip(&place.path("s.grist"), 4096 + (1 << 20) + 7);
    flip(&place.path("s.grist"), 4096 + (3 << 20));
    let done = place.run("verify s.grist");
    assert_eq!(done.status.code(), Some(1));
    let lines: Vec<&str> = done.stdout.lines().collect();
    assert_eq!(lines.len(), 2, "{}", done.stdout);
    assert!(
        lines[0].contains("block 1 of its features") && lines[0].contains("rows 32769 to 65536")
    );
    assert!(
        lines[1].contains("block 3 of its features") && lines[1].contains("rows 98305 to 131072")
    );
    assert!(done.stderr.contains("error: s.grist: is damaged"), "{}", done.stderr);

    for file in [model, &checkpoint] {
        let length = place.read(file).len();
        flip(&place.path(file), length - 3);
    }
    let done = place.run(&format!("verify s.grist {model} {checkpoint}"));
    assert_eq!(done.status.code(), Some(1));
    assert!(done.stderr.contains("3 of 3 files"), "{}", done.stderr);
    assert_eq!(done.stdout.lines().count(), 4, "{}", done.stdout);

    truncate(&place.path("s.grist"), 5000);
    let done = place.run("verify s.grist");
    assert_eq!(done.status.code(), Some(1));
    assert!(done.stdout.contains("cut off"), "{}", done.stdout);
    place.write("flowers.csv", flowers(3));
    Done::assert_failed(
        &place.run("verify flowers.csv"),
        "verify",
        &["flowers.csv", "no checksums"],
    );
}

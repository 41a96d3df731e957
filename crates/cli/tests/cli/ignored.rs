//! Options that would do nothing are refused by name, in every command.

use crate::place::{Place, flowers};

/// Flags about how a table is read.
const OF_FILES: [&str; 4] = ["--header", "--no-header", "--format csv", "--option a=b"];
const OF_COLUMNS: [&str; 6] = [
    "--target kind",
    "--drop colour",
    "--missing mean",
    "--missing error",
    "--task classify",
    "--dtype f32",
];

fn with_data_set() -> Place {
    let place = Place::new();
    place.write("flowers.csv", flowers(60));
    place.ok("import flowers.csv -o flowers.grist");
    place
}

#[test]
fn a_data_set_is_not_read_as_a_table() {
    let place = with_data_set();
    let before = place.names(".");
    for command in [
        "train flowers.grist --out run",
        "head flowers.grist",
        "head flowers.grist -o new.grist",
        "stats flowers.grist",
        "split flowers.grist -o a.grist -o b.grist",
    ] {
        for flag in OF_FILES.iter().chain(&OF_COLUMNS).chain(&["--weights width"]) {
            let part = format!("{flag}: flowers.grist is a data set, wh");
            place.refuses(&format!("{command} {flag}"), &[&part, "leave it out"]);
        }
    }
    let hint = "gristmill import flowers.grist --drop colour -o NEW.grist";
    place.refuses("stats flowers.grist --drop colour", &[hint]);
    assert_eq!(place.names("."), before, "nothing is written");
    // What the message says can be done.
    place.ok("import flowers.grist --drop colour -o new.grist");
    assert!(place.ok("head new.grist --csv").starts_with("length,width,kind\n"));
    place.ok("stats flowers.grist --format grist");
}

#[test]
fn a_model_reads_no_table_where_a_data_set_is_named() {
    let place = with_data_set();
    place.ok("train flowers.grist --hidden 2 --epochs 1 --out run");
    for command in [
        "evaluate run flowers.grist",
        "predict run flowers.grist",
        "export run -o model.onnx --verify flowers.grist",
    ] {
        for flag in ["--header", "--no-header", "--format csv", "--weights width"] {
            place.refuses(&format!("{command} {flag}"), &[&format!("{flag}: ")]);
        }
    }
    let weights = "predict run flowers.csv --weights width";
    place.refuses(weights, &["--weights width: predictions do not depend on weights"]);
}

#[test]
fn a_validation_table_is_read_as_is_said_beside_a_data_set() {
    let place = with_data_set();
    let held_out = flowers(30).replacen("length,width,colour,kind\n", "", 1);
    place.write("held-out.csv", held_out);
    let train = "train flowers.grist --validation held-out.csv --hidden 2 --epochs 1";
    let done = place.run(&format!("{train} --no-header --out run"));
    assert!(done.stderr.contains("30 to validate on"), "{}", done.stderr);
    place.refuses(&format!("{train} --drop colour --out other"), &["--drop colour: flowers.grist"]);
}

#[test]
fn options_of_what_is_not_done_are_refused() {
    let place = with_data_set();
    place.ok("train flowers.csv --hidden 2 --epochs 1 --out run");
    for (arguments, flag) in [
        ("head flowers.csv --drop colour", "--drop colour: "),
        ("head flowers.csv --missing mean", "--missing mean: "),
        ("export run -o m.onnx --header", "--header: "),
        ("export run -o m.onnx --weights width", "--weights width: "),
        ("inspect run/checkpoints/step-000000000001.checkpoint --all", "--all: "),
    ] {
        place.refuses(arguments, &[flag]);
    }
    for (arguments, other) in [
        ("export run -o m.onnx --threads 1", "--verify <DATA>"),
        ("predict run flowers.csv --to parquet", "--output <FILE>"),
    ] {
        let done = place.run(arguments);
        assert_eq!(done.status.code(), Some(2), "{arguments}: {}", done.stderr);
        assert!(done.stderr.contains(other), "{arguments}: {}", done.stderr);
    }
    // What was asked of gaps holds for looking, too.
    place.write("gaps.csv", "x,y\n1,0.5\n,1.5\n3,2.5\n");
    place.ok("stats gaps.csv");
    place.fails("stats gaps.csv --missing error", &["gaps.csv, line 3", "missing"]);
}

#[test]
fn columns_that_are_misspelled_are_suggested() {
    let place = with_data_set();
    for (flag, meant) in
        [("--target knid", "kind"), ("--drop Colour", "colour"), ("--weights widht", "width")]
    {
        let part = format!("did you mean \"{meant}\"?");
        place.fails(&format!("import flowers.csv {flag} -o a.grist"), &[&part]);
    }
    let parts = ["there is no format \"csw\"; did you mean \"csv\"?"];
    place.refuses("import flowers.csv --format csw -o a.grist", &parts);
    place.ok("import flowers.csv --format CSV --dtype F32 --missing MEAN -o b.grist");
    place.ok("train flowers.csv --hidden 2 --epochs 1 --out run");
    place.refuses("export run --to onxx -o m", &["did you mean \"onnx\"?"]);
}

//! Numbers at the ends of what their options could take, and names that no text or terminal takes.

use crate::place::{Done, Place, flowers, prices};
use std::fs;

const MOST: &str = "18446744073709551615";

#[test]
fn numbers_out_of_range_are_errors() {
    let place = Place::new();
    place.write("prices.csv", prices(30));
    for (arguments, part) in [
        (format!("synth -o s.grist --features {MOST}"), "at most"),
        (format!("synth -o s.grist --rows {MOST}"), "TiB"),
        ("synth -o s.grist --classes 4294967295".to_owned(), "at most"),
        ("synth -o s.grist --features 0".to_owned(), "at least one"),
        ("synth -o s.grist --noise nan".to_owned(), "noise"),
        (format!("gradcheck --features {MOST}"), "--features"),
        (format!("gradcheck --outputs {MOST}"), "--outputs"),
        (format!("gradcheck --classes {MOST}"), "--classes"),
        (format!("gradcheck --rows {MOST}"), "--rows"),
        (format!("train prices.csv --batch-size {MOST}"), "too large"),
        (format!("train prices.csv --threads {MOST}"), "too large"),
        ("train prices.csv --batch-size 0".to_owned(), "training.batch_size"),
        ("train prices.csv --epochs 0".to_owned(), "training.epochs"),
        (format!("train prices.csv --hidden {MOST}"), "no width"),
        ("train prices.csv --hidden 9223372036854775807".to_owned(), "units"),
        ("train prices.csv --learning-rate nan".to_owned(), "optimizer.learning_rate"),
        ("train prices.csv --validation-split -0.1".to_owned(), "validation.split"),
        ("train prices.csv --warmup inf".to_owned(), "schedule.warmup"),
        ("train prices.csv --memory 0".to_owned(), "no size"),
    ] {
        place.refuses(&arguments, &[part]);
    }
    assert_eq!(place.names("."), ["prices.csv", "tmp"]);
    assert!(place.ok(&format!("head prices.csv --csv -n {MOST}")).lines().count() == 31);
}

#[test]
fn nothing_is_verified_or_measured_by_no_rows() {
    let place = Place::new();
    place.write("prices.csv", prices(30));
    place.ok("train prices.csv --hidden 2 --epochs 1 --out run");
    place.ok("head run/data.grist -n 0 -o none.grist");
    place.fails("export run -o m.onnx --verify none.grist", &["none.grist", "no rows"]);
    place.fails("evaluate run none.grist", &["none.grist", "no rows"]);
}

#[test]
#[cfg(unix)]
fn a_path_that_is_no_text_is_refused_or_taken() {
    use std::os::unix::ffi::OsStrExt;
    let place = Place::new();
    let name = std::ffi::OsStr::from_bytes(b"odd\xff.grist");
    place.write("prices.csv", prices(30));
    place.ok("import prices.csv -o prices.grist");
    fs::rename(place.path("prices.grist"), place.path("").join(name)).unwrap();
    let train = "train --hidden 2 --epochs 1 --out run";
    let done = place.command(train).arg(name).output().unwrap();
    Done::of(done).assert_ended(2, "train", &["`data.path` is ", "expected UTF-8"]);
    assert!(!place.path("run").exists());
    let done = place.command("train prices.csv --hidden 2 --epochs 1 --out run2 --validation");
    let mut done = done;
    let done = Done::of(done.arg(name).output().unwrap());
    done.assert_ended(2, "train", &["`validation.file` is ", "expected UTF-8"]);

    // What is imported into the run need not be text.
    let table = std::ffi::OsStr::from_bytes(b"odd\xff.csv");
    fs::rename(place.path("prices.csv"), place.path("").join(table)).unwrap();
    let done = Done::of(place.command(train).arg(table).output().unwrap());
    assert!(done.status.success(), "{}", done.stderr);
}

#[test]
fn names_that_a_terminal_would_obey_are_shown_escaped() {
    let place = Place::new();
    let table =
        flowers(30).replace("colour", "co\u{1b}[31mlour").replace("aster", "a\u{1b}]0;x\u{7}");
    place.write("flowers.csv", table);
    place.ok("train flowers.csv --hidden 2 --epochs 1 --out run");
    for command in [
        "stats flowers.csv",
        "head flowers.csv",
        "inspect run",
        "inspect run/data.grist",
        "evaluate run flowers.csv",
        "import flowers.csv -o \u{1b}[1m.grist",
        "import flowers.csv --target \u{1b}[2J -o a.grist",
        "predict run none\u{1b}[2J.csv",
    ] {
        let done = place.run(command);
        for text in [&done.stdout, &done.stderr] {
            assert!(!text.contains('\u{1b}'), "{command}: {text:?}");
        }
        assert!(format!("{}{}", done.stdout, done.stderr).contains("\\u{1b}"), "{command}");
    }
    // Data are not changed.
    assert!(place.ok("head flowers.csv --csv").contains("co\u{1b}[31mlour"));
    assert!(place.ok("predict run flowers.csv").contains("a\u{1b}]0;x\u{7}"));
    let json = place.json("inspect --json run");
    assert_eq!(json["encoding"]["inputs"][2]["name"], "co\u{1b}[31mlour");
}

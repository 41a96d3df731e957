//! `gristmill evaluate` and `gristmill predict`: models at work on raw tables.

use crate::place::{Done, Place, flip, flowers, prices, signal, truncate};
use std::io::Read;
use std::process::Stdio;

/// A place with a model of flowers.
fn with_model() -> Place {
    let place = Place::new();
    place.write("flowers.csv", flowers(300));
    place.ok("train flowers.csv --epochs 30 --hidden 16 --learning-rate 0.01 --out run");
    place
}

#[test]
fn evaluation_measures_tables_and_data_sets() {
    let place = with_model();
    let table = place.json("evaluate --json run/model.gristmill flowers.csv");
    assert!(table["accuracy"].as_f64().unwrap() > 0.95, "{table}");
    assert_eq!(table["rows"], 300);
    assert_eq!(table["per_class"][1]["class"], "bellis");
    assert_eq!(table["confusion"].as_array().unwrap().len(), 3);
    assert_eq!(place.json("evaluate --json run/model.gristmill run/data.grist"), table);
    let threads = "evaluate --json --threads 1 run/model.gristmill flowers.csv";
    assert_eq!(place.json(threads), table);
    let text = place.ok("evaluate run/model.gristmill flowers.csv");
    assert!(text.contains("accuracy: ") && text.contains("true \\ predicted"), "{text}");
    assert!(place.names("tmp").is_empty());
}

#[test]
fn predictions_match_columns_by_name() {
    let place = with_model();
    // Other order, one column more, no target.
    place.write("new.csv", "id,colour,width,length\n7,red,0.2,0.3\n8,white,1.2,4.5\n");
    let printed = place.ok("predict run/model.gristmill new.csv");
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!(lines[0], "kind,p(aster),p(bellis),p(crocus)");
    assert!(lines[1].starts_with("aster,") && lines[2].starts_with("crocus,"), "{printed}");
    let sum: f64 = lines[1].split(',').skip(1).map(|p| p.parse::<f64>().unwrap()).sum();
    assert!((sum - 1.0).abs() < 1e-5, "{printed}");
    assert_eq!(lines.len(), 3);

    place.ok("predict run/model.gristmill new.csv -o new-predictions.csv");
    assert_eq!(place.text("new-predictions.csv"), printed);
    assert!(place.names("tmp").is_empty());
}

#[test]
fn two_classes_have_two_probabilities() {
    let place = Place::new();
    let text = flowers(90);
    let two: Vec<&str> = text.lines().filter(|line| !line.ends_with("crocus")).collect();
    place.write("two.csv", two.join("\n"));
    place.ok("train two.csv --epochs 20 --learning-rate 0.01 --out run");
    let printed = place.ok("predict run/model.gristmill two.csv");
    assert!(printed.starts_with("kind,p(aster),p(bellis)\naster,0.9"), "{printed}");
    let report = place.json("evaluate --json run/model.gristmill two.csv");
    assert!(report["roc_auc"].as_f64().unwrap() > 0.95, "{report}");
    assert_eq!(report["positive_class"], "bellis");
    assert_eq!(report["precision"], report["per_class"][1]["precision"]);
    let text = place.ok("evaluate run/model.gristmill two.csv");
    assert!(text.lines().any(|line| line == "positive class: bellis"), "{text}");
}

#[test]
fn numbers_come_in_their_own_unit() {
    let place = Place::new();
    place.write("prices.csv", prices(400));
    place.ok("train prices.csv --task regress --epochs 100 --learning-rate 0.01 --out run");
    let report = place.json("evaluate --json run/model.gristmill prices.csv");
    assert!(report["r2"].as_f64().unwrap() > 0.99, "{report}");
    place.write("new.csv", "area,rooms\n40,2\n80,4\n");
    let printed = place.ok("predict run/model.gristmill new.csv");
    let mut lines = printed.lines();
    assert_eq!(lines.next(), Some("price"));
    for (line, expected) in lines.by_ref().zip([151.0, 302.0]) {
        let price: f64 = line.parse().unwrap();
        assert!((price - expected).abs() < 25.0, "{price} for {expected}");
    }
    assert_eq!(lines.next(), None);
}

#[test]
fn an_unknown_label_is_named() {
    let place = with_model();
    place.write("odd.csv", "length,width,colour,kind\n1,1,red,aster\n1,1,red,dahlia\n");
    let parts = ["odd.csv", "line 3", "\"kind\"", "dahlia"];
    place.fails("evaluate run/model.gristmill odd.csv", &parts);
}

#[test]
fn a_missing_column_is_named() {
    let place = with_model();
    place.write("narrow.csv", "length,colour\n1,red\n");
    place.fails("predict run/model.gristmill narrow.csv -o out.csv", &["narrow.csv", "\"width\""]);
    assert!(!place.path("out.csv").exists());
    place.write("untold.csv", "length,width,colour\n1,1,red\n");
    place.fails("evaluate run/model.gristmill untold.csv", &["untold.csv", "\"kind\""]);
}

#[test]
fn text_where_a_number_belongs_is_named() {
    let place = with_model();
    place.write("odd.csv", "length,width,colour\n1,1,red\n1,wide,red\n");
    let parts = ["odd.csv", "line 3", "\"width\"", "wide"];
    place.fails("predict run/model.gristmill odd.csv -o out.csv", &parts);
    assert!(!place.path("out.csv").exists());
}

#[test]
fn a_data_set_of_something_else_is_refused() {
    let place = with_model();
    place.write("prices.csv", prices(30));
    place.ok("import prices.csv -o prices.grist");
    place.fails("predict run/model.gristmill prices.grist", &["prices.grist", "columns"]);
    place.fails("evaluate run/model.gristmill prices.grist", &["prices.grist", "columns"]);
    place.fails("predict prices.grist flowers.csv", &["prices.grist", "model"]);
    place.fails("predict run/model.gristmill run/model.gristmill", &["not data"]);
}

#[test]
fn damaged_models_are_named() {
    let place = with_model();
    let good = place.read("run/model.gristmill");
    for at in [2, 30, good.len() / 2, good.len() - 1] {
        place.write("bad.gristmill", &good);
        flip(&place.path("bad.gristmill"), at);
        place.fails("predict bad.gristmill flowers.csv", &["bad.gristmill"]);
        place.fails("inspect bad.gristmill", &["bad.gristmill"]);
    }
    for length in [0, 11, 100, good.len() as u64 - 1] {
        place.write("bad.gristmill", &good);
        truncate(&place.path("bad.gristmill"), length);
        place.fails("evaluate bad.gristmill flowers.csv", &["bad.gristmill"]);
    }
}

#[test]
fn a_full_disk_leaves_no_predictions() {
    let place = with_model();
    place.write("many.csv", flowers(5000));
    place.ok("import many.csv -o many.grist");
    let script = "trap '' XFSZ; ulimit -f 8";
    let arguments = "predict run/model.gristmill run/data.grist -o out.csv";
    let done = place.command_after(script, arguments).output().unwrap();
    Done::of(done).assert_failed("predict", &["out.csv", "File too large"]);
    assert!(!place.path("out.csv").exists());
}

#[test]
fn an_interrupted_prediction_removes_its_temporary_files() {
    let place = with_model();
    // Nobody reads the predictions of so many rows, so the program waits for its reader.
    place.write("many.csv", flowers(40_000));
    let mut child = place
        .command("predict run/model.gristmill many.csv")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut first = [0; 1];
    child.stdout.as_mut().unwrap().read_exact(&mut first).unwrap();
    assert!(!place.names("tmp").is_empty());
    signal(&child, "INT");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(place.names("tmp").is_empty());
}

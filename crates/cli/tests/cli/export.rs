//! Data sets and models out, and in again.

use crate::place::{Place, flowers, prices, signal, truncate};

#[test]
fn a_data_set_comes_back_as_it_was() {
    let place = Place::new();
    place.write("flowers.csv", flowers(300));
    place.ok("import flowers.csv -o flowers.grist");
    for name in ["f.csv", "f.tsv", "f.csv.gz", "f.jsonl.zst", "f.npz", "f.parquet", "f.arrow"] {
        let done = place.run(&format!("export-data flowers.grist -o {name}"));
        assert!(done.status.success(), "{name}: {}", done.stderr);
        assert_eq!(done.stdout, "");
        let say = done.stderr.lines().find_map(|line| line.strip_prefix("to import it again, say"));
        let say = say.unwrap();
        // Only text with separators does not say whether its first line is a header.
        let is_csv = name.contains("csv") || name.contains("tsv");
        let header = if is_csv { " --header" } else { "" };
        assert_eq!(say, format!(" --target kind --task classify{header} --dtype f32"));
        place.ok(&format!("import {name} -o again.grist{say}"));
        assert!(place.read("again.grist") == place.read("flowers.grist"), "{name}");
    }
    place.ok("export-data flowers.grist --format jsonl -o lines.txt");
    assert!(place.text("lines.txt").starts_with("{\"length\":0"));
    assert_eq!(place.text("f.csv").lines().next(), Some("length,width,colour,kind"));
}

#[test]
fn what_cannot_be_exported_is_said() {
    let place = Place::new();
    place.write("prices.csv", prices(50));
    place.ok("import prices.csv -o prices.grist");
    let before = place.names(".");
    place.refuses("export-data prices.grist -o p.xlsx", &["p.xlsx", "csv", "parquet"]);
    place.refuses("export-data prices.grist -o p.csv --format xml", &["p.csv", "xml", "jsonl"]);
    place.refuses("export-data prices.grist -o p.parquet.gz", &["p.parquet.gz", "leave out .gz"]);
    place.fails("export-data prices.grist -o no/p.csv", &["no/p.csv"]);
    place.fails("export-data prices.csv -o p.npz", &["prices.csv is no gristmill data set"]);
    place.fails("export-data none.grist -o p.npz", &["none.grist"]);
    truncate(&place.path("prices.grist"), 5000);
    place.fails("export-data prices.grist -o p.npz", &["prices.grist is damaged"]);
    assert_eq!(place.names("."), before, "nothing is left");
}

#[test]
fn an_interrupted_export_leaves_nothing_and_exits_with_130() {
    let place = Place::new();
    place.ok("synth -o big.grist --rows 800000 --features 20");
    let mut child = place.command("export-data big.grist -o big.csv").spawn().unwrap();
    let is_begun = || place.names(".").iter().any(|name| name.starts_with(".big.csv."));
    while !is_begun() {
        assert!(child.try_wait().unwrap().is_none(), "the export ended before it was stopped");
        std::thread::yield_now();
    }
    signal(&child, "INT");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(place.names("."), ["big.grist", "tmp"]);
}

#[test]
fn a_model_is_verified_by_its_own_reader() {
    let place = Place::new();
    place.write("flowers.csv", flowers(300));
    place.ok("train flowers.csv --hidden 8 --epochs 3 --out run");
    for name in ["m.onnx", "m.safetensors", "m.npz"] {
        let export = format!("export run/model.gristmill -o {name} --verify flowers.csv");
        let found = place.ok(&export);
        assert_eq!(found, "largest difference over 300 rows: 0\n", "{name}");
        place.ok(&format!("import-model {name} -o back.gristmill"));
        let predict = |model: &str| place.ok(&format!("predict {model} flowers.csv"));
        assert_eq!(predict("back.gristmill"), predict("run/model.gristmill"), "{name}");
    }
    let done = place.run("export run/model.gristmill --to c -o m.h --verify flowers.csv");
    assert!(done.status.success() && done.stderr.contains("not verified"), "{}", done.stderr);
    place.refuses("export run/model.gristmill -o m.pt", &["m.pt", "onnx"]);
    place.fails("export flowers.csv -o m.onnx", &["flowers.csv is not a gristmill model"]);
    place.fails("import-model flowers.csv -o x.gristmill", &["flowers.csv", "--from"]);
    place.fails("import-model m.h -o x.gristmill", &["m.h", "only written"]);
    assert!(!place.names(".").iter().any(|name| name.starts_with("x.")));
}

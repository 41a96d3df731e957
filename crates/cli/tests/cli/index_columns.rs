//! `--index`: columns whose values become indices of categories.

use crate::place::{Place, flip};
use serde_json::{Value, json};

/// Flights of airlines by name, from airports by number, with a delay.
fn flights(airlines: &[&str], airports: &[&str]) -> String {
    let rows = airlines.iter().zip(airports).enumerate();
    let rows = rows.map(|(i, (airline, airport))| format!("{airline},{airport},{}.5\n", i * 7 % 5));
    format!("airline,airport,delay\n{}", rows.collect::<String>())
}

fn known() -> String {
    flights(&["klm", "ba", "klm", "ana", "ba", "sas"], &["3", "0", "3", "7", "1", "3"])
}

fn inputs(place: &Place, data: &str) -> Value {
    place.json(&format!("inspect --json {data}"))["encoding"]["inputs"].clone()
}

/// Mean, least and greatest value of each feature.
fn range(place: &Place, data: &str, feature: usize) -> [f64; 2] {
    let found = place.json(&format!("inspect --json {data}"));
    ["min", "max"].map(|key| found["features"][feature][key].as_f64().unwrap())
}

#[test]
fn names_and_numbers_become_indices() {
    let place = Place::new();
    place.write("a.csv", known());
    let done = place.run("import a.csv --index airline,airport -o a.grist --dtype f32");
    assert!(done.status.success(), "{}", done.stderr);
    let told = "index columns: airline (4 categories), airport (8 numbers from 0 on)\n";
    assert!(done.stderr.contains(told), "{}", done.stderr);
    assert!(place.ok("inspect a.grist").contains(told));
    let expected = json!([
        { "name": "airline", "vocabulary": { "names": ["ana", "ba", "klm", "sas"] } },
        { "name": "airport", "vocabulary": { "codes": 8 } },
    ]);
    assert_eq!(inputs(&place, "a.grist"), expected);
    let found = place.json("inspect --json a.grist");
    let names: Vec<&str> = (0..2).map(|i| found["features"][i]["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["airline", "airport"]);
    assert_eq!(
        [range(&place, "a.grist", 0), range(&place, "a.grist", 1)],
        [[0.0, 3.0], [0.0, 7.0]]
    );
    // klm, ba, klm, ana, ba, sas.
    let mean = found["features"][0]["mean"].as_f64().unwrap();
    assert!((mean - 9.0 / 6.0).abs() < 1e-12, "{mean}");
    assert_eq!(
        place.ok("head a.grist --csv -n 4"),
        "airline,airport,delay\nklm,3,0.5\nba,0,2.5\nklm,3,4.5\nana,7,1.5\n"
    );
    // One at a time, and by a name that has a comma itself.
    place.write("c.csv", known().replace("airline,airport", "\"a,b\",airport"));
    let mut command = place.command("import c.csv --index airport -o c.grist --index");
    assert!(command.arg("a,b").output().unwrap().status.success());
    let named = |name: &str| json!({ "name": name, "vocabulary": { "names": ["ana", "ba", "klm", "sas"] } });
    assert_eq!(inputs(&place, "c.grist")[0], named("a,b"));
}

#[test]
fn gaps_codes_and_wide_numbers_are_names() {
    let place = Place::new();
    place.write("a.csv", "a,b,c,y\n1,007,5,1.5\n,8,2000,2.5\n3,007,5.0,3.5\n");
    place.fails(
        "import a.csv --index a -o a.grist",
        &["a.csv, line 3, column \"a\"", "the value is missing", "--missing mean"],
    );
    place.ok("import a.csv --index a,b,c --missing mean --header -o a.grist");
    let names =
        |name: &str, names: [&str; 2]| json!({ "name": name, "vocabulary": { "names": names } });
    let expected = json!([
        { "name": "a", "vocabulary": { "names": ["", "1", "3"] } },
        names("b", ["007", "8"]),
        names("c", ["2000", "5"]),
    ]);
    assert_eq!(inputs(&place, "a.grist"), expected);
    let rows = "a,b,c,y\n1,007,5,1.5\n,8,2000,2.5\n3,007,5,3.5\n";
    assert_eq!(place.ok("head a.grist --csv"), rows);
}

#[test]
fn what_is_not_known_has_the_index_after_the_last_and_is_told() {
    let place = Place::new();
    place.write("a.csv", known());
    place.write("b.csv", flights(&["ba", "new", "", "ba"], &["8", "7", "-1", "2"]));
    place.write("c.csv", flights(&["ba", "old"], &["0", "0"]));
    place.ok("import a.csv --index airline,airport -o a.grist");
    let done = place.run("import b.csv c.csv --like a.grist -o b.grist");
    assert!(done.status.success(), "{}", done.stderr);
    for told in [
        "column \"airline\": 3 values are none of the 4 categories known; they count as unknown\n",
        "column \"airport\": 2 values are none of the 8 categories known; they count as unknown\n",
    ] {
        assert_eq!(done.stderr.matches(told).count(), 1, "{}", done.stderr);
    }
    assert_eq!(
        [range(&place, "b.grist", 0), range(&place, "b.grist", 1)],
        [[1.0, 4.0], [0.0, 8.0]]
    );
    let rows = place.ok("head b.grist --csv");
    assert!(rows.starts_with("airline,airport,delay\nba,NaN,0.5\n,7,2.5\n"), "{rows}");
    // In its own file all is known.
    let done = place.run("import a.csv --like a.grist -o same.grist");
    assert!(!done.stderr.contains("unknown"), "{}", done.stderr);
    assert!(place.read("same.grist") == place.read("a.grist"));
    place.write("d.csv", flights(&["ba", "ba"], &["0", "9"]));
    let done = place.run("import d.csv --like a.grist -o d.grist");
    let told =
        "column \"airport\": 1 value is none of the 8 categories known; it counts as unknown\n";
    assert!(done.stderr.contains(told), "{}", done.stderr);
}

#[test]
fn an_export_comes_back_with_what_it_says() {
    let place = Place::new();
    place.write("a.csv", known());
    place.ok("import a.csv --index airline,airport -o a.grist");
    let comes_back = |data: &str, name: &str| {
        let done = place.run(&format!("export-data {data} -o {name}"));
        assert!(done.status.success(), "{}", done.stderr);
        let said = done.stderr.lines().find_map(|l| l.strip_prefix("to import it again, say "));
        let said = said.unwrap().to_owned();
        place.ok(&format!("import {name} -o again.grist {said}"));
        assert!(place.read("again.grist") == place.read(data), "{data}, {name}: {said}");
        said
    };
    let said = comes_back("a.grist", "b.csv");
    assert_eq!(
        said,
        "--index airline --index airport --target delay --task regress --header --dtype u8"
    );
    for name in ["b.jsonl", "b.npz", "b.parquet", "b.arrow"] {
        assert!(comes_back("a.grist", name).starts_with("--index airline --index airport "));
    }
    // What does not occur, or is not known, cannot be learned from the table.
    place.write("c.csv", flights(&["ba", "x", "klm"], &["0", "9", "1"]));
    place.ok("import c.csv --like a.grist -o c.grist");
    for name in ["c2.csv", "c.jsonl", "c.npz", "c.parquet", "c.arrow"] {
        assert!(comes_back("c.grist", name).starts_with("--like c.grist"));
    }
    assert!(place.text("c.jsonl").contains("{\"airline\":\"\",\"airport\":null,\"delay\":2.5}"));
    place.ok("head a.grist -n 2 -o d.grist");
    comes_back("d.grist", "d.csv");
    // A data set that is read as a table keeps its indices, unless it is told otherwise.
    place.ok("import a.grist --drop delay --target airport -o e.grist");
    assert_eq!(inputs(&place, "e.grist")[0], inputs(&place, "a.grist")[0]);
    place.ok("import a.grist --category airline --number airport -o f.grist");
    let fill = json!({ "name": "airport", "fill": null });
    assert_eq!(inputs(&place, "f.grist")[1], fill);
    assert_eq!(inputs(&place, "f.grist")[0]["categories"], json!(["ana", "ba", "klm", "sas"]));
}

#[test]
fn types_hold_every_index() {
    let place = Place::new();
    for (categories, dtype) in [(255, "u8"), (256, "f16"), (2048, "f16"), (2049, "f32")] {
        let rows: String = (0..categories).map(|i| format!("n{i:04},0\nn{i:04},1\n")).collect();
        place.write("a.csv", format!("a,y\n{rows}"));
        place.ok("import a.csv --index a --task regress -o a.grist");
        let found = place.json("inspect --json a.grist");
        assert_eq!(found["dtype"].as_str(), Some(dtype), "{categories}");
        assert_eq!(range(&place, "a.grist", 0), [0.0, f64::from(categories - 1)]);
    }
    let part = "f16 does not hold the index of each of the 2049 categories of the column \"a\"";
    place.refuses("import a.csv --index a --dtype f16 -o b.grist", &[part, "ask for f32"]);
    place.refuses("import a.csv --index a --dtype u8 -o b.grist", &["u8 does not", "\"a\""]);
    assert_eq!(place.names("."), ["a.csv", "a.grist", "tmp"]);
}

#[test]
fn what_makes_no_index_is_refused_by_name() {
    let place = Place::new();
    place.write("a.csv", known());
    for (options, part) in [
        ("--index airlin", "did you mean \"airline\"?"),
        ("--index airline,airpor", "column \"airpor\": this column is missing"),
        ("--index delay", "is the target, which has no index"),
        ("--index airline --drop airline", "is no input"),
        ("--index airline --category airline", "leave out --index or the other"),
        ("--index airport --number airport", "leave out --index or the other"),
    ] {
        place.fails(&format!("import a.csv {options} -o a.grist"), &[part]);
    }
    place.refuses("import a.csv --index airline --like a.grist -o b.grist", &["--index"]);
    place.ok("import a.csv -o a.grist");
    let part = "--index airline: a.grist is a data set";
    place.refuses("train a.grist --index airline", &[part]);
    place.refuses("head a.csv --index airline", &["--index airline: a table is shown as it is"]);
    assert_eq!(place.names("."), ["a.csv", "a.grist", "tmp"]);
}

#[test]
fn what_is_predicted_of_rows_says_what_is_not_known() {
    let place = Place::new();
    let rows: String = (0..60)
        .map(|i| {
            format!("{},{},{}\n", ["klm", "ba", "ana"][i % 3], i % 4, (i % 3 + i % 4) as f32 / 2.0)
        })
        .collect();
    place.write("a.csv", format!("airline,airport,delay\n{rows}"));
    let mut command =
        place.command("train a.csv --index airline,airport --epochs 40 --task regress --out run");
    let done =
        command.args(["--learning-rate", "0.02", "--layers", "embedding 4, dense 8"]).output();
    assert!(done.unwrap().status.success());
    let r2 = place.json("evaluate --json run a.csv").to_string();
    assert!(place.run("evaluate run a.csv").stderr.find("unknown").is_none(), "{r2}");

    place.write("b.csv", "airline,airport\nnew,1\nother,1\nba,1\n,1\n");
    let done = place.run("predict run b.csv");
    assert!(done.status.success(), "{}", done.stderr);
    let told =
        "column \"airline\": 3 values are none of the 3 categories known; they count as unknown\n";
    assert_eq!(done.stderr.matches(told).count(), 1, "{}", done.stderr);
    let predictions: Vec<&str> = done.stdout.lines().skip(1).collect();
    let [new, other, known, missing] = predictions[..] else { panic!("{}", done.stdout) };
    assert_eq!((new, new), (other, missing));
    assert_ne!(new, known);
    place.write("c.csv", "airline,airport,delay\nba,4,1.0\nklm,1,0.5\n");
    let done = place.run("evaluate run c.csv");
    let told =
        "column \"airport\": 1 value is none of the 4 categories known; it counts as unknown\n";
    assert!(done.status.success() && done.stderr.contains(told), "{}", done.stderr);

    // Its input columns are shown, and other programs can be given them.
    let told = "index columns: airline (3 categories), airport (4 numbers from 0 on)\n";
    assert!(place.ok("inspect run").contains(told));
    place.ok("export run -o m.onnx");
}

#[test]
fn damage_in_a_vocabulary_is_found() {
    let place = Place::new();
    place.write("a.csv", known());
    place.ok("import a.csv --index airline,airport -o a.grist");
    let bytes = place.read("a.grist");
    let at = bytes.windows(3).rposition(|part| part == b"klm").unwrap();
    flip(&place.path("a.grist"), at);
    place.fails("inspect a.grist", &["a.grist", "checksum of its metadata"]);
}

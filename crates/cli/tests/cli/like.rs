//! `import --like`, parts of one whole, and the options that an export says: what belongs together is encoded alike.

use crate::place::Place;

/// Exports a data set under each name and asserts that an import told what is printed gives the same bytes.
fn assert_comes_back(place: &Place, data: &str, names: &[&str]) -> Vec<String> {
    let options = names.iter().map(|name| {
        let done = place.run(&format!("export-data {data} -o {name}"));
        assert!(done.status.success(), "{}", done.stderr);
        let said = done.stderr.lines().find_map(|l| l.strip_prefix("to import it again, say "));
        let said = said.unwrap().to_owned();
        place.ok(&format!("import {name} -o again.grist {said}"));
        assert!(place.read("again.grist") == place.read(data), "{data}, {name}: {said}");
        said
    });
    options.collect()
}

#[test]
fn texts_that_look_like_numbers_come_back_as_texts() {
    let place = Place::new();
    let line = |zip: &str, y: &str| format!("{{\"zip\":\"{zip}\",\"y\":\"{y}\"}}\n");
    let rows = [("01", "a"), ("02", "b"), ("01", "a"), ("02", "b")];
    place.write("a.jsonl", rows.map(|(zip, y)| line(zip, y)).concat());
    place.ok("import a.jsonl -o a.grist");
    let said = assert_comes_back(&place, "a.grist", &["b.csv", "b.tsv", "b.jsonl", "b.npz"]);
    assert_eq!(said[0], "--category zip --target y --task classify --header --dtype u8");
    assert_eq!(said[2], "--target y --task classify --dtype u8");
}

#[test]
fn missing_text_and_names_that_are_numbers_come_back() {
    let place = Place::new();
    place.write("m.csv", "c,y\nr,0\n,1\ns,0\n,1\n");
    place.ok("import m.csv --missing mean -o m.grist");
    let said = assert_comes_back(&place, "m.grist", &["m2.csv", "m2.jsonl", "m2.npz"]);
    assert_eq!(said[0], "--target y --task classify --missing mean --header --dtype u8");
    place.write("h.csv", "Person,2023,2024,y\nann,1,2,0\nbob,3,4,1\ncid,5,6,0\ndan,7,8,1\n");
    place.ok("import h.csv --header -o h.grist");
    let said = assert_comes_back(&place, "h.grist", &["h2.csv", "h2.jsonl", "h2.npz"]);
    assert_eq!(said[0], "--target y --task classify --header --dtype u8");
    // A class without rows is in no table.
    place.ok("head h.grist --rows 1 -o one.grist");
    assert_comes_back(&place, "one.grist", &["one.csv", "one.jsonl"]);
}

#[test]
fn a_test_set_is_filled_with_what_the_model_learned() {
    let place = Place::new();
    place.write("a.csv", "x,z,y\n1,5,0\n2,,1\n3,7,0\n4,9,1\n5,,0\n6,8,1\n");
    place.write("t.csv", "x,z,y\n1,,0\n2,100,1\n3,200,0\n");
    place.ok("import a.csv --missing mean -o a.grist");
    place.ok("train a.grist --hidden 4 --epochs 2 --out r");
    place.ok("import t.csv --missing mean --task classify -o t.grist");
    place.fails(
        "predict r/model.gristmill t.grist",
        &["t.grist", "\"z\"", "filled with 150, expected 7.25", "--like"],
    );
    place.fails("evaluate r/model.gristmill t.grist", &["t.grist", "expected 7.25"]);
    let expected = place.ok("predict r/model.gristmill t.csv");
    for like in ["r/model.gristmill", "r", "a.grist", "r/checkpoints/*"] {
        let like = match like.strip_suffix('*') {
            Some(directory) => format!("{directory}{}", place.names(directory)[0]),
            None => like.to_owned(),
        };
        place.ok(&format!("import t.csv -o u.grist --like {like}"));
        assert_eq!(place.ok("predict r/model.gristmill u.grist"), expected, "{like}");
    }
    place.fails(
        "import t.csv -o u.grist --like a.csv",
        &["a.csv", "neither a model nor a data set"],
    );
    place.refuses("import t.csv -o u.grist --like a.grist --target z", &["--like", "--target"]);
    place.refuses("import t.csv -o u.grist --like a.grist --missing mean", &["--missing"]);
}

#[test]
fn parts_of_one_whole_combine_as_they_were() {
    let place = Place::new();
    let row = |i: u32| match i % 5 {
        0 => format!("{i},,{},{}\n", i % 2, 1 + i % 3),
        _ => format!("{i},{}.5,{},{}\n", i % 7, i % 2, 1 + i % 3),
    };
    place.write("a.csv", format!("x,z,y,w\n{}", (0..60).map(row).collect::<String>()));
    place.ok("import a.csv --target y --weights w --missing mean -o a.grist");
    place.ok("split a.grist --shares 0.5,0.5 -o one.grist -o two.grist");
    place.ok("import one.grist two.grist -o both.grist");
    let [both, all] = ["both", "a"].map(|name| place.json(&format!("inspect --json {name}.grist")));
    assert_eq!(both["rows"], 60);
    let names = |found: &serde_json::Value| {
        let features = found["features"].as_array().unwrap();
        features.iter().map(|feature| feature["name"].clone()).collect::<Vec<_>>()
    };
    assert_eq!((names(&both), names(&both)), (names(&all), vec!["x".into(), "z".into()]));
    place.ok("train one.grist two.grist --hidden 4 --epochs 2 --out r");
    // The model fills gaps as the whole did.
    place.write("gap.csv", "x,z\n1,\n");
    place.ok("predict r/model.gristmill gap.csv");
    place.ok("predict r/model.gristmill one.grist");
}

#[test]
fn one_file_for_two_parts_and_parts_without_rows_are_refused() {
    let place = Place::new();
    let rows: String = (1..=50).map(|c| format!("{c}.1,c{c}\n{c}.2,c{c}\n")).collect();
    place.write("b.csv", format!("x,y\n{rows}"));
    place.ok("split b.csv -o t.grist -o v.grist");
    assert_eq!(place.json("inspect --json t.grist")["rows"], 80);
    assert_eq!(place.json("inspect --json v.grist")["rows"], 20);
    place.refuses("split b.csv --shares 0.5,0.5 -o s.grist -o ./s.grist", &["given for two parts"]);
    place.refuses(
        "split b.csv --shares 0.999,0.001 -o s.grist -o none.grist",
        &["none.grist would have no rows"],
    );
    assert!(!place.path("s.grist").exists() && !place.path("none.grist").exists());
}

#[test]
fn a_column_called_x_is_no_matrix() {
    let place = Place::new();
    place.write("fires.csv", "X,Y,month,area\n7,5,mar,0.5\n7,4,oct,1.5\n8,6,mar,2.5\n");
    place.ok("import fires.csv --target area -o fires.grist");
    place.ok("export-data fires.grist -o fires.npz");
    place.ok("import fires.npz --target area --task regress --dtype u8 -o again.grist");
    assert_eq!(place.ok("head again.grist"), place.ok("head fires.grist"));
    assert!(place.ok("head again.grist").contains("X  Y  month  area"));
}

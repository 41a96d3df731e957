//! `gristmill import` and `gristmill inspect`: what becomes of tables, and what is wrong with them.

use crate::place::{Done, Place, flip, flowers, prices, truncate};
use std::fs;

#[test]
fn a_table_becomes_a_data_set_that_can_be_inspected() {
    let place = Place::new();
    place.write("flowers.csv", flowers(30));
    let done = place.run("import flowers.csv -o flowers.grist");
    assert!(done.status.success(), "{}", done.stderr);
    assert_eq!(done.stdout, "");
    assert!(done.stderr.contains("30 rows, 4 features"), "{}", done.stderr);

    let found = place.json("inspect --json flowers.grist");
    assert_eq!(found["rows"], 30);
    assert_eq!(found["features"][3]["name"], "colour=white");
    assert_eq!(found["encoding"]["target"]["classes"][2], "crocus");
    assert_eq!(found["class_counts"][0], 10);
    let text = place.ok("inspect flowers.grist");
    for part in ["rows: 30", "colour=red", "crocus", "33.3 %"] {
        assert!(text.contains(part), "no {part} in {text}");
    }
}

#[test]
fn options_choose_columns() {
    let place = Place::new();
    place.write("a.csv", prices(20));
    place.write("b.csv", prices(10));
    let options = "--target price --target area --drop rooms --task regress --dtype f32";
    // Without the dropped column there would be no input left.
    place.fails(&format!("import a.csv b.csv -o ab.grist {options}"), &["input column"]);
    place.ok("import a.csv b.csv -o ab.grist --target area --task regress --dtype f32");
    let found = place.json("inspect --json ab.grist");
    assert_eq!((found["rows"].as_u64(), found["dtype"].as_str()), (Some(30), Some("f32")));
    assert_eq!(found["targets"][0]["name"], "area");
    assert_eq!(found["features"][1]["name"], "price");
}

#[test]
fn text_columns_are_told_of_and_doubted() {
    let place = Place::new();
    let row = |i: u32| {
        let size = if i == 17 { "oops".to_owned() } else { (i % 7).to_string() };
        format!("{size},{},key{i},{i}\n", ["Rome", "Oslo"][(i % 2) as usize])
    };
    let table = format!("size,city,id,y\n{}", (0..30).map(row).collect::<String>());
    place.write("a.csv", table);
    let listed = "text columns, one-hot coded: size (8 categories), city (2), id (30)";
    let stray = "a.csv: column \"size\" is text because of \"oops\" in line 19; --na \"oops\" takes it for missing, --category \"size\" confirms it";
    let unique = "column \"id\" has a category for nearly every row: --drop id?";
    let warnings = [format!("warning: {stray}"), format!("warning: {unique}")];
    for command in ["import a.csv -o a.grist", "train a.csv --epochs 1 --out run", "split a.csv"] {
        let done = place.run(command);
        assert!(done.status.success(), "{}", done.stderr);
        assert!(done.stderr.lines().any(|line| line == listed), "{command}: {}", done.stderr);
        let warned: Vec<_> = done.stderr.lines().filter(|l| l.starts_with("warning")).collect();
        assert_eq!(warned, warnings, "{command}");
    }
    // What has been encoded once is not doubted again.
    let done = place.run("evaluate run/model.gristmill a.csv");
    assert!(done.status.success(), "{}", done.stderr);
    assert!(!done.stderr.contains("text columns"), "{}", done.stderr);
}

#[test]
fn several_files_are_one_sequence_to_every_command() {
    let place = Place::new();
    let table = flowers(3000);
    let (head, rows) = table.split_once('\n').unwrap();
    let rows: Vec<&str> = rows.lines().collect();
    for (name, rows) in [("1", &rows[..7]), ("2", &rows[7..2100]), ("3", &rows[2100..])] {
        place.write(&format!("part-{name}.csv"), format!("{head}\n{}\n", rows.join("\n")));
    }
    place.write("all.csv", table.as_str());
    let listed = "part-1.csv part-2.csv part-3.csv";
    place.ok("import all.csv -o all.grist");
    place.ok("train all.csv --hidden 4 --epochs 2 --out all --validation all.csv");
    place.ok("import part-1.csv -o one.grist");
    place.ok("import part-2.csv part-3.csv -o two.grist");
    for sources in [listed, "part-*.csv", "part-1.csv part-[23].csv"] {
        place.ok(&format!("import {sources} -o parts.grist"));
        assert!(place.read("parts.grist") == place.read("all.grist"), "{sources}");
        place
            .ok(&format!("train {sources} --hidden 4 --epochs 2 --out parts --validation all.csv"));
        for file in ["data.grist", "model.gristmill"] {
            let [parts, all] = ["parts", "all"].map(|run| place.read(&format!("{run}/{file}")));
            assert!(parts == all, "{file} of {sources}");
        }
        std::fs::remove_dir_all(place.path("parts")).unwrap();
        for command in ["evaluate", "predict"] {
            let of = |data: &str| place.ok(&format!("{command} all/model.gristmill {data}"));
            assert_eq!(of(sources), of("all.csv"), "{command} {sources}");
        }
        assert_eq!(place.ok(&format!("stats {sources}")), place.ok("stats all.csv"), "{sources}");
    }
    // Data sets are sources like others.
    place.ok("train one.grist two.grist --hidden 4 --epochs 2 --out sets");
    assert!(place.read("sets/data.grist") == place.read("all.grist"));
    place.fails("train none-*.csv --out none", &["none-*.csv", "matches no file"]);
}

#[test]
fn missing_values_are_filled_on_request() {
    let place = Place::new();
    place.write("gaps.csv", "a,b,y\n1,2,0\n,3,1\n3,4,0\n5,6,1\n");
    place.fails("import gaps.csv -o gaps.grist", &["gaps.csv", "line 3", "\"a\""]);
    place.ok("import gaps.csv -o gaps.grist --missing mean");
    let found = place.json("inspect --json gaps.grist");
    assert_eq!(found["features"][0]["missing"], 1);
    assert_eq!(found["features"][0]["mean"], 3.0);
}

/// Imports a table that is wrong; nothing may be left of it.
fn rejects(table: &str, options: &str, parts: &[&str]) {
    let place = Place::new();
    place.write("bad.csv", table);
    place.fails(&format!("import bad.csv -o bad.grist {options}"), parts);
    assert_eq!(place.names("."), ["bad.csv", "tmp"]);
}

#[test]
fn a_missing_file_is_named() {
    let place = Place::new();
    place.fails("import none.csv -o none.grist", &["none.csv", "No such file"]);
    assert_eq!(place.names("."), ["tmp"]);
}

#[test]
fn an_empty_file_is_named() {
    rejects("", "", &["bad.csv", "empty"]);
}

#[test]
fn a_ragged_row_is_named() {
    rejects("a,b,y\n1,2,0\n3,4\n5,6,1\n", "", &["bad.csv", "line 3"]);
}

#[test]
fn text_where_a_number_belongs_is_named() {
    let rows = "1,2\n".repeat(5000);
    rejects(
        &format!("a,y\n{rows}1,x2\n"),
        "--task regress",
        &["bad.csv", "line 5002", "\"y\"", "x2"],
    );
}

#[test]
fn infinity_is_named() {
    rejects("a,b,y\n1,2,0\n3,inf,1\n5,6,1\n", "", &["bad.csv", "line 3", "\"b\"", "inf"]);
}

#[test]
fn an_unknown_column_is_named() {
    rejects("a,b,y\n1,2,0\n3,4,1\n", "--target z", &["bad.csv", "\"z\""]);
}

#[test]
fn a_full_disk_leaves_nothing() {
    let place = Place::new();
    place.write("prices.csv", prices(20_000));
    let script = "trap '' XFSZ; ulimit -f 8";
    let done = place.command_after(script, "import prices.csv -o prices.grist").output().unwrap();
    Done::of(done).assert_failed("import", &["prices.grist", "File too large"]);
    assert_eq!(place.names("."), ["prices.csv", "tmp"]);
}

#[test]
fn a_failed_import_leaves_the_old_data_set() {
    let place = Place::new();
    place.write("a.csv", prices(20));
    place.ok("import a.csv -o a.grist");
    let before = place.read("a.grist");
    place.write("a.csv", "a,b\n1\n");
    place.fails("import a.csv -o a.grist", &["a.csv"]);
    assert_eq!(place.read("a.grist"), before);
}

#[test]
fn damaged_data_sets_are_named() {
    let place = Place::new();
    place.write("flowers.csv", flowers(300));
    place.ok("import flowers.csv -o good.grist");
    let good = place.read("good.grist");
    // In the header, the features and the metadata.
    for at in [9, 4096 + 17, good.len() - 9] {
        place.write("bad.grist", &good);
        flip(&place.path("bad.grist"), at);
        place.fails("train bad.grist", &["bad.grist"]);
    }
    for length in [0, 10, 4096, good.len() as u64 - 1] {
        place.write("bad.grist", &good);
        truncate(&place.path("bad.grist"), length);
        place.fails("train bad.grist", &["bad.grist"]);
        place.fails("inspect bad.grist", &["bad.grist"]);
    }
    assert!(!place.path("runs/bad-1").exists());
}

#[test]
fn what_is_none_of_ours_is_not_inspected() {
    let place = Place::new();
    place.write("flowers.csv", flowers(3));
    place.fails("inspect flowers.csv", &["flowers.csv", "imported"]);
    place.fails("inspect none", &["none", "No such file"]);
    fs::create_dir(place.path("folder")).unwrap();
    place.fails("inspect folder", &["folder"]);
}

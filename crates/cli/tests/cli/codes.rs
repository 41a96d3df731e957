//! Columns of codes such as 007, which look like numbers: read, written, read again, and predicted from.

use crate::place::Place;

const ZIPS: &str = "{\"zip\":\"01\",\"y\":\"a\"}\n{\"zip\":\"02\",\"y\":\"b\"}\n{\"zip\":\"01\",\"y\":\"a\"}\n{\"zip\":\"02\",\"y\":\"b\"}\n";

#[test]
fn codes_come_back_from_text() {
    let place = Place::new();
    place.write("a.jsonl", ZIPS);
    place.ok("import a.jsonl -o a.grist");
    let done = place.run("export-data a.grist -o a.csv");
    let options = "--category zip --target y --task classify --header --dtype u8";
    assert!(
        done.stderr.contains(&format!("to import it again, say {options}\n")),
        "{}",
        done.stderr
    );
    for options in [options, "--target y --task classify --dtype u8"] {
        place.ok(&format!("import a.csv -o b.grist {options}"));
        assert_eq!(place.read("a.grist"), place.read("b.grist"), "{options}");
    }
    let done = place.run("import a.csv -o b.grist");
    let told = "warning: a.csv: column \"zip\" is text because of the zeros before its numbers, as in \"01\" (line 2): --number \"zip\" reads numbers, --category \"zip\" confirms it";
    assert!(done.stderr.lines().any(|line| line == told), "{}", done.stderr);
    let done = place.run("import a.csv -o c.grist --number zip");
    assert!(!done.stderr.contains("warning"), "{}", done.stderr);
    assert_eq!(place.json("inspect --json c.grist")["features"][0]["name"], "zip");
}

#[test]
fn texts_like_numbers_and_classes_with_zeros_come_back() {
    let place = Place::new();
    let rows = ["1", "2", "10"].map(|id| format!("{{\"id\":\"{id}\",\"y\":\"0{id}\"}}\n")).concat();
    place.write("a.jsonl", rows.repeat(2));
    place.ok("import a.jsonl -o a.grist");
    let done = place.run("export-data a.grist -o a.csv");
    let options = "--category id --target y --task classify --header --dtype u8";
    assert!(done.stderr.contains(&format!("say {options}\n")), "{}", done.stderr);
    place.ok(&format!("import a.csv -o b.grist {options}"));
    assert_eq!(place.read("a.grist"), place.read("b.grist"));
    assert_eq!(place.json("inspect --json b.grist")["features"][0]["name"], "id=1");
}

#[test]
fn a_model_reads_codes_as_it_learned_them() {
    let place = Place::new();
    place.write("a.jsonl", ZIPS.repeat(5));
    place.ok("train a.jsonl --hidden 2 --epochs 1 --out run");
    place.write("new.csv", "zip\n01\n02\n");
    assert_eq!(place.ok("predict run new.csv").lines().count(), 3);
    place.write("new.csv", "zip\n1\n");
    place.fails("predict run new.csv", &["line 2, column \"zip\"", "\"1\" is no category known"]);
}

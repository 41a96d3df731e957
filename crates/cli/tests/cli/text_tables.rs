//! How a table of text is read, as far as its user says or is told.

use crate::place::Place;

#[test]
fn guesses_are_told_in_a_line_and_options_decide() {
    let place = Place::new();
    place.write("a.csv", "Person,2023,2024,y\nann,1,2,0\nbob,3,4,1\ncid,5,6,0\ndan,7,8,1\n");
    let done = place.run("import a.csv -o a.grist");
    assert!(done.status.success(), "{}", done.stderr);
    let told = "warning: a.csv: the first line (\"Person\", \"2023\", \"2024\", ...) is taken for column names, though there are numbers in it: --no-header if it is data";
    assert!(done.stderr.lines().any(|line| line == told), "{}", done.stderr);
    assert!(place.run("head a.csv").stderr.contains("--no-header if it is data"));
    assert_eq!(place.json("inspect --json a.grist")["rows"], 4);
    let done = place.run("import a.csv --header -o h.grist");
    assert!(!done.stderr.contains("warning: a.csv: the first line"), "{}", done.stderr);
}

#[test]
fn options_of_numbers_and_missing_values_are_heeded() {
    let place = Place::new();
    place.write("a.csv", "code;size;y\n1;1,5;2\n2;n.v.;3\n1;2,5;4\n");
    let options = "--decimal , --na n.v. --category code --missing mean --task regress";
    let done = place.run(&format!("import a.csv -o a.grist {options}"));
    assert!(done.status.success(), "{}", done.stderr);
    assert!(!done.stderr.contains("warning"), "{}", done.stderr);
    let found = place.json("inspect --json a.grist");
    assert_eq!(found["features"][0]["name"], "code=1");
    assert_eq!(found["features"][2]["name"], "size");
    assert_eq!(found["features"][2]["mean"], 2.0);
    assert_eq!(found["features"][2]["missing"], 1);
    let refused = place.run("import a.csv -o b.grist --decimal x");
    assert_eq!(refused.status.code(), Some(2));
    assert!(refused.stderr.contains("expected , or . and found x"), "{}", refused.stderr);
    place.fails("import a.csv -o b.grist --category z", &["column \"z\": this column is missing"]);
}

#[test]
fn a_stray_value_is_named() {
    let place = Place::new();
    let rows: String = (1..40).map(|i| format!("{i},{i}.5\n")).collect();
    place.write("a.csv", format!("x,price\n{rows}40,<1.0\n"));
    let parts = ["a.csv, line 41, column \"price\"", "found \"<1.0\"", "--task classify"];
    place.fails("import a.csv -o a.grist", &parts);
}

//! Columns that are no inputs, what fits no format, and arguments that a terminal would obey.

use crate::place::Place;

#[test]
fn an_index_of_pandas_is_left_out_and_comes_back_where_it_was_asked_for() {
    let place = Place::new();
    place.write("a.csv", ",a,y\n0,5,0.5\n1,6,1.5\n2,7,2.5\n");
    let done = place.run("import a.csv -o a.grist");
    let told = "warning: a.csv: column \"f0\" numbers the rows, as the index of pandas does, and is left out: --number \"f0\" takes it, --drop \"f0\" confirms it";
    assert!(done.stderr.lines().any(|line| line == told), "{}", done.stderr);
    assert_eq!(place.json("inspect --json a.grist")["features"].as_array().unwrap().len(), 1);
    place.write(
        "b.jsonl",
        "{\"Unnamed: 0\":3,\"a\":1,\"y\":0.5}\n{\"Unnamed: 0\":5,\"a\":2,\"y\":1.5}\n",
    );
    place.ok("import b.jsonl -o b.grist");
    assert_eq!(place.json("inspect --json b.grist")["features"][0]["name"], "a");
    let mut command = place.command("import b.jsonl -o c.grist --number");
    assert!(command.arg("Unnamed: 0").output().unwrap().status.success());
    let done = place.run("export-data c.grist -o c.csv");
    let options = "say --number 'Unnamed: 0' --target y --task regress --header --dtype u8\n";
    assert!(done.stderr.contains(options), "{}", done.stderr);
}

#[test]
fn no_option_about_text_is_ignored_for_other_formats() {
    let place = Place::new();
    place.write("a.jsonl", "{\"a\":1,\"y\":0.5}\n{\"a\":2,\"y\":1.5}\n");
    place.ok("import a.jsonl -o a.grist");
    for (option, named) in [
        ("--header", "--header: a.jsonl is jsonl"),
        ("--no-header", "--no-header: a.jsonl is jsonl"),
        ("--decimal ,", "--decimal: a.jsonl is jsonl"),
    ] {
        for command in ["import a.jsonl -o b.grist", "head a.jsonl", "stats a.jsonl"] {
            place.refuses(&format!("{command} {option}"), &[named, "leave it out"]);
        }
        let of_data = named.replace("a.jsonl is jsonl", "a.grist is grist");
        place.refuses(&format!("import a.grist -o b.grist {option}"), &[&of_data]);
    }
}

#[test]
fn weights_of_a_data_set_are_no_input_when_it_is_imported_again() {
    let place = Place::new();
    place.write("a.csv", "a,b,y,w\n1,2,0.5,1\n3,4,1.5,0\n5,7,2.5,4\n");
    place.ok("import a.csv -o a.grist --weights w");
    place.ok("import a.grist -o b.grist --drop b");
    assert_eq!(place.json("inspect --json b.grist")["features"].as_array().unwrap().len(), 1);
    assert_eq!(place.ok("head b.grist --csv"), "a,y,weight\n1,0.5,1\n3,1.5,0\n5,2.5,4\n");
    place.ok("import a.grist -o c.grist --like a.grist");
    assert_eq!(place.read("a.grist"), place.read("c.grist"));
}

#[test]
fn arguments_are_shown_and_not_obeyed() {
    let place = Place::new();
    for arguments in
        ["import a.csv --no\u{1b}[31m", "\u{1b}[31m", "import a.csv -o b --decimal \u{1b}[31m"]
    {
        let done = place.run(arguments);
        assert_eq!(done.status.code(), Some(2), "{}", done.stderr);
        assert!(!done.stderr.contains('\u{1b}'), "{:?}", done.stderr);
        assert!(done.stderr.contains("\\u{1b}[31m"), "{:?}", done.stderr);
    }
    assert!(place.run("train").stderr.starts_with("error: the following required arguments"));
}

#[test]
fn a_head_of_any_number_of_rows_is_bounded() {
    let place = Place::new();
    place.write("a.csv", "a,y\n1,0.5\n2,1.5\n");
    place.ok("import a.csv -o a.grist");
    for data in ["a.csv", "a.grist"] {
        assert_eq!(place.ok(&format!("head {data} --csv -n {}", u64::MAX)).lines().count(), 3);
    }
    place.ok("synth -o wide.grist --rows 300 --features 65535");
    place.refuses("head wide.grist -n 200", &["more than 128 rows of 65536 columns"]);
    assert!(place.ok("head wide.grist -n 100").contains("65524 more columns"));
    place.ok("stats wide.grist");
}

#[test]
fn numbers_that_become_one_are_found_wherever_they_stand() {
    let place = Place::new();
    let rows: String = (0..60_000).map(|i| format!("{i},{}.5\n", i % 7)).collect();
    let dates = "20180127,1.5\n20180128,2.5\n";
    place.write("a.csv", format!("d,y\n{rows}{dates}"));
    place.write("b.csv", format!("d,y\n{dates}"));
    place.write("c.csv", format!("d,y\n{rows}"));
    for (sources, named) in
        [("a.csv", Some("a.csv")), ("c.csv b.csv", Some("b.csv")), ("c.csv", None)]
    {
        let done = place.run(&format!("import {sources} -o d.grist"));
        assert!(done.status.success(), "{}", done.stderr);
        let told =
            "column \"d\": 20180127 and 20180128 become the same number, since f32 has 7 digits";
        let lines: Vec<&str> = done.stderr.lines().filter(|line| line.contains(told)).collect();
        match named {
            Some(file) => {
                assert_eq!(lines.len(), 1, "{}", done.stderr);
                assert!(lines[0].starts_with(&format!("warning: {file}: ")), "{lines:?}");
            }
            None => assert_eq!(lines, [""; 0]),
        }
    }
}

//! `gristmill predict -o`: the ending of the file says its format.

use crate::place::{Place, flowers, prices};

/// A place with models of flowers and of prices.
fn with_models() -> Place {
    let place = Place::new();
    place.write("flowers.csv", flowers(90));
    place.write("prices.csv", prices(60));
    place.ok("train flowers.csv --epochs 3 --hidden 4 --out flowers");
    place.ok("train prices.csv --epochs 3 --hidden 4 --out prices");
    place
}

/// A table as numbers, and texts where there are none.
fn cells(csv: &str) -> Vec<Vec<Result<f32, String>>> {
    let cell = |cell: &str| cell.parse::<f32>().map_err(|_| cell.to_owned());
    csv.lines().map(|line| line.split(',').map(cell).collect()).collect()
}

#[test]
fn every_format_has_the_same_predictions() {
    let place = with_models();
    for (model, data) in [("flowers", "flowers.csv"), ("prices", "prices.csv")] {
        let expected = place.ok(&format!("predict {model} {data}"));
        let expected = cells(&expected);
        let rows = expected.len() - 1;
        let files = ["p.tsv", "p.csv.gz", "p.jsonl.zst", "p.parquet", "p.arrow", "p.npz"];
        for file in files.into_iter().chain(["p.csv", "p.txt", "plain"]) {
            place.ok(&format!("predict {model} {data} -o {file}"));
            let found = cells(&place.ok(&format!("head {file} --csv -n {rows}")));
            if model == "prices" && file == "p.npz" {
                // A matrix of inputs, as of any data set.
                assert_eq!(found.len(), expected.len());
                assert_eq!(found[1..], expected[1..], "{file}");
            } else {
                assert_eq!(found, expected, "{model} in {file}");
            }
        }
        assert_eq!(place.read("p.parquet")[..4], *b"PAR1");
        assert_eq!(place.read("p.arrow")[..6], *b"ARROW1");
        assert_eq!(place.text("p.tsv").lines().count(), rows + 1);
        assert_eq!(place.text("p.tsv").contains('\t'), model == "flowers", "prices are one column");
        assert_eq!(place.read("p.csv"), place.read("p.txt"));
    }
    assert!(place.names("tmp").is_empty());
}

#[test]
fn an_array_has_the_numbers_alone() {
    let place = with_models();
    let done = place.run("predict flowers flowers.csv -o p.npy");
    assert!(done.status.success(), "{}", done.stderr);
    assert!(done.stderr.contains("the probability of each class"), "{}", done.stderr);
    let bytes = place.read("p.npy");
    assert!(bytes.starts_with(b"\x93NUMPY"));
    let expected = cells(&place.ok("predict flowers flowers.csv"));
    let numbers: Vec<u8> = expected[1..]
        .iter()
        .flat_map(|row| row[1..].iter().flat_map(|cell| cell.as_ref().unwrap().to_le_bytes()))
        .collect();
    assert!(bytes.ends_with(&numbers));
    let header = String::from_utf8_lossy(&bytes[10..bytes.len() - numbers.len()]).into_owned();
    assert!(header.contains("'<f4'") && header.contains("(90, 3)"), "{header}");
}

#[test]
fn endings_that_no_format_has_are_refused_before_anything_is_predicted() {
    let place = with_models();
    for (file, part) in [
        ("p.xlsx", "\"xlsx\" is no format that is written"),
        ("p.grist", "grist"),
        ("p.parquet.gz", "cannot be compressed"),
        ("p.npy.gz", "\"npy\" is no format that is written"),
    ] {
        place.refuses(&format!("predict flowers flowers.csv -o {file}"), &[file, part]);
        assert!(!place.path(file).exists());
    }
    place.ok("predict flowers flowers.csv -o odd.name --to parquet");
    assert_eq!(place.read("odd.name")[..4], *b"PAR1");
    place.ok("predict flowers flowers.csv -o odd.parquet --to CSV");
    assert!(place.text("odd.parquet").starts_with("kind,p(aster)"));
    place.refuses("predict flowers flowers.csv -o p --to excel", &["excel"]);
}

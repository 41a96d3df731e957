//! Views: data sets that say how the features of a row are arranged, and networks that take them so.

use crate::place::{Place, idx};
use serde_json::{Value, json};

/// Images of 4 x 3 pixels with labels: the brighter half says which.
fn write_images(place: &Place) {
    let pixels = (0..30u32).flat_map(|i| {
        (0..12).map(move |p| (if (p < 6) == (i % 2 == 0) { 200 } else { 10 }) + (i % 7) as u8)
    });
    place.write("train-images-idx3-ubyte", idx(&[30, 4, 3], pixels));
    place.write("train-labels-idx1-ubyte", idx(&[30], (0..30).map(|i| i % 2)));
}

fn npy(shape: &str, values: usize) -> Vec<u8> {
    let dictionary = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}");
    let mut file = b"\x93NUMPY\x01\0".to_vec();
    file.extend((dictionary.len() as u16).to_le_bytes());
    file.extend(dictionary.as_bytes());
    file.extend((0..values).flat_map(|i| (i as f32 / 8.0).to_le_bytes()));
    file
}

fn shape(place: &Place, data: &str) -> Value {
    place.json(&format!("inspect --json {data}"))["shape"].clone()
}

fn config_line(place: &Place, run: &str) -> Option<String> {
    let config = place.text(&format!("{run}/config.toml"));
    config.lines().find_map(|line| line.strip_prefix("shape = ")).map(str::to_owned)
}

#[test]
fn images_and_series_say_how_they_are_arranged() {
    let place = Place::new();
    write_images(&place);
    let done = place.run("import train-images-idx3-ubyte -o m.grist");
    assert!(done.status.success(), "{}", done.stderr);
    assert!(done.stderr.contains("features arranged as 4x3x1\n"), "{}", done.stderr);
    assert_eq!(shape(&place, "m.grist"), json!([4, 3, 1]));
    assert!(place.ok("inspect m.grist").contains("features: 12 stored as u8, arranged as 4x3x1\n"));

    place.write("X.npy", npy("(6, 5, 2)", 60));
    place.write("y.npy", npy("(6,)", 6));
    place.ok("import X.npy y.npy -o s.grist");
    assert_eq!(shape(&place, "s.grist"), json!([1, 5, 2]));
    place.write("X.npy", npy("(6, 2, 3, 4)", 144));
    place.ok("import X.npy y.npy -o i.grist");
    assert_eq!(shape(&place, "i.grist"), json!([2, 3, 4]));
    // Of plain numbers, and where a part is left out, nothing is said.
    place.write("X.npy", npy("(6, 24)", 144));
    place.ok("import X.npy y.npy -o f.grist");
    assert_eq!(shape(&place, "f.grist"), json!(null));
    place.ok("import train-images-idx3-ubyte --drop r0c0 -o d.grist");
    assert_eq!(shape(&place, "d.grist"), json!(null));
}

#[test]
fn a_shape_is_given_to_flat_columns_and_kept() {
    let place = Place::new();
    let rows: String = (0..40).map(|i| format!("{i},1,2,3,4,{},{}\n", i % 5, i % 2)).collect();
    place.write("a.csv", format!("a,b,c,d,e,f,y\n{rows}"));
    place.ok("import a.csv --shape 3x2 -o a.grist");
    assert_eq!(shape(&place, "a.grist"), json!([1, 3, 2]));
    place.ok("import a.csv --shape 3x1x2 -o b.grist");
    assert_eq!(shape(&place, "b.grist"), json!([3, 1, 2]));
    let part = "3x3x1 is no arrangement of the 6 features of a row";
    place.refuses("import a.csv --shape 3x3x1 -o c.grist", &[part]);
    place.refuses("import a.csv --shape 6 -o c.grist", &["HEIGHTxWIDTHxCHANNELS"]);
    place.refuses("import a.csv --shape 6x0 -o c.grist", &["at least 1"]);

    place.ok("import a.csv --like b.grist -o like.grist");
    place.ok("import b.grist -o again.grist");
    place.ok("import b.grist a.grist -o both.grist");
    place.ok("head b.grist -n 5 -o head.grist");
    place.ok("split b.grist --shares 0.5,0.5 -o one.grist -o two.grist");
    for kept in ["like.grist", "again.grist", "head.grist", "one.grist", "two.grist"] {
        assert_eq!(shape(&place, kept), json!([3, 1, 2]), "{kept}");
    }
    assert_eq!(shape(&place, "both.grist"), json!(null), "they differ");
}

#[test]
fn layers_over_positions_take_the_view_of_the_data() {
    let place = Place::new();
    write_images(&place);
    place.ok("import train-images-idx3-ubyte -o m.grist");
    let train = |data: &str, options: &str, run: &str| {
        let done = place.run(&format!("train {data} --epochs 2 {options} --out {run}"));
        assert!(done.status.success(), "{}", done.stderr);
        done.stderr
    };
    let told = "features arranged as 4x3x1, as the data say; --shape says otherwise\n";
    let mut command = place.command("train m.grist --epochs 2 --out a --layers");
    let done = command.arg("conv 4 3x3 padding=same, relu, pool 2").output().unwrap();
    let said = String::from_utf8(done.stderr).unwrap();
    assert!(done.status.success() && said.matches(told).count() == 1, "{said}");
    assert_eq!(config_line(&place, "a").as_deref(), Some("[4, 3, 1]"));
    // The same as what is said.
    let mut command = place.command("train m.grist --epochs 2 --out b --shape 4x3x1 --layers");
    let done = command.arg("conv 4 3x3 padding=same, relu, pool 2").output().unwrap();
    let said = String::from_utf8(done.stderr).unwrap();
    assert!(done.status.success() && !said.contains("as the data say"), "{said}");
    assert!(place.read("a/model.gristmill") == place.read("b/model.gristmill"));
    // Tables that are imported on the way say it too, and runs go on with it.
    let mut command = place.command("train train-images-idx3-ubyte --epochs 1 --out c --layers");
    let done = command.arg("conv 4 3x3 padding=same, relu, pool 2").output().unwrap();
    assert!(done.status.success() && String::from_utf8(done.stderr).unwrap().contains(told));
    place.ok("train --resume c --epochs 2");
    assert!(place.read("a/model.gristmill") == place.read("c/model.gristmill"));
    let mut command = place.command("describe --data m.grist --json --layers");
    let done = command.arg("conv 4 3x3 padding=same, relu, pool 2").output().unwrap();
    let described: Value = serde_json::from_slice(&done.stdout).unwrap();
    let text = described.to_string();
    assert!(
        done.status.success() && text.contains("[4,3,4]") && text.contains("[2,1,4]"),
        "{text}"
    );
    // Dense layers take plain numbers.
    let said = train("m.grist", "--hidden 4", "d");
    assert!(!said.contains("arranged"), "{said}");
    assert_eq!(config_line(&place, "d"), None);
}

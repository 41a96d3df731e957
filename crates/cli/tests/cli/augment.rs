//! Images that change each time they are learned from.

use crate::place::{Place, idx};
use serde_json::Value;

/// Images of 6 x 5 pixels with labels: which half of the lines is brighter, whatever moves sideways.
fn write_images(place: &Place) {
    let pixels = (0..90u32).flat_map(|i| {
        (0..30).map(move |p| (if (p < 15) == (i % 2 == 0) { 200 } else { 10 }) + (i % 7) as u8)
    });
    place.write("train-images-idx3-ubyte", idx(&[90, 6, 5], pixels));
    place.write("train-labels-idx1-ubyte", idx(&[90], (0..90).map(|i| i % 2)));
    place.ok("import train-images-idx3-ubyte -o m.grist");
}

fn train(place: &Place, options: &str, changes: &str) -> std::process::Output {
    let mut command = place.command(&format!("train m.grist --seed 1 {options} --augment"));
    command.arg(changes).output().unwrap()
}

#[test]
fn changes_reach_the_configuration_and_the_run() {
    let place = Place::new();
    write_images(&place);
    let options = "--hidden 8 --epochs 6 --validation-split 0.2 --batch-size 16";
    let all = "shift 1, flip, crop 1, cutout 2, mixup 0.2";
    for (run, threads) in [("one", 1), ("three", 3)] {
        let done = train(&place, &format!("{options} --threads {threads} --out {run}"), all);
        let said = String::from_utf8(done.stderr).unwrap();
        assert!(done.status.success(), "{said}");
        assert!(said.contains("features arranged as 6x5x1, as the data say"), "{said}");
    }
    let section = "[data.augment]\n# shift, crop and cutout in pixels";
    let keys = "shift = 1\nflip = true\ncrop = 1\ncutout = 2\nmixup = 0.2\n";
    let config = place.text("one/config.toml");
    assert!(config.contains(keys), "{config}");
    assert!(config.contains(&section[..14]), "{config}");
    assert!(place.read("one/model.gristmill") == place.read("three/model.gristmill"));
    // A run that is resumed goes on as if it had never stopped.
    let done = train(
        &place,
        "--hidden 8 --epochs 2 --validation-split 0.2 --batch-size 16 --out half",
        all,
    );
    assert!(done.status.success());
    place.ok("train --resume half --epochs 6");
    assert!(place.read("one/model.gristmill") == place.read("half/model.gristmill"));
    // Each change is one, and the model still knows images that are not changed.
    place.ok(&format!("train m.grist --seed 1 {options} --shape 6x5x1 --out plain"));
    let mut models = vec![place.read("plain/model.gristmill"), place.read("one/model.gristmill")];
    for (index, change) in all.split(", ").enumerate() {
        let done = train(&place, &format!("{options} --shape 6x5x1 --out run{index}"), change);
        assert!(done.status.success(), "{change}");
        let model = place.read(&format!("run{index}/model.gristmill"));
        assert!(models.iter().all(|other| *other != model), "{change} changes nothing");
        models.push(model);
        let figures: Value = place.json(&format!("evaluate run{index} m.grist --json"));
        assert_eq!(figures["accuracy"], 1.0, "{change}: {figures}");
    }
}

#[test]
fn an_option_takes_the_place_of_a_section() {
    let place = Place::new();
    write_images(&place);
    place.write("run.toml", "data.augment = { shift = 1, flip = true }\nnetwork.hidden = [2]\n");
    let done = train(&place, "--config run.toml --epochs 1 --out a", "crop 1");
    let said = String::from_utf8(done.stderr).unwrap();
    assert!(done.status.success(), "{said}");
    let line = "warning: data.augment.shift = 1 of run.toml gives way to --augment crop 1\n";
    assert!(said.contains(line), "{said}");
    let config = place.text("a/config.toml");
    assert!(config.contains("shift = 0\nflip = false\ncrop = 1\n"), "{config}");
    let done = train(&place, "--config run.toml --epochs 1 --out b", "none");
    assert!(done.status.success());
    assert!(!place.text("b/config.toml").contains("augment"));
}

#[test]
fn changes_that_do_not_fit_are_refused() {
    let place = Place::new();
    write_images(&place);
    let rows: String = (0..40).map(|i| format!("{i},1,2,3,{}\n", i % 2)).collect();
    place.write("a.csv", format!("a,b,c,d,y\n{rows}"));
    let plain = "`data.augment.flip` is true: the features of a row are plain numbers";
    place.refuses("train a.csv --augment flip", &[plain, "--shape 28x28x1"]);
    place.ok("train a.csv --augment flip --shape 2x2x1 --epochs 1 --hidden 2 --out run");
    let refused = |changes: &str, part: &str| {
        let done = train(&place, "--out refused", changes);
        let said = String::from_utf8(done.stderr).unwrap();
        assert!(!done.status.success() && said.contains(part), "{changes}: {said}");
        assert!(!place.path("refused").exists());
    };
    refused("shift 5", "`data.augment.shift` is 5: rows are 6x5x1; expected 0 to 4");
    refused("mixup 2", "`data.augment.mixup` is 2: expected a number from 0 to 1");
    refused("turn", "there is no such change");
    let both = "--set data.augment.flip=true";
    place.refuses(&format!("train m.grist --augment flip {both}"), &["gives the same option"]);
}

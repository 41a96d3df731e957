//! Training that comes to what are no numbers: it is never called a success, and its cause is named.

use crate::place::{Place, flowers, prices};
use std::fmt::Write as _;

/// What a run may not leave: a model, or a checkpoint that cannot be gone on from.
fn assert_nothing_saved(place: &Place, run: &str) {
    assert!(!place.path(&format!("{run}/model.gristmill")).exists());
    let checkpoints = place.path(&format!("{run}/checkpoints"));
    assert!(!checkpoints.exists() || place.names(&format!("{run}/checkpoints")).is_empty());
}

#[test]
fn a_last_step_that_ruins_the_network_is_an_error() {
    let place = Place::new();
    place.write("prices.csv", prices(200));
    place.write("flowers.csv", flowers(60));
    let lots = "--batch-size 40000 --epochs 1 --learning-rate";
    for (i, table) in ["prices", "flowers"].into_iter().enumerate() {
        for (j, rest) in ["1e38", "1e38 --optimizer sgd", "1e30 --hidden 8,8,8"].iter().enumerate()
        {
            let run = format!("run-{i}-{j}");
            let arguments = format!("train {table}.csv {lots} {rest} --out {run}");
            place.fails(&arguments, &["step 1 of epoch 1", "learning rate"]);
            assert_nothing_saved(&place, &run);
        }
    }
    // With rows to validate on, too.
    let arguments = format!("train prices.csv {lots} 1e38 --validation-split 0.2 --out v");
    place.fails(&arguments, &["learning rate"]);
    assert_nothing_saved(&place, "v");
}

#[test]
fn what_a_diverged_run_has_saved_can_be_gone_on_from() {
    let place = Place::new();
    place.write("prices.csv", prices(200));
    for rate in ["1e30", "1e20", "1e12"] {
        let options = "--batch-size 50 --epochs 4 --hidden 8 --set checkpoint.max_share=1";
        let arguments =
            format!("train prices.csv --learning-rate {rate} {options} --out run{rate}");
        place.fails(&arguments, &["learning rate"]);
        assert!(!place.path(&format!("run{rate}/model.gristmill")).exists());
        for name in place.names(&format!("run{rate}/checkpoints")) {
            let path = format!("run{rate}/checkpoints/{name}");
            place.ok(&format!("inspect {path}"));
        }
    }
}

#[test]
fn a_network_of_no_use_is_an_error() {
    let place = Place::new();
    place.write("prices.csv", prices(200));
    let arguments = "train prices.csv --learning-rate 1e9 --batch-size 40000 --epochs 3 --out run";
    place.fails(arguments, &["loss", "learning rate"]);
    assert!(!place.path("run/model.gristmill").exists());
    let linear = arguments.replace("--out run", "--hidden none --out linear");
    place.fails(&linear, &["the loss became", "learning rate"]);
    // A poor one is none.
    place.ok("train prices.csv --learning-rate 1 --batch-size 40000 --epochs 3 --out poor");
}

#[test]
fn rolling_back_goes_on_with_half_the_learning_rate() {
    let place = Place::new();
    place.write("prices.csv", prices(200));
    let options = "--optimizer sgd --hidden 8 --batch-size 50 --epochs 3 --learning-rate 8";
    place.fails(&format!("train prices.csv {options} --out stop"), &["learning rate"]);
    let set = "--on-nan rollback";
    let done = place.run(&format!("train prices.csv {options} {set} --out back"));
    assert!(done.status.success(), "{}", done.stderr);
    let warned = done.stderr.lines().filter(|line| line.contains("half the learning rate")).count();
    assert!((1..=10).contains(&warned), "{}", done.stderr);
    assert!(place.text("back/config.toml").contains("on_nan = \"rollback\""));
    let metrics = place.text("back/metrics.csv");
    let rates: Vec<f64> = metrics
        .lines()
        .skip(1)
        .map(|line| line.split(',').nth(1).unwrap().parse().unwrap())
        .collect();
    assert_eq!(rates.len(), 3);
    assert_eq!(rates[2], 8.0 * 0.5f64.powi(warned as i32), "{metrics}");

    // What no learning rate mends is given up.
    let hopeless = options.replace("rate 8", "rate 1e30");
    let arguments = format!("train prices.csv {hopeless} {set} --out never");
    place.fails(&arguments, &["learning rate"]);
    assert!(!place.path("never/model.gristmill").exists());
}

#[test]
fn a_value_in_the_data_is_blamed_before_the_learning_rate() {
    let place = Place::new();
    let mut text = "x,w,y\n".to_owned();
    for row in 0..40 {
        let x = if row == 16 { "3e38".to_owned() } else { (row % 7).to_string() };
        writeln!(text, "{x},1,{}", row % 5).unwrap();
    }
    place.write("x.csv", &text);
    let options = "--target y --task regress --hidden 4 --epochs 2";
    let plain = "--set training.standardize_inputs=false --out x";
    place.fails(&format!("train x.csv {options} {plain}"), &["row 17", "3e38", "column x"]);
    assert_nothing_saved(&place, "x");

    place.write("w.csv", text.replace("3e38", "1").replacen("1,1,1\n", "1,3e38,1\n", 1));
    let done = place.run(&format!("train w.csv {options} --weights w --out w"));
    let error = done.stderr.lines().find(|line| line.starts_with("error")).unwrap_or_default();
    assert!(error.contains("3e38 as its weight"), "{}", done.stderr);
}

#[test]
fn rows_of_which_none_counts_are_refused() {
    let place = Place::new();
    let table = |weight: &str| {
        let row = |i: u32| format!("{i},{weight},{}\n", ["no", "yes"][i as usize % 2]);
        format!("x,w,y\n{}", (0..20).map(row).collect::<String>())
    };
    place.write("none.csv", table("0"));
    let train = "train none.csv --target y --hidden 2 --epochs 2 --out run";
    place.fails(&format!("{train} --weights w"), &["weight of every row", "0"]);
    assert!(!place.path("run").exists());
    // Nor does a class that does not count.
    place.write("some.csv", table("1"));
    let weights = "training.class_weights={no=0.0,yes=0.0}";
    place.fails(
        &format!("train some.csv --target y --drop w --hidden 2 --set {weights} --out run"),
        &["weight of every row", "class"],
    );
    assert!(!place.path("run").exists());
    // Rows to validate on are no better.
    let validate =
        "train some.csv --validation none.csv --target y --weights w --hidden 2 --out run";
    place.fails(validate, &["weight of every row to validate on is 0"]);
}

#[test]
fn a_row_that_does_not_count_changes_nothing() {
    let place = Place::new();
    let mut text = "x,w,y\n".to_owned();
    (1..=20).for_each(|i| writeln!(text, "{i},1,{}", if i > 10 { "b" } else { "a" }).unwrap());
    place.write("b.csv", &text);
    place.write("c.csv", text + "1000000,0,a\n");
    let options = "--target y --weights w --hidden 8 --epochs 100 --learning-rate 0.01";
    let [b, c] = ["b", "c"].map(|name| {
        let said = place.ok(&format!("train {name}.csv {options} --out r{name} -q"));
        said.lines().find(|line| line.starts_with("train_accuracy")).unwrap().to_owned()
    });
    assert_eq!((b.as_str(), c), ("train_accuracy: 1.0000", b.clone()));
}

#[test]
fn targets_that_predictions_cannot_reach_are_refused() {
    let place = Place::new();
    let mut text = "x,y\n".to_owned();
    (0..20).for_each(|i| writeln!(text, "{i},{}", if i == 3 { 3e38 } else { 0.5 }).unwrap());
    place.write("big.csv", text);
    let parts = ["column y", "3e38"];
    place.fails("train big.csv --task regress --hidden 2 --epochs 2 --out run", &parts);
    assert!(!place.path("run").exists());
}

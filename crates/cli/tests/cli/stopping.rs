//! When a run stops early, and what it must be able to measure for that.

use crate::place::{Place, flowers};
use std::fmt::Write as _;

/// Numbers of two classes by turns, or all of the first.
fn numbers(rows: u32, classes: u32) -> String {
    let mut text = "x,y\n".to_owned();
    (0..rows).for_each(|row| writeln!(text, "{row},{}", row % classes).unwrap());
    text
}

#[test]
fn patience_without_rows_to_validate_on_says_what_it_watches() {
    let place = Place::new();
    place.write("flowers.csv", flowers(60));
    let train = "train flowers.csv --hidden 4 --epochs 3 --patience 2";
    let told = |arguments: &str| {
        let done = place.run(arguments);
        assert!(done.status.success(), "{}", done.stderr);
        done.stderr.lines().filter(|line| line.contains("watches the loss of training")).count()
    };
    assert_eq!(told(&format!("{train} --out a")), 1);
    assert_eq!(told(&format!("{train} --validation-split 0.5 --out b")), 0);
}

#[test]
fn a_metric_that_the_rows_do_not_determine_is_refused() {
    let place = Place::new();
    place.write("t.csv", numbers(60, 2));
    place.write("v.csv", numbers(40, 1));
    let options = "--patience 3 --hidden 4 --epochs 20 --out r";
    let watch = |metric: &str| {
        format!(
            "train t.csv --task classify --validation v.csv {options} --set early_stopping.metric={metric}"
        )
    };
    place.fails(
        &watch("roc_auc"),
        &["roc_auc is not defined on the rows to validate on", "class 0"],
    );
    assert!(!place.path("r").exists());
    place.ok(&watch("accuracy"));

    // The sibling of numbers.
    place.write("n.csv", "x,y\n1,0.5\n2,0.5\n");
    place.write("m.csv", "x,y\n1,0.5\n2,1.5\n3,2.25\n");
    place.fails(
        &format!("train m.csv --task regress --validation n.csv {options}2 --set early_stopping.metric=r2"),
        &["r2 is not defined on the rows to validate on"],
    );
    // And a metric of another task.
    place.refuses(
        &format!("train m.csv --task regress {options}3 --set early_stopping.metric=f1 --validation n.csv"),
        &["early_stopping.metric", "f1"],
    );
}

#[test]
fn a_split_that_holds_out_no_row_is_refused() {
    let place = Place::new();
    place.write("two.csv", "x,y\n1,a\n2,b\n");
    let parts = ["0.5 of 2 rows holds none out"];
    place.fails("train two.csv --hidden 2 --validation-split 0.5 --out run", &parts);
    assert!(!place.path("run").exists());
    place.write("four.csv", "x,y\n1,a\n2,b\n3,a\n4,b\n");
    let done = place.run("train four.csv --hidden 2 --epochs 1 --validation-split 0.75 --out run");
    assert!(done.stderr.contains("2 rows are held out, not 3"), "{}", done.stderr);
}

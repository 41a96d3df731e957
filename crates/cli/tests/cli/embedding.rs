//! Embeddings of tokens, as users have them.

use crate::place::{Done, Place};
use std::fmt::Write;

/// Rows of up to five tokens below 10; the class is whether 7 is among them.
fn tokens(rows: usize) -> String {
    let mut text = "t0,t1,t2,t3,t4,y\n".to_owned();
    for row in 0..rows {
        let token = |i: usize| match (row * 7 + i * 13 + row * row / 5 * (i + 1)) % 11 {
            10 => -1,
            token => token as i64,
        };
        let all: Vec<i64> = (0..5).map(token).collect();
        for token in &all {
            write!(text, "{token},").unwrap();
        }
        writeln!(text, "{}", u8::from(all.contains(&7))).unwrap();
    }
    text
}

const TRAIN: &str = "train tokens.csv --target y --task classify --epochs 40 --seed 1 --optimizer adam \
     --learning-rate 0.05 --batch-size 50 --out run";

/// Trains a network of these layers on 400 rows.
fn train(layers: &str) -> (Place, Done) {
    let place = Place::new();
    place.write("tokens.csv", tokens(400));
    let output = place.command(TRAIN).args(["--layers", layers]).output().unwrap();
    (place, Done::of(output))
}

#[test]
fn a_bag_of_tokens_is_learned() {
    let (place, done) = train("embedding 4 vocabulary=10 combine=sum");
    assert!(done.status.success(), "{}", done.stderr);
    assert!(done.stdout.contains("train_accuracy: 1.0000"), "{}", done.stdout);
    // What is of no token counts for nothing, whatever it is.
    let (with, without) = ("t0,t1,t2,t3,t4\n7,1,-1,-1,-1\n", "t0,t1,t2,t3,t4\n7,1,-5,1e9,10\n");
    place.write("with.csv", with);
    place.write("without.csv", without);
    assert_eq!(place.ok("predict run with.csv"), place.ok("predict run without.csv"));
    place.ok("gradcheck run");
    let described = place.ok("inspect run");
    assert!(described.contains("embedding"), "{described}");
}

#[test]
fn what_cannot_be_looked_up_is_refused() {
    let (_, done) = train("embedding 4 vocabulary=9 combine=sum");
    let parts = ["column t0 has a token 9", "vocabulary of 9 (0 to 8)", "say vocabulary=10"];
    done.assert_failed("a token beyond the vocabulary", &parts);
    let (_, done) = train("embedding 4");
    done.assert_ended(
        2,
        "no index column",
        &["no column of its input is an index", "vocabulary=N"],
    );
}

//! `--text`: the words of a column as features.

use crate::place::Place;
use serde_json::json;

const REVIEWS: &str = "kind,review,stars\n\
                       drama,\"A good, good film\",4.5\n\
                       drama,bad,1.5\n\
                       comedy,\"Not good. Not bad!\",2.5\n\
                       comedy,,3.5\n";

/// CRC-32C of the word or run of words, bit by bit, modulo the number of buckets.
fn bucket(run: &str, buckets: u32) -> f64 {
    let crc = run.bytes().fold(!0u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            (crc >> 1) ^ (0x82f6_3b78 & (crc & 1).wrapping_neg())
        })
    });
    f64::from(!crc % buckets)
}

/// The features of all rows, as they are written to CSV.
fn rows(place: &Place, data: &str) -> Vec<Vec<f64>> {
    let table = place.ok(&format!("head {data} --csv -n 100"));
    let row = |line: &str| line.split(',').map(|x| x.parse().unwrap()).collect();
    table.lines().skip(1).map(row).collect()
}

#[test]
fn words_become_buckets() {
    let place = Place::new();
    place.write("a.csv", REVIEWS);
    let done = place.run("import a.csv --text review --drop kind -o a.grist");
    assert!(done.status.success(), "{}", done.stderr);
    let told = "index columns: review (the first 4 words, in 262,144 buckets)\n";
    assert!(done.stderr.contains(told), "{}", done.stderr);
    let found = place.json("inspect --json a.grist");
    let words = json!({ "length": 4, "buckets": 262_144, "ngrams": 1 });
    assert_eq!(found["encoding"]["inputs"], json!([{ "name": "review", "words": words }]));
    assert_eq!(found["features"][3]["name"], "review[3]");
    let word = |word| bucket(word, 1 << 18);
    let none = f64::from(1 << 18);
    assert_eq!(
        rows(&place, "a.grist"),
        [
            vec![word("a"), word("good"), word("good"), word("film"), 4.5],
            vec![word("bad"), none, none, none, 1.5],
            vec![word("not"), word("good"), word("not"), word("bad"), 2.5],
            vec![none, none, none, none, 3.5],
        ]
    );
    let options = "--text review --drop kind --text-length 3 --text-buckets 50 --text-ngrams 2";
    place.ok(&format!("import a.csv {options} -o b.grist"));
    let run = |run| bucket(run, 50);
    assert_eq!(rows(&place, "b.grist")[2], [run("not"), run("good"), run("not good"), 2.5]);
    assert_eq!(rows(&place, "b.grist")[1], [run("bad"), 50.0, 50.0, 1.5]);
    // Runs of words count where a text is measured.
    place.ok("import a.csv --text review --drop kind --text-ngrams 3 -o c.grist");
    assert_eq!(rows(&place, "c.grist")[0].len(), 4 + 3 + 2 + 1);
}

#[test]
fn long_texts_are_cut_and_it_is_said() {
    let place = Place::new();
    place.write("a.csv", format!("t,y\n{},1.5\nb,2.5\nc,3.5\n", "word ".repeat(1500)));
    let done = place.run("import a.csv --text t -o a.grist");
    let told =
        "column \"t\": 1024 words of a text are kept, of up to 1500: --text-length keeps more";
    assert!(done.status.success() && done.stderr.contains(told), "{}", done.stderr);
    let done = place.run("import a.csv --text t --text-length 1500 -o a.grist");
    assert!(!done.stderr.contains("are kept"), "{}", done.stderr);
}

#[test]
fn words_are_learned_and_predicted_as_they_were_imported() {
    let place = Place::new();
    let review = |i: usize| match i % 2 {
        0 => format!("\"a {} film\",bad\n", ["dull", "weak", "bad"][i % 3]),
        _ => format!("\"a {} film\",good\n", ["fine", "great", "good"][i % 3]),
    };
    place.write("a.csv", format!("t,y\n{}", (0..60).map(review).collect::<String>()));
    let train = "train a.csv --text t --epochs 20 --batch-size 8 --seed 1 --optimizer adam --learning-rate 0.05 --validation-split 0";
    place.refuses(train, &["index columns", "embedding 32 combine=mean"]);
    let layers = "embedding 8 combine=mean";
    let mut command = place.command(&format!("{train} --out run --layers"));
    assert!(command.arg(layers).output().unwrap().status.success());
    place.write("b.csv", "t\nGREAT FILM\nweak\nunheard of\n\n");
    let classes = place.ok("predict run/model.gristmill b.csv");
    let classes: Vec<&str> =
        classes.lines().skip(1).map(|line| line.split(',').next().unwrap()).collect();
    assert_eq!(classes[..2], ["good", "bad"]);
    // A series for layers of steps.
    let mut command = place.command(&format!("{train} --out series --layers"));
    let layers = "embedding 4, conv 8 2, global-pool max";
    let done = command.arg(layers).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

#[test]
fn what_cannot_be_is_refused_by_name() {
    let place = Place::new();
    place.write("a.csv", REVIEWS);
    place.fails("import a.csv --text plot -o a.grist", &["column \"plot\"", "missing"]);
    place.fails("import a.csv --text stars -o a.grist", &["\"stars\": is the target"]);
    place.fails(
        "import a.csv --text review --index review -o a.grist",
        &["\"review\": is said to have words and something else"],
    );
    place.refuses(
        "import a.csv --text review --text-buckets 0 -o a.grist",
        &["0 buckets", "1 to 16777216 buckets"],
    );
    place.refuses("import a.csv --text-length 3 -o a.grist", &["required arguments"]);
    place.ok("import a.csv --text review --drop kind -o a.grist");
    let done = place.run("export-data a.grist -o b.csv");
    let told = "knows the words of review by their buckets alone";
    assert!(done.status.success() && done.stderr.contains(told), "{}", done.stderr);
    let out = place.run("train a.grist --text review");
    assert!(!out.status.success() && out.stderr.contains("--text"), "{}", out.stderr);
}

//! Networks of all kinds of layers in the formats of other programs: what is read predicts the same, and what C
//! compilers make of a header does.

use crate::place::Place;
use std::fmt::Write as _;
use std::process::Command;

/// Networks that together have every kind of layer: shapes of the features, layers.
const NETWORKS: [(&str, &str); 6] = [
    (
        "5x7x3",
        "conv 6 3x3 padding=same bias=false, batch-norm, relu, conv 6 3 padding=1 activation=tanh, \
         add from=conv2+activation1, pool 2, conv 12 2 groups=3 activation=silu, batch-norm, \
         dropout 0.2, global-pool, dense 9",
    ),
    (
        "5x7x3",
        "pool 3 function=average stride=2 padding=1, rms-norm, pool 2 stride=1 padding=1, flatten, \
         layer-norm, dense 17, scale, prelu, elu(0.5)",
    ),
    (
        "35x3",
        "gru 7 gives=all from=features, gru 7 gives=all direction=backward from=features, \
         concat from=gru1+gru2, conv 6 4 stride=2 dilation=2 activation=gelu, \
         lstm 5 direction=backward gives=all, lstm 4 gives=all, gru 4, dense 4",
    ),
    (
        "105",
        "dense 16, dense 16 dropout=0.1, add from=dense1+dense2, concat from=add1+dense1+features, softplus",
    ),
    // Numbers below 0 are of no category.
    ("35x3", "embedding 4 vocabulary=2, layer-norm, gru 5, dense 4"),
    ("105", "embedding 5 vocabulary=2 combine=mean, scale, dense 7"),
];

/// Rows of 105 numbers and one of three classes.
fn rows(count: u32) -> String {
    let mut text: String = (0..105).map(|i| format!("x{i},")).collect();
    text += "kind\n";
    for row in 0..count {
        let value = |i: u32| f64::from((row * 7919 + i * 104_729 + row * i) % 1009) / 300.0 - 1.5;
        (0..105).for_each(|i| write!(text, "{:.3},", value(i)).unwrap());
        let kind = ((3.0 * value(0) + value(1)).rem_euclid(3.0)) as usize;
        writeln!(text, "{}", ["aster", "bellis", "crocus"][kind]).unwrap();
    }
    text
}

/// Trains each network a little, and calls `check` with its layers.
fn for_each_network(check: impl Fn(&Place, &str)) {
    let place = Place::new();
    place.write("rows.csv", rows(60));
    place.ok("import rows.csv -o rows.grist");
    for (index, (shape, layers)) in NETWORKS.iter().enumerate() {
        let out = format!("run{index}");
        let mut train = place.command(&format!(
            "train rows.grist --shape {shape} --epochs 3 --batch-size 20 --out {out}"
        ));
        let done = train.args(["--layers", layers]).output().unwrap();
        assert!(done.status.success(), "{layers}: {}", String::from_utf8_lossy(&done.stderr));
        std::fs::copy(place.path(&format!("{out}/model.gristmill")), place.path("m.gristmill"))
            .unwrap();
        check(&place, layers);
    }
}

#[test]
fn what_is_read_back_predicts_the_same() {
    for_each_network(|place, layers| {
        let expected = place.ok("predict m.gristmill rows.grist");
        for name in ["m.onnx", "m.safetensors", "m.npz"] {
            let found = place.ok(&format!("export m.gristmill -o {name} --verify rows.grist"));
            assert_eq!(found, "largest difference over 60 rows: 0\n", "{name}: {layers}");
            place.ok(&format!("import-model {name} -o back.gristmill"));
            assert_eq!(place.ok("predict back.gristmill rows.grist"), expected, "{name}: {layers}");
        }
    });
}

/// Reads rows of numbers until there are none, and prints the predictions of each.
const MAIN: &str = r#"#include <stdio.h>
#include "m.h"
int main(void) {
    static float x[GRISTMILL_FEATURES], y[GRISTMILL_OUTPUTS];
    for (;;) {
        for (int i = 0; i < GRISTMILL_FEATURES; i++)
            if (scanf("%f,", &x[i]) != 1) return 0;
        gristmill_predict(x, y);
        for (int i = 0; i < GRISTMILL_OUTPUTS; i++) printf("%.9g ", y[i]);
        printf("\n");
        scanf("%*s");
    }
}
"#;

#[test]
fn a_c_header_predicts_the_same() {
    for_each_network(|place, layers| {
        place.ok("export m.gristmill -o m.h");
        place.write("main.c", MAIN);
        let strict =
            ["-std=c99", "-O1", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-Wno-unused-result"];
        let mut compiler = Command::new("cc");
        compiler.current_dir(place.path(".")).args(strict).args(["main.c", "-o", "main", "-lm"]);
        let done = compiler.output().expect("cc, which Rust links with");
        assert!(done.status.success(), "{layers}: {}", String::from_utf8_lossy(&done.stderr));
        let text = place.text("rows.csv");
        place.write("rows.txt", text.split_once('\n').unwrap().1);
        let input = std::fs::File::open(place.path("rows.txt")).unwrap();
        let done = Command::new(place.path("main")).stdin(input).output().unwrap();
        let found = String::from_utf8(done.stdout).unwrap();
        let expected = place.ok("predict m.gristmill rows.grist");
        // A class and the probability of each: p(aster), p(bellis), p(crocus).
        assert_eq!(found.lines().count(), 60, "{layers}");
        for (expected, found) in expected.lines().skip(1).zip(found.lines()) {
            let expected = expected.split(',').skip(1).map(|number| number.parse::<f64>().unwrap());
            let found = found.split_whitespace().map(|number| number.parse::<f64>().unwrap());
            let (expected, found) = (Vec::from_iter(expected), Vec::from_iter(found));
            assert_eq!(expected.len(), 3, "{expected:?}");
            let is_close = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-5;
            let close = expected.len() == found.len() && expected.iter().zip(&found).all(is_close);
            assert!(close, "{layers}: {found:?} for {expected:?}");
        }
    });
}

/// Without the description a file is a graph of any program, whose columns are called f0, f1, ...
#[test]
fn an_onnx_graph_is_read_by_its_operators_alone() {
    let place = Place::new();
    let text = rows(60).replace('x', "f").replace("kind", "y0");
    let number = |class: usize| format!(",{}.5\n", class * 10);
    let text = text.replace(",aster\n", &number(1)).replace(",bellis\n", &number(2));
    place.write("rows.csv", text.replace(",crocus\n", &number(4)));
    place.ok("import rows.csv --target y0 --task regress -o rows.grist");
    // Graphs have no layer of embeddings.
    for (shape, layers) in NETWORKS.iter().filter(|(_, layers)| !layers.contains("embedding")) {
        let mut train = place.command(&format!(
            "train rows.grist --shape {shape} --epochs 3 --batch-size 20 --out run"
        ));
        let done = train.args(["--layers", layers]).output().unwrap();
        assert!(done.status.success(), "{layers}: {}", String::from_utf8_lossy(&done.stderr));
        place.ok("export run/model.gristmill -o m.onnx");
        let name = b"gristmill";
        let mut bytes = place.read("m.onnx");
        for at in 0..bytes.len() - name.len() {
            if bytes[at..].starts_with(name) {
                bytes[at] = b'G';
            }
        }
        place.write("theirs.onnx", bytes);
        place.ok("import-model theirs.onnx -o theirs.gristmill");
        let expected = place.ok("predict run/model.gristmill rows.grist");
        assert_eq!(place.ok("predict theirs.gristmill rows.grist"), expected, "{layers}");
        std::fs::remove_dir_all(place.path("run")).unwrap();
    }
}

//! What is said of networks before they are trained.

use crate::place::Place;
use serde_json::json;

const LAYERS: &str = "conv 8 3x3 padding=same bias=false, batch-norm, relu name=first, \
                      conv 8 3x3 padding=same, add from=first+conv2, pool 2, embedding 2 vocabulary=5";

#[test]
fn layers_have_their_shape_parameters_work_and_memory() {
    let place = Place::new();
    let line = "describe --json --shape 6x4x3 --classes 5 --batch-size 10 --layers";
    let output = place.command(line).arg(LAYERS).output().unwrap();
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found["features"], json!([6, 4, 3]));
    let layer = |index: usize| {
        let layer = &found["layers"][index];
        json!([layer["name"], layer["shape"], layer["parameters"], layer["multiply_adds"]])
    };
    // Of 6 x 4 windows, without those taps that are beyond the edges.
    let taps = (6 * 3 - 2) * (4 * 3 - 2);
    assert_eq!(layer(0), json!(["conv1", [6, 4, 8], 8 * 3 * 9, taps * 8 * 3]));
    assert_eq!(layer(1), json!(["batch-norm1", [6, 4, 8], 16, 2 * 24 * 8]));
    assert_eq!(layer(3), json!(["conv2", [6, 4, 8], 8 * 8 * 9 + 8, taps * 8 * 8]));
    assert_eq!(found["layers"][4]["from"], json!(["first", "conv2"]));
    assert_eq!(layer(5), json!(["pool1", [3, 2, 8], 0, 24 * 8]));
    assert_eq!(layer(6), json!(["embedding1", [3, 2, 16], 10, 96]));
    assert_eq!(layer(7), json!(["dense1", [1, 1, 5], 97 * 5, 97 * 5]));
    // The values and errors of 192 numbers.
    assert_eq!(found["layers"][2]["row_bytes"], 2 * 192 * 4);
}

#[test]
fn a_configuration_and_a_data_set_are_described_as_they_would_be_trained() {
    let place = Place::new();
    place.ok("synth -o s.grist --rows 50 --features 6 --classes 3");
    place.ok("train s.grist --hidden 7 --epochs 1 --out run");
    let text = place.ok("describe --config run/config.toml --data s.grist");
    for part in ["features", "dense1", "dense2", "  73"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    place.ok("gradcheck --config run/config.toml --features 6 --classes 3");
    place.refuses("describe --features 0", &["--features is 0"]);
    place.refuses("describe --features 4 --shape 2x3", &["`data.shape` is 2x3", "4 features"]);
}

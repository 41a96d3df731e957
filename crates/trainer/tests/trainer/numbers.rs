//! Embeddings of numbers do what they are for: a network sees fine differences of a number, and bins are those of the
//! rows that are learned from.

use gristmill_io::Layer;
use gristmill_trainer::config::layers_of_line;
use gristmill_trainer::prelude::*;

/// Rows of a number in 0..1 with eight periods of a sine of it.
fn sines() -> Table {
    let numbers: Vec<f32> = (0..512).map(|i| (i * 197 % 512) as f32 / 512.0).collect();
    let targets = numbers.iter().map(|x| (8.0 * std::f32::consts::TAU * x).sin()).collect();
    Table::of_numbers(&numbers, targets, 1).unwrap()
}

fn trained<'t>(layers: &str, table: &'t Table) -> Session<'t, Table> {
    let text =
        "seed = 2\ntraining = { epochs = 60, batch_size = 32 }\noptimizer.learning_rate = 0.01";
    let mut config = RunConfig::from_toml(text).unwrap();
    config.network.layers = layers_of_line(layers).unwrap().try_into().unwrap();
    let mut session = Session::new(&config, Isa::best(), table, None).unwrap();
    session.fit(&mut (), &mut |_| Ok(())).unwrap();
    session
}

#[test]
fn fine_differences_are_learned() {
    let table = sines();
    let error = |layers: &str| {
        let session = trained(layers, &table);
        let last = &session.history().last().unwrap().values;
        last.iter().find(|(name, _)| name == "train_rmse").unwrap().1
    };
    let plain = error("dense 16");
    for layers in ["periodic deviation=2, dense 16", "piecewise-linear 4 bins=32, dense 16"] {
        let error = error(layers);
        assert!(error < 0.5 * plain, "{layers}: {error}, and {plain} of numbers as they are");
    }
}

#[test]
fn edges_are_quantiles_and_stay() {
    let table = sines();
    let model = trained("piecewise-linear 3 bins=4, dense 5", &table).model();
    let Layer::PiecewiseLinear(layer) = &model.nodes[0].layer else { panic!("{:?}", model.nodes) };
    let scale = model.inputs[0];
    for (t, edge) in layer.tensors[0].iter().enumerate() {
        let number = edge * scale.deviation + scale.mean;
        assert!((number - t as f32 * 511.0 / 512.0 / 4.0).abs() < 1e-6, "edge {t} is {number}");
    }
    assert!(layer.tensors[3].iter().any(|weight| *weight != 0.0), "weights are learned");
}

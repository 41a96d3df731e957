//! The classic worked example of backpropagation: one sigmoid layer, half the sum of squared errors, plain
//! gradient descent on all four rows, from given start weights. `datasets/xor.toml` is its configuration.

use gristmill_kernels::Isa;
use gristmill_trainer::Session;
use gristmill_trainer::config::RunConfig;
use gristmill_trainer::data::samples::Table;

const X: [f32; 12] = [0., 0., 1., 0., 1., 1., 1., 0., 1., 1., 1., 1.];
const Y: [f32; 4] = [0., 1., 1., 0.];

fn example(epochs: u32) -> RunConfig {
    let text = include_str!("../../../../datasets/xor.toml");
    let mut config = RunConfig::from_toml(text).unwrap();
    config.training.epochs = epochs;
    config
}

#[test]
fn its_weights_are_those_that_were_published() {
    let table = Table::of_numbers(&X, Y.to_vec(), 1).unwrap();
    for isa in Isa::available() {
        for (steps, expected) in [
            (1, [1.6144505918105685, -0.6124416263632586, -0.5328109181615904]),
            (100, [1.0583612716885975, -0.5432266058159909, -0.5421224506365837]),
            (10_000, [0.0; 3]),
        ] {
            let mut session = Session::new(&example(steps), isa, &table, None).unwrap();
            session.fit(&mut (), &mut |_| Ok(())).unwrap();
            let (weights, bias) = session.network().layer_weights(0);
            assert!(bias.is_empty());
            for (weight, expected) in weights.iter().zip(expected) {
                let error = (f64::from(*weight) - expected).abs();
                assert!(error < 1e-5, "{isa}, {steps} steps: {weight}, not {expected}");
            }
        }
    }
}

#[test]
fn a_hidden_layer_learns_what_one_layer_cannot() {
    let table = Table::of_numbers(&X, Y.to_vec(), 1).unwrap();
    let last_loss = |config: &RunConfig| {
        let mut session = Session::new(config, Isa::best(), &table, None).unwrap();
        session.fit(&mut (), &mut |_| Ok(())).unwrap();
        let (_, loss) = &session.history().last().unwrap().values[1];
        *loss
    };
    // Every prediction is 0.5, so half the sum of squared errors is 4 * 0.25 / 2.
    assert!((last_loss(&example(10_000)) - 0.5).abs() < 1e-4);
    let mut hidden = example(10_000);
    hidden.network.hidden = Some(vec![8]);
    hidden.network.activation = "tanh".to_owned();
    hidden.network.output.weights = None;
    assert!(last_loss(&hidden) < 0.01);
}

#[test]
fn the_training_rows_are_scored() {
    let last = |config: &RunConfig, table: &Table, name: &str| {
        let mut session = Session::new(config, Isa::best(), table, None).unwrap();
        session.fit(&mut (), &mut |_| Ok(())).unwrap();
        let values = &session.history().last().unwrap().values;
        values.iter().find(|(n, _)| n == name).unwrap_or_else(|| panic!("{name}: {values:?}")).1
    };
    // Predictions of 0.5 are wrong by one half everywhere.
    let numbers = Table::of_numbers(&X, Y.to_vec(), 1).unwrap();
    assert!((last(&example(10_000), &numbers, "train_rmse") - 0.5).abs() < 1e-4);
    for loss in ["binary-cross-entropy", "softmax-cross-entropy"] {
        let text = format!(
            "network = {{ hidden = [8], activation = 'tanh' }}
             loss.kind = '{loss}'
             optimizer.learning_rate = 0.05
             training.epochs = 500"
        );
        let config = RunConfig::from_toml(&text).unwrap();
        let names = vec!["equal".to_owned(), "different".to_owned()];
        let classes = Table::of_classes(&X, vec![0, 1, 1, 0], names.clone()).unwrap();
        assert_eq!(last(&config, &classes, "train_accuracy"), 1.0, "{loss}");
        // Two equal rows of different classes: one of them is always wrong.
        let torn = Table::of_classes(&[1.0, 1.0], vec![0, 1], names).unwrap();
        assert_eq!(last(&config, &torn, "train_accuracy"), 0.5, "{loss}");
    }
}

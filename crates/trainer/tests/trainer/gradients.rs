//! The f32 gradient of every activation with every loss against backpropagation in f64.

use gristmill_kernels::{Activation, Isa, Loss};
use gristmill_trainer::gradcheck::check_gradient;
use gristmill_trainer::layer::Dense;
use gristmill_trainer::network::Network;
use gristmill_trainer::network::init::Init;
use gristmill_trainer::network::layout::Shape;
use gristmill_trainer::objective::{Objective, TargetKind};

const ACTIVATIONS: [Activation; 9] = [
    Activation::Identity,
    Activation::Sigmoid,
    Activation::Tanh,
    Activation::Relu,
    Activation::LeakyRelu { slope: 0.1 },
    Activation::Elu { alpha: 0.7 },
    Activation::Gelu,
    Activation::Silu,
    Activation::Softplus,
];

const LOSSES: [(Loss, TargetKind); 8] = [
    (Loss::MeanSquared, TargetKind::Numbers),
    (Loss::MeanSquared, TargetKind::Classes),
    (Loss::HalfSumSquares, TargetKind::Numbers),
    (Loss::MeanAbsolute, TargetKind::Numbers),
    (Loss::Huber { delta: 0.5 }, TargetKind::Numbers),
    (Loss::BinaryCrossEntropy, TargetKind::Classes),
    (Loss::SoftmaxCrossEntropy, TargetKind::Classes),
    (Loss::HalfSumSquares, TargetKind::Classes),
];

fn network(sizes: &[usize], hidden: Activation, output: Activation, bias: bool) -> Network {
    let depth = sizes.len() - 1;
    let layer = |i: usize| Dense {
        shape: Shape { inputs: sizes[i], outputs: sizes[i + 1], bias },
        activation: if i + 1 == depth { output } else { hidden },
        dropout: 0.0,
    };
    let mut network = Network::chain((0..depth).map(layer).collect());
    for i in 0..depth {
        let (inputs, outputs) = (sizes[i], sizes[i + 1]);
        let weights = Init::lecun(1.0, inputs).weights(3, i, inputs, outputs);
        let terms = Init::Uniform { limit: 0.3 }.weights(4, i, 1, outputs);
        network.set_layer_weights(i, &weights, if bias { &terms } else { &[] });
    }
    network
}

#[test]
fn every_activation_with_every_loss() {
    for isa in Isa::available() {
        for hidden in ACTIVATIONS {
            for (loss, targets) in LOSSES {
                let network = network(&[7, 19, 5], hidden, Activation::Identity, true);
                let objective = Objective { loss, targets, class_weights: Vec::new() };
                let report = check_gradient(isa, &network, &objective, 33, 1).unwrap();
                let what = format!("{isa} {hidden:?} {loss:?} {targets:?}: {report:?}");
                assert!(report.differences.largest_relative_error < 1e-6, "{what}");
                assert!(report.differences.compared > 100, "{what}");
                assert!(report.kernels < 2e-6, "{what}");
            }
        }
    }
}

#[test]
fn odd_shapes_outputs_with_activations_and_no_bias() {
    let cases: [(&[usize], usize); 5] =
        [(&[1, 1], 1), (&[3, 1], 4), (&[17, 33, 1], 100), (&[5, 129, 16, 2], 17), (&[130, 3], 50)];
    for isa in Isa::available() {
        for (sizes, samples) in cases {
            for bias in [false, true] {
                for output in [Activation::Sigmoid, Activation::Identity, Activation::Tanh] {
                    let network = network(sizes, Activation::Tanh, output, bias);
                    let (loss, targets) = (Loss::HalfSumSquares, TargetKind::Numbers);
                    let objective = Objective { loss, targets, class_weights: Vec::new() };
                    let report = check_gradient(isa, &network, &objective, samples, 2).unwrap();
                    let what = format!("{isa} {sizes:?} {samples} {bias} {output:?}: {report:?}");
                    assert!(report.differences.largest_relative_error < 1e-6, "{what}");
                    assert!(report.kernels < 2e-6, "{what}");
                }
            }
        }
    }
}

#[test]
fn class_weights_weigh_the_gradient() {
    let network = network(&[6, 20, 3], Activation::Tanh, Activation::Identity, true);
    let objective = Objective {
        loss: Loss::SoftmaxCrossEntropy,
        targets: TargetKind::Classes,
        class_weights: vec![0.5, 1.0, 7.0],
    };
    let report = check_gradient(Isa::best(), &network, &objective, 50, 5).unwrap();
    assert!(report.kernels < 2e-6, "{report:?}");
    assert!(report.differences.largest_relative_error < 1e-6, "{report:?}");
}

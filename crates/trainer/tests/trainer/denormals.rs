//! Numbers too small for a normal f32 are zero in training, on every instruction set and any number of threads:
//! computing with them would be many times slower.

#![cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]

use gristmill_trainer::config::RunConfig;
use gristmill_trainer::data::samples::Table;
use gristmill_trainer::{Isa, Session};

/// The weight of a network w x of one weight that learns 0 from x = 1: with the loss w²/2 and the learning rate 1/2
/// every step halves it.
fn weight_after(steps: u32, isa: Isa) -> f32 {
    let table = Table::of_numbers(&[1.0], vec![0.0], 1).unwrap();
    let config = format!(
        "network = {{ hidden = [], bias = false, output.weights = [[1.0]] }}
        loss.kind = 'half-sum-squares'
        optimizer = {{ kind = 'sgd', learning_rate = 0.5 }}
        training = {{ batch_size = 1, epochs = {steps}, standardize_inputs = false, \
         standardize_targets = false }}"
    );
    let config = RunConfig::from_toml(&config).unwrap();
    let mut session = Session::new(&config, isa, &table, None).unwrap();
    session.fit(&mut (), &mut |_| Ok(())).unwrap();
    session.network().layer_weights(0).0[0]
}

#[test]
fn a_weight_that_shrinks_for_ever_is_never_denormal() {
    for isa in Isa::available() {
        assert_eq!(weight_after(126, isa), f32::MIN_POSITIVE, "{isa}");
        // Half of it would be a denormal number. Where the product of learning rate and gradient is rounded by
        // itself, it is zero, and the weight stays as it is; a fused step makes the weight zero.
        for steps in [127, 128, 150] {
            let weight = weight_after(steps, isa);
            assert!([0.0, f32::MIN_POSITIVE].contains(&weight), "{isa}, {steps} steps: {weight:e}");
        }
    }
}

#[test]
fn the_threads_of_the_caller_keep_their_mode() {
    weight_after(1, Isa::best());
    let half = std::hint::black_box(f32::MIN_POSITIVE) * std::hint::black_box(0.5);
    assert!(half > 0.0);
}

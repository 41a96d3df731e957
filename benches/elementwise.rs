//! What passes over values once: activations, losses and optimisers; throughput counts bytes.

#![forbid(unsafe_code)]

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use gristmill_benches::{bytes, rows};
use gristmill_kernels::loss::{LossPanels, loss};
use gristmill_kernels::optimizer::update;
use gristmill_kernels::{Activation, Isa, LANES, Loss, Step, Targets, UpdateRule, activation};

/// 64 KiB: what a task works on stays in the second-level cache.
const ROWS: usize = 1024;

/// A layer's sums become values and slopes.
fn activations(c: &mut Criterion) {
    let mut group = c.benchmark_group("activation");
    group.throughput(Throughput::Bytes(bytes(ROWS)));
    let fresh = rows(ROWS);
    for name in Activation::NAMES {
        let kind = Activation::from_name(name, None).expect("a name of the list");
        let (mut z, mut slope) = (fresh.clone(), fresh.clone());
        for isa in Isa::available() {
            group.bench_function(BenchmarkId::new(name, isa), |b| {
                b.iter(|| {
                    // Applied again and again, many activations run to a fixed point.
                    z.copy_from_slice(&fresh);
                    activation::forward_train(isa, kind, &mut z, &mut slope);
                });
            });
        }
    }
    group.finish();
}

/// The losses of 128 samples of ten outputs.
fn losses(c: &mut Criterion) {
    const OUTPUTS: usize = 10;
    let panels = 128 / LANES;
    let mut group = c.benchmark_group("loss");
    group.throughput(Throughput::Bytes(bytes(panels * OUTPUTS)));
    let (z, targets) = (rows(panels * OUTPUTS), rows(panels * OUTPUTS));
    let (classes, weights) = (vec![[3.0; LANES]; panels], vec![[1.0; LANES]; panels]);
    let (mut delta, mut losses) = (rows(panels * OUTPUTS), rows(panels));
    for name in Loss::NAMES {
        let kind = Loss::from_name(name, None).expect("a name of the list");
        let targets = match kind {
            Loss::SoftmaxCrossEntropy => Targets::Classes(&classes),
            _ => Targets::Numbers(&targets),
        };
        for isa in Isa::available() {
            group.bench_function(BenchmarkId::new(name, isa), |b| {
                b.iter(|| {
                    let panels = LossPanels {
                        outputs: OUTPUTS,
                        values: &z,
                        targets,
                        weights: &weights,
                        gradient: &mut delta,
                        losses: &mut losses,
                    };
                    loss(isa, kind, panels);
                });
            });
        }
    }
    group.finish();
}

/// A tile of weights takes a step.
fn optimizers(c: &mut Criterion) {
    let mut group = c.benchmark_group("optimizer");
    group.throughput(Throughput::Bytes(bytes(ROWS)));
    let gradient = rows(ROWS);
    for (name, rule) in [
        ("sgd", UpdateRule::Sgd),
        ("momentum", UpdateRule::Momentum { beta: 0.9, nesterov: false }),
        ("rmsprop", UpdateRule::RmsProp { rho: 0.99, epsilon: 1e-8 }),
        ("adagrad", UpdateRule::Adagrad { epsilon: 1e-10 }),
        ("adam", UpdateRule::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }),
    ] {
        let (mut weights, mut second) = (rows(ROWS), rows(ROWS));
        let mut first = rows(ROWS);
        // Squares are not negative.
        for slot in [&mut first, &mut second] {
            slot.as_flattened_mut().iter_mut().for_each(|x| *x = x.abs());
        }
        let step = Step::plain(rule, 1e-3, 1);
        for isa in Isa::available() {
            group.bench_function(BenchmarkId::new(name, isa), |b| {
                b.iter(|| {
                    update(isa, rule, &step, &mut weights, &gradient, &mut first, &mut second);
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, activations, losses, optimizers);
criterion_main!(benches);

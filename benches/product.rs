//! The matrix products of a dense layer, by shape and instruction set; throughput counts operations.

#![forbid(unsafe_code)]

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use gristmill_benches::rows;
use gristmill_kernels::{
    Finish, Isa, Panels, PanelsMut, Start, multiply, panels, transposed_multiply,
};

/// (outputs, inputs, samples) of a task: tiles of the standing workloads, and odd widths.
const SHAPES: [(usize, usize, usize); 6] =
    [(64, 28, 64), (64, 64, 64), (100, 160, 128), (128, 256, 128), (127, 129, 128), (10, 128, 64)];

/// z = W x: (outputs x inputs) times (inputs x samples).
fn forward(c: &mut Criterion) {
    each(c, "forward", |outputs, inputs, samples| {
        let (w, x) = (rows(outputs * panels(inputs)), rows(inputs * panels(samples)));
        let mut z = rows(outputs * panels(samples));
        move |isa| {
            let z = PanelsMut::new(&mut z, outputs);
            multiply(
                isa,
                z,
                Panels::new(&w, outputs),
                Panels::new(&x, inputs),
                Start::Zero,
                Finish::Store,
            );
        }
    });
}

/// W' e: (inputs x outputs) times (outputs x samples).
fn backward(c: &mut Criterion) {
    each(c, "backward", |outputs, inputs, samples| {
        let (w, e) = (rows(outputs * panels(inputs)), rows(outputs * panels(samples)));
        let mut upstream = rows(inputs * panels(samples));
        move |isa| {
            let upstream = PanelsMut::new(&mut upstream, inputs);
            let (w, e) = (Panels::new(&w, outputs), Panels::new(&e, outputs));
            transposed_multiply(isa, upstream, w, e, Start::Zero, Finish::Store);
        }
    });
}

/// e x': (outputs x samples) times (samples x inputs).
fn gradient(c: &mut Criterion) {
    each(c, "gradient", |outputs, inputs, samples| {
        let (e, x) = (rows(outputs * panels(samples)), rows(samples * panels(inputs)));
        let mut g = rows(outputs * panels(inputs));
        move |isa| {
            let g = PanelsMut::new(&mut g, outputs);
            multiply(
                isa,
                g,
                Panels::new(&e, outputs),
                Panels::new(&x, samples),
                Start::Zero,
                Finish::Store,
            );
        }
    });
}

/// Times what `product` makes for a shape, on every shape and instruction set.
fn each<F: FnMut(Isa)>(c: &mut Criterion, name: &str, product: fn(usize, usize, usize) -> F) {
    let mut group = c.benchmark_group(name);
    for (outputs, inputs, samples) in SHAPES {
        let mut work = product(outputs, inputs, samples);
        group.throughput(Throughput::Elements(2 * (outputs * inputs * samples) as u64));
        for isa in Isa::available() {
            let id = BenchmarkId::new(isa.name(), format!("{outputs}x{inputs}x{samples}"));
            group.bench_function(id, |b| b.iter(|| work(isa)));
        }
    }
    group.finish();
}

criterion_group!(benches, forward, backward, gradient);
criterion_main!(benches);

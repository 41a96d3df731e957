//! How near convolutions come to the ceiling of the machine. Nothing is asserted of a clock: run with
//! `cargo test --release -p gristmill-kernels --lib -- --ignored --nocapture convolution::speed`.

use super::*;
use crate::ceiling::fma_loop;
use crate::rows::Rows;
use std::time::Instant;

/// The best of some timings, in seconds.
fn seconds(mut work: impl FnMut()) -> f64 {
    let mut best = f64::INFINITY;
    let begin = Instant::now();
    let mut tries = 0;
    while tries < 5 || (begin.elapsed().as_secs_f64() < 0.2 && tries < 10_000) {
        let start = Instant::now();
        work();
        best = best.min(start.elapsed().as_secs_f64());
        tries += 1;
    }
    best
}

fn filled(count: usize) -> Rows {
    let mut rows = Rows::zeroed(count);
    for (i, x) in rows.iter_mut().flatten().enumerate() {
        *x = (i % 13) as f32 * 0.01 - 0.06;
    }
    rows
}

fn shape(size: usize, channels: usize, outputs: usize, kernel: usize, padding: usize) -> Shape {
    let out = [size + 2 * padding + 1 - kernel; 2];
    Shape {
        size: [size; 2],
        channels,
        outputs,
        kernel: [kernel; 2],
        stride: [1; 2],
        dilation: [1; 2],
        padding: [padding; 2],
        out,
        groups: 1,
    }
}

#[test]
#[ignore = "a measurement"]
fn share_of_the_ceiling() {
    let depthwise = Shape { groups: 32, ..shape(16, 32, 32, 3, 1) };
    let strided = Shape { stride: [2; 2], out: [8; 2], ..shape(16, 16, 32, 3, 1) };
    let signal = |channels, outputs| Shape {
        size: [1, 100],
        kernel: [1, 5],
        padding: [0, 2],
        out: [1, 100],
        ..shape(1, channels, outputs, 1, 0)
    };
    let shapes = [
        shape(28, 1, 8, 5, 2),
        shape(28, 1, 16, 5, 2),
        shape(14, 8, 16, 5, 0),
        shape(14, 16, 32, 5, 2),
        shape(32, 3, 16, 3, 1),
        shape(32, 16, 16, 3, 1),
        shape(32, 64, 64, 3, 1),
        shape(16, 32, 32, 3, 1),
        shape(8, 64, 64, 3, 1),
        strided,
        signal(13, 32),
        signal(64, 64),
        depthwise,
    ];
    for isa in Isa::available() {
        if std::env::var(crate::isa::ISA_VARIABLE).is_ok_and(|name| name != isa.name()) {
            continue;
        }
        let mut operations = 0;
        let ceiling = seconds(|| operations = fma_loop(isa, 100_000));
        let ceiling = operations as f64 / ceiling / 1e9;
        eprintln!("{isa}: ceiling {ceiling:.1} GFLOP/s");
        for shape in shapes {
            for panels in [1, 4] {
                let conv = Convolution::new(shape);
                let (weights, bias) = (filled(conv.weight_rows()), filled(conv.bias_rows()));
                let (mut weight_gradient, mut bias_gradient) = (weights.clone(), bias.clone());
                let input = filled(conv.input_rows() * panels);
                let error = filled(conv.output_rows() * panels);
                let (mut into, mut output) = (input.clone(), error.clone());
                let mut slopes = error.clone();
                let mut scratch = filled(scratch_rows(&conv));
                let times = [
                    seconds(|| {
                        let slopes = PanelsMut::new(&mut slopes, conv.output_rows());
                        let finish = Finish::ReluTrain(slopes);
                        forward(isa, &conv, &weights, Some(&bias), &input, &mut output, finish);
                    }),
                    seconds(|| {
                        backward(isa, &conv, &weights, &error, &mut into, false, &mut scratch);
                    }),
                    seconds(|| {
                        let (weights, bias) = (&mut weight_gradient, &mut bias_gradient[..]);
                        gradient(isa, &conv, &input, &error, weights, Some(bias), &mut scratch);
                    }),
                ];
                let work = (2 * conv.work() * panels * LANES) as f64 / 1e9;
                let share = times.map(|time| 100.0 * work / time / ceiling);
                let [height, width] = shape.size;
                let [down, right] = shape.kernel;
                eprintln!(
                    "{height}x{width}x{}->{} {down}x{right} groups {} stride {} panels {panels}: \
                     forward {:.0} %, backward {:.0} %, gradient {:.0} %  ({:.1} us)",
                    shape.channels,
                    shape.outputs,
                    shape.groups,
                    shape.stride[0],
                    share[0],
                    share[1],
                    share[2],
                    times.iter().sum::<f64>() * 1e6,
                );
            }
        }
    }
}

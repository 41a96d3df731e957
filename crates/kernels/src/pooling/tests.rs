//! Pooling and its errors against `f64` loops over every pixel, on every instruction set.

use super::*;
use crate::testing::{Draw, assert_close, bits, sample};

const SHAPES: [Windows; 7] = [
    Windows { channels: 1, ..two_by_two([1, 7], [1, 2], [1, 2], [0, 0], [1, 3]) },
    Windows { channels: 7, ..two_by_two([6, 5], [2, 2], [2, 2], [0, 0], [3, 2]) },
    // The last windows end beyond the image.
    Windows { channels: 3, ..two_by_two([5, 5], [2, 2], [2, 2], [0, 0], [3, 3]) },
    // Windows overlap and begin before the image.
    Windows { channels: 17, ..two_by_two([7, 4], [3, 3], [2, 1], [1, 1], [4, 4]) },
    Windows { channels: 2, ..two_by_two([4, 5], [3, 2], [1, 2], [2, 1], [6, 3]) },
    // Pixels that no window covers.
    Windows { channels: 5, ..two_by_two([7, 7], [1, 2], [3, 3], [0, 0], [3, 2]) },
    Windows { channels: 33, ..two_by_two([3, 4], [3, 4], [1, 1], [0, 0], [1, 1]) },
];

const fn two_by_two(
    image: [usize; 2],
    window: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 2],
    output: [usize; 2],
) -> Windows {
    Windows { channels: 1, image, window, stride, padding, output }
}

/// The pixels of window (oy, ox) that lie in the image, by trying each.
fn pixels(windows: &Windows, oy: usize, ox: usize) -> Vec<usize> {
    let mut found = Vec::new();
    for wy in 0..windows.window[0] {
        for wx in 0..windows.window[1] {
            let y = (oy * windows.stride[0] + wy) as isize - windows.padding[0] as isize;
            let x = (ox * windows.stride[1] + wx) as isize - windows.padding[1] as isize;
            let [height, width] = windows.image;
            if (0..height as isize).contains(&y) && (0..width as isize).contains(&x) {
                found.push(y as usize * width + x as usize);
            }
        }
    }
    found
}

/// The results of one sample, and the errors of its inputs.
fn reference(pool: Pool, windows: &Windows, x: &[f64], errors: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let channels = windows.channels;
    let mut y = vec![0.0; windows.outputs()];
    let mut input_errors = vec![0.0; windows.inputs()];
    for oy in 0..windows.output[0] {
        for ox in 0..windows.output[1] {
            let pixels = pixels(windows, oy, ox);
            for c in 0..channels {
                let out = (oy * windows.output[1] + ox) * channels + c;
                match pool {
                    Pool::Average => {
                        for p in &pixels {
                            y[out] += x[p * channels + c] / pixels.len() as f64;
                            input_errors[p * channels + c] += errors[out] / pixels.len() as f64;
                        }
                    }
                    Pool::Max => {
                        let mut best = pixels[0];
                        for &p in &pixels {
                            if x[p * channels + c] > x[best * channels + c] {
                                best = p;
                            }
                        }
                        y[out] = x[best * channels + c];
                        input_errors[best * channels + c] += errors[out];
                    }
                }
            }
        }
    }
    (y, input_errors)
}

/// Few values, so that many are equally large.
fn coarse(draw: &mut Draw, rows: usize) -> Vec<Row> {
    let mut x = draw.rows(rows, 3.0);
    for x in x.as_flattened_mut() {
        *x = x.round();
    }
    x
}

#[test]
fn results_and_errors_follow_the_definition() {
    for isa in Isa::available() {
        for pool in [Pool::Max, Pool::Average] {
            for windows in SHAPES {
                for panels in [1, 3] {
                    check_definition(isa, pool, &windows, panels);
                }
            }
        }
    }
}

fn check_definition(isa: Isa, pool: Pool, windows: &Windows, panels: usize) {
    let mut draw = Draw(panels as u64);
    let x = coarse(&mut draw, panels * windows.inputs());
    let errors = draw.rows(panels * windows.outputs(), 1.0);
    let before = draw.rows(x.len(), 1.0);
    let mut y = vec![[f32::NAN; LANES]; errors.len()];
    forward(isa, pool, windows, &x, &mut y);
    let mut set = vec![[f32::NAN; LANES]; x.len()];
    let at = Backward { x: &x, y: &y, errors: &errors, input_errors: &mut set, add: false };
    backward(isa, pool, windows, at);
    let mut added = before.clone();
    let at = Backward { x: &x, y: &y, errors: &errors, input_errors: &mut added, add: true };
    backward(isa, pool, windows, at);
    for panel in 0..panels {
        for lane in 0..LANES {
            let what = format!("{pool:?} {windows:?}, panel {panel}, lane {lane} on {isa}");
            let of = |rows: &[Row], units| sample(rows, units, panel * LANES + lane);
            let (ins, outs) = (windows.inputs(), windows.outputs());
            let (want, want_errors) = reference(pool, windows, &of(&x, ins), &of(&errors, outs));
            for (got, want) in of(&y, outs).iter().zip(want) {
                assert_close(*got as f32, want, 1e-6, &what);
            }
            let got = of(&set, ins).into_iter().zip(of(&added, ins));
            for (((set, added), want), before) in got.zip(want_errors).zip(of(&before, ins)) {
                assert_close(set as f32, want, 1e-6, &what);
                assert_close(added as f32, before + want, 1e-6, &what);
            }
        }
    }
}

#[test]
fn the_mean_over_everything_is_a_window_of_everything() {
    let windows = Windows::global(2, [2, 2]);
    for isa in Isa::available() {
        let x: Vec<Row> = (0..8).map(|i| [[1.0, 10.0][i % 2] * (i / 2) as f32; LANES]).collect();
        let mut y = vec![[0.0; LANES]; 2];
        forward(isa, Pool::Average, &windows, &x, &mut y);
        assert_eq!(y, [[1.5; LANES], [15.0; LANES]], "{isa}");
        forward(isa, Pool::Max, &windows, &x, &mut y);
        assert_eq!(y, [[3.0; LANES], [30.0; LANES]], "{isa}");
    }
}

#[test]
fn the_first_of_equal_values_gets_the_whole_error() {
    let windows = Windows::global(1, [1, 4]);
    for isa in Isa::available() {
        let x = [[-1.0; LANES], [2.0; LANES], [2.0; LANES], [0.0; LANES]];
        let (y, errors) = ([[2.0; LANES]], [[0.5; LANES]]);
        let mut input_errors = [[9.0; LANES]; 4];
        let errors =
            Backward { x: &x, y: &y, errors: &errors, input_errors: &mut input_errors, add: false };
        backward(isa, Pool::Max, &windows, errors);
        let want = [[0.0; LANES], [0.5; LANES], [0.0; LANES], [0.0; LANES]];
        assert_eq!(bits(&input_errors), bits(&want), "{isa}");
    }
}

#[test]
fn nan_is_never_lost() {
    for isa in Isa::available() {
        for pool in [Pool::Max, Pool::Average] {
            for place in 0..4 {
                let mut x = [[1.0; LANES]; 4];
                x[place][5] = f32::NAN;
                let mut y = [[0.0; LANES]];
                forward(isa, pool, &Windows::global(1, [2, 2]), &x, &mut y);
                assert!(y[0][5].is_nan(), "{pool:?} {place} on {isa}");
                assert_eq!(y[0][4], 1.0, "{pool:?} {place} on {isa}");
            }
        }
    }
}

#[test]
#[should_panic(expected = "every window has a pixel")]
fn windows_beside_the_image_are_refused() {
    let windows = two_by_two([4, 4], [2, 2], [2, 2], [0, 0], [3, 2]);
    forward(Isa::best(), Pool::Max, &windows, &[[0.0; LANES]; 16], &mut [[0.0; LANES]; 6]);
}

//! Convolutions against seven nested loops in f64, on every instruction set.

use super::*;
use crate::testing::{Draw, assert_close, bits};

/// Shapes that leave lanes, tiles and edges partly filled: sizes, channels, outputs, kernel, stride, dilation,
/// padding, groups; the outputs go as far as "same" or "valid" asks for.
fn shapes() -> Vec<Shape> {
    let mut shapes = Vec::new();
    let mut add = |size, channels, outputs, kernel, stride, dilation, padding, groups| {
        let (size, kernel): ([usize; 2], [usize; 2]) = (size, kernel);
        let (stride, dilation): ([usize; 2], [usize; 2]) = (stride, dilation);
        let padding: [[usize; 2]; 2] = padding;
        let out = [0, 1].map(|i| {
            let seen = (kernel[i] - 1) * dilation[i] + 1;
            (size[i] + padding[0][i] + padding[1][i] - seen) / stride[i] + 1
        });
        let padding = padding[0];
        shapes.push(Shape {
            size,
            channels,
            outputs,
            kernel,
            stride,
            dilation,
            padding,
            out,
            groups,
        });
    };
    let (one, none, same) = ([1, 1], [[0, 0], [0, 0]], [[1, 1], [1, 1]]);
    for (channels, outputs) in [(1, 6), (3, 16), (7, 17), (17, 1), (33, 33)] {
        add([4, 5], channels, outputs, [3, 3], one, one, same, 1);
        add([4, 7], channels, outputs, [3, 3], [2, 2], one, none, 1);
        add([3, 4], channels, outputs, [1, 1], one, one, none, 1);
        add([1, 11], channels, outputs, [1, 7], one, one, [[0, 3], [0, 3]], 1);
    }
    add([9, 8], 1, 6, [5, 5], one, one, [[2, 2], [2, 2]], 1);
    add([9, 8], 6, 16, [5, 5], one, one, none, 1);
    add([8, 11], 3, 5, [3, 3], [3, 2], one, [[0, 1], [2, 1]], 1);
    add([8, 11], 2, 6, [3, 3], [1, 1], [2, 2], [[2, 2], [2, 2]], 1);
    add([9, 10], 3, 7, [2, 3], [2, 3], [2, 1], [[1, 0], [0, 2]], 1);
    add([7, 9], 2, 3, [3, 2], [2, 2], [3, 2], [[3, 1], [3, 2]], 1);
    add([1, 30], 5, 9, [1, 3], [1, 2], [1, 4], [[0, 8], [0, 0]], 1);
    // A kernel larger than the image, and outputs that see nothing but padding.
    add([2, 3], 2, 3, [5, 5], one, one, [[4, 4], [4, 6]], 1);
    // A stride that leaves inputs unseen.
    add([7, 7], 3, 4, [1, 2], [3, 3], one, none, 1);
    // Groups whose outputs begin and end within a row of lanes.
    add([5, 6], 4, 6, [3, 3], one, one, same, 2);
    add([5, 6], 6, 34, [3, 3], [2, 1], one, same, 2);
    add([6, 7], 9, 33, [3, 2], one, [1, 2], same, 3);
    add([5, 6], 14, 14, [3, 3], one, one, same, 7);
    // Depthwise, with one output a channel and with more.
    for channels in [2, 7, 17, 33] {
        add([6, 7], channels, channels, [3, 3], one, one, same, channels);
    }
    add([7, 8], 19, 19, [5, 4], [2, 1], [1, 2], [[2, 3], [2, 3]], 19);
    add([1, 21], 18, 18, [1, 7], [1, 3], one, [[0, 3], [0, 3]], 18);
    add([5, 5], 5, 15, [3, 3], one, one, same, 5);
    shapes
}

/// Values of samples by unit: `at(sample, unit)`.
struct Values {
    rows: Vec<Row>,
    units: usize,
}

impl Values {
    fn drawn(draw: &mut Draw, units: usize, panels: usize) -> Values {
        Values { rows: draw.rows(units * panels, 1.0), units }
    }

    fn at(&self, sample: usize, unit: usize) -> f64 {
        self.rows[sample / LANES * self.units + unit][sample % LANES].into()
    }

    fn samples(&self) -> usize {
        self.rows.len() / self.units * LANES
    }
}

/// Calls `each` with (input unit, output unit, place of the weight in the listed order, output channel)
/// for all products of a sample.
fn products(shape: &Shape, mut each: impl FnMut(usize, usize, usize, usize)) {
    let Shape { size, channels, outputs, kernel, stride, dilation, padding, out, groups } = *shape;
    let (group_channels, group_outputs) = (channels / groups, outputs / groups);
    for oy in 0..out[0] {
        for ox in 0..out[1] {
            for o in 0..outputs {
                for c in 0..group_channels {
                    for ky in 0..kernel[0] {
                        for kx in 0..kernel[1] {
                            let y = (oy * stride[0] + ky * dilation[0]).wrapping_sub(padding[0]);
                            let x = (ox * stride[1] + kx * dilation[1]).wrapping_sub(padding[1]);
                            if y < size[0] && x < size[1] {
                                let channel = o / group_outputs * group_channels + c;
                                let input = (y * size[1] + x) * channels + channel;
                                let output = (oy * out[1] + ox) * outputs + o;
                                let weight =
                                    ((o * group_channels + c) * kernel[0] + ky) * kernel[1] + kx;
                                each(input, output, weight, o);
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A convolution with drawn weights, inputs and errors.
struct Case {
    conv: Convolution,
    listed: Vec<f32>,
    weights: Vec<Row>,
    terms: Vec<f32>,
    bias: Vec<Row>,
    input: Values,
    error: Values,
}

impl Case {
    fn new(shape: Shape, panels: usize) -> Case {
        let conv = Convolution::new(shape);
        let mut draw = Draw(panels as u64);
        let count = conv.features() * shape.outputs;
        let listed: Vec<f32> = (0..count).map(|_| draw.unit()).collect();
        let mut weights = vec![[f32::NAN; LANES]; conv.weight_rows()];
        conv.arrange_weights(&listed, &mut weights);
        let terms: Vec<f32> = (0..shape.outputs).map(|_| draw.unit()).collect();
        let mut bias = vec![[0.0; LANES]; conv.bias_rows()];
        bias.as_flattened_mut()[..shape.outputs].copy_from_slice(&terms);
        let input = Values::drawn(&mut draw, conv.input_rows(), panels);
        let error = Values::drawn(&mut draw, conv.output_rows(), panels);
        Case { conv, listed, weights, terms, bias, input, error }
    }

    fn all(mut check: impl FnMut(&Case)) {
        for (number, shape) in shapes().into_iter().enumerate() {
            for panels in [1, 2, 3, 5] {
                // Each shape has a turn with one of the numbers, a few small ones with all.
                if shape.channels * shape.outputs <= 8 || panels == [1, 2, 3, 5][number % 4] {
                    check(&Case::new(shape, panels));
                }
            }
        }
    }

    /// Outputs before they are finished, by sample and unit.
    fn outputs(&self, bias: bool) -> Vec<Vec<f64>> {
        let shape = self.conv.shape();
        let term = |unit: usize| f64::from(self.terms[unit % shape.outputs]);
        let mut sums: Vec<Vec<f64>> = (0..self.input.samples())
            .map(|_| {
                (0..self.conv.output_rows()).map(|u| if bias { term(u) } else { 0.0 }).collect()
            })
            .collect();
        products(shape, |input, output, weight, _| {
            for (sample, sums) in sums.iter_mut().enumerate() {
                sums[output] += f64::from(self.listed[weight]) * self.input.at(sample, input);
            }
        });
        sums
    }

    fn assert_values(&self, isa: Isa, got: &[Row], want: &[Vec<f64>], what: &str) {
        let units = want[0].len();
        for (sample, want) in want.iter().enumerate() {
            for (unit, &want) in want.iter().enumerate() {
                let got = got[sample / LANES * units + unit][sample % LANES];
                let what = format!("{what}, {isa}, {:?}: {sample} {unit}", self.conv.shape());
                assert_close(got, want, 2e-5, &what);
            }
        }
    }
}

fn forward_case(case: &Case, isa: Isa, bias: bool, finish: Finish<'_>) -> Vec<Row> {
    let mut output = vec![[f32::NAN; LANES]; case.error.rows.len()];
    let bias = bias.then_some(&case.bias[..]);
    forward(isa, &case.conv, &case.weights, bias, &case.input.rows, &mut output, finish);
    output
}

#[test]
fn outputs_are_sums_over_taps_and_channels() {
    Case::all(|case| {
        let plain = case.outputs(false);
        let mut want = case.outputs(true);
        for isa in Isa::available() {
            let got = forward_case(case, isa, false, Finish::Store);
            case.assert_values(isa, &got, &plain, "without bias");
            let got = forward_case(case, isa, true, Finish::Store);
            case.assert_values(isa, &got, &want, "with bias");
        }
        for value in want.iter_mut().flatten() {
            *value = value.max(0.0);
        }
        for isa in Isa::available() {
            let stored = forward_case(case, isa, true, Finish::Store);
            let rectified = forward_case(case, isa, true, Finish::Relu);
            case.assert_values(isa, &rectified, &want, "rectified");
            let mut slopes = vec![[f32::NAN; LANES]; stored.len()];
            let matrix = PanelsMut::new(&mut slopes, case.conv.output_rows());
            let trained = forward_case(case, isa, true, Finish::ReluTrain(matrix));
            assert_eq!(bits(&trained), bits(&rectified), "{isa} {:?}", case.conv.shape());
            for (slope, sum) in slopes.as_flattened().iter().zip(stored.as_flattened()) {
                assert_eq!(*slope, f32::from(*sum > 0.0), "{isa} {sum}");
            }
            let mut chained = vec![[2.0; LANES]; stored.len()];
            let matrix = PanelsMut::new(&mut chained, case.conv.output_rows());
            let kept = forward_case(case, isa, true, Finish::Chain(matrix));
            assert!(kept.as_flattened().iter().all(|x| x.is_nan()), "{isa}: outputs stay");
            for (chained, sum) in chained.as_flattened().iter().zip(stored.as_flattened()) {
                assert_eq!(*chained, 2.0 * sum, "{isa}");
            }
        }
    });
}

#[test]
fn input_gradients_are_set_and_added() {
    Case::all(|case| {
        let units = case.conv.input_rows();
        let mut want = vec![vec![0.0; units]; case.input.samples()];
        products(case.conv.shape(), |input, output, weight, _| {
            for (sample, want) in want.iter_mut().enumerate() {
                want[input] += f64::from(case.listed[weight]) * case.error.at(sample, output);
            }
        });
        for isa in Isa::available() {
            let mut into = vec![[f32::NAN; LANES]; case.input.rows.len()];
            let scratch = &mut vec![[f32::NAN; LANES]; scratch_rows(&case.conv)][..];
            backward(isa, &case.conv, &case.weights, &case.error.rows, &mut into, false, scratch);
            case.assert_values(isa, &into, &want, "set");
            into.copy_from_slice(&case.input.rows);
            let scratch = &mut vec![[f32::NAN; LANES]; scratch_rows(&case.conv)][..];
            backward(isa, &case.conv, &case.weights, &case.error.rows, &mut into, true, scratch);
            let mut sums = want.clone();
            for (sample, sums) in sums.iter_mut().enumerate() {
                for (unit, sum) in sums.iter_mut().enumerate() {
                    *sum += case.input.at(sample, unit);
                }
            }
            case.assert_values(isa, &into, &sums, "added");
        }
    });
}

#[test]
fn weight_gradients_are_added_sums_over_positions_and_samples() {
    Case::all(|case| {
        let shape = case.conv.shape();
        let mut want = vec![0.25; case.listed.len()];
        let mut want_terms = vec![0.25; shape.outputs];
        for sample in 0..case.input.samples() {
            products(shape, |input, output, weight, _| {
                want[weight] += case.input.at(sample, input) * case.error.at(sample, output);
            });
            for unit in 0..case.conv.output_rows() {
                want_terms[unit % shape.outputs] += case.error.at(sample, unit);
            }
        }
        for isa in Isa::available() {
            let mut gradient = vec![[0.0; LANES]; case.conv.weight_rows()];
            case.conv.arrange_weights(&vec![0.25; case.listed.len()], &mut gradient);
            let padding: Vec<bool> = gradient.as_flattened().iter().map(|&x| x == 0.0).collect();
            let mut terms = vec![[0.0; LANES]; case.conv.bias_rows()];
            terms.as_flattened_mut()[..shape.outputs].fill(0.25);
            let mut scratch = vec![[f32::NAN; LANES]; scratch_rows(&case.conv)];
            let (input, error) = (&case.input.rows, &case.error.rows);
            let bias = Some(&mut terms[..]);
            super::gradient(isa, &case.conv, input, error, &mut gradient, bias, &mut scratch);
            let mut got = vec![0.0; case.listed.len()];
            case.conv.list_weights(&gradient, &mut got);
            for (number, (got, want)) in got.iter().zip(&want).enumerate() {
                assert_close(*got, *want, 1e-4, &format!("{isa} {shape:?}: weight {number}"));
            }
            for (got, padding) in gradient.as_flattened().iter().zip(padding) {
                assert!(!padding || *got == 0.0, "{isa} {shape:?}: padding {got}");
            }
            let (terms, padding) = terms.as_flattened().split_at(shape.outputs);
            for (number, (got, want)) in terms.iter().zip(&want_terms).enumerate() {
                assert_close(*got, *want, 1e-4, &format!("{isa} {shape:?}: term {number}"));
            }
            assert!(padding.iter().all(|&x| x == 0.0), "{isa} {shape:?}");

            let mut without = vec![[0.0; LANES]; case.conv.weight_rows()];
            case.conv.arrange_weights(&vec![0.25; case.listed.len()], &mut without);
            super::gradient(isa, &case.conv, input, error, &mut without, None, &mut scratch);
            assert_eq!(bits(&without), bits(&gradient), "{isa} {shape:?}: without bias");
        }
    });
}

fn dot<'a>(a: impl IntoIterator<Item = &'a Row>, b: impl IntoIterator<Item = &'a Row>) -> f64 {
    let products = |(a, b): (&'a Row, &'a Row)| {
        a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum::<f64>()
    };
    a.into_iter().zip(b).map(products).sum()
}

/// All three are the same trilinear form: `<conv(x), e> = <x, backward(e)> = <w, gradient(x, e)>`.
#[test]
fn the_three_products_are_adjoint() {
    Case::all(|case| {
        for isa in Isa::available() {
            let output = forward_case(case, isa, false, Finish::Store);
            let mut into = vec![[0.0; LANES]; case.input.rows.len()];
            let scratch = &mut vec![[f32::NAN; LANES]; scratch_rows(&case.conv)][..];
            backward(isa, &case.conv, &case.weights, &case.error.rows, &mut into, false, scratch);
            let mut gradient = vec![[0.0; LANES]; case.conv.weight_rows()];
            let mut scratch = vec![[0.0; LANES]; scratch_rows(&case.conv)];
            let (input, error) = (&case.input.rows, &case.error.rows);
            super::gradient(isa, &case.conv, input, error, &mut gradient, None, &mut scratch);
            let forms = [dot(&output, error), dot(input, &into), dot(&case.weights, &gradient)];
            let scale = dot(&output, &output).sqrt() * dot(error, error).sqrt();
            for form in forms {
                let error = (form - forms[0]).abs();
                assert!(error <= 1e-6 * (scale + 1.0), "{isa} {:?}: {forms:?}", case.conv.shape());
            }
        }
    });
}

/// What other panels are in a call changes no bit of a panel's outputs and input gradients.
#[test]
fn panels_do_not_change_each_other() {
    Case::all(|case| {
        let conv = &case.conv;
        for isa in Isa::available() {
            let output = forward_case(case, isa, true, Finish::Store);
            let mut into = vec![[0.0; LANES]; case.input.rows.len()];
            let scratch = &mut vec![[f32::NAN; LANES]; scratch_rows(conv)][..];
            backward(isa, conv, &case.weights, &case.error.rows, &mut into, false, scratch);
            let (inputs, outputs) = (conv.input_rows(), conv.output_rows());
            for panel in 0..case.input.rows.len() / inputs {
                let input = &case.input.rows[panel * inputs..][..inputs];
                let mut alone = vec![[0.0; LANES]; outputs];
                let bias = Some(&case.bias[..]);
                forward(isa, conv, &case.weights, bias, input, &mut alone, Finish::Store);
                assert_eq!(bits(&alone), bits(&output[panel * outputs..][..outputs]), "{isa}");
                let error = &case.error.rows[panel * outputs..][..outputs];
                let mut alone = vec![[0.0; LANES]; inputs];
                let scratch = &mut vec![[f32::NAN; LANES]; scratch_rows(conv)][..];
                backward(isa, conv, &case.weights, error, &mut alone, false, scratch);
                assert_eq!(bits(&alone), bits(&into[panel * inputs..][..inputs]), "{isa}");
            }
        }
    });
}

#[test]
fn weights_keep_their_listed_order() {
    for shape in shapes() {
        let conv = Convolution::new(shape);
        let listed: Vec<f32> = (1..=conv.features() * shape.outputs).map(|i| i as f32).collect();
        let mut rows = vec![[f32::NAN; LANES]; conv.weight_rows()];
        conv.arrange_weights(&listed, &mut rows);
        let mut again = vec![0.0; listed.len()];
        conv.list_weights(&rows, &mut again);
        assert_eq!(again, listed, "{shape:?}");
        let zeros = rows.as_flattened().iter().filter(|&&x| x == 0.0).count();
        assert_eq!(zeros, rows.len() * LANES - listed.len(), "{shape:?}: padding is zero");
    }
}

#[test]
fn work_counts_products_of_a_sample() {
    for shape in shapes() {
        let mut count = 0;
        products(&shape, |_, _, _, _| count += 1);
        assert_eq!(Convolution::new(shape).work(), count, "{shape:?}");
    }
}

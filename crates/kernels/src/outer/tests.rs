//! Sums of outer products against plain loops in f64.

use super::*;
use crate::testing::{Draw, assert_close, bits, place};

const SIZES: [(usize, usize); 8] =
    [(1, 1), (3, 7), (4, 6), (5, 13), (16, 16), (17, 33), (2, 100), (33, 5)];

/// Two lists of pairs that go through the rows of a panel in their own steps.
fn pairs(outputs: usize, features: usize) -> [Pairs; 2] {
    [
        Pairs { error: 2, error_step: outputs, input: 0, input_step: 2 * features + 1, count: 3 },
        Pairs { error: 0, error_step: 1, input: 4, input_step: 0, count: 2 },
    ]
}

fn reference(
    errors: &[Row],
    inputs: &[Row],
    rows: [usize; 2],
    [outputs, features]: [usize; 2],
) -> Vec<f64> {
    let mut sums = vec![0.0; outputs * features];
    for panel in 0..errors.len() / rows[0] {
        for pairs in pairs(outputs, features) {
            for i in 0..pairs.count {
                for o in 0..outputs {
                    for k in 0..features {
                        let e = errors[panel * rows[0] + pairs.error + i * pairs.error_step + o];
                        let x = inputs[panel * rows[1] + pairs.input + i * pairs.input_step + k];
                        for (e, x) in e.iter().zip(x) {
                            sums[o * features + k] += f64::from(*e) * f64::from(x);
                        }
                    }
                }
            }
        }
    }
    sums
}

#[test]
fn folded_lanes_are_the_sum_of_all_pairs() {
    let mut draw = Draw(3);
    for (outputs, features) in SIZES {
        for count in [1, 2, 5] {
            let rows = [2 + 3 * outputs, 4 + 3 * (2 * features + 1)];
            let (errors, inputs) =
                (draw.rows(count * rows[0], 1.0), draw.rows(count * rows[1], 1.0));
            let want = reference(&errors, &inputs, rows, [outputs, features]);
            for isa in Isa::available() {
                let mut lanes = vec![[0.0; LANES]; outputs * features];
                add_outer(
                    isa,
                    Panels::new(&errors, rows[0]),
                    Panels::new(&inputs, rows[1]),
                    &pairs(outputs, features),
                    outputs,
                    features,
                    &mut lanes,
                );
                for into in [Fold::Features, Fold::Outputs] {
                    let (height, width) = match into {
                        Fold::Features => (outputs, features),
                        Fold::Outputs => (features, outputs),
                    };
                    let mut gradient = vec![[0.0; LANES]; height * panels(width)];
                    for x in gradient.as_flattened_mut().iter_mut() {
                        *x = 0.5;
                    }
                    let matrix = PanelsMut::new(&mut gradient, height);
                    fold(isa, &lanes, outputs, features, into, matrix);
                    let gradient = gradient.as_flattened();
                    for o in 0..outputs {
                        for k in 0..features {
                            let at = match into {
                                Fold::Features => place(height, o, k),
                                Fold::Outputs => place(height, k, o),
                            };
                            let want = 0.5 + want[o * features + k];
                            let what = format!("{isa} {outputs} x {features}, {count}: {o} {k}");
                            assert_close(gradient[at], want, 1e-5, &what);
                        }
                    }
                    let used = outputs * features;
                    let untouched = gradient.iter().filter(|&&x| x == 0.5).count();
                    assert!(untouched >= gradient.len() - used, "{isa}: padding changed");
                }
            }
        }
    }
}

/// A lane's sum is a chain from panel to panel and pair to pair, whatever block it falls in.
#[test]
fn blocks_do_not_change_a_bit() {
    let mut draw = Draw(4);
    let (outputs, features, steps) = (9, 13, 4);
    let (errors, inputs) =
        (draw.rows(2 * outputs * steps, 1.0), draw.rows(2 * features * steps, 1.0));
    let (errors, inputs) =
        (Panels::new(&errors, outputs * steps), Panels::new(&inputs, features * steps));
    let all = Pairs { error: 0, error_step: outputs, input: 0, input_step: features, count: steps };
    for isa in Isa::available() {
        let mut whole = draw.rows(outputs * features, 1.0);
        let mut single = whole.clone();
        add_outer(isa, errors, inputs, &[all], outputs, features, &mut whole);
        for o in 0..outputs {
            for k in 0..features {
                let one = Pairs { error: o, input: k, ..all };
                let at = o * features + k;
                add_outer(isa, errors, inputs, &[one], 1, 1, &mut single[at..=at]);
            }
        }
        assert_eq!(bits(&whole), bits(&single), "{isa}");
    }
}

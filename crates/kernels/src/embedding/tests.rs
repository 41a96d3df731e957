//! Gathers and their gradients against plain loops, on every instruction set.

use super::*;
use crate::testing::{Draw, assert_close, sample};

const WIDTHS: [usize; 7] = [1, 7, 8, 16, 17, 32, 33];
const SAMPLES: [usize; 4] = [1, 16, 23, 48];

fn table(draw: &mut Draw, categories: usize, width: usize) -> Vec<f32> {
    (0..categories * width).map(|_| draw.unit()).collect()
}

/// A fifth of the indices are none.
fn indices(draw: &mut Draw, count: usize, categories: usize) -> Vec<u32> {
    let one = |_| if draw.below(5) == 0 { NONE } else { draw.below(categories) as u32 };
    (0..count).map(one).collect()
}

#[test]
fn every_column_of_every_sample_is_its_row() {
    for isa in Isa::available() {
        for width in WIDTHS {
            for samples in SAMPLES {
                let mut draw = Draw((width * samples) as u64);
                let table = table(&mut draw, 11, width);
                let values = indices(&mut draw, samples * 5, 11);
                let indices = Indices { values: &values, stride: 5, columns: 1..4 };
                // A column of other units stands before these.
                let units = 3 * width + 1;
                let mut out = vec![[7.0; LANES]; panels(samples) * units];
                gather(
                    isa,
                    &table,
                    width,
                    &indices,
                    PanelsMut::new(&mut out, units).rows(1..units),
                );
                for i in 0..panels(samples) * LANES {
                    let got = sample(&out, units, i);
                    assert_eq!(got[0], 7.0, "{isa}");
                    for (u, got) in got[1..].iter().enumerate() {
                        let index = if i < samples { values[i * 5 + 1 + u / width] } else { NONE };
                        let want = match index {
                            NONE => 0.0,
                            index => table[index as usize * width + u % width],
                        };
                        assert_eq!(*got as f32, want, "width {width}, sample {i} on {isa}");
                    }
                }
            }
        }
    }
}

/// The sum or mean of a sample's rows.
fn bag_of(bag: Bag, table: &[f32], width: usize, indices: &[u32]) -> Vec<f64> {
    let present: Vec<usize> = indices.iter().filter(|i| **i != NONE).map(|i| *i as usize).collect();
    let number = match bag {
        Bag::Sum => 1.0,
        Bag::Mean => present.len().max(1) as f64,
    };
    let one = |c| present.iter().map(|i| f64::from(table[i * width + c])).sum::<f64>() / number;
    (0..width).map(one).collect()
}

#[test]
fn bags_and_their_gradients_follow_the_definition() {
    for isa in Isa::available() {
        for bag in [Bag::Sum, Bag::Mean] {
            for width in WIDTHS {
                for samples in SAMPLES {
                    check_bags(isa, bag, width, samples);
                }
            }
        }
    }
}

fn check_bags(isa: Isa, bag: Bag, width: usize, samples: usize) {
    let mut draw = Draw((width + samples) as u64);
    let categories = 9;
    let table = table(&mut draw, categories, width);
    let mut values = indices(&mut draw, samples * 6, categories);
    values[..6].fill(NONE);
    let indices = Indices { values: &values, stride: 6, columns: 0..6 };
    let mut out = vec![[f32::NAN; LANES]; panels(samples) * width];
    gather_bags(isa, bag, &table, width, &indices, PanelsMut::new(&mut out, width));
    for i in 0..panels(samples) * LANES {
        let of_sample = if i < samples { indices.of(i) } else { &[] };
        let want = bag_of(bag, &table, width, of_sample);
        for (got, want) in sample(&out, width, i).iter().zip(want) {
            assert_close(*got as f32, want, 1e-6, &format!("{bag:?} {width} {i} on {isa}"));
        }
    }

    let errors = draw.rows(panels(samples) * width, 1.0);
    let mut rows = vec![f32::NAN; samples * width];
    bag_error_rows(isa, bag, &indices, Panels::new(&errors, width), &mut rows);
    let mut uses = Vec::new();
    for i in 0..samples {
        uses.extend(indices.of(i).iter().filter(|c| **c != NONE).map(|c| (*c, i as u32)));
    }
    uses.sort();
    let mut occur: Vec<u32> = uses.iter().map(|(category, _)| *category).collect();
    occur.dedup();
    let mut gradient = vec![0.5; occur.len() * width];
    accumulate(isa, width, &uses, &rows, &mut gradient);
    // The results are linear in the table: a difference is its derivative.
    for (row, category) in occur.iter().enumerate() {
        for c in 0..width {
            let mut unit = vec![0.0; table.len()];
            unit[*category as usize * width + c] = 1.0;
            let mut want = 0.5;
            for i in 0..samples {
                let by_table = bag_of(bag, &unit, width, indices.of(i));
                want += by_table[c] * sample(&errors, width, i)[c];
            }
            assert_close(gradient[row * width + c], want, 1e-6, &format!("{bag:?} on {isa}"));
        }
    }
}

#[test]
fn errors_of_columns_are_added_to_their_categories() {
    for isa in Isa::available() {
        for width in WIDTHS {
            for samples in SAMPLES {
                let mut draw = Draw((width + 50 * samples) as u64);
                let columns = 3;
                let values = indices(&mut draw, samples * columns, 7);
                let errors = draw.rows(panels(samples) * columns * width, 1.0);
                let mut rows = vec![f32::NAN; samples * columns * width];
                error_rows(isa, Panels::new(&errors, columns * width), samples, &mut rows);
                let mut uses: Vec<(u32, u32)> = (values.iter().enumerate())
                    .filter(|(_, category)| **category != NONE)
                    .map(|(row, category)| (*category, row as u32))
                    .collect();
                uses.sort();
                let mut want = vec![vec![0.0; width]; 7];
                for (category, row) in &uses {
                    let (i, column) = (*row as usize / columns, *row as usize % columns);
                    let errors = sample(&errors, columns * width, i);
                    let errors = &errors[column * width..][..width];
                    for (want, error) in want[*category as usize].iter_mut().zip(errors) {
                        *want += *error as f32;
                    }
                }
                let mut occur: Vec<u32> = uses.iter().map(|(category, _)| *category).collect();
                occur.dedup();
                let mut gradient = vec![0.0; occur.len() * width];
                accumulate(isa, width, &uses, &rows, &mut gradient);
                // To the bit: the order of the samples is the order of the sum.
                for (got, category) in gradient.chunks(width).zip(occur) {
                    assert_eq!(got, want[category as usize], "width {width} on {isa}");
                }
            }
        }
    }
}

#[test]
#[should_panic]
fn an_index_beyond_the_table_is_refused() {
    let indices = Indices { values: &[2], stride: 1, columns: 0..1 };
    let mut out = [[0.0; LANES]; 4];
    gather(Isa::best(), &[0.0; 8], 4, &indices, PanelsMut::new(&mut out, 4));
}

#[test]
#[should_panic(expected = "a row of the gradient per category")]
fn a_gradient_of_too_few_categories_is_refused() {
    accumulate(Isa::best(), 1, &[(3, 0), (4, 0)], &[1.0], &mut [0.0]);
}

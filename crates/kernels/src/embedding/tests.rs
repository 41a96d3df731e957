//! Gathers and their gradients against plain loops, on every instruction set.

use super::*;
use crate::testing::{Draw, assert_close, sample};

const WIDTHS: [usize; 7] = [1, 7, 8, 16, 17, 32, 33];
const SAMPLES: [usize; 4] = [1, 16, 23, 48];

fn table(draw: &mut Draw, categories: usize, width: usize) -> Vec<f32> {
    (0..categories * width).map(|_| draw.unit()).collect()
}

/// Samples of `stride` indices, of which a fifth are of no category.
struct Drawn {
    /// Row-major, a row per sample.
    numbers: Vec<Option<u32>>,
    stride: usize,
    /// A row of lanes per unit.
    lanes: Vec<Row>,
}

impl Drawn {
    fn new(draw: &mut Draw, samples: usize, stride: usize, categories: u32) -> Drawn {
        let one = |_| (draw.below(5) > 0).then(|| draw.below(categories as usize) as u32);
        Drawn::of((0..samples * stride).map(one).collect(), stride, categories)
    }

    fn of(numbers: Vec<Option<u32>>, stride: usize, categories: u32) -> Drawn {
        let samples = numbers.len() / stride;
        let mut lanes = vec![[0.0; LANES]; panels(samples) * stride];
        let none = [-1.0, f32::NAN, categories as f32, f32::NEG_INFINITY, f32::INFINITY];
        for (i, number) in numbers.iter().enumerate() {
            let (sample, unit) = (i / stride, i % stride);
            lanes[sample / LANES * stride + unit][sample % LANES] =
                number.map_or(none[i % none.len()], |number| number as f32);
        }
        Drawn { numbers, stride, lanes }
    }

    fn indices<'a>(&'a self, columns: &'a [Column]) -> Indices<'a> {
        let samples = self.numbers.len() / self.stride;
        Indices { values: Panels::new(&self.lanes, self.stride), columns, samples }
    }

    fn sample(&self, sample: usize) -> &[Option<u32>] {
        &self.numbers[sample * self.stride..][..self.stride]
    }
}

/// These units, each with the same categories.
fn columns(units: std::ops::Range<usize>, categories: u32) -> Vec<Column> {
    units.map(|unit| Column { unit, first: 0, categories }).collect()
}

fn distinct(uses: &[Use]) -> Vec<u32> {
    let mut rows: Vec<u32> = uses.iter().map(|used| used.row()).collect();
    rows.dedup();
    rows
}

#[test]
fn every_column_of_every_sample_is_its_row() {
    for isa in Isa::available() {
        for width in WIDTHS {
            for samples in SAMPLES {
                let mut draw = Draw((width * samples) as u64);
                let table = table(&mut draw, 33, width);
                let drawn = Drawn::new(&mut draw, samples, 5, 11);
                // Each column has eleven rows of the table to itself.
                let first = |unit| Column { unit, first: 11 * (unit as u32 - 1), categories: 11 };
                let columns: Vec<Column> = (1..4).map(first).collect();
                // A column of other units stands before these.
                let units = 3 * width + 1;
                let mut out = vec![[7.0; LANES]; panels(samples) * units];
                gather(
                    isa,
                    &table,
                    width,
                    drawn.indices(&columns),
                    PanelsMut::new(&mut out, units).rows(1..units),
                );
                for i in 0..panels(samples) * LANES {
                    let got = sample(&out, units, i);
                    assert_eq!(got[0], 7.0, "{isa}");
                    for (u, got) in got[1..].iter().enumerate() {
                        let column = u / width;
                        let index = if i < samples { drawn.sample(i)[1 + column] } else { None };
                        let want = index.map_or(0.0, |index| {
                            table[(11 * column + index as usize) * width + u % width]
                        });
                        assert_eq!(*got as f32, want, "width {width}, sample {i} on {isa}");
                    }
                }
            }
        }
    }
}

/// The sum or mean of a sample's rows.
fn bag_of(bag: Bag, table: &[f32], width: usize, indices: &[Option<u32>]) -> Vec<f64> {
    let present: Vec<usize> = indices.iter().flatten().map(|i| *i as usize).collect();
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
    let table = table(&mut draw, 9, width);
    let mut numbers = Drawn::new(&mut draw, samples, 6, 9).numbers;
    numbers[..6].fill(None);
    let drawn = Drawn::of(numbers, 6, 9);
    let columns = columns(0..6, 9);
    let indices = drawn.indices(&columns);
    let mut out = vec![[f32::NAN; LANES]; panels(samples) * width];
    gather_bags(isa, bag, &table, width, indices, PanelsMut::new(&mut out, width));
    for i in 0..panels(samples) * LANES {
        let of_sample = if i < samples { drawn.sample(i) } else { &[] };
        let want = bag_of(bag, &table, width, of_sample);
        for (got, want) in sample(&out, width, i).iter().zip(want) {
            assert_close(*got as f32, want, 1e-6, &format!("{bag:?} {width} {i} on {isa}"));
        }
    }

    let errors = draw.rows(panels(samples) * width, 1.0);
    let mut rows = vec![f32::NAN; samples * width];
    bag_error_rows(isa, bag, indices, Panels::new(&errors, width), &mut rows);
    let mut uses = Vec::new();
    indices.each_known(|row, sample, _| uses.push(Use::new(row, sample as u32)));
    uses.sort();
    let occur = distinct(&uses);
    let mut gradient = vec![0.5; occur.len() * width];
    let error = |sample| &rows[sample as usize * width..];
    accumulate(isa, width, &uses, error, &mut gradient);
    // The results are linear in the table: a difference is its derivative.
    for (row, category) in occur.iter().enumerate() {
        for c in 0..width {
            let mut unit = vec![0.0; table.len()];
            unit[*category as usize * width + c] = 1.0;
            let mut want = 0.5;
            for i in 0..samples {
                let by_table = bag_of(bag, &unit, width, drawn.sample(i));
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
                let drawn = Drawn::new(&mut draw, samples, columns, 7);
                let errors = draw.rows(panels(samples) * columns * width, 1.0);
                let mut rows = vec![f32::NAN; samples * columns * width];
                error_rows(isa, Panels::new(&errors, columns * width), samples, &mut rows);
                let of_column = super::tests::columns(0..columns, 7);
                let mut uses = Vec::new();
                drawn.indices(&of_column).each_known(|row, sample, column| {
                    uses.push(Use::new(row, (sample * columns + column) as u32));
                });
                let known = drawn.numbers.iter().flatten().count();
                assert_eq!(uses.len(), known);
                uses.sort();
                let mut want = vec![vec![0.0; width]; 7];
                for used in &uses {
                    let error = used.error() as usize;
                    let (i, column) = (error / columns, error % columns);
                    let errors = sample(&errors, columns * width, i);
                    let errors = &errors[column * width..][..width];
                    for (want, error) in want[used.row() as usize].iter_mut().zip(errors) {
                        *want += *error as f32;
                    }
                }
                let occur = distinct(&uses);
                let mut gradient = vec![0.0; occur.len() * width];
                let error = |number| &rows[number as usize * width..];
                accumulate(isa, width, &uses, error, &mut gradient);
                // To the bit: the order of the samples is the order of the sum.
                for (got, category) in gradient.chunks(width).zip(occur) {
                    assert_eq!(got, want[category as usize], "width {width} on {isa}");
                }
            }
        }
    }
}

#[test]
#[should_panic(expected = "of a table of 2 rows")]
fn a_column_beyond_the_table_is_refused() {
    let drawn = Drawn::of(vec![Some(1)], 1, 3);
    let columns = columns(0..1, 3);
    let mut out = [[0.0; LANES]; 4];
    gather(Isa::best(), &[0.0; 8], 4, drawn.indices(&columns), PanelsMut::new(&mut out, 4));
}

#[test]
#[should_panic(expected = "a row of the gradient per row used")]
fn a_gradient_of_too_few_rows_is_refused() {
    accumulate(Isa::best(), 1, &[Use::new(3, 0), Use::new(4, 0)], |_| &[1.0], &mut [0.0]);
}

#[test]
fn picked_rows_go_back_where_they_were() {
    let mut draw = Draw(5);
    for width in [1, 3, 16, 19, 48] {
        let table: Vec<f32> = (0..40 * width).map(|_| draw.unit()).collect();
        for rows in [vec![], vec![7], (0..40).rev().collect(), vec![3, 39, 0]] {
            let mut picked = vec![f32::NAN; rows.len() * width];
            pick(&table, width, &rows, &mut picked);
            for (row, picked) in rows.iter().zip(picked.chunks_exact(width)) {
                assert_eq!(picked, &table[*row as usize * width..][..width], "{width}");
            }
            let mut back = vec![0.5; table.len()];
            put_back(&picked, width, &rows, &mut back);
            for (row, back) in back.chunks_exact(width).enumerate() {
                let table = &table[row * width..][..width];
                let is_back = rows.contains(&(row as u32));
                assert!(if is_back { back == table } else { back.iter().all(|x| *x == 0.5) });
            }
        }
    }
}

#[test]
fn uses_are_in_the_order_of_rows_and_then_of_errors() {
    let mut uses =
        [(7, 0), (u32::MAX, 1), (7, u32::MAX), (0, 9), (7, 1)].map(|(r, e)| Use::new(r, e));
    uses.sort_unstable();
    let sorted = uses.map(|used| (used.row(), used.error()));
    assert_eq!(sorted, [(0, 9), (7, 0), (7, 1), (7, u32::MAX), (u32::MAX, 1)]);
}

//! Decoding and transposing against scalar code, on every instruction set.

use super::*;
use crate::testing::{Draw, ODD_SIZES, bits, place};

struct Stored {
    rows: Vec<Vec<u8>>,
}

impl RowSource for Stored {
    fn len(&self) -> usize {
        self.rows.len()
    }
    #[inline]
    fn row(&self, i: usize) -> &[u8] {
        &self.rows[i]
    }
}

/// A number that the element type holds exactly, and its bytes.
fn store(element: Element, draw: &mut Draw) -> (f32, Vec<u8>) {
    match element {
        Element::U8 => {
            let byte = draw.below(256) as u8;
            (f32::from(byte), vec![byte])
        }
        Element::F16 => {
            // 1.f times 2^e
            let (f, e) = (draw.below(1024), draw.below(20) as i32 - 10);
            let half = (((e + 15) as u16) << 10) | f as u16;
            ((1.0 + f as f32 / 1024.0) * 2f32.powi(e), half.to_le_bytes().to_vec())
        }
        Element::F32 => {
            let x = draw.unit() * 1e3;
            (x, x.to_le_bytes().to_vec())
        }
    }
}

#[test]
fn rows_are_decoded_and_standardised() {
    for isa in Isa::available() {
        for element in [Element::U8, Element::F16, Element::F32] {
            for features in ODD_SIZES {
                for count in [0, 1, 7, 17, 33] {
                    check_gather(isa, element, features, count);
                }
            }
        }
    }
}

fn check_gather(isa: Isa, element: Element, features: usize, count: usize) {
    let mut draw = Draw(features as u64);
    let mut numbers = vec![vec![0.0; features]; count];
    let mut source = Stored { rows: vec![Vec::new(); count] };
    for (numbers, bytes) in numbers.iter_mut().zip(&mut source.rows) {
        for x in numbers {
            let (value, stored) = store(element, &mut draw);
            *x = value;
            bytes.extend(stored);
        }
        assert_eq!(bytes.len(), features * element.size());
    }
    let panels = features.div_ceil(LANES);
    let (mut shift, mut scale) = (draw.rows(panels, 100.0), draw.rows(panels, 2.0));
    for scaling in [&mut shift, &mut scale] {
        scaling.as_flattened_mut()[features..].fill(0.0);
    }
    let rows = count + 3;
    let mut out = vec![[f32::NAN; LANES]; panels * rows];
    let (source, shift, scale) = (&source, &shift[..], &scale[..]);
    gather(isa, Gather { element, features, source, shift, scale, rows, out: &mut out });
    for r in 0..rows {
        for col in 0..panels * LANES {
            let got = out.as_flattened()[place(rows, r, col)];
            let [shift, scale] = [shift, scale].map(|rows| rows.as_flattened()[col]);
            let stored = numbers.get(r).and_then(|row| row.get(col));
            let want = stored.map_or(0.0, |x| (x - shift) * scale);
            assert_eq!(got, want, "{element:?}, row {r}, feature {col} of {features} on {isa}");
        }
    }
}

#[test]
#[should_panic(expected = "bytes of a row of 3 features")]
fn a_row_of_the_wrong_length_is_refused() {
    let source = Stored { rows: vec![vec![0; 4]] };
    let gathered = Gather {
        element: Element::U8,
        features: 3,
        source: &source,
        shift: &[[0.0; LANES]],
        scale: &[[1.0; LANES]],
        rows: 1,
        out: &mut [[0.0; LANES]],
    };
    gather(Isa::best(), gathered);
}

#[test]
fn panels_transpose_at_every_size() {
    for isa in Isa::available() {
        for rows in ODD_SIZES {
            for cols in ODD_SIZES {
                // Rubbish in the padding of the source and all over the target.
                let mut from = vec![[f32::NAN; LANES]; cols.div_ceil(LANES) * rows];
                for row in 0..rows {
                    for col in 0..cols {
                        from.as_flattened_mut()[place(rows, row, col)] = (row * 1000 + col) as f32;
                    }
                }
                let mut to = vec![[f32::NAN; LANES]; rows.div_ceil(LANES) * cols];
                transpose_panels(isa, &from, rows, cols, &mut to);
                let mut want = vec![[0.0; LANES]; to.len()];
                for row in 0..rows {
                    for col in 0..cols {
                        want.as_flattened_mut()[place(cols, col, row)] = (row * 1000 + col) as f32;
                    }
                }
                assert_eq!(bits(&to), bits(&want), "{rows} x {cols} on {isa}");
            }
        }
    }
}

//! Sums against scalar ones, on every instruction set.

use super::*;
use crate::testing::{Draw, assert_close, bits};

#[test]
fn panels_add_up_in_order_wherever_they_are_cut() {
    let mut draw = Draw(7);
    for isa in Isa::available() {
        for rows in [1, 7, 17, 33] {
            let panels = draw.rows(rows * 5, 1e3);
            let start = draw.rows(rows, 1.0);
            let mut want = start.clone();
            for panel in panels.chunks(rows) {
                let pairs = want.as_flattened_mut().iter_mut().zip(panel.as_flattened());
                for (sum, x) in pairs {
                    *sum += x;
                }
            }
            let mut whole = start.clone();
            add_panels(isa, &panels, &mut whole);
            assert_eq!(bits(&whole), bits(&want), "{rows} rows on {isa}");
            let mut parts = start;
            add_panels(isa, &panels[..2 * rows], &mut parts);
            add_panels(isa, &[], &mut parts);
            add_panels(isa, &panels[2 * rows..], &mut parts);
            assert_eq!(bits(&parts), bits(&want), "{rows} rows in parts on {isa}");
        }
    }
}

#[test]
fn lanes_add_up() {
    let rows = Draw(8).rows(33, 1.0);
    for isa in Isa::available() {
        let mut sums = vec![9.0; rows.len()];
        lane_sums(isa, &rows, &mut sums);
        for (sum, row) in sums.iter().zip(&rows) {
            assert_close(*sum, row.iter().map(|x| f64::from(*x)).sum(), 1e-6, isa.name());
        }
    }
}

#[test]
fn squared_norms_are_right_at_every_length() {
    for count in [0, 1, 3, 4, 7, 63, 64, 65, 100, 1000] {
        let rows = Draw(count as u64).rows(count, 1e6);
        let truth: f64 = rows.as_flattened().iter().map(|x| f64::from(*x).powi(2)).sum();
        for isa in Isa::available() {
            let got = squared_norm(isa, &rows);
            assert!(
                (got - truth).abs() <= 2e-6 * truth,
                "{count} rows on {isa}: {got}, not {truth}"
            );
        }
    }
    for isa in Isa::available() {
        assert!(squared_norm(isa, &[[0.0; LANES], [f32::NAN; LANES]]).is_nan(), "{isa}");
    }
}

//! Sums, copies, clips and folds against plain loops, on every instruction set.

use super::*;
use crate::testing::{Draw, ODD_SIZES, assert_close, bits, slope};

#[test]
fn sums_of_rows() {
    for isa in Isa::available() {
        let mut draw = Draw(1);
        let (a, b) = (draw.rows(37, 2.0), draw.rows(37, 2.0));
        let mut both = vec![[f32::NAN; LANES]; 37];
        sum(isa, &a, &b, &mut both);
        let mut added = b.clone();
        add(isa, &a, &mut added);
        for (i, (a, b)) in a.as_flattened().iter().zip(b.as_flattened()).enumerate() {
            assert_eq!(both.as_flattened()[i], a + b, "{isa}");
            assert_eq!(added.as_flattened()[i], a + b, "{isa}");
        }
    }
}

#[test]
fn a_concatenation_and_its_way_back() {
    for isa in Isa::available() {
        // Three panels of seven positions, whose 5 and 17 channels are joined.
        let (a, b, groups) = (5, 17, 3 * 7);
        let mut draw = Draw(2);
        let (x, z) = (draw.rows(groups * a, 1.0), draw.rows(groups * b, 1.0));
        let mut joined = vec![[f32::NAN; LANES]; groups * (a + b)];
        copy(isa, Panels::new(&x, a), PanelsMut::new(&mut joined, a + b).rows(0..a), false);
        copy(isa, Panels::new(&z, b), PanelsMut::new(&mut joined, a + b).rows(a..a + b), false);
        for group in 0..groups {
            let rows = &joined[group * (a + b)..][..a + b];
            assert_eq!(bits(&rows[..a]), bits(&x[group * a..][..a]), "{isa}");
            assert_eq!(bits(&rows[a..]), bits(&z[group * b..][..b]), "{isa}");
        }
        let mut back = vec![[1.0; LANES]; z.len()];
        copy(isa, Panels::new(&joined, a + b).rows(a..a + b), PanelsMut::new(&mut back, b), true);
        for (got, z) in back.as_flattened().iter().zip(z.as_flattened()) {
            assert_eq!(*got, 1.0 + z, "{isa}");
        }
    }
}

#[test]
fn totals_are_added() {
    for isa in Isa::available() {
        for rows in ODD_SIZES {
            let sums: Vec<Row> = (0..rows).map(|i| [i as f32; LANES]).collect();
            let mut gradient = vec![[0.5; LANES]; panels(rows)];
            add_totals(isa, &sums, &mut gradient);
            for (i, got) in gradient.as_flattened()[..rows].iter().enumerate() {
                assert_eq!(*got, 0.5 + 16.0 * i as f32, "{isa}");
            }
        }
    }
}

fn clipped(x: f64) -> f64 {
    x / (1.0 + (x / 3.0).powi(2)).sqrt()
}

#[test]
fn the_smooth_clip_and_its_slope() {
    for isa in Isa::available() {
        let mut draw = Draw(3);
        let (x, errors) = (draw.rows(33, 12.0), draw.rows(33, 1.0));
        let mut y = vec![[f32::NAN; LANES]; 33];
        smooth_clip(isa, &x, &mut y);
        let mut set = y.clone();
        smooth_clip_backward(isa, &x, &errors, &mut set, false);
        let mut added = vec![[2.0; LANES]; 33];
        smooth_clip_backward(isa, &x, &errors, &mut added, true);
        for i in 0..33 * LANES {
            let (x, e) = (x.as_flattened()[i].into(), f64::from(errors.as_flattened()[i]));
            assert_close(y.as_flattened()[i], clipped(x), 1e-6, "value");
            let want = e * slope(|x| clipped(x[0]), &[x], 0);
            assert_close(set.as_flattened()[i], want, 1e-6, "error");
            assert_close(added.as_flattened()[i], 2.0 + want, 1e-6, "error");
        }
    }
}

#[test]
fn the_smooth_clip_far_out() {
    let ends = [f32::INFINITY, f32::MAX, -f32::MAX, f32::NEG_INFINITY, 0.0, -0.0, 1e-38];
    for isa in Isa::available() {
        for x in ends {
            let (mut y, mut slope) = ([[7.0; LANES]], [[7.0; LANES]]);
            smooth_clip(isa, &[[x; LANES]], &mut y);
            smooth_clip_backward(isa, &[[x; LANES]], &[[1.0; LANES]], &mut slope, false);
            let (want, steep) = if x.abs() > 1.0 { (3.0 * x.signum(), 0.0) } else { (x, 1.0) };
            assert_close(y[0][0], want.into(), 1e-6, &format!("{x} on {isa}"));
            assert_close(slope[0][0], steep, 1e-6, &format!("{x} on {isa}"));
        }
        let mut y = [[7.0; LANES]];
        smooth_clip(isa, &[[f32::NAN; LANES]], &mut y);
        assert!(y[0][0].is_nan(), "{isa}");
    }
}

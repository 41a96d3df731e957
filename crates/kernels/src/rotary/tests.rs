//! Rotations against their definition in `f64`.

use super::*;
use crate::LANES;
use crate::testing::{Draw, assert_close, bits, sample};

#[test]
fn pairs_are_turned_by_their_position() {
    for isa in Isa::available() {
        for (panels, positions, heads, width) in [(1, 1, 1, 2), (3, 7, 2, 6), (1, 33, 1, 16)] {
            let mut draw = Draw(width as u64);
            // Units before and after those that are turned.
            let (stride, range) = (heads * width + 3, 1..heads * width + 1);
            let x = draw.rows(panels * positions * stride, 2.0);
            let angles = angles(positions, width, 10_000.0);
            let mut y = x.clone();
            rotate(isa, Turn::Forward, &angles, width, &mut y, stride, range.clone());
            let mut back = y.clone();
            rotate(isa, Turn::Backward, &angles, width, &mut back, stride, range.clone());
            for i in 0..panels * LANES {
                let of = |rows: &[Row]| sample(rows, positions * stride, i);
                let (x, y, back) = (of(&x), of(&y), of(&back));
                for u in 0..positions * stride {
                    let what = format!("unit {u} of {positions} x {heads} x {width} on {isa}");
                    assert_close(back[u] as f32, x[u], 1e-6, &what);
                    let (position, unit) = (u / stride, u % stride);
                    if !range.contains(&unit) {
                        assert_eq!(y[u], x[u], "{what}");
                        continue;
                    }
                    let c = (unit - 1) % width;
                    let pair = c % (width / 2);
                    let power = 2.0 * pair as f64 / width as f64;
                    let angle = position as f64 * 10_000f64.powf(-power);
                    let half = width / 2;
                    let want = if c < half {
                        x[u] * angle.cos() - x[u + half] * angle.sin()
                    } else {
                        x[u] * angle.cos() + x[u - half] * angle.sin()
                    };
                    assert_close(y[u] as f32, want, 1e-6, &what);
                }
            }
        }
    }
}

#[test]
fn the_first_position_stays_as_it_is() {
    for isa in Isa::available() {
        let x = Draw(1).rows(4, 2.0);
        let mut y = x.clone();
        rotate(isa, Turn::Forward, &angles(1, 4, 100.0), 4, &mut y, 4, 0..4);
        assert_eq!(bits(&y), bits(&x), "{isa}");
    }
}

//! Sums against scalar ones, on every instruction set.

use super::*;
use crate::testing::Draw;

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

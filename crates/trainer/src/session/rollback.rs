//! How often a run goes back to its last good state, and how much slower it then learns.

/// How often a run goes back before it is given up: the learning rate is then less than a thousandth.
pub(super) const MOST: u32 = 10;

/// What the learning rate is multiplied by after the run has gone back `times` times.
pub(super) fn factor(times: u32) -> f64 {
    0.5f64.powi(times as i32)
}

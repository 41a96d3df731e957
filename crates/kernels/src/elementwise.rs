//! What needs no parameters: sums and copies of values, the smooth clip, and the folding of lanes.

use crate::bias::total_lanes;
use crate::isa::Isa;
use crate::panels::{Panels, PanelsMut, panels};
use crate::simd::{Kernel, LANES, Row, Simd};

/// Adds `from` to `to`, row by row.
///
/// # Panics
/// The slices differ in length.
pub fn add(isa: Isa, from: &[Row], to: &mut [Row]) {
    assert_eq!(from.len(), to.len(), "as many rows");
    isa.run(Add { from, to });
}

/// Sets `sum` to `a` + `b`, row by row.
///
/// # Panics
/// The slices differ in length.
pub fn sum(isa: Isa, a: &[Row], b: &[Row], sum: &mut [Row]) {
    assert_eq!(a.len(), b.len(), "as many rows");
    assert_eq!(a.len(), sum.len(), "as many rows");
    isa.run(Sum { a, b, sum });
}

/// Sets `to` to `from`, or adds `from` to it: the parts of a concatenation, and the way back.
///
/// Rows of a panel are units. To join channels of several positions, take each position for a panel:
/// `Panels::new(values, channels)`.
///
/// # Panics
/// The shapes differ.
pub fn copy(isa: Isa, from: Panels<'_>, mut to: PanelsMut<'_>, add: bool) {
    assert_eq!(from.row_count(), to.row_count(), "as many rows");
    assert_eq!(from.panel_count(), to.panel_count(), "as many panels");
    if add {
        isa.run(AddPanels { from, to });
    } else {
        for panel in 0..from.panel_count() {
            to.panel_mut(panel).copy_from_slice(from.panel(panel));
        }
    }
}

/// Adds the sum of the lanes of row `c` of `sums` to parameter `c` of `gradient`, which has sixteen
/// parameters a row; the order of the sum is that of [`crate::sum_lanes`].
///
/// # Panics
/// `gradient` has another length.
pub fn add_totals(isa: Isa, sums: &[Row], gradient: &mut [Row]) {
    assert_eq!(gradient.len(), panels(sums.len()), "sixteen parameters a row");
    for (sums, gradient) in sums.chunks(LANES).zip(gradient) {
        let mut totals = [[0.0; LANES]];
        total_lanes(isa, sums, &mut totals);
        for (gradient, total) in gradient.iter_mut().zip(totals[0]) {
            *gradient += total;
        }
    }
}

/// Sets `y` to x / sqrt(1 + (x / 3)²): about x near 0, and never beyond 3. NaN stays NaN.
///
/// # Panics
/// The slices differ in length.
pub fn smooth_clip(isa: Isa, x: &[Row], y: &mut [Row]) {
    assert_eq!(x.len(), y.len(), "a result per value");
    isa.run(SmoothClip { x, y });
}

/// Sets or adds to `input_errors` the error of `x`, from that of its smooth clip.
///
/// # Panics
/// The slices differ in length.
pub fn smooth_clip_backward(
    isa: Isa,
    x: &[Row],
    errors: &[Row],
    input_errors: &mut [Row],
    add: bool,
) {
    assert_eq!(x.len(), errors.len(), "an error per result");
    assert_eq!(x.len(), input_errors.len(), "an error per value");
    isa.run(SmoothClipBackward { x, errors, input_errors, add });
}

struct Add<'a> {
    from: &'a [Row],
    to: &'a mut [Row],
}

impl Kernel for Add<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for (from, to) in self.from.iter().zip(self.to) {
            s.store(to, s.add(s.load(to), s.load(from)));
        }
    }
}

struct Sum<'a> {
    a: &'a [Row],
    b: &'a [Row],
    sum: &'a mut [Row],
}

impl Kernel for Sum<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for ((a, b), sum) in self.a.iter().zip(self.b).zip(self.sum) {
            s.store(sum, s.add(s.load(a), s.load(b)));
        }
    }
}

struct AddPanels<'a> {
    from: Panels<'a>,
    to: PanelsMut<'a>,
}

impl Kernel for AddPanels<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        for panel in 0..self.from.panel_count() {
            Add { from: self.from.panel(panel), to: self.to.panel_mut(panel) }.run(s);
        }
    }
}

/// (x, 1 / sqrt(1 + (x / 3)²)), with x kept where its square is finite: beyond, nothing changes.
#[inline(always)]
fn clip<S: Simd>(s: S, x: S::V) -> (S::V, S::V) {
    let (one, end) = (s.splat(1.0), 1e9);
    // NaN is the second argument: kept.
    let x = s.max(s.splat(-end), s.min(s.splat(end), x));
    let third = s.div(x, s.splat(3.0));
    (x, s.div(one, s.sqrt(s.mul_add(third, third, one))))
}

struct SmoothClip<'a> {
    x: &'a [Row],
    y: &'a mut [Row],
}

impl Kernel for SmoothClip<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for (x, y) in self.x.iter().zip(self.y) {
            let (x, factor) = clip(s, s.load(x));
            s.store(y, s.mul(x, factor));
        }
    }
}

struct SmoothClipBackward<'a> {
    x: &'a [Row],
    errors: &'a [Row],
    input_errors: &'a mut [Row],
    add: bool,
}

impl Kernel for SmoothClipBackward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for ((x, error), input_error) in self.x.iter().zip(self.errors).zip(self.input_errors) {
            let (_, factor) = clip(s, s.load(x));
            let slope = s.mul(s.mul(factor, factor), factor);
            let held = if self.add { s.load(input_error) } else { s.splat(0.0) };
            s.store(input_error, s.mul_add(s.load(error), slope, held));
        }
    }
}

#[cfg(test)]
mod tests;

//! The gated recurrent unit, as PyTorch defines it: the reset gate acts on the hidden product.
//!
//! ```text
//! r = σ(Wr x + Ur h + br)
//! z = σ(Wz x + Uz h + bz)
//! q = Un h + cn
//! n = tanh(Wn x + bn + r q)
//! h = (1 - z) n + z h
//! ```

use super::Time;
use crate::isa::Isa;
use crate::math;
use crate::panels::{Panels, PanelsMut};
use crate::simd::{Kernel, Simd};

/// A step of `units` units.
pub struct Forward<'a> {
    /// 3 `units` rows. The sums of r and z (of both products), and that of n without r q: become
    /// r, z and n.
    pub gates: PanelsMut<'a>,
    /// q, `units` rows.
    pub product: Panels<'a>,
    /// h, `units` rows: is moved a step on.
    pub state: PanelsMut<'a>,
    /// Is set to the new h.
    pub output: PanelsMut<'a>,
    /// Which step it is.
    pub time: Time<'a>,
}

/// Does a step.
///
/// # Panics
/// The shapes do not fit.
pub fn forward(isa: Isa, step: Forward<'_>) {
    let (units, panels) = (step.state.row_count(), step.state.panel_count());
    assert_eq!(step.gates.row_count(), 3 * units, "three gates");
    assert_eq!(step.product.row_count(), units, "a hidden product per unit");
    assert_eq!(step.output.row_count(), units, "an output per unit");
    for count in [step.gates.panel_count(), step.product.panel_count(), step.output.panel_count()] {
        assert_eq!(count, panels, "as many panels");
    }
    step.time.check(panels);
    isa.run(step);
}

/// The way back through a step of `units` units.
pub struct Backward<'a> {
    /// r, z and n: become the errors of their sums.
    pub gates: PanelsMut<'a>,
    /// q: becomes its error.
    pub product: PanelsMut<'a>,
    /// h before the step; without, it is 0.
    pub previous: Option<Panels<'a>>,
    /// The error of the output, beside that of the state; without, it is 0.
    pub output_errors: Option<Panels<'a>>,
    /// The error of h after the step: becomes that of h before it, without what comes through the
    /// hidden products. The caller adds that: Ur' and Uz' times the errors of the sums of r and z,
    /// and Un' times that of q.
    pub state_errors: PanelsMut<'a>,
    /// Which step it is.
    pub time: Time<'a>,
}

/// Goes back through a step.
///
/// # Panics
/// The shapes do not fit.
pub fn backward(isa: Isa, step: Backward<'_>) {
    let (units, panels) = (step.state_errors.row_count(), step.state_errors.panel_count());
    assert_eq!(step.gates.row_count(), 3 * units, "three gates");
    assert_eq!(step.product.row_count(), units, "a hidden product per unit");
    assert_eq!(step.gates.panel_count(), panels, "as many panels");
    assert_eq!(step.product.panel_count(), panels, "as many panels");
    for rows in [step.previous, step.output_errors].into_iter().flatten() {
        assert_eq!((rows.row_count(), rows.panel_count()), (units, panels), "a row per unit");
    }
    step.time.check(panels);
    isa.run(step);
}

impl Kernel for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        let units = self.state.row_count();
        for panel in 0..self.state.panel_count() {
            let live = self.time.live(s, panel);
            let (r, gates) = self.gates.panel_mut(panel).split_at_mut(units);
            let (z, n) = gates.split_at_mut(units);
            let states = self.state.panel_mut(panel).iter_mut().zip(self.output.panel_mut(panel));
            let rows = r.iter_mut().zip(z).zip(n).zip(self.product.panel(panel)).zip(states);
            for ((((r, z), n), product), (state, output)) in rows {
                let h = s.load(state);
                let (reset, _) = math::sigmoid(s, s.load(r));
                let (update, _) = math::sigmoid(s, s.load(z));
                let new = math::tanh(s, s.mul_add(reset, s.load(product), s.load(n)));
                s.store(r, reset);
                s.store(z, update);
                s.store(n, new);
                let next = s.mul_add(update, s.sub(h, new), new);
                let next = s.select(live, next, h);
                s.store(state, next);
                s.store(output, next);
            }
        }
    }
}

impl Kernel for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        let (zero, one) = (s.splat(0.0), s.splat(1.0));
        let units = self.state_errors.row_count();
        for panel in 0..self.state_errors.panel_count() {
            let live = self.time.live(s, panel);
            let (r, gates) = self.gates.panel_mut(panel).split_at_mut(units);
            let (z, n) = gates.split_at_mut(units);
            let rows = r.iter_mut().zip(z).zip(n).zip(self.product.panel_mut(panel));
            let rows = rows.zip(self.state_errors.panel_mut(panel)).enumerate();
            for (unit, ((((r, z), n), product), state_error)) in rows {
                let before = match &self.previous {
                    Some(previous) => s.load(&previous.panel(panel)[unit]),
                    None => zero,
                };
                let mut error = s.load(state_error);
                if let Some(errors) = &self.output_errors {
                    error = s.add(error, s.load(&errors.panel(panel)[unit]));
                }
                let (reset, update, new) = (s.load(r), s.load(z), s.load(n));
                let of_update = s.mul(error, s.sub(before, new));
                let of_update = s.mul(of_update, s.mul(update, s.sub(one, update)));
                let of_new = s.mul(error, s.sub(one, update));
                let of_new = s.mul(of_new, s.neg_mul_add(new, new, one));
                let of_reset = s.mul(of_new, s.load(product));
                let of_reset = s.mul(of_reset, s.mul(reset, s.sub(one, reset)));
                s.store(r, s.select(live, of_reset, zero));
                s.store(z, s.select(live, of_update, zero));
                s.store(n, s.select(live, of_new, zero));
                s.store(product, s.select(live, s.mul(of_new, reset), zero));
                s.store(state_error, s.select(live, s.mul(error, update), error));
            }
        }
    }
}

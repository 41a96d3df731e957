//! The long short-term memory cell, as PyTorch defines it.
//!
//! ```text
//! i, f, o = σ(W x + U h + b), one each
//! g       = tanh(Wg x + Ug h + bg)
//! c       = f c + i g
//! h       = o tanh(c)
//! ```

use super::Time;
use crate::isa::Isa;
use crate::math;
use crate::panels::{Panels, PanelsMut};
use crate::simd::{Kernel, Simd};

/// A step of `units` units.
pub struct Forward<'a> {
    /// 4 `units` rows. The sums of i, f, g and o, in this order: become the gates.
    pub gates: PanelsMut<'a>,
    /// c, `units` rows: is moved a step on.
    pub cell: PanelsMut<'a>,
    /// Is set to the new c.
    pub cell_output: PanelsMut<'a>,
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
    assert_eq!(step.gates.row_count(), 4 * units, "four gates");
    assert_eq!(step.gates.panel_count(), panels, "as many panels");
    for rows in [&step.cell, &step.cell_output, &step.output] {
        assert_eq!((rows.row_count(), rows.panel_count()), (units, panels), "a row per unit");
    }
    step.time.check(panels);
    isa.run(step);
}

/// The way back through a step of `units` units.
pub struct Backward<'a> {
    /// i, f, g and o: become the errors of their sums.
    pub gates: PanelsMut<'a>,
    /// c after the step.
    pub cell: Panels<'a>,
    /// c before the step; without, it is 0.
    pub previous_cell: Option<Panels<'a>>,
    /// The error of the output, beside that of the state; without, it is 0.
    pub output_errors: Option<Panels<'a>>,
    /// The error of c after the step: becomes that of c before it.
    pub cell_errors: PanelsMut<'a>,
    /// The error of h after the step: becomes that of h before it, without what comes through the
    /// hidden product: 0, or the same error where a sample has no such step. The caller adds U'
    /// times the errors of the sums.
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
    let shape = (units, panels);
    assert_eq!(step.gates.row_count(), 4 * units, "four gates");
    assert_eq!(step.gates.panel_count(), panels, "as many panels");
    let errors = &step.cell_errors;
    assert_eq!((errors.row_count(), errors.panel_count()), shape, "a row per unit");
    let read = [Some(step.cell), step.previous_cell, step.output_errors];
    for rows in read.into_iter().flatten() {
        assert_eq!((rows.row_count(), rows.panel_count()), shape, "a row per unit");
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
            let (i, gates) = self.gates.panel_mut(panel).split_at_mut(units);
            let (f, gates) = gates.split_at_mut(units);
            let (g, o) = gates.split_at_mut(units);
            let gates = i.iter_mut().zip(f).zip(g).zip(o);
            let cells =
                self.cell.panel_mut(panel).iter_mut().zip(self.cell_output.panel_mut(panel));
            let states = self.state.panel_mut(panel).iter_mut().zip(self.output.panel_mut(panel));
            for (((((i, f), g), o), (cell, cell_output)), (state, output)) in
                gates.zip(cells).zip(states)
            {
                let (input, _) = math::sigmoid(s, s.load(i));
                let (forget, _) = math::sigmoid(s, s.load(f));
                let new = math::tanh(s, s.load(g));
                let (out, _) = math::sigmoid(s, s.load(o));
                s.store(i, input);
                s.store(f, forget);
                s.store(g, new);
                s.store(o, out);
                let (c, h) = (s.load(cell), s.load(state));
                let c = s.select(live, s.mul_add(forget, c, s.mul(input, new)), c);
                let h = s.select(live, s.mul(out, math::tanh(s, c)), h);
                s.store(cell, c);
                s.store(cell_output, c);
                s.store(state, h);
                s.store(output, h);
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
            let (i, gates) = self.gates.panel_mut(panel).split_at_mut(units);
            let (f, gates) = gates.split_at_mut(units);
            let (g, o) = gates.split_at_mut(units);
            let errors = self.cell_errors.panel_mut(panel).iter_mut();
            let errors = errors.zip(self.state_errors.panel_mut(panel));
            let rows = i.iter_mut().zip(f).zip(g).zip(o).zip(self.cell.panel(panel)).zip(errors);
            for (unit, (((((i, f), g), o), cell), (cell_error, state_error))) in rows.enumerate() {
                let before = match &self.previous_cell {
                    Some(cells) => s.load(&cells.panel(panel)[unit]),
                    None => zero,
                };
                let mut error = s.load(state_error);
                if let Some(errors) = &self.output_errors {
                    error = s.add(error, s.load(&errors.panel(panel)[unit]));
                }
                let (input, forget, new, out) = (s.load(i), s.load(f), s.load(g), s.load(o));
                let curve = math::tanh(s, s.load(cell));
                let held = s.load(cell_error);
                let of_cell = s.mul(s.mul(error, out), s.neg_mul_add(curve, curve, one));
                let of_cell = s.add(held, of_cell);
                let of_input = s.mul(s.mul(of_cell, new), s.mul(input, s.sub(one, input)));
                let of_forget = s.mul(s.mul(of_cell, before), s.mul(forget, s.sub(one, forget)));
                let of_new = s.mul(s.mul(of_cell, input), s.neg_mul_add(new, new, one));
                let of_out = s.mul(s.mul(error, curve), s.mul(out, s.sub(one, out)));
                s.store(i, s.select(live, of_input, zero));
                s.store(f, s.select(live, of_forget, zero));
                s.store(g, s.select(live, of_new, zero));
                s.store(o, s.select(live, of_out, zero));
                s.store(cell_error, s.select(live, s.mul(of_cell, forget), held));
                s.store(state_error, s.select(live, zero, error));
            }
        }
    }
}

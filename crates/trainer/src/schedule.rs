//! Learning-rate schedules: factors of the optimiser's rate as pure functions of the step.
//!
//! Only [`Plateau`] depends on how the run goes; its few numbers of state are explicit, so that a
//! checkpoint can hold them.

use std::f64::consts::PI;

/// How the learning rate changes during a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Schedule {
    /// Epochs over which the rate rises evenly to where the curve starts.
    pub warmup: f64,
    /// The course of the learning rate after that.
    pub curve: Curve,
}

/// The course of the learning rate after warm-up, as a factor of the optimiser's rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Curve {
    /// 1.
    Constant,
    /// Times `factor` after every `every` epochs.
    Step {
        /// Epochs between two reductions; positive.
        every: f64,
        /// What each multiplies by.
        factor: f64,
    },
    /// `factor` to the power of the epochs gone by, in fractions at every step.
    Exponential {
        /// The factor of one epoch.
        factor: f64,
    },
    /// Half a cosine from 1 at the start to `end` after the last step.
    Cosine {
        /// Where it ends.
        end: f64,
    },
    /// Half a cosine from `start` up to 1 within `rise` of the steps, another down to `end` at the
    /// last step (Smith; PyTorch's `OneCycleLR`).
    OneCycle {
        /// Where it starts.
        start: f64,
        /// Where it ends.
        end: f64,
        /// The fraction of the steps that rise.
        rise: f64,
    },
    /// What [`Plateau`] says.
    Plateau(Plateau),
}

impl Schedule {
    /// The factor of step number `step`, counted from 0 over a run of `epochs` epochs of
    /// `steps_per_epoch` steps. For [`Curve::Plateau`] multiply by [`PlateauState::factor`] too.
    pub fn factor(&self, step: u64, steps_per_epoch: u64, epochs: u32) -> f64 {
        let warmup = (self.warmup * steps_per_epoch as f64).round() as u64;
        let total = (steps_per_epoch * u64::from(epochs)).saturating_sub(warmup);
        if step < warmup {
            let reached = (step + 1) as f64 / warmup as f64;
            return reached * self.curve.factor(0, steps_per_epoch, total);
        }
        self.curve.factor(step - warmup, steps_per_epoch, total)
    }
}

impl Curve {
    fn factor(&self, step: u64, steps_per_epoch: u64, total: u64) -> f64 {
        let (step, total) = (step as f64, total as f64);
        let epochs_gone = step / steps_per_epoch as f64;
        match *self {
            Curve::Constant | Curve::Plateau(_) => 1.0,
            Curve::Step { every, factor } => factor.powf((epochs_gone / every).floor()),
            Curve::Exponential { factor } => factor.powf(epochs_gone),
            Curve::Cosine { end } => half_cosine(1.0, end, step / total),
            Curve::OneCycle { start, end, rise } => {
                let (peak, last) = (rise * total - 1.0, total - 1.0);
                if step < peak {
                    half_cosine(start, 1.0, step / peak)
                } else if last > peak {
                    half_cosine(1.0, end, (step - peak.max(0.0)) / (last - peak.max(0.0)))
                } else {
                    1.0
                }
            }
        }
    }
}

/// From `from` at `progress` 0 to `to` at 1 and beyond.
fn half_cosine(from: f64, to: f64, progress: f64) -> f64 {
    to + (from - to) * 0.5 * (1.0 + (PI * progress.min(1.0)).cos())
}

/// Reduces the learning rate when the loss stops falling.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plateau {
    /// What each reduction multiplies by.
    pub factor: f64,
    /// Epochs without improvement that are tolerated.
    pub patience: u32,
    /// How much less the loss must be to count as improved.
    pub min_delta: f64,
    /// Below which the factor does not fall.
    pub end: f64,
}

/// How far a [`Plateau`] has come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlateauState {
    /// The factor of the learning rate now.
    pub factor: f64,
    /// The least loss so far; infinite before the first epoch.
    pub best: f64,
    /// Epochs without improvement since then.
    pub waited: u32,
}

impl Default for PlateauState {
    fn default() -> Self {
        PlateauState { factor: 1.0, best: f64::INFINITY, waited: 0 }
    }
}

impl Plateau {
    /// Takes note of the loss of an epoch. A loss that is not a number is no improvement.
    pub fn observe(&self, state: &mut PlateauState, loss: f64) {
        if loss < state.best - self.min_delta {
            state.best = loss;
            state.waited = 0;
            return;
        }
        state.waited += 1;
        if state.waited > self.patience {
            state.factor = (state.factor * self.factor).max(self.end);
            state.waited = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn factors(schedule: Schedule, steps_per_epoch: u64, epochs: u32) -> Vec<f64> {
        let steps = steps_per_epoch * u64::from(epochs);
        (0..steps).map(|step| schedule.factor(step, steps_per_epoch, epochs)).collect()
    }

    fn without_warmup(curve: Curve) -> Schedule {
        Schedule { warmup: 0.0, curve }
    }

    fn assert_close(actual: &[f64], expected: &[f64]) {
        assert_eq!(actual.len(), expected.len());
        for (i, (a, e)) in actual.iter().zip(expected).enumerate() {
            assert!((a - e).abs() < 1e-12, "step {i}: {a} instead of {e}");
        }
    }

    #[test]
    fn constant_step_and_exponential_follow_their_closed_forms() {
        assert_eq!(factors(without_warmup(Curve::Constant), 2, 2), [1.0; 4]);
        let step = without_warmup(Curve::Step { every: 2.0, factor: 0.1 });
        assert_close(&factors(step, 2, 5), &[1., 1., 1., 1., 0.1, 0.1, 0.1, 0.1, 0.01, 0.01]);
        let exponential = without_warmup(Curve::Exponential { factor: 0.25 });
        assert_close(&factors(exponential, 2, 2), &[1.0, 0.5, 0.25, 0.125]);
    }

    #[test]
    fn cosine_matches_pytorch() {
        // CosineAnnealingLR(T_max=8, eta_min=0.1) at learning rate 1.
        let cosine = without_warmup(Curve::Cosine { end: 0.1 });
        let expected = COSINE;
        assert_close(&factors(cosine, 2, 4), &expected);
        assert_close(&[cosine.factor(8, 2, 4), cosine.factor(9, 2, 4)], &[0.1, 0.1]);
    }

    #[test]
    fn one_cycle_matches_pytorch() {
        // OneCycleLR(max_lr=1, total_steps=10), by its default factors.
        let curve = Curve::OneCycle { start: 0.04, end: 4e-6, rise: 0.3 };
        assert_close(&factors(without_warmup(curve), 5, 2), &ONE_CYCLE);
    }

    #[test]
    fn one_cycle_of_few_steps_stays_between_its_ends() {
        for steps in 1..8 {
            for rise in [0.0, 0.1, 0.5, 1.0] {
                let curve = Curve::OneCycle { start: 0.04, end: 0.01, rise };
                for factor in factors(without_warmup(curve), steps, 1) {
                    assert!((0.01..=1.0).contains(&factor), "{steps} steps, rise {rise}: {factor}");
                }
            }
        }
    }

    #[test]
    fn warmup_rises_to_where_the_curve_starts() {
        let constant = Schedule { warmup: 1.5, curve: Curve::Constant };
        assert_close(&factors(constant, 2, 3), &[1.0 / 3.0, 2.0 / 3.0, 1.0, 1.0, 1.0, 1.0]);
        let step = Schedule { warmup: 1.0, curve: Curve::Step { every: 1.0, factor: 0.5 } };
        assert_close(&factors(step, 2, 3), &[0.5, 1.0, 1.0, 1.0, 0.5, 0.5]);
        let curve = Curve::OneCycle { start: 0.04, end: 4e-6, rise: 0.3 };
        let after = factors(Schedule { warmup: 1.0, curve }, 5, 3);
        assert_close(&after[..5], &[0.008, 0.016, 0.024, 0.032, 0.04]);
        assert_close(&after[5..], &ONE_CYCLE);
        let cosine = Schedule { warmup: 1.0, curve: Curve::Cosine { end: 0.1 } };
        assert_close(&factors(cosine, 2, 5)[2..], &COSINE);
    }

    #[test]
    fn plateau_matches_pytorch() {
        // ReduceLROnPlateau(factor=0.5, patience=1, threshold=0.01, threshold_mode='abs', min_lr=0.2).
        let plateau = Plateau { factor: 0.5, patience: 1, min_delta: 0.01, end: 0.2 };
        let losses = [1.0, 0.995, 0.98, 0.99, 0.98, 0.98, 0.5, 0.6, f64::NAN, 0.6, 0.6, 0.6, 0.6];
        let mut state = PlateauState::default();
        let factors = losses.map(|loss| {
            plateau.observe(&mut state, loss);
            state.factor
        });
        assert_close(&factors, &PLATEAU);
    }

    const COSINE: [f64; 8] = [
        1.0,
        0.9657457896300791,
        0.8681980515339464,
        0.7222075445642905,
        0.55,
        0.3777924554357097,
        0.2318019484660537,
        0.134254210369921,
    ];
    const ONE_CYCLE: [f64; 10] = [
        0.040000000000000036,
        0.52,
        1.0,
        0.9504846320134737,
        0.8117456539497631,
        0.6112620219362893,
        0.38874197806371075,
        0.18825834605023697,
        0.049519367986526286,
        4e-06,
    ];
    const PLATEAU: [f64; 13] = [1.0, 1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.2, 0.2, 0.2];
}

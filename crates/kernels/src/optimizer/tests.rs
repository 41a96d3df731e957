//! Updates against PyTorch's formulas in `f64`, on every instruction set.

use super::*;
use crate::LANES;
use crate::testing::{Draw, assert_close, bits};

const RULES: [UpdateRule; 6] = [
    UpdateRule::Sgd,
    UpdateRule::Momentum { beta: 0.9, nesterov: false },
    UpdateRule::Momentum { beta: 0.9, nesterov: true },
    UpdateRule::RmsProp { rho: 0.99, epsilon: 1e-8 },
    UpdateRule::Adagrad { epsilon: 1e-10 },
    UpdateRule::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
];

/// One weight and its state.
#[derive(Clone, Copy, Default)]
struct Scalar {
    w: f64,
    slots: [f64; 2],
}

impl Scalar {
    /// The `t`-th step, as PyTorch's documentation writes it.
    fn step(&mut self, rule: UpdateRule, step: &Step, t: i32, gradient: f64) {
        let Step { learning_rate: rate, clip, .. } = *step;
        let mut g = gradient * step.gradient_scale;
        if let Some(clip) = clip {
            g = g.clamp(-clip, clip);
        }
        let sign = if self.w == 0.0 { 0.0 } else { self.w.signum() };
        g += step.l2 * self.w + step.l1 * sign;
        self.w -= rate * step.decay * self.w;
        let [a, b] = &mut self.slots;
        self.w -= match rule {
            UpdateRule::Sgd => rate * g,
            UpdateRule::Momentum { beta, nesterov } => {
                *a = beta * *a + g;
                rate * if nesterov { g + beta * *a } else { *a }
            }
            UpdateRule::RmsProp { rho, epsilon } => {
                *a = rho * *a + (1.0 - rho) * g * g;
                rate * g / (a.sqrt() + epsilon)
            }
            UpdateRule::Adagrad { epsilon } => {
                *a += g * g;
                rate * g / (a.sqrt() + epsilon)
            }
            UpdateRule::Adam { beta1, beta2, epsilon } => {
                *a = beta1 * *a + (1.0 - beta1) * g;
                *b = beta2 * *b + (1.0 - beta2) * g * g;
                let mean = *a / (1.0 - beta1.powi(t));
                let square = *b / (1.0 - beta2.powi(t));
                rate * mean / (square.sqrt() + epsilon)
            }
        };
    }
}

fn steps() -> [Step; 6] {
    let plain = Step::plain(UpdateRule::Sgd, 0.01, 1);
    [
        plain,
        Step { l2: 0.1, ..plain },
        Step { l1: 0.1, ..plain },
        Step { decay: 0.5, ..plain },
        Step { clip: Some(0.3), ..plain },
        Step { gradient_scale: 0.25, l1: 0.02, l2: 0.03, decay: 0.1, clip: Some(0.2), ..plain },
    ]
}

#[test]
fn twenty_steps_follow_the_formulas() {
    for isa in Isa::available() {
        for rule in RULES {
            for step in steps() {
                for rows in [1, 7, 33] {
                    check_steps(isa, rule, step, rows);
                }
            }
        }
    }
}

fn check_steps(isa: Isa, rule: UpdateRule, step: Step, rows: usize) {
    let mut draw = Draw(6);
    let mut weights = draw.rows(rows, 1.0);
    weights[0][2] = 0.0;
    let mut scalars: Vec<Scalar> = (weights.as_flattened().iter())
        .map(|w| Scalar { w: f64::from(*w), ..Scalar::default() })
        .collect();
    let mut slots = [(); 2].map(|()| vec![[0.0; LANES]; rows]);
    let [slot0, slot1] = &mut slots;
    for t in 1..=20 {
        let gradient = draw.rows(rows, 1.0);
        let step = Step { corrections: rule.corrections(t), ..step };
        update(isa, rule, &step, &mut weights, &gradient, slot0, slot1);
        for (scalar, g) in scalars.iter_mut().zip(gradient.as_flattened()) {
            scalar.step(rule, &step, t as i32, f64::from(*g));
        }
    }
    let what = format!("{rule:?} with {step:?} on {isa}");
    for (i, scalar) in scalars.iter().enumerate() {
        assert_close(weights.as_flattened()[i], scalar.w, 4e-6, &what);
        for (slot, want) in slots.iter().zip(scalar.slots) {
            assert_close(slot.as_flattened()[i], want, 2e-6, &what);
        }
    }
}

#[test]
fn the_first_step_of_adam_is_the_learning_rate() {
    let rule = UpdateRule::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
    for isa in Isa::available() {
        // From 0, so that the step keeps all its digits: 1 - beta2 in f32 would be off by 1e-5.
        let mut weights = [[0.0; LANES]];
        let gradient = [std::array::from_fn(|i| 10f32.powi(i as i32 - 4) * (-1f32).powi(i as i32))];
        let (mut m, mut v) = ([[0.0; LANES]], [[0.0; LANES]]);
        let step = Step::plain(rule, 0.001, 1);
        update(isa, rule, &step, &mut weights, &gradient, &mut m, &mut v);
        for (w, g) in weights[0].iter().zip(gradient[0]) {
            let g = f64::from(g);
            let want = -0.001 * g / (g.abs() + 1e-8);
            assert!((f64::from(*w) / want - 1.0).abs() < 1e-6, "{w}, not {want} on {isa}");
        }
    }
}

#[test]
fn padding_stays_exactly_zero() {
    for isa in Isa::available() {
        for rule in RULES {
            for step in steps() {
                let zeros = || [[0.0f32; LANES]; 3];
                let (mut weights, mut slot0, mut slot1) = (zeros(), zeros(), zeros());
                for t in 1..=3 {
                    let step = Step { corrections: rule.corrections(t), ..step };
                    let gradient = zeros();
                    update(isa, rule, &step, &mut weights, &gradient, &mut slot0, &mut slot1);
                }
                for arena in [weights, slot0, slot1] {
                    assert_eq!(bits(&arena), vec![0; 3 * LANES], "{rule:?} {step:?} on {isa}");
                }
            }
        }
    }
}

#[test]
fn nan_is_never_clipped_away() {
    for isa in Isa::available() {
        for rule in RULES {
            let step = Step { clip: Some(1.0), ..Step::plain(rule, 0.1, 1) };
            let (mut weights, mut a, mut b) = ([[1.0; LANES]], [[0.0; LANES]], [[0.0; LANES]]);
            update(isa, rule, &step, &mut weights, &[[f32::NAN; LANES]], &mut a, &mut b);
            assert!(weights[0].iter().all(|w| w.is_nan()), "{rule:?} on {isa}");
        }
    }
}

#[test]
fn unused_slots_may_be_empty() {
    for isa in Isa::available() {
        for rule in RULES {
            let mut slots = [(); 2].map(|()| Vec::new());
            slots[..rule.slots()].fill(vec![[0.0; LANES]]);
            let [slot0, slot1] = &mut slots;
            let mut weights = [[1.0; LANES]];
            let step = Step::plain(rule, 0.1, 1);
            update(isa, rule, &step, &mut weights, &[[0.5; LANES]], slot0, slot1);
            assert!(weights[0][0] < 1.0, "{rule:?} on {isa}");
        }
    }
}

#[test]
#[should_panic(expected = "one state per weight")]
fn a_short_slot_is_refused() {
    let rule = UpdateRule::Momentum { beta: 0.9, nesterov: false };
    let (mut weights, gradient) = ([[1.0; LANES]; 2], [[0.5; LANES]; 2]);
    let step = Step::plain(rule, 0.1, 1);
    update(Isa::best(), rule, &step, &mut weights, &gradient, &mut [], &mut []);
}

//! Optimiser updates: one pass over flat arenas of weights, gradients and state.
//!
//! The conventions are PyTorch's. A weight, gradient and state that are all 0, as in the padding of
//! a panel, stay exactly 0.

use crate::Isa;
use crate::simd::{Kernel, Row, Simd};

/// How a weight w follows its gradient g, at the learning rate η.
///
/// Each `epsilon` must be positive.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum UpdateRule {
    /// w -= η g
    Sgd,
    /// v = β v + g; w -= η v, or η (g + β v) by Nesterov.
    Momentum {
        /// β
        beta: f64,
        /// Look ahead along the new velocity.
        nesterov: bool,
    },
    /// v = ρ v + (1 - ρ) g²; w -= η g / (√v + ε)
    RmsProp {
        /// ρ
        rho: f64,
        /// ε
        epsilon: f64,
    },
    /// v = v + g²; w -= η g / (√v + ε)
    Adagrad {
        /// ε
        epsilon: f64,
    },
    /// m = β₁ m + (1 - β₁) g; v = β₂ v + (1 - β₂) g²; w -= η (m / c₁) / (√(v / c₂) + ε), where
    /// c = 1 - βᵗ. With [`Step::decay`] it is AdamW.
    Adam {
        /// β₁
        beta1: f64,
        /// β₂
        beta2: f64,
        /// ε
        epsilon: f64,
    },
}

impl UpdateRule {
    /// State arenas that it keeps, each as long as the weights and 0 at the start.
    pub fn slots(self) -> usize {
        match self {
            UpdateRule::Sgd => 0,
            UpdateRule::Momentum { .. } | UpdateRule::RmsProp { .. } => 1,
            UpdateRule::Adagrad { .. } => 1,
            UpdateRule::Adam { .. } => 2,
        }
    }

    /// [`Step::corrections`] of the `t`-th step, counted from 1.
    pub fn corrections(self, t: u64) -> [f64; 2] {
        match self {
            UpdateRule::Adam { beta1, beta2, .. } => {
                let t = i32::try_from(t).unwrap_or(i32::MAX);
                [1.0 - beta1.powi(t), 1.0 - beta2.powi(t)]
            }
            _ => [1.0; 2],
        }
    }
}

/// What one step does to every weight of a slice, besides the rule's own parameters.
///
/// The gradient is multiplied by `gradient_scale`, clipped, and then joined by the penalties.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// η
    pub learning_rate: f64,
    /// Added to the gradient times the sign of the weight (0 at 0).
    pub l1: f64,
    /// Added to the gradient times the weight (PyTorch's `weight_decay`).
    pub l2: f64,
    /// Decoupled decay: w is first multiplied by 1 - η `decay` (AdamW's `weight_decay`).
    pub decay: f64,
    /// Largest absolute value of a gradient's element.
    pub clip: Option<f64>,
    /// Factor of the gradient, as for clipping by global norm.
    pub gradient_scale: f64,
    /// Adam's c₁ and c₂, as [`UpdateRule::corrections`] gives them.
    pub corrections: [f64; 2],
}

impl Step {
    /// A plain step of the rule; its `t`-th, counted from 1.
    pub fn plain(rule: UpdateRule, learning_rate: f64, t: u64) -> Step {
        Step {
            learning_rate,
            l1: 0.0,
            l2: 0.0,
            decay: 0.0,
            clip: None,
            gradient_scale: 1.0,
            corrections: rule.corrections(t),
        }
    }
}

/// A [`Step`] in registers.
#[derive(Clone, Copy)]
struct Splat<S: Simd> {
    s: S,
    rate: S::V,
    keep: S::V,
    scale: S::V,
    clip: S::V,
    l1: S::V,
    l2: S::V,
}

impl<S: Simd> Splat<S> {
    #[inline(always)]
    fn new(s: S, step: &Step) -> Self {
        Splat {
            s,
            rate: s.splat(step.learning_rate as f32),
            keep: s.splat((1.0 - step.learning_rate * step.decay) as f32),
            scale: s.splat(step.gradient_scale as f32),
            clip: s.splat(step.clip.unwrap_or(f64::INFINITY) as f32),
            l1: s.splat(step.l1 as f32),
            l2: s.splat(step.l2 as f32),
        }
    }

    /// Scaled, and unless it is `PLAIN` clipped (NaN stays) and joined by the penalties.
    #[inline(always)]
    fn gradient<const PLAIN: bool>(self, w: S::V, g: S::V) -> S::V {
        let s = self.s;
        let zero = s.splat(0.0);
        let g = s.mul(g, self.scale);
        if PLAIN {
            return g;
        }
        let g = s.max(s.sub(zero, self.clip), s.min(self.clip, g));
        let g = s.mul_add(self.l2, w, g);
        let lasso = s.select(s.lt(zero, w), self.l1, zero);
        let lasso = s.select(s.lt(w, zero), s.sub(zero, self.l1), lasso);
        s.add(g, lasso)
    }

    /// w after a step of `rate` against the direction.
    #[inline(always)]
    fn descend(self, w: S::V, direction: S::V) -> S::V {
        self.s.neg_mul_add(self.rate, direction, self.s.mul(w, self.keep))
    }
}

struct Update<'a> {
    rule: UpdateRule,
    step: &'a Step,
    weights: &'a mut [Row],
    gradient: &'a [Row],
    slot0: &'a mut [Row],
    slot1: &'a mut [Row],
}

impl Kernel for Update<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Step { l1, l2, clip, .. } = *self.step;
        if l1 == 0.0 && l2 == 0.0 && clip.is_none() {
            self.sweep::<S, true>(s);
        } else {
            self.sweep::<S, false>(s);
        }
    }
}

impl Update<'_> {
    #[inline(always)]
    fn sweep<S: Simd, const PLAIN: bool>(self, s: S) {
        let mut step = Splat::new(s, self.step);
        let pairs = self.weights.iter_mut().zip(self.gradient);
        match self.rule {
            UpdateRule::Sgd => {
                for (weight, gradient) in pairs {
                    let w = s.load(weight);
                    let g = step.gradient::<PLAIN>(w, s.load(gradient));
                    s.store(weight, step.descend(w, g));
                }
            }
            UpdateRule::Momentum { beta, nesterov } => {
                let beta = s.splat(beta as f32);
                for ((weight, gradient), velocity) in pairs.zip(self.slot0) {
                    let w = s.load(weight);
                    let g = step.gradient::<PLAIN>(w, s.load(gradient));
                    let v = s.mul_add(beta, s.load(velocity), g);
                    let direction = if nesterov { s.mul_add(beta, v, g) } else { v };
                    s.store(velocity, v);
                    s.store(weight, step.descend(w, direction));
                }
            }
            UpdateRule::RmsProp { rho, epsilon } => {
                let (rho, fresh) = (s.splat(rho as f32), s.splat((1.0 - rho) as f32));
                let epsilon = s.splat(epsilon as f32);
                for ((weight, gradient), square) in pairs.zip(self.slot0) {
                    let w = s.load(weight);
                    let g = step.gradient::<PLAIN>(w, s.load(gradient));
                    let v = s.mul_add(s.mul(fresh, g), g, s.mul(rho, s.load(square)));
                    s.store(square, v);
                    let direction = s.quick_div(g, s.add(s.quick_sqrt(v), epsilon));
                    s.store(weight, step.descend(w, direction));
                }
            }
            UpdateRule::Adagrad { epsilon } => {
                let epsilon = s.splat(epsilon as f32);
                for ((weight, gradient), square) in pairs.zip(self.slot0) {
                    let w = s.load(weight);
                    let g = step.gradient::<PLAIN>(w, s.load(gradient));
                    let v = s.mul_add(g, g, s.load(square));
                    s.store(square, v);
                    let direction = s.quick_div(g, s.add(s.quick_sqrt(v), epsilon));
                    s.store(weight, step.descend(w, direction));
                }
            }
            UpdateRule::Adam { beta1, beta2, epsilon } => {
                let [c1, c2] = self.step.corrections;
                step.rate = s.splat((self.step.learning_rate / c1) as f32);
                let root = s.splat((1.0 / c2.sqrt()) as f32);
                let (fresh1, fresh2) =
                    (s.splat((1.0 - beta1) as f32), s.splat((1.0 - beta2) as f32));
                let (beta2, epsilon) = (s.splat(beta2 as f32), s.splat(epsilon as f32));
                for (((weight, gradient), mean), square) in pairs.zip(self.slot0).zip(self.slot1) {
                    let w = s.load(weight);
                    let g = step.gradient::<PLAIN>(w, s.load(gradient));
                    let m = s.load(mean);
                    let m = s.mul_add(fresh1, s.sub(g, m), m);
                    let v = s.mul_add(s.mul(fresh2, g), g, s.mul(beta2, s.load(square)));
                    s.store(mean, m);
                    s.store(square, v);
                    let direction = s.quick_div(m, s.mul_add(s.quick_sqrt(v), root, epsilon));
                    s.store(weight, step.descend(w, direction));
                }
            }
        }
    }
}

/// One optimiser step of a slice of the weights, with the same slice of gradient and state.
///
/// Slots beyond [`UpdateRule::slots`] are not looked at and may be empty.
///
/// # Panics
/// A slice that is used differs from the weights in length.
pub fn update(
    isa: Isa,
    rule: UpdateRule,
    step: &Step,
    weights: &mut [Row],
    gradient: &[Row],
    slot0: &mut [Row],
    slot1: &mut [Row],
) {
    let rows = weights.len();
    assert_eq!(gradient.len(), rows, "one gradient per weight");
    for slot in [&*slot0, &*slot1].into_iter().take(rule.slots()) {
        assert_eq!(slot.len(), rows, "one state per weight");
    }
    isa.run(Update { rule, step, weights, gradient, slot0, slot1 });
}

#[cfg(test)]
mod tests;

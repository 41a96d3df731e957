//! Losses of panels, with their gradients, and the probabilities that logits stand for.

use crate::Isa;
use crate::activation::{Activation, forward};
use crate::math;
use crate::name::{self, NameError};
use crate::simd::{Kernel, Row, Simd};

/// The loss of one sample over its T outputs z with targets y; e = z - y.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Loss {
    /// (1/T) Σ e²
    MeanSquared,
    /// ½ Σ e²
    HalfSumSquares,
    /// (1/T) Σ |e|
    MeanAbsolute,
    /// (1/T) Σ ½ e² where |e| <= δ, else δ (|e| - ½ δ)
    Huber {
        /// δ
        delta: f32,
    },
    /// (1/T) Σ ln(1 + e^z) - z y, of logits z.
    BinaryCrossEntropy,
    /// -Σ y ln softmax(z), of logits z.
    SoftmaxCrossEntropy,
}

impl Loss {
    /// Every name that [`from_name`](Self::from_name) takes.
    pub const NAMES: [&str; 6] = [
        "mean-squared",
        "half-sum-squares",
        "mean-absolute",
        "huber",
        "binary-cross-entropy",
        "softmax-cross-entropy",
    ];

    /// Its name in configurations and model files.
    pub fn name(self) -> &'static str {
        match self {
            Loss::MeanSquared => "mean-squared",
            Loss::HalfSumSquares => "half-sum-squares",
            Loss::MeanAbsolute => "mean-absolute",
            Loss::Huber { .. } => "huber",
            Loss::BinaryCrossEntropy => "binary-cross-entropy",
            Loss::SoftmaxCrossEntropy => "softmax-cross-entropy",
        }
    }

    /// Its parameter, if it has one: the delta of Huber.
    pub fn parameter(self) -> Option<f32> {
        match self {
            Loss::Huber { delta } => Some(delta),
            _ => None,
        }
    }

    /// The loss of this name. Left out, the delta of Huber is 1.
    ///
    /// # Errors
    /// No such name, a parameter where none belongs, or one that is not positive and finite.
    pub fn from_name(name: &str, parameter: Option<f32>) -> Result<Loss, NameError> {
        let loss = match name {
            "huber" => {
                let delta = name::parameter(name, parameter, 1.0, true)?;
                return Ok(Loss::Huber { delta });
            }
            "mean-squared" => Loss::MeanSquared,
            "half-sum-squares" => Loss::HalfSumSquares,
            "mean-absolute" => Loss::MeanAbsolute,
            "binary-cross-entropy" => Loss::BinaryCrossEntropy,
            "softmax-cross-entropy" => Loss::SoftmaxCrossEntropy,
            _ => return Err(NameError::unknown("loss", name, &Loss::NAMES)),
        };
        name::no_parameter(name, parameter)?;
        Ok(loss)
    }

    /// Whether z are logits: what the last layer gives without an activation.
    pub fn takes_logits(self) -> bool {
        matches!(self, Loss::BinaryCrossEntropy | Loss::SoftmaxCrossEntropy)
    }
}

/// What the outputs should have been.
#[derive(Debug, Clone, Copy)]
pub enum Targets<'a> {
    /// The class of each sample as a number: one row per panel. It stands for 1 at the output of
    /// that number and 0 elsewhere; with a single output, for itself (0 or 1).
    Classes(&'a [Row]),
    /// A number for each output, laid out as the outputs are.
    Numbers(&'a [Row]),
}

/// The targets of one panel, one variant spelt out.
trait PanelTargets: Copy {
    /// Of output `row`.
    fn at<S: Simd>(self, s: S, row: usize) -> S::V;
}

#[derive(Clone, Copy)]
struct Class<'a>(&'a Row);

impl PanelTargets for Class<'_> {
    #[inline(always)]
    fn at<S: Simd>(self, s: S, row: usize) -> S::V {
        let hit = s.eq(s.load(self.0), s.splat(row as f32));
        s.select(hit, s.splat(1.0), s.splat(0.0))
    }
}

#[derive(Clone, Copy)]
struct Numbers<'a>(&'a [Row]);

impl PanelTargets for Numbers<'_> {
    #[inline(always)]
    fn at<S: Simd>(self, s: S, row: usize) -> S::V {
        s.load(&self.0[row])
    }
}

/// (loss, its derivative by z) of one output, before the division by T.
#[inline(always)]
fn pointwise<S: Simd>(s: S, loss: Loss, z: S::V, y: S::V) -> (S::V, S::V) {
    let zero = s.splat(0.0);
    let e = s.sub(z, y);
    match loss {
        Loss::MeanSquared => (s.mul(e, e), s.add(e, e)),
        Loss::HalfSumSquares => (s.mul(s.mul(e, e), s.splat(0.5)), e),
        Loss::MeanAbsolute => {
            // 0 and NaN are their own sign.
            let sign = s.select(s.lt(e, zero), s.splat(-1.0), e);
            (s.abs(e), s.select(s.lt(zero, e), s.splat(1.0), sign))
        }
        Loss::Huber { delta } => {
            let clipped = s.max(s.splat(-delta), s.min(s.splat(delta), e));
            (s.mul(clipped, s.neg_mul_add(clipped, s.splat(0.5), e)), clipped)
        }
        Loss::BinaryCrossEntropy => {
            let (p, q) = math::sigmoid(s, z);
            // Near a certain and right answer both differences keep their digits: with y = 1 the
            // loss is the bend alone, and the slope -q.
            let value = s.add(s.neg_mul_add(z, y, s.max(zero, z)), math::bend(s, z));
            (value, s.neg_mul_add(q, y, s.mul(p, s.sub(s.splat(1.0), y))))
        }
        Loss::SoftmaxCrossEntropy => unreachable!("not a sum over outputs"),
    }
}

/// Replaces each row z by e^(z - max) and returns the sum of those and the maximum, per lane.
///
/// NaN may be lost from the maximum, but not from the sum.
#[inline(always)]
fn shifted_exp<S: Simd>(s: S, rows: &mut [Row]) -> (S::V, S::V) {
    let mut max = s.splat(f32::NEG_INFINITY);
    for z in &*rows {
        max = s.max(max, s.load(z));
    }
    let mut sum = s.splat(0.0);
    for z in rows {
        let x = math::exp(s, s.sub(s.load(z), max));
        s.store(z, x);
        sum = s.add(sum, x);
    }
    (sum, max)
}

/// Zero where the weight is, whatever the value.
#[inline(always)]
fn weigh<S: Simd>(s: S, weight: S::V, value: S::V) -> S::V {
    let zero = s.splat(0.0);
    s.select(s.eq(weight, zero), zero, s.mul(weight, value))
}

/// Panels of sixteen samples as lanes, with what is to be known of them.
pub struct LossPanels<'a> {
    /// Rows per panel of `values` and `gradient`; at least 1.
    pub outputs: usize,
    /// What the last layer gave, z.
    pub values: &'a [Row],
    /// What it should have given.
    pub targets: Targets<'a>,
    /// How much each sample counts: one row per panel.
    pub weights: &'a [Row],
    /// Is set to the derivative of the weighted loss by each output.
    pub gradient: &'a mut [Row],
    /// Is set to the weighted loss of each sample: one row per panel.
    pub losses: &'a mut [Row],
}

struct LossKernel<'a> {
    loss: Loss,
    panels: LossPanels<'a>,
}

impl LossKernel<'_> {
    /// All panels, one loss spelt out.
    #[inline(always)]
    fn sweep<S: Simd>(self, s: S, loss: Loss) {
        let LossPanels { outputs, values, targets, weights, gradient, losses } = self.panels;
        let panels = values.chunks_exact(outputs).zip(weights);
        let results = gradient.chunks_exact_mut(outputs).zip(losses);
        let inputs = panels.zip(results);
        match targets {
            Targets::Classes(classes) if outputs > 1 => {
                for (((z, weight), (delta, sum)), class) in inputs.zip(classes) {
                    panel(s, loss, z, Class(class), s.load(weight), delta, sum);
                }
            }
            Targets::Classes(numbers) | Targets::Numbers(numbers) => {
                let numbers = numbers.chunks_exact(outputs);
                for (((z, weight), (delta, sum)), y) in inputs.zip(numbers) {
                    panel(s, loss, z, Numbers(y), s.load(weight), delta, sum);
                }
            }
        }
    }
}

/// One panel: sixteen samples.
#[inline(always)]
fn panel<S: Simd>(
    s: S,
    loss: Loss,
    z: &[Row],
    targets: impl PanelTargets,
    weight: S::V,
    delta: &mut [Row],
    sum: &mut Row,
) {
    if loss == Loss::SoftmaxCrossEntropy {
        return softmax_panel(s, z, targets, weight, delta, sum);
    }
    let share = match loss {
        Loss::HalfSumSquares => weight,
        _ => s.mul(weight, s.splat(1.0 / z.len() as f32)),
    };
    let mut total = s.splat(0.0);
    for (row, (z, delta)) in z.iter().zip(delta).enumerate() {
        let (value, slope) = pointwise(s, loss, s.load(z), targets.at(s, row));
        total = s.add(total, value);
        s.store(delta, weigh(s, share, slope));
    }
    s.store(sum, weigh(s, share, total));
}

#[inline(always)]
fn softmax_panel<S: Simd>(
    s: S,
    z: &[Row],
    targets: impl PanelTargets,
    weight: S::V,
    delta: &mut [Row],
    sum: &mut Row,
) {
    delta.copy_from_slice(z);
    let (exps, max) = shifted_exp(s, delta);
    // Σ y, and Σ y (z - max).
    let (mut mass, mut hit) = (s.splat(0.0), s.splat(0.0));
    for (row, z) in z.iter().enumerate() {
        let y = targets.at(s, row);
        mass = s.add(mass, y);
        hit = s.mul_add(y, s.sub(s.load(z), max), hit);
    }
    let factor = s.div(mass, exps);
    for (row, delta) in delta.iter_mut().enumerate() {
        let slope = s.sub(s.mul(s.load(delta), factor), targets.at(s, row));
        s.store(delta, weigh(s, weight, slope));
    }
    let value = s.sub(s.mul(mass, math::ln(s, exps)), hit);
    s.store(sum, weigh(s, weight, value));
}

impl Kernel for LossKernel<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        match self.loss {
            Loss::MeanSquared => self.sweep(s, Loss::MeanSquared),
            Loss::HalfSumSquares => self.sweep(s, Loss::HalfSumSquares),
            Loss::MeanAbsolute => self.sweep(s, Loss::MeanAbsolute),
            Loss::Huber { delta } => self.sweep(s, Loss::Huber { delta }),
            Loss::BinaryCrossEntropy => self.sweep(s, Loss::BinaryCrossEntropy),
            Loss::SoftmaxCrossEntropy => self.sweep(s, Loss::SoftmaxCrossEntropy),
        }
    }
}

/// Computes the weighted loss of each sample, and its derivative by each output.
///
/// Both are exactly 0 where the weight is 0, as in padded lanes, whatever the values are there;
/// elsewhere NaN stays NaN. Equal bits whichever way the panels are cut into calls.
///
/// # Panics
/// There are no outputs, or a slice has another length.
pub fn loss(isa: Isa, loss: Loss, panels: LossPanels) {
    let (count, outputs) = (panels.weights.len(), panels.outputs);
    assert!(outputs > 0, "a network has outputs");
    assert_eq!(panels.values.len(), count * outputs, "a value per sample and output");
    assert_eq!(panels.gradient.len(), count * outputs, "a derivative per sample and output");
    assert_eq!(panels.losses.len(), count, "a loss per sample");
    match panels.targets {
        Targets::Classes(classes) => assert_eq!(classes.len(), count, "a class per sample"),
        Targets::Numbers(y) => assert_eq!(y.len(), count * outputs, "a target per output"),
    }
    isa.run(LossKernel { loss, panels });
}

/// How logits become probabilities.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Probabilities {
    /// e^z / Σ e^z over the outputs: one class of many.
    Softmax,
    /// 1 / (1 + e^-z) for each output by itself.
    Sigmoid,
}

struct Softmax<'a> {
    z: &'a mut [Row],
    outputs: usize,
}

impl Kernel for Softmax<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for panel in self.z.chunks_exact_mut(self.outputs) {
            let (sum, _) = shifted_exp(s, panel);
            let factor = s.div(s.splat(1.0), sum);
            for row in panel {
                let p = s.mul(s.load(row), factor);
                s.store(row, p);
            }
        }
    }
}

/// Replaces logits by probabilities; `z` has `outputs` rows per panel.
///
/// # Panics
/// `outputs` is 0 or does not divide the rows.
pub fn probabilities(isa: Isa, kind: Probabilities, z: &mut [Row], outputs: usize) {
    assert!(outputs > 0 && z.len().is_multiple_of(outputs), "outputs rows per panel");
    match kind {
        Probabilities::Sigmoid => forward(isa, Activation::Sigmoid, z),
        Probabilities::Softmax => isa.run(Softmax { z, outputs }),
    }
}

#[cfg(test)]
mod tests;

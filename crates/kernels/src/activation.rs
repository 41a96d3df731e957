//! Activation functions of panels, with their slopes for backpropagation.

use crate::Isa;
use crate::math;
use crate::name::{self, NameError};
use crate::simd::{Kernel, Row, Simd};

/// The function that a layer applies to each of its sums.
///
/// NaN goes in, NaN comes out, so that a diverged training is seen. At the kinks (0) the slope is
/// that of the negative side, as in PyTorch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Activation {
    /// z
    Identity,
    /// 1 / (1 + e^-z)
    Sigmoid,
    /// tanh z
    Tanh,
    /// max(0, z)
    Relu,
    /// z above 0, `slope` z below.
    LeakyRelu {
        /// The factor of negative z.
        slope: f32,
    },
    /// z above 0, `alpha` (e^z - 1) below.
    Elu {
        /// Minus the limit at minus infinity.
        alpha: f32,
    },
    /// z Φ(z), Φ the normal distribution function (by erf, not its tanh approximation).
    Gelu,
    /// z / (1 + e^-z)
    Silu,
    /// ln(1 + e^z)
    Softplus,
}

impl Activation {
    /// Every name that [`from_name`](Self::from_name) takes.
    pub const NAMES: [&str; 9] =
        ["identity", "sigmoid", "tanh", "relu", "leaky-relu", "elu", "gelu", "silu", "softplus"];

    /// Its name in configurations and model files.
    pub fn name(self) -> &'static str {
        match self {
            Activation::Identity => "identity",
            Activation::Sigmoid => "sigmoid",
            Activation::Tanh => "tanh",
            Activation::Relu => "relu",
            Activation::LeakyRelu { .. } => "leaky-relu",
            Activation::Elu { .. } => "elu",
            Activation::Gelu => "gelu",
            Activation::Silu => "silu",
            Activation::Softplus => "softplus",
        }
    }

    /// Its parameter, if it has one: the slope of leaky ReLU, the alpha of ELU.
    pub fn parameter(self) -> Option<f32> {
        match self {
            Activation::LeakyRelu { slope } => Some(slope),
            Activation::Elu { alpha } => Some(alpha),
            _ => None,
        }
    }

    /// The activation of this name. Left out, the slope of leaky ReLU is 0.01, the alpha of ELU 1.
    ///
    /// # Errors
    /// No such name, a parameter where none belongs, or one that is not finite.
    pub fn from_name(name: &str, parameter: Option<f32>) -> Result<Activation, NameError> {
        let activation = match name {
            "leaky-relu" => {
                let slope = name::parameter(name, parameter, 0.01, false)?;
                return Ok(Activation::LeakyRelu { slope });
            }
            "elu" => {
                let alpha = name::parameter(name, parameter, 1.0, false)?;
                return Ok(Activation::Elu { alpha });
            }
            "identity" => Activation::Identity,
            "sigmoid" => Activation::Sigmoid,
            "tanh" => Activation::Tanh,
            "relu" => Activation::Relu,
            "gelu" => Activation::Gelu,
            "silu" => Activation::Silu,
            "softplus" => Activation::Softplus,
            _ => return Err(NameError::unknown("activation", name, &Activation::NAMES)),
        };
        name::no_parameter(name, parameter)?;
        Ok(activation)
    }
}

/// (f(z), f'(z)). What the caller drops is not computed.
#[inline(always)]
pub(crate) fn apply<S: Simd>(s: S, activation: Activation, z: S::V) -> (S::V, S::V) {
    let (zero, one) = (s.splat(0.0), s.splat(1.0));
    let positive = s.lt(zero, z);
    match activation {
        Activation::Identity => (z, one),
        Activation::Sigmoid => {
            let (value, complement) = math::sigmoid(s, z);
            (value, s.mul(value, complement))
        }
        Activation::Tanh => {
            let value = math::tanh(s, z);
            (value, s.neg_mul_add(value, value, one))
        }
        Activation::Relu => (s.max(zero, z), s.select(positive, one, zero)),
        // No select between z and another value: compilers make a masked store of it, which is slow.
        Activation::LeakyRelu { slope } => {
            let slope = s.select(positive, one, s.splat(slope));
            (s.mul(slope, z), slope)
        }
        Activation::Elu { alpha } => {
            // e^z - 1 is -1 to the last bit from -17.4 down.
            let curve = math::exp_m1(s, s.max(s.splat(-20.0), s.min(zero, z)));
            let alpha = s.splat(alpha);
            let slope = s.select(positive, one, s.mul_add(alpha, curve, alpha));
            (s.mul_add(alpha, curve, s.max(zero, z)), slope)
        }
        Activation::Gelu => {
            let (distribution, density) = math::normal(s, z);
            (s.mul(z, distribution), s.mul_add(z, density, distribution))
        }
        Activation::Silu => {
            let (value, complement) = math::sigmoid(s, z);
            (s.mul(z, value), s.mul(value, s.mul_add(z, complement, one)))
        }
        Activation::Softplus => (math::softplus(s, z), math::sigmoid(s, z).0),
    }
}

/// Calls `$call` with `$activation` spelt out per variant, so that the match of an inlined
/// [`apply`] is decided outside the loop.
macro_rules! per_variant {
    ($activation:expr, |$known:ident| $call:expr) => {
        match $activation {
            Activation::Identity => per_variant!(@ $known, Activation::Identity, $call),
            Activation::Sigmoid => per_variant!(@ $known, Activation::Sigmoid, $call),
            Activation::Tanh => per_variant!(@ $known, Activation::Tanh, $call),
            Activation::Relu => per_variant!(@ $known, Activation::Relu, $call),
            Activation::LeakyRelu { slope } => {
                per_variant!(@ $known, Activation::LeakyRelu { slope }, $call)
            }
            Activation::Elu { alpha } => {
                per_variant!(@ $known, Activation::Elu { alpha }, $call)
            }
            Activation::Gelu => per_variant!(@ $known, Activation::Gelu, $call),
            Activation::Silu => per_variant!(@ $known, Activation::Silu, $call),
            Activation::Softplus => per_variant!(@ $known, Activation::Softplus, $call),
        }
    };
    (@ $known:ident, $variant:expr, $call:expr) => {{
        let $known = $variant;
        $call
    }};
}

struct ForwardTrain<'a> {
    activation: Activation,
    z: &'a mut [Row],
    slope: &'a mut [Row],
}

impl ForwardTrain<'_> {
    #[inline(always)]
    fn sweep<S: Simd>(self, s: S, activation: Activation) {
        for (z, slope) in self.z.iter_mut().zip(self.slope) {
            let (f, df) = apply(s, activation, s.load(z));
            s.store(z, f);
            s.store(slope, df);
        }
    }
}

impl Kernel for ForwardTrain<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        per_variant!(self.activation, |known| self.sweep(s, known))
    }
}

/// For training: replaces each z by f(z) and sets `slope` to f'(z).
///
/// # Panics
/// The slices differ in length.
pub fn forward_train(isa: Isa, activation: Activation, z: &mut [Row], slope: &mut [Row]) {
    assert_eq!(z.len(), slope.len(), "one slope per value");
    isa.run(ForwardTrain { activation, z, slope });
}

struct Forward<'a> {
    activation: Activation,
    z: &'a mut [Row],
}

impl Forward<'_> {
    #[inline(always)]
    fn sweep<S: Simd>(self, s: S, activation: Activation) {
        for z in self.z {
            let (f, _) = apply(s, activation, s.load(z));
            s.store(z, f);
        }
    }
}

impl Kernel for Forward<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        per_variant!(self.activation, |known| self.sweep(s, known))
    }
}

/// For inference: replaces each z by f(z), with the same bits as [`forward_train`].
pub fn forward(isa: Isa, activation: Activation, z: &mut [Row]) {
    if activation != Activation::Identity {
        isa.run(Forward { activation, z });
    }
}

struct Of<'a> {
    activation: Activation,
    z: &'a [Row],
    value: &'a mut [Row],
}

impl Of<'_> {
    #[inline(always)]
    fn sweep<S: Simd>(self, s: S, activation: Activation) {
        for (z, value) in self.z.iter().zip(self.value) {
            s.store(value, apply(s, activation, s.load(z)).0);
        }
    }
}

impl Kernel for Of<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        per_variant!(self.activation, |known| self.sweep(s, known))
    }
}

/// Sets `value` to f(z), with the bits of [`forward`].
///
/// # Panics
/// The slices differ in length.
pub fn of(isa: Isa, activation: Activation, z: &[Row], value: &mut [Row]) {
    assert_eq!(z.len(), value.len(), "one value per z");
    isa.run(Of { activation, z, value });
}

struct OfTrain<'a> {
    activation: Activation,
    z: &'a [Row],
    value: &'a mut [Row],
    slope: &'a mut [Row],
}

impl OfTrain<'_> {
    #[inline(always)]
    fn sweep<S: Simd>(self, s: S, activation: Activation) {
        for ((z, value), slope) in self.z.iter().zip(self.value).zip(self.slope) {
            let (f, df) = apply(s, activation, s.load(z));
            s.store(value, f);
            s.store(slope, df);
        }
    }
}

impl Kernel for OfTrain<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        per_variant!(self.activation, |known| self.sweep(s, known))
    }
}

/// Sets `value` to f(z) and `slope` to f'(z), with the bits of [`forward_train`].
///
/// # Panics
/// The slices differ in length.
pub fn of_train(isa: Isa, activation: Activation, z: &[Row], value: &mut [Row], slope: &mut [Row]) {
    assert_eq!(z.len(), value.len(), "one value per z");
    assert_eq!(z.len(), slope.len(), "one slope per z");
    isa.run(OfTrain { activation, z, value, slope });
}

struct Chain<'a> {
    gradient: &'a [Row],
    slope: &'a mut [Row],
}

impl Kernel for Chain<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for (slope, gradient) in self.slope.iter_mut().zip(self.gradient) {
            let product = s.mul(s.load(gradient), s.load(slope));
            s.store(slope, product);
        }
    }
}

/// The chain rule: multiplies each slope f'(z) by the gradient of f(z), which gives that of z.
///
/// # Panics
/// The slices differ in length.
pub fn chain(isa: Isa, gradient: &[Row], slope: &mut [Row]) {
    assert_eq!(gradient.len(), slope.len(), "one gradient per slope");
    isa.run(Chain { gradient, slope });
}

#[cfg(test)]
mod tests;

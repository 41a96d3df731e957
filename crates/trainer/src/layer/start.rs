//! How start weights are drawn, by name.

use crate::config::error::{ConfigError, require};
use crate::names::named;
use crate::network::init::Init;
use gristmill_kernels::Activation;

named! {
    /// How start weights are drawn, by name.
    pub enum InitKind {
        /// `he` before the relu family, `xavier` otherwise.
        Auto = "auto",
        /// Evenly in -scale..scale; default scale 0.05.
        Uniform = "uniform",
        /// Normally with deviation scale; default scale 0.05.
        Normal = "normal",
        /// Glorot's: evenly in +-scale sqrt(6 / (inputs + outputs)); default scale 1.
        Xavier = "xavier",
        /// Normally with deviation scale sqrt(2 / inputs); default scale 1.
        He = "he",
        /// Normally with deviation scale sqrt(1 / inputs); default scale 1.
        Lecun = "lecun",
        /// All zero.
        Zeros = "zeros",
    }
}

/// How a layer's weights start, as far as it says so itself.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct OwnStart {
    pub(crate) init: Option<InitKind>,
    pub(crate) scale: Option<f64>,
}

/// How weights start where a layer does not say so.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SharedStart {
    pub(crate) init: InitKind,
    pub(crate) scale: Option<f64>,
}

/// Of one weight matrix: numbers that each of its sums adds up, and that each of its inputs goes into.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fan {
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
}

/// How the weights before this activation start in the layer of this key.
///
/// # Errors
/// The scale is not positive.
pub(crate) fn weights(
    key: &str,
    own: OwnStart,
    shared: SharedStart,
    fan: Fan,
    activation: Activation,
) -> Result<Init, ConfigError> {
    let kind = own.init.unwrap_or(shared.init);
    // A scale belongs to its scheme: a layer with its own scheme does not take the network's.
    let shared_scale = shared.scale.filter(|_| own.init.is_none());
    let scale = own.scale.or(shared_scale);
    if let Some(scale) = scale {
        let section = if own.scale.is_some() { key } else { "network" };
        require(&format!("{section}.init_scale"), scale, scale > 0.0, "a positive number")?;
    }
    let factor = scale.unwrap_or(1.0);
    Ok(match kind {
        InitKind::Auto if is_one_sided(activation) => Init::he(factor, fan.inputs),
        InitKind::Auto | InitKind::Xavier => Init::xavier(factor, fan.inputs, fan.outputs),
        InitKind::Uniform => Init::Uniform { limit: scale.unwrap_or(0.05) },
        InitKind::Normal => Init::Normal { deviation: scale.unwrap_or(0.05) },
        InitKind::He => Init::he(factor, fan.inputs),
        InitKind::Lecun => Init::lecun(factor, fan.inputs),
        InitKind::Zeros => Init::Zeros,
    })
}

/// Whether about half of the outputs are nearly 0, so that start weights must be larger.
fn is_one_sided(activation: Activation) -> bool {
    use Activation::*;
    matches!(activation, Relu | LeakyRelu { .. } | Elu { .. } | Gelu | Silu)
}

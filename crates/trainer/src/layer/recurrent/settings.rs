//! What a configuration says of a recurrent layer.

use super::series::{Cell, Recurrent};
use crate::config::error::ConfigError;
use crate::layer::Kind;
use crate::layer::settings::{MAX_PARAMETERS, MAX_UNITS, Planned, Planning};
use crate::names::named;
use crate::network::init::Init;
use serde::{Deserialize, Serialize};

named! {
    /// In which direction a recurrent layer goes through the steps.
    pub enum Direction {
        /// From the first to the last.
        Forward = "forward",
        /// From the last to the first.
        Backward = "backward",
    }
}

named! {
    /// Which states a recurrent layer gives.
    pub enum Gives {
        /// That after the last step alone.
        Last = "last",
        /// Those after all steps, as a series.
        All = "all",
    }
}

/// A gated recurrent unit over the steps of a series.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GruConfig {
    /// Units of its state.
    pub units: usize,
    /// `last` (the default) or `all`: which states it gives.
    pub gives: Option<Gives>,
    /// `forward` (the default) or `backward`. For both, two layers of the same input and a concat.
    pub direction: Option<Direction>,
}

/// A long short-term memory over the steps of a series.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LstmConfig {
    /// Units of its state.
    pub units: usize,
    /// `last` (the default) or `all`: which states it gives.
    pub gives: Option<Gives>,
    /// `forward` (the default) or `backward`. For both, two layers of the same input and a concat.
    pub direction: Option<Direction>,
}

impl GruConfig {
    pub(crate) fn plan(&self, at: &Planning<'_>) -> Result<Planned, ConfigError> {
        plan(at, Cell::Gru, self.units, self.gives, self.direction)
    }
}

impl LstmConfig {
    pub(crate) fn plan(&self, at: &Planning<'_>) -> Result<Planned, ConfigError> {
        plan(at, Cell::Lstm, self.units, self.gives, self.direction)
    }
}

/// All weights start evenly in +-1 / sqrt(units), as in PyTorch; the forget gate of an LSTM starts open, with a
/// bias of 1 (Jozefowicz et al. 2015).
fn plan(
    at: &Planning<'_>,
    cell: Cell,
    units: usize,
    gives: Option<Gives>,
    direction: Option<Direction>,
) -> Result<Planned, ConfigError> {
    let input = at.input()?;
    if input.height != 1 || input.width < 2 {
        return Err(at.misfit(input, "a series: STEPSxCHANNELS, as --shape says it"));
    }
    at.at_least_one("units", units)?;
    let numbers = (units.saturating_mul(cell.gates())).saturating_mul(input.channels + units);
    if units > MAX_UNITS || numbers > MAX_PARAMETERS {
        let expected = format!("expected at most {MAX_PARAMETERS} parameters");
        return Err(at.wrong("units", units, expected));
    }
    let is_reversed = direction == Some(Direction::Backward);
    let layer = Recurrent::new(cell, input, units, is_reversed, gives == Some(Gives::All));
    let even = Init::Uniform { limit: 1.0 / (units as f64).sqrt() };
    let mut start = vec![even.clone(), even];
    match cell {
        Cell::Gru => start.extend([Init::Zeros, Init::Zeros]),
        Cell::Lstm => {
            let is_forget = |gate: usize| (units..2 * units).contains(&gate);
            let bias = (0..4 * units).map(|gate| f32::from(u8::from(is_forget(gate))));
            start.push(Init::Explicit(bias.collect()));
        }
    }
    Ok(Planned { layer: Kind::Recurrent(layer), start })
}

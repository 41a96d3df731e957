//! Positions: adds a learned vector to each position, so that layers to which all are alike can tell them apart.

use super::interface::{Backward, Forward, Layer};
use super::parameters::{Block, Parameters, Role};
use super::settings::{Planned, Planning};
use super::{Kind, View};
use crate::config::error::ConfigError;
use crate::network::init::Init;
use gristmill_kernels::{self as kernels, LANES, Panels, elementwise, panels};
use serde::{Deserialize, Serialize};

/// A learned number for each channel of each position, which is added.
#[derive(Debug, Clone, PartialEq)]
pub struct Positions {
    view: View,
    block: [Block; 1],
}

/// A learned vector for each position, which is added to what comes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PositionsConfig {}

impl PositionsConfig {
    pub(crate) fn plan(&self, at: &Planning<'_>) -> Result<Planned, ConfigError> {
        let layer = Positions::new(at.input()?);
        Ok(Planned { layer: Kind::Positions(layer), start: vec![Init::Normal { deviation: 0.02 }] })
    }
}

impl Positions {
    /// For an input arranged so.
    pub fn new(view: View) -> Positions {
        let block = Block {
            name: "position",
            shape: vec![view.positions(), view.channels],
            rows: panels(view.units()),
            role: Role::Offset,
        };
        Positions { view, block: [block] }
    }

    /// How its input is arranged, and its values.
    pub fn view(&self) -> View {
        self.view
    }
}

impl Layer for Positions {
    fn output(&self) -> View {
        self.view
    }

    fn parameters(&self) -> Parameters<'_> {
        Parameters::Shared(&self.block)
    }

    fn work(&self) -> usize {
        self.view.units()
    }

    /// A sum for each number, with the lanes apart.
    fn scratch(&self, _columns: usize) -> usize {
        self.view.units()
    }

    fn forward(&self, at: Forward<'_>) {
        let units = self.view.units();
        let learned = at.weights.shared.as_flattened();
        let input = at.inputs.get(0).chunks_exact(units);
        for (output, input) in at.output.chunks_exact_mut(units).zip(input) {
            for ((output, input), learned) in output.iter_mut().zip(input).zip(learned) {
                *output = input.map(|value| value + learned);
            }
        }
    }

    fn backward(&self, mut at: Backward<'_>) {
        let units = self.view.units();
        let sums = &mut at.scratch[..units];
        sums.fill([0.0; LANES]);
        kernels::accumulate_rows(at.isa, Panels::new(at.error, units), sums);
        elementwise::add_totals(at.isa, sums, at.gradient);
        if let Some(target) = at.upstream.target(0) {
            target.hand_on(at.isa, at.error);
        }
    }
}

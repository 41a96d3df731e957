//! Concat: at each position the channels of several values, one after the other.

use super::interface::{Backward, Forward, Layer};
use super::parameters::Parameters;
use super::settings::{Planned, Planning};
use super::{Kind, View};
use crate::config::error::ConfigError;
use gristmill_kernels::{Panels, PanelsMut, elementwise};
use serde::{Deserialize, Serialize};

/// The channels of its inputs side by side.
#[derive(Debug, Clone, PartialEq)]
pub struct Concat {
    /// How its values are arranged.
    pub view: View,
    /// Channels of each input.
    pub channels: Vec<usize>,
}

/// The channels of the layers named in `from`, one after the other.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConcatConfig {}

impl ConcatConfig {
    pub(crate) fn plan(&self, at: &Planning<'_>) -> Result<Planned, ConfigError> {
        let &[first, .., _] = at.inputs else {
            return Err(at.wrong("from", "fewer", "name at least two layers"));
        };
        let fits = |view: &&View| (view.height, view.width) == (first.height, first.width);
        if let Some(other) = at.inputs.iter().find(|view| !fits(view)) {
            let positions = View { channels: 1, ..first }.positions();
            let needs = format!("{positions} positions, as the first in `from` ({first})");
            return Err(at.misfit(*other, needs));
        }
        let channels: Vec<usize> = at.inputs.iter().map(|view| view.channels).collect();
        let view = View { channels: channels.iter().sum(), ..first };
        Ok(Planned::bare(Kind::Concat(Concat { view, channels })))
    }
}

impl Concat {
    /// For each input and position: the input, its first channel here, and the position.
    fn pieces(&self) -> impl Iterator<Item = (usize, usize, usize)> + '_ {
        let starts = self.channels.iter().scan(0, |next, channels| {
            let start = *next;
            *next += channels;
            Some(start)
        });
        let positions = self.view.positions();
        starts.enumerate().flat_map(move |(input, start)| {
            (0..positions).map(move |position| (input, start, position))
        })
    }
}

impl Layer for Concat {
    fn output(&self) -> View {
        self.view
    }

    fn parameters(&self) -> Parameters<'_> {
        Parameters::None
    }

    fn work(&self) -> usize {
        0
    }

    fn forward(&self, at: Forward<'_>) {
        for (input, start, position) in self.pieces() {
            let width = self.channels[input];
            let from = Panels::new(at.inputs.get(input), width * self.view.positions());
            let own = position * self.view.channels + start;
            elementwise::copy(
                at.isa,
                from.rows(position * width..(position + 1) * width),
                PanelsMut::new(at.output, self.view.units()).rows(own..own + width),
                false,
            );
        }
    }

    fn backward(&self, mut at: Backward<'_>) {
        for (input, start, position) in self.pieces() {
            let width = self.channels[input];
            let Some(target) = at.upstream.target(input) else { continue };
            let own = position * self.view.channels + start;
            let into = PanelsMut::new(target.rows, width * self.view.positions());
            elementwise::copy(
                at.isa,
                Panels::new(at.error, self.view.units()).rows(own..own + width),
                into.rows(position * width..(position + 1) * width),
                target.add,
            );
        }
    }
}

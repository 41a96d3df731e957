//! Pooling: the largest or the mean of each window of positions, channel by channel.

mod ends;

use super::interface::{Backward, Forward, Layer};
use super::parameters::Parameters;
use super::settings::{Planned, Planning};
use super::window::{Lengths, Padding, fit};
use super::{Kind, View};
use crate::config::error::ConfigError;
use crate::names::named;
use gristmill_kernels::Row;
use gristmill_kernels::pooling::{self, Windows};
use serde::{Deserialize, Serialize};

named! {
    /// What becomes of a window.
    pub enum PoolFunction {
        /// Its largest value.
        Max = "max",
        /// The mean of its values; what lies beyond the image does not count.
        Average = "average",
    }
}

/// One value for each window and channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Pool {
    /// The windows.
    pub windows: Windows,
    /// What becomes of each.
    pub function: PoolFunction,
}

/// The largest or the mean of each window.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PoolConfig {
    /// Height and width of a window, or one number for both.
    pub window: Lengths,
    /// `max` (the default) or `average`.
    pub function: Option<PoolFunction>,
    /// From one window to the next; the window's size if left out.
    pub stride: Option<Lengths>,
    /// `valid` (none, the default), `same`, or a number.
    pub padding: Option<Padding>,
}

/// The mean or the largest over all positions.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GlobalPoolConfig {
    /// `average` (the default) or `max`.
    pub function: Option<PoolFunction>,
}

impl PoolConfig {
    pub(crate) fn plan(&self, at: &Planning<'_>) -> Result<Planned, ConfigError> {
        let input = at.input()?;
        let stride = self.stride.as_ref().unwrap_or(&self.window);
        let size = ("window", &self.window);
        let window = fit(at, input, size, Some(stride), None, self.padding.as_ref())?;
        let windows = Windows {
            channels: input.channels,
            image: [input.height, input.width],
            window: window.size,
            stride: window.stride,
            padding: window.padding,
            output: window.output,
        };
        let function = self.function.unwrap_or(PoolFunction::Max);
        Ok(Planned::bare(Kind::Pool(Pool { windows, function })))
    }
}

impl GlobalPoolConfig {
    pub(crate) fn plan(&self, at: &Planning<'_>) -> Result<Planned, ConfigError> {
        let View { height, width, channels } = at.input()?;
        let windows = Windows {
            channels,
            image: [height, width],
            window: [height, width],
            stride: [1, 1],
            padding: [0, 0],
            output: [1, 1],
        };
        let function = self.function.unwrap_or(PoolFunction::Average);
        Ok(Planned::bare(Kind::Pool(Pool { windows, function })))
    }
}

impl PoolFunction {
    fn kernel(self) -> pooling::Pool {
        match self {
            PoolFunction::Max => pooling::Pool::Max,
            PoolFunction::Average => pooling::Pool::Average,
        }
    }
}

impl Pool {
    /// Whether one window sees all positions.
    pub fn is_global(&self) -> bool {
        self.windows.output == [1, 1] && self.windows.window == self.windows.image
    }

    /// Where samples end, if that matters: other windows see zeros beyond.
    fn global<'a>(&self, ends: Option<&'a [Row]>) -> Option<&'a [Row]> {
        ends.filter(|_| self.is_global())
    }
}

impl Layer for Pool {
    fn output(&self) -> View {
        let [height, width] = self.windows.output;
        View { height, width, channels: self.windows.channels }
    }

    fn parameters(&self) -> Parameters<'_> {
        Parameters::None
    }

    fn work(&self) -> usize {
        let [height, width] = self.windows.window;
        self.output().units() * height * width
    }

    fn forward(&self, at: Forward<'_>) {
        let input = at.inputs.get(0);
        if let Some(ends) = self.global(at.ends) {
            let is_max = self.function == PoolFunction::Max;
            return ends::forward(is_max, self.windows.channels, input, ends, at.output);
        }
        pooling::forward(at.isa, self.function.kernel(), &self.windows, input, at.output);
    }

    fn backward(&self, mut at: Backward<'_>) {
        let Some(target) = at.upstream.target(0) else { return };
        if let Some(ends) = self.global(at.ends) {
            let backward = ends::Backward {
                x: target.input,
                y: at.output,
                errors: at.error,
                ends,
                input_errors: target.rows,
                add: target.add,
            };
            let is_max = self.function == PoolFunction::Max;
            return ends::backward(is_max, self.windows.channels, backward);
        }
        let backward = pooling::Backward {
            x: target.input,
            y: at.output,
            errors: at.error,
            input_errors: target.rows,
            add: target.add,
        };
        pooling::backward(at.isa, self.function.kernel(), &self.windows, backward);
    }
}

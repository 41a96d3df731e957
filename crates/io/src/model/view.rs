//! Views: how the values of a node are arranged.

use std::fmt;

/// Height x width positions of channels, numbered position by position. Plain numbers are channels at a single
/// position, a series is one high.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View {
    /// Rows of positions.
    pub height: usize,
    /// Positions of a row, or steps.
    pub width: usize,
    /// Values at each position.
    pub channels: usize,
}

impl View {
    /// Plain numbers.
    pub const fn flat(channels: usize) -> View {
        View { height: 1, width: 1, channels }
    }

    /// All values; `usize::MAX` where there are more.
    pub fn units(self) -> usize {
        self.height.saturating_mul(self.width).saturating_mul(self.channels)
    }
}

impl fmt::Display for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.height, self.width) {
            (1, 1) => write!(f, "{}", self.channels),
            (1, width) => write!(f, "{width}x{}", self.channels),
            (height, width) => write!(f, "{height}x{width}x{}", self.channels),
        }
    }
}

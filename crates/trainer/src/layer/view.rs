//! Views: how the values of a layer are arranged.

use std::fmt;

/// Positions by channels: an image is height x width x channels, a series is one high, and plain numbers
/// are channels at a single position.
///
/// The values of a sample are numbered position by position, and within one channel by channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View {
    /// Rows of positions.
    pub height: usize,
    /// Positions of a row, or steps of a series.
    pub width: usize,
    /// Values at each position.
    pub channels: usize,
}

impl View {
    /// Plain numbers.
    pub const fn flat(channels: usize) -> View {
        View { height: 1, width: 1, channels }
    }

    /// Pixels, or steps of a series.
    pub const fn positions(self) -> usize {
        self.height * self.width
    }

    /// All values of a sample.
    pub const fn units(self) -> usize {
        self.positions() * self.channels
    }
}

/// `28x28x1`, `100x13`, `64`.
impl fmt::Display for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.height, self.width) {
            (1, 1) => write!(f, "{}", self.channels),
            (1, width) => write!(f, "{width}x{}", self.channels),
            (height, width) => write!(f, "{height}x{width}x{}", self.channels),
        }
    }
}

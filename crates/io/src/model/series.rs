//! Windows of a series: which rows a sample has, where a data set is a series of rows in the order of time.

use serde::{Deserialize, Serialize};

/// A sample has `window` consecutive rows, and its target stands in the row `horizon` rows after the last of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Series {
    /// Rows of a sample; at least 1.
    pub window: u32,
    /// From the last row of a window to that of its target; 0 is the last row itself.
    pub horizon: u32,
}

impl Series {
    /// Rows from the first of a window to that of its target, with both; at least 1.
    pub fn span(self) -> u64 {
        u64::from(self.window) + u64::from(self.horizon)
    }

    /// How many windows `rows` rows have whose target is among them.
    pub fn windows(self, rows: u64) -> u64 {
        (rows + 1).saturating_sub(self.span())
    }

    /// How many windows `rows` rows have, whether or not their target is among them.
    pub fn windows_to_predict(self, rows: u64) -> u64 {
        (rows + 1).saturating_sub(u64::from(self.window))
    }

    /// The row that the target of a window stands in; both counted from 0, and a window by its first row.
    pub fn target_row(self, window: u64) -> u64 {
        window + self.span() - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_counted() {
        let series = Series { window: 3, horizon: 2 };
        // Of 7 rows: 0 1 2 _ 4, 1 2 3 _ 5, 2 3 4 _ 6; and for what comes after them 3 4 5 and 4 5 6.
        assert_eq!((series.windows(7), series.windows_to_predict(7)), (3, 5));
        assert_eq!(series.target_row(2), 6);
        assert_eq!((series.windows(5), series.windows(4), series.windows(0)), (1, 0, 0));
        assert_eq!((series.windows_to_predict(3), series.windows_to_predict(2)), (1, 0));
        let last = Series { window: 2, horizon: 0 };
        assert_eq!((last.windows(2), last.target_row(0)), (1, 1));
    }
}

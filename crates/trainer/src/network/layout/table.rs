//! Tables in the arenas: row after row, without padding between them, cut into parts that tasks own.

use super::cut::cut;
use crate::layer::parameters::Table;
use gristmill_kernels::LANES;
use std::ops::Range;

/// Most parts of a table: enough to share out evenly on many threads.
const PARTS: usize = 256;

/// Fewest categories of a part, so that small tables are not cut up.
const LEAST_CATEGORIES: usize = 64;

/// A part of a table.
#[derive(Debug, Clone)]
pub(crate) struct TablePart {
    /// The node that has the table.
    pub(crate) node: usize,
    /// Its place among the parts of all tables.
    pub(crate) index: usize,
    /// The whole table.
    pub(crate) table: Table,
    /// The categories that it has.
    pub(crate) categories: Range<usize>,
    /// Their rows in the arenas.
    pub(crate) rows: Range<usize>,
}

impl TablePart {
    /// The parts of a node's table whose rows in the arenas begin at `start`, if `before` parts of other tables
    /// come first. Sixteen categories are whole rows of an arena, so parts begin at multiples of that.
    pub(super) fn parts(node: usize, table: Table, start: usize, before: usize) -> Vec<TablePart> {
        let Table { categories, width, .. } = table;
        let longest = categories.div_ceil(PARTS).max(LEAST_CATEGORIES).next_multiple_of(LANES);
        let row = |category: usize| start + (category * width).div_ceil(LANES);
        let part = |(i, categories): (usize, Range<usize>)| TablePart {
            node,
            index: before + i,
            table,
            rows: row(categories.start)..row(categories.end),
            categories,
        };
        cut(categories, LANES, longest).into_iter().enumerate().map(part).collect()
    }
}

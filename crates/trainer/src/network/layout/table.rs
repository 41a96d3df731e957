//! Tables in the arenas: row after row, without padding between them, cut into parts that tasks own.

use crate::layer::parameters::Table;
use gristmill_kernels::LANES;
use std::ops::Range;

/// A part of a table.
#[derive(Debug, Clone)]
pub(crate) struct TablePart {
    /// The node that has the table.
    pub(crate) node: usize,
    /// Its place among the parts of its table.
    pub(crate) number: usize,
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
        let row = |category: usize| start + (category * width).div_ceil(LANES);
        let part = |number: usize| {
            let first = number << table.part_bits();
            let categories = first..categories.min(first + (1 << table.part_bits()));
            let rows = row(categories.start)..row(categories.end);
            TablePart { node, number, index: before + number, table, rows, categories }
        };
        (0..table.parts()).map(part).collect()
    }
}

//! The one layout of every matrix: panels of sixteen columns.
//!
//! A matrix of `rows` x `cols` is stored as `ceil(cols / 16)` panels, one after the other, each
//! holding `rows` [`Row`]s of 16 columns (the last is padded with zeros). All three products of a
//! dense layer read and write this layout, so nothing is ever packed or copied between them:
//!
//! | operand                      | rows    | columns (lanes) |
//! | ---------------------------- | ------- | --------------- |
//! | weights W                    | outputs | inputs          |
//! | activations X, errors D      | units   | samples         |
//! | activations transposed, X'   | samples | units           |
//!
//! forward Z = W X, backward W' D, gradient D X'.

use crate::simd::{LANES, Row};
use std::ops::Range;

/// How many panels hold this many columns.
pub const fn panels(cols: usize) -> usize {
    cols.div_ceil(LANES)
}

/// A read-only matrix in panels: some consecutive rows of each of its panels.
#[derive(Clone, Copy)]
pub struct Panels<'a> {
    data: &'a [Row],
    stride: usize,
    first: usize,
    rows: usize,
    panels: usize,
}

/// A matrix in panels that is written to.
pub struct PanelsMut<'a> {
    data: &'a mut [Row],
    stride: usize,
    first: usize,
    rows: usize,
    panels: usize,
}

/// How many panels of `rows` rows `data` holds. The division is done once a matrix: beside the product of a
/// small one it takes time.
///
/// # Panics
/// If that is no whole number.
fn whole_panels(data: &[Row], rows: usize) -> usize {
    let count = data.len().checked_div(rows).unwrap_or(0);
    assert!(rows > 0 && count * rows == data.len(), "whole panels of {rows} rows");
    count
}

impl<'a> Panels<'a> {
    /// All of a matrix of `rows` rows; `data` holds a whole number of panels.
    ///
    /// # Panics
    /// If `data` is no whole number of panels.
    pub fn new(data: &'a [Row], rows: usize) -> Self {
        Panels { data, stride: rows, first: 0, rows, panels: whole_panels(data, rows) }
    }

    /// The submatrix of these rows.
    pub fn rows(self, range: Range<usize>) -> Self {
        assert!(range.start <= range.end && range.end <= self.rows, "rows {range:?}");
        Panels { first: self.first + range.start, rows: range.len(), ..self }
    }

    /// The submatrix of these panels.
    pub fn panels(self, range: Range<usize>) -> Self {
        let data = &self.data[range.start * self.stride..range.end * self.stride];
        Panels { data, panels: range.len(), ..self }
    }

    /// Number of rows.
    #[inline(always)]
    pub fn row_count(&self) -> usize {
        self.rows
    }

    /// Number of panels.
    #[inline(always)]
    pub fn panel_count(&self) -> usize {
        self.panels
    }

    /// The rows of one panel.
    #[inline(always)]
    pub(crate) fn panel(&self, panel: usize) -> &'a [Row] {
        &self.data[panel * self.stride + self.first..][..self.rows]
    }
}

impl<'a> PanelsMut<'a> {
    /// All of a matrix of `rows` rows; `data` holds a whole number of panels.
    ///
    /// # Panics
    /// If `data` is no whole number of panels.
    pub fn new(data: &'a mut [Row], rows: usize) -> Self {
        let panels = whole_panels(data, rows);
        PanelsMut { data, stride: rows, first: 0, rows, panels }
    }

    /// The submatrix of these rows.
    pub fn rows(self, range: Range<usize>) -> Self {
        assert!(range.start <= range.end && range.end <= self.rows, "rows {range:?}");
        PanelsMut { first: self.first + range.start, rows: range.len(), ..self }
    }

    /// Number of rows.
    #[inline(always)]
    pub fn row_count(&self) -> usize {
        self.rows
    }

    /// Number of panels.
    #[inline(always)]
    pub fn panel_count(&self) -> usize {
        self.panels
    }

    /// The rows of one panel.
    #[inline(always)]
    pub(crate) fn panel(&self, panel: usize) -> &[Row] {
        &self.data[panel * self.stride + self.first..][..self.rows]
    }

    /// The rows of one panel.
    #[inline(always)]
    pub(crate) fn panel_mut(&mut self, panel: usize) -> &mut [Row] {
        &mut self.data[panel * self.stride + self.first..][..self.rows]
    }
}

//! Embedding: rows of a table by number, one for each index of a sample or all of them together.
//!
//! A table is `[categories][width]`, plain `f32`. Samples are lanes of what is gathered, so sixteen
//! rows of a table are turned at a time. On the way back the errors are turned once, to a row per
//! sample, and then added up category by category, for the categories that occur alone.

use crate::isa::Isa;
use crate::panels::{Panels, PanelsMut, panels};
use crate::simd::{Kernel, LANES, Row, Simd};
use std::ops::Range;

/// An index that stands for no row of a table: padding.
pub const NONE: u32 = u32::MAX;

/// Some columns of a matrix of indices.
#[derive(Clone)]
pub struct Indices<'a> {
    /// Row-major, a row per sample.
    pub values: &'a [u32],
    /// Indices of a row.
    pub stride: usize,
    /// Those that are meant.
    pub columns: Range<usize>,
}

impl Indices<'_> {
    /// Number of samples.
    pub fn samples(&self) -> usize {
        self.values.len() / self.stride
    }

    #[inline(always)]
    fn of(&self, sample: usize) -> &[u32] {
        &self.values[sample * self.stride..][self.columns.clone()]
    }

    fn check(&self, panel_count: usize) {
        let whole = self.stride > 0 && self.values.len().is_multiple_of(self.stride);
        assert!(whole, "rows of {} indices", self.stride);
        assert!(self.columns.end <= self.stride, "columns {:?} of {}", self.columns, self.stride);
        assert_eq!(panel_count, panels(self.samples()), "the panels of the samples");
    }
}

/// How the rows of a bag become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bag {
    /// They are added, in the order of the indices.
    Sum,
    /// They are added and divided by their number.
    Mean,
}

/// Sets rows `c * width..(c + 1) * width` of `out` to the rows of `table` that column `c` of the
/// indices names: 0 where it is [`NONE`], and in lanes beyond the samples.
///
/// # Panics
/// The shapes do not fit, or an index is neither a row of the table nor [`NONE`].
pub fn gather(isa: Isa, table: &[f32], width: usize, indices: &Indices<'_>, out: PanelsMut<'_>) {
    check_table(table, width);
    indices.check(out.panel_count());
    assert_eq!(out.row_count(), indices.columns.len() * width, "a row of the table per column");
    isa.run(Gather { table, width, indices, out });
}

/// Sets the `width` rows of `out` to the sum or mean of the rows of `table` that the indices of a
/// sample name: 0 if there are none, and in lanes beyond the samples.
///
/// # Panics
/// As [`gather`].
pub fn gather_bags(
    isa: Isa,
    bag: Bag,
    table: &[f32],
    width: usize,
    indices: &Indices<'_>,
    out: PanelsMut<'_>,
) {
    check_table(table, width);
    indices.check(out.panel_count());
    assert_eq!(out.row_count(), width, "one row of the table");
    isa.run(GatherBags { bag, table, width, indices, out });
}

/// Turns errors of `n` rows to `rows`, `[samples][n]`: for [`gather`], `n / width` errors of rows of
/// the table for each sample, in the order of the columns.
///
/// # Panics
/// The shapes do not fit.
pub fn error_rows(isa: Isa, errors: Panels<'_>, samples: usize, rows: &mut [f32]) {
    assert_eq!(errors.panel_count(), panels(samples), "the panels of the samples");
    assert_eq!(rows.len(), samples * errors.row_count(), "a row per sample");
    isa.run(ErrorRows { errors, divided_by: None, rows });
}

/// As [`error_rows`], for [`gather_bags`]: the error of each row that was added up for the sample.
///
/// # Panics
/// The shapes do not fit.
pub fn bag_error_rows(
    isa: Isa,
    bag: Bag,
    indices: &Indices<'_>,
    errors: Panels<'_>,
    rows: &mut [f32],
) {
    indices.check(errors.panel_count());
    assert_eq!(rows.len(), indices.samples() * errors.row_count(), "a row per sample");
    let divided_by = (bag == Bag::Mean).then_some(indices);
    isa.run(ErrorRows { errors, divided_by, rows });
}

/// Adds errors to the gradient of the categories that occur, `[categories that occur][width]`.
///
/// A use is a category and the number of a row of `errors` (of `width`), sorted by category; errors
/// are added in the order of the uses. Row `i` of the gradient is that of the `i`-th category of them.
///
/// # Panics
/// The shapes do not fit, or the gradient has another number of rows than there are categories.
pub fn accumulate(
    isa: Isa,
    width: usize,
    uses: &[(u32, u32)],
    errors: &[f32],
    gradient: &mut [f32],
) {
    check_table(errors, width);
    check_table(gradient, width);
    isa.run(Accumulate { width, uses, errors, gradient });
}

fn check_table(table: &[f32], width: usize) {
    assert!(width > 0 && table.len().is_multiple_of(width), "rows of {width} numbers");
}

/// Up to sixteen numbers of a row from `first` on, and then zeros.
#[inline(always)]
fn piece<S: Simd>(s: S, row: &[f32], first: usize) -> S::V {
    let rest = &row[first..];
    match rest.first_chunk() {
        Some(whole) => s.load(whole),
        None => s.load(&padded(rest)),
    }
}

/// Fewer than sixteen numbers and then zeros, by copies of constant length: a call for each row
/// would take longer.
#[inline(always)]
fn padded(rest: &[f32]) -> Row {
    #[inline(always)]
    fn copy<const N: usize>(from: &[f32], to: &mut Row, at: &mut usize) {
        if from.len() & N != 0 {
            to[*at..*at + N].copy_from_slice(&from[*at..*at + N]);
            *at += N;
        }
    }
    let (mut row, mut at) = ([0.0; LANES], 0);
    copy::<8>(rest, &mut row, &mut at);
    copy::<4>(rest, &mut row, &mut at);
    copy::<2>(rest, &mut row, &mut at);
    copy::<1>(rest, &mut row, &mut at);
    row
}

/// Turns a block to up to sixteen rows.
#[inline(always)]
fn turn<S: Simd>(s: S, block: &[Row; LANES], to: &mut [Row]) {
    if let Some(to) = to.first_chunk_mut() {
        s.transpose(block, to);
    } else {
        let mut turned = [[0.0; LANES]; LANES];
        s.transpose(block, &mut turned);
        to.copy_from_slice(&turned[..to.len()]);
    }
}

struct Gather<'a> {
    table: &'a [f32],
    width: usize,
    indices: &'a Indices<'a>,
    out: PanelsMut<'a>,
}

impl Kernel for Gather<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        let Gather { table, width, indices, .. } = self;
        for panel in 0..self.out.panel_count() {
            let lanes = LANES.min(indices.samples() - panel * LANES);
            let columns = self.out.panel_mut(panel).chunks_exact_mut(width);
            for (column, out) in columns.enumerate() {
                for (part, out) in out.chunks_mut(LANES).enumerate() {
                    let mut block = [[0.0; LANES]; LANES];
                    for (lane, row) in block[..lanes].iter_mut().enumerate() {
                        let index = indices.of(panel * LANES + lane)[column];
                        if index != NONE {
                            let from = &table[index as usize * width..][..width];
                            s.store(row, piece(s, from, part * LANES));
                        }
                    }
                    turn(s, &block, out);
                }
            }
        }
    }
}

struct GatherBags<'a> {
    bag: Bag,
    table: &'a [f32],
    width: usize,
    indices: &'a Indices<'a>,
    out: PanelsMut<'a>,
}

impl Kernel for GatherBags<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        let GatherBags { bag, table, width, indices, .. } = self;
        for panel in 0..self.out.panel_count() {
            let lanes = LANES.min(indices.samples() - panel * LANES);
            for (part, out) in self.out.panel_mut(panel).chunks_mut(LANES).enumerate() {
                let mut block = [[0.0; LANES]; LANES];
                for (lane, row) in block[..lanes].iter_mut().enumerate() {
                    let (mut sum, mut count) = (s.splat(0.0), 0);
                    for index in indices.of(panel * LANES + lane) {
                        if *index != NONE {
                            let from = &table[*index as usize * width..][..width];
                            sum = s.add(sum, piece(s, from, part * LANES));
                            count += 1;
                        }
                    }
                    if bag == Bag::Mean && count > 0 {
                        sum = s.div(sum, s.splat(count as f32));
                    }
                    s.store(row, sum);
                }
                turn(s, &block, out);
            }
        }
    }
}

struct ErrorRows<'a> {
    errors: Panels<'a>,
    /// By the number of whose indices the errors of a sample are divided.
    divided_by: Option<&'a Indices<'a>>,
    rows: &'a mut [f32],
}

impl Kernel for ErrorRows<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let units = self.errors.row_count();
        for (panel, rows) in self.rows.chunks_mut(LANES * units).enumerate() {
            let mut counts = [1.0; LANES];
            if let Some(indices) = self.divided_by {
                let lanes = rows.len() / units;
                for (lane, count) in counts[..lanes].iter_mut().enumerate() {
                    let mut present = 0;
                    for index in indices.of(panel * LANES + lane) {
                        present += u32::from(*index != NONE);
                    }
                    // Of none, no row gets the error.
                    *count = present.max(1) as f32;
                }
            }
            for (part, errors) in self.errors.panel(panel).chunks(LANES).enumerate() {
                let (mut block, mut turned) = ([[0.0; LANES]; LANES], [[0.0; LANES]; LANES]);
                for (block, errors) in block.iter_mut().zip(errors) {
                    s.store(block, s.div(s.load(errors), s.load(&counts)));
                }
                s.transpose(&block, &mut turned);
                for (row, turned) in rows.chunks_exact_mut(units).zip(&turned) {
                    let row = &mut row[part * LANES..][..errors.len()];
                    match row.first_chunk_mut() {
                        Some(whole) => s.store(whole, s.load(turned)),
                        None => row.copy_from_slice(&turned[..row.len()]),
                    }
                }
            }
        }
    }
}

struct Accumulate<'a> {
    width: usize,
    uses: &'a [(u32, u32)],
    errors: &'a [f32],
    gradient: &'a mut [f32],
}

impl Kernel for Accumulate<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Accumulate { width, mut uses, errors, gradient } = self;
        for row in gradient.chunks_exact_mut(width) {
            let category = uses.first().expect("a category per row of the gradient").0;
            let mut count = 1;
            while count < uses.len() && uses[count].0 == category {
                count += 1;
            }
            let (same, rest) = uses.split_at(count);
            uses = rest;
            for first in (0..width).step_by(LANES) {
                let mut sum = piece(s, row, first);
                for (_, number) in same {
                    let error = &errors[*number as usize * width..][..width];
                    sum = s.add(sum, piece(s, error, first));
                }
                let to = &mut row[first..];
                if let Some(whole) = to.first_chunk_mut() {
                    s.store(whole, sum);
                } else {
                    let mut padded = [0.0; LANES];
                    s.store(&mut padded, sum);
                    to.copy_from_slice(&padded[..to.len()]);
                }
            }
        }
        assert!(uses.is_empty(), "a row of the gradient per category");
    }
}

#[cfg(test)]
mod tests;

//! Embedding: rows of a table by number, one for each index of a sample or all of them together.
//!
//! A table is `[categories][width]`, plain `f32`. Samples are lanes of what is gathered, so sixteen
//! rows of a table are turned at a time. On the way back the errors are turned once, to a row per
//! sample, and then added up category by category, for the categories that occur alone.

use crate::arch;
use crate::isa::Isa;
use crate::panels::{Panels, PanelsMut, panels};
use crate::simd::{Kernel, LANES, Row, Simd};

/// Indices of samples among their other values: numbers 0, 1, 2, ... in `f32`, which has all up to 2^24.
#[derive(Clone, Copy)]
pub struct Indices<'a> {
    /// A row of lanes for each unit, panel after panel of samples.
    pub values: Panels<'a>,
    /// The units that are indices.
    pub columns: &'a [Column],
    /// Number of samples; lanes beyond them are no indices.
    pub samples: usize,
}

/// A unit that is an index, and the rows of a table that are its categories.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Number of the unit.
    pub unit: usize,
    /// The row of its first category.
    pub first: u32,
    /// Number of its categories.
    pub categories: u32,
}

impl Column {
    /// The row of the table that an index means: none if it is below 0, not a number or beyond the categories.
    #[inline(always)]
    pub fn row(&self, index: f32) -> Option<u32> {
        let is_known = index >= 0.0 && index < self.categories as f32;
        is_known.then(|| self.first + index as u32)
    }
}

impl Indices<'_> {
    /// The rows of the table that one sample's indices mean.
    #[inline(always)]
    fn of(&self, panel: usize, lane: usize) -> impl Iterator<Item = Option<u32>> + '_ {
        let values = self.values.panel(panel);
        self.columns.iter().map(move |column| column.row(values[column.unit][lane]))
    }

    /// The rows of the table that a column of sixteen samples means: none beyond the last column.
    #[inline(always)]
    fn of_column(&self, panel: usize, column: usize) -> [Option<u32>; LANES] {
        let mut rows = [None; LANES];
        if let Some(column) = self.columns.get(column) {
            let values = &self.values.panel(panel)[column.unit];
            for (row, index) in rows.iter_mut().zip(values) {
                *row = column.row(*index);
            }
        }
        rows
    }

    /// Lanes of a panel that are samples.
    #[inline(always)]
    fn lanes(&self, panel: usize) -> usize {
        LANES.min(self.samples - panel * LANES)
    }

    /// Calls `found` with the row of the table, the sample and the column of each index that is known.
    #[inline(always)]
    pub fn each_known(&self, mut found: impl FnMut(u32, usize, usize)) {
        for panel in 0..panels(self.samples) {
            let lanes = self.lanes(panel);
            for column in 0..self.columns.len() {
                let rows = self.of_column(panel, column);
                for (lane, row) in rows[..lanes].iter().enumerate() {
                    if let Some(row) = row {
                        found(*row, panel * LANES + lane, column);
                    }
                }
            }
        }
    }

    fn check(&self, table: &[f32], width: usize, panel_count: usize) {
        assert!(width > 0 && table.len().is_multiple_of(width), "rows of {width} numbers");
        let rows = (table.len() / width) as u64;
        for column in self.columns {
            let end = u64::from(column.first) + u64::from(column.categories);
            assert!(end <= rows, "{column:?} of a table of {rows} rows");
            assert!(column.unit < self.values.row_count(), "{column:?}");
        }
        assert_eq!(panel_count, panels(self.samples), "the panels of the samples");
        assert!(panel_count <= self.values.panel_count(), "the panels of the samples");
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

/// Sets rows `c * width..(c + 1) * width` of `out` to the rows of `table` that column `c` means: 0 where it
/// means none, and in lanes beyond the samples.
///
/// # Panics
/// The shapes do not fit.
pub fn gather(isa: Isa, table: &[f32], width: usize, indices: Indices<'_>, out: PanelsMut<'_>) {
    indices.check(table, width, out.panel_count());
    assert_eq!(out.row_count(), indices.columns.len() * width, "a row of the table per column");
    isa.run(Gather { table, width, indices, out });
}

/// Sets the `width` rows of `out` to the sum or mean of the rows of `table` that the indices of a
/// sample mean: 0 if there are none, and in lanes beyond the samples.
///
/// # Panics
/// The shapes do not fit.
pub fn gather_bags(
    isa: Isa,
    bag: Bag,
    table: &[f32],
    width: usize,
    indices: Indices<'_>,
    out: PanelsMut<'_>,
) {
    indices.check(table, width, out.panel_count());
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
    indices: Indices<'_>,
    errors: Panels<'_>,
    rows: &mut [f32],
) {
    assert_eq!(errors.panel_count(), panels(indices.samples), "the panels of the samples");
    assert_eq!(rows.len(), indices.samples * errors.row_count(), "a row per sample");
    let divided_by = (bag == Bag::Mean).then_some(indices);
    isa.run(ErrorRows { errors, divided_by, rows });
}

/// A use of a row of a table. Uses are ordered by their rows, those of a row by their errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
// One number, so that they are sorted without branches.
pub struct Use(u64);

impl Use {
    /// Of a row, by the error of this number.
    #[inline(always)]
    pub fn new(row: u32, error: u32) -> Use {
        Use(u64::from(row) << 32 | u64::from(error))
    }

    /// The row.
    #[inline(always)]
    pub fn row(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// The number of its error.
    #[inline(always)]
    pub fn error(self) -> u32 {
        self.0 as u32
    }
}

/// Rows that are asked of memory ahead: they lie anywhere in a table that no cache holds.
const AHEAD: usize = 12;

/// Copies rows of a table of this width, which are numbered in `rows`, one after the other.
///
/// # Panics
/// A row is beyond the table, or `to` has not as many.
pub fn pick(table: &[f32], width: usize, rows: &[u32], to: &mut [f32]) {
    assert_eq!(to.len(), rows.len() * width, "{width} numbers for each of the rows");
    for (i, to) in to.chunks_exact_mut(width).enumerate() {
        if let Some(ahead) = rows.get(i + AHEAD) {
            arch::prefetch(row(table, width, *ahead));
        }
        copy(row(table, width, rows[i]), to);
    }
}

/// The reverse of [`pick`].
///
/// # Panics
/// A row is beyond the table, or `from` has not as many.
pub fn put_back(from: &[f32], width: usize, rows: &[u32], table: &mut [f32]) {
    assert_eq!(from.len(), rows.len() * width, "{width} numbers for each of the rows");
    for (&row, from) in rows.iter().zip(from.chunks_exact(width)) {
        copy(from, &mut table[row as usize * width..][..width]);
    }
}

#[inline(always)]
fn row(table: &[f32], width: usize, row: u32) -> &[f32] {
    &table[row as usize * width..][..width]
}

/// Copies a row, sixteen numbers at a time: a call for each would take longer.
#[inline(always)]
fn copy(from: &[f32], to: &mut [f32]) {
    let ((from, from_rest), (to, to_rest)) = (from.as_chunks::<LANES>(), to.as_chunks_mut());
    for (from, to) in from.iter().zip(to) {
        *to = *from;
    }
    if !from_rest.is_empty() {
        to_rest.copy_from_slice(from_rest);
    }
}

/// Adds errors to the gradient of the rows of a table that are used, `[rows that are used][width]`.
///
/// The uses are sorted; errors are added in their order. Row `i` of the gradient is that of the `i`-th row used.
/// `error` gives the `width` numbers of an error.
///
/// # Panics
/// The shapes do not fit, or the gradient has another number of rows than are used.
pub fn accumulate<'e>(
    isa: Isa,
    width: usize,
    uses: &[Use],
    error: impl Fn(u32) -> &'e [f32],
    gradient: &mut [f32],
) {
    assert!(width > 0 && gradient.len().is_multiple_of(width), "rows of {width} numbers");
    isa.run(Accumulate { width, uses, error, gradient });
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
    indices: Indices<'a>,
    out: PanelsMut<'a>,
}

impl Kernel for Gather<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        let Gather { table, width, indices, .. } = self;
        for panel in 0..self.out.panel_count() {
            let lanes = indices.lanes(panel);
            let outs = self.out.panel_mut(panel).chunks_exact_mut(width);
            let mut rows = indices.of_column(panel, 0);
            for (column, out) in outs.enumerate() {
                let ahead = indices.of_column(panel, column + 1);
                for ahead in ahead[..lanes].iter().flatten() {
                    arch::prefetch(row(table, width, *ahead));
                }
                for (part, out) in out.chunks_mut(LANES).enumerate() {
                    let mut block = [[0.0; LANES]; LANES];
                    for (known, to) in rows[..lanes].iter().zip(&mut block) {
                        if let Some(known) = known {
                            s.store(to, piece(s, row(table, width, *known), part * LANES));
                        }
                    }
                    turn(s, &block, out);
                }
                rows = ahead;
            }
        }
    }
}

struct GatherBags<'a> {
    bag: Bag,
    table: &'a [f32],
    width: usize,
    indices: Indices<'a>,
    out: PanelsMut<'a>,
}

impl Kernel for GatherBags<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        let GatherBags { bag, table, width, indices, .. } = self;
        for panel in 0..self.out.panel_count() {
            let lanes = indices.lanes(panel);
            for (part, out) in self.out.panel_mut(panel).chunks_mut(LANES).enumerate() {
                let mut block = [[0.0; LANES]; LANES];
                for (lane, to) in block[..lanes].iter_mut().enumerate() {
                    let (mut sum, mut count) = (s.splat(0.0), 0);
                    if part == 0 && lane + 1 < lanes {
                        for ahead in indices.of(panel, lane + 1).flatten() {
                            arch::prefetch(row(table, width, ahead));
                        }
                    }
                    for known in indices.of(panel, lane).flatten() {
                        sum = s.add(sum, piece(s, row(table, width, known), part * LANES));
                        count += 1;
                    }
                    if bag == Bag::Mean && count > 0 {
                        sum = s.div(sum, s.splat(count as f32));
                    }
                    s.store(to, sum);
                }
                turn(s, &block, out);
            }
        }
    }
}

struct ErrorRows<'a> {
    errors: Panels<'a>,
    /// By the number of whose indices the errors of a sample are divided.
    divided_by: Option<Indices<'a>>,
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
                    // Of none, no row gets the error.
                    *count = indices.of(panel, lane).flatten().count().max(1) as f32;
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

struct Accumulate<'a, E> {
    width: usize,
    uses: &'a [Use],
    error: E,
    gradient: &'a mut [f32],
}

impl<'e, E: Fn(u32) -> &'e [f32]> Kernel for Accumulate<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Accumulate { width, mut uses, error, gradient } = self;
        let mut coming = uses.iter();
        for ahead in coming.by_ref().take(AHEAD) {
            arch::prefetch(&error(ahead.error())[..width]);
        }
        for row in gradient.chunks_exact_mut(width) {
            let category = uses.first().expect("a use per row of the gradient").row();
            let mut count = 1;
            while count < uses.len() && uses[count].row() == category {
                count += 1;
            }
            for ahead in coming.by_ref().take(count) {
                arch::prefetch(&error(ahead.error())[..width]);
            }
            let (same, rest) = uses.split_at(count);
            uses = rest;
            for first in (0..width).step_by(LANES) {
                let mut sum = piece(s, row, first);
                for used in same {
                    sum = s.add(sum, piece(s, &error(used.error())[..width], first));
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
        assert!(uses.is_empty(), "a row of the gradient per row used");
    }
}

#[cfg(test)]
mod tests;

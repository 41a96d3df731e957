//! Cutting ranges into parts of nearly equal length.

use std::ops::Range;

/// Cuts `0..len` into nearly equal ranges of at most `longest` that start at multiples of `unit`.
pub(super) fn cut(len: usize, unit: usize, longest: usize) -> Vec<Range<usize>> {
    let units = len.div_ceil(unit);
    let parts = units.div_ceil(longest / unit);
    let bound = |part: usize| (units * part / parts * unit).min(len);
    (0..parts).map(|part| bound(part)..bound(part + 1)).collect()
}

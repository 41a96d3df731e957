//! Shared inputs of the benches.

#![forbid(unsafe_code)]

use gristmill_kernels::{LANES, Rows};

/// Rows of numbers in -1..1 that look like nothing in particular.
pub fn rows(count: usize) -> Rows {
    let mut rows = Rows::zeroed(count);
    let mut state = 1u32;
    for x in rows.as_flattened_mut() {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *x = (state >> 8) as f32 / (1 << 23) as f32 - 1.0;
    }
    rows
}

/// Bytes in so many rows of 16 numbers.
pub fn bytes(rows: usize) -> u64 {
    (4 * LANES * rows) as u64
}

//! Buffers that grow to what is needed: after a few steps nothing is allocated any more.

use gristmill_kernels::{Row, Rows};

/// The first `rows` rows of a buffer that grows to twice the most that was ever asked of it. What it had is lost
/// when it grows.
pub(crate) fn grown(buffer: &mut Rows, rows: usize) -> &mut [Row] {
    if buffer.len() < rows {
        *buffer = Rows::zeroed(rows.next_power_of_two());
    }
    &mut buffer[..rows]
}

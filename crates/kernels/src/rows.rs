//! A buffer of rows that starts on a cache line.

use crate::arch::pages;
use crate::simd::{LANES, Row};

/// Zeroed, 64-byte-aligned storage for a fixed number of [`Row`]s.
///
/// A row that straddles two cache lines costs two loads, so every arena and workspace is one of these.
#[derive(Debug)]
pub struct Rows {
    storage: Vec<f32>,
    offset: usize,
    len: usize,
}

impl Rows {
    /// This many rows of zeros.
    pub fn zeroed(len: usize) -> Rows {
        if len == 0 {
            return Rows { storage: Vec::new(), offset: 0, len };
        }
        // One row more than asked for leaves room to begin at the next cache line.
        let storage = vec![0.0f32; (len + 1) * LANES];
        pages::prefer_large(&storage);
        let offset = storage.as_ptr().align_offset(size_of::<Row>());
        // `align_offset` may decline to answer; unaligned rows are slower, not wrong.
        let offset = if offset < LANES { offset } else { 0 };
        Rows { storage, offset, len }
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

impl std::ops::Deref for Rows {
    type Target = [Row];

    #[inline]
    fn deref(&self) -> &[Row] {
        &self.storage[self.offset..].as_chunks().0[..self.len]
    }
}

impl std::ops::DerefMut for Rows {
    #[inline]
    fn deref_mut(&mut self) -> &mut [Row] {
        &mut self.storage[self.offset..].as_chunks_mut().0[..self.len]
    }
}

impl Clone for Rows {
    fn clone(&self) -> Rows {
        let mut copy = Rows::zeroed(self.len);
        copy.copy_from_slice(self);
        copy
    }
}

//! A file mapped read-only: the only place in this crate where `unsafe` may be.
#![allow(unsafe_code)]

use memmap2::Mmap;
use std::fs::File;
use std::io;
use std::ops::Deref;

/// The bytes of a file, mapped read-only. Keep no wider type than bytes over them, and decode them
/// where they are used: another process may change them at any time.
#[derive(Debug)]
pub(crate) struct Map(Mmap);

impl Map {
    /// Maps the whole of `file` as long as it is now.
    pub(crate) fn new(file: &File) -> io::Result<Map> {
        // SAFETY: the map is read-only, and no reference to its bytes outlives it. What the language
        // cannot rule out is another process writing to the file or truncating it while it is
        // mapped; our own writers never do (they rename a new file over the old one), and readers
        // treat the bytes as plain data in which no value is invalid.
        unsafe { Mmap::map(file) }.map(Map)
    }
}

impl Deref for Map {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        &self.0
    }
}

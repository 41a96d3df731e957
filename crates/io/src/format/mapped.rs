//! A mapped file as the shared bytes that Arrow and Parquet read.

use crate::error::{Error, Place, Result};
use crate::map::Map;
use crate::source::Source;
use bytes::Bytes;
use std::fs::File;

struct Mapped(Map);

impl AsRef<[u8]> for Mapped {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// Maps a file that is not compressed as a whole.
pub(super) fn map(source: &Source) -> Result<Bytes> {
    let path = source.path();
    if source.is_compressed()? {
        let reason = "is compressed as a whole, but is read at many places: decompress it first";
        return Err(Error::input(path, Place::FILE, reason));
    }
    let file = File::open(path).map_err(Error::io("open", path))?;
    let map = Map::new(file, path).map_err(Error::io("map", path))?;
    Ok(Bytes::from_owner(Mapped(map)))
}

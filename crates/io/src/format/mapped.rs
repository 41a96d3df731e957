//! A mapped file as the shared bytes that Arrow and Parquet read.

use crate::error::{Error, Result};
use crate::map::Map;
use crate::source::Source;
use bytes::Bytes;

struct Mapped(Map);

impl AsRef<[u8]> for Mapped {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// Maps a file.
pub(super) fn map(source: &Source) -> Result<Bytes> {
    let path = source.path();
    let map = Map::new(source.open()?, path).map_err(Error::io("map", path))?;
    Ok(Bytes::from_owner(Mapped(map)))
}

//! The frame that all our files share: a header with a table of checked sections, and the encoding of
//! what is in them. Knows lengths and checksums, and no file's meaning.
//!
//! ```text
//! magic[8]  kind u32  version u32  sections u32  { offset u64  length u64  crc32c u32 }*  crc32c u32
//! ```
//!
//! All numbers are little-endian; the last checksum covers everything before it. Sections follow in
//! the order of the table, each beginning where the one before ends, rounded up to the kind's
//! alignment; the last one ends with the file. Lengths are therefore checked against the file's own
//! before anything is allocated.

use crate::error::{Error, Result};
use crate::kind::FileKind;
use crate::open::open;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

/// First bytes of every file we write. Not text, and damaged visibly by line-end conversion.
pub(crate) const MAGIC: [u8; 8] = *b"\x89GRIST\r\n";
/// Bytes of the header before the table.
const PREFIX: usize = 20;
/// Bytes of a table entry.
const ENTRY: usize = 20;
/// No file of ours has more sections; a header that claims more is damaged.
const MAX_SECTIONS: u32 = 1 << 20;
/// Greatest length of a metadata section.
pub(crate) const METADATA_LIMIT: usize = 64 << 20;

impl FileKind {
    /// What kind of file of ours `path` is, by its first bytes; `None` if it is none of them.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn of(path: &Path) -> Result<Option<FileKind>> {
        let mut start = Vec::with_capacity(12);
        let read = open(path)?.take(12).read_to_end(&mut start);
        read.map_err(Error::io("read", path))?;
        Ok(match start.split_at_checked(8) {
            Some((magic, kind)) if magic == MAGIC && kind.len() == 4 => {
                FileKind::from_code(u32_at(kind, 0))
            }
            _ => None,
        })
    }
}

/// A table entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Section {
    pub(crate) offset: u64,
    pub(crate) length: u64,
    pub(crate) crc: u32,
}

/// A header that has been checked.
#[derive(Debug)]
pub(crate) struct Header {
    /// All its bytes.
    pub(crate) bytes: Vec<u8>,
    /// The version of the kind's layout, from 1 to the one that is written.
    pub(crate) version: u32,
    /// What follows; known to lie within the file.
    pub(crate) sections: Vec<Section>,
}

/// Bytes of the header of a file with `sections` sections.
pub(crate) fn header_length(sections: usize) -> u64 {
    (PREFIX + sections * ENTRY + 4) as u64
}

/// The header of a file of `kind`, of its latest version.
pub(crate) fn header(kind: FileKind, sections: &[Section]) -> Vec<u8> {
    header_of(kind, kind.version(), sections)
}

/// The header of a file of `kind` and `version`.
pub(crate) fn header_of(kind: FileKind, version: u32, sections: &[Section]) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    for number in [kind.code(), version, sections.len() as u32] {
        bytes.extend(number.to_le_bytes());
    }
    for section in sections {
        bytes.extend(section.offset.to_le_bytes());
        bytes.extend(section.length.to_le_bytes());
        bytes.extend(section.crc.to_le_bytes());
    }
    let crc = crc32c::crc32c(&bytes);
    bytes.extend(crc.to_le_bytes());
    bytes
}

/// Reads and checks the header of a file of `kind`.
pub(crate) fn read_header(file: &mut File, path: &Path, kind: FileKind) -> Result<Header> {
    let file_length = file.metadata().map_err(Error::io("read", path))?.len();
    let short = || {
        let reason = format!("it ends after {file_length} bytes, within its header");
        Error::damaged(path, reason)
    };
    let wrong = |found| Error::WrongKind { path: path.to_owned(), expected: kind, found };
    let mut header = vec![0; file_length.min(PREFIX as u64) as usize];
    file.read_exact(&mut header).map_err(Error::io("read", path))?;
    if header.len() < MAGIC.len() || header[..8] != MAGIC {
        return Err(wrong(None));
    }
    if header.len() < PREFIX {
        return Err(short());
    }
    match FileKind::from_code(u32_at(&header, 8)) {
        Some(found) if found == kind => {}
        found => return Err(wrong(found)),
    }
    let version = u32_at(&header, 12);
    if !(1..=kind.version()).contains(&version) {
        let path = path.to_owned();
        return Err(Error::Version { path, found: version, supported: kind.version() });
    }
    let count = u32_at(&header, 16);
    if count > MAX_SECTIONS {
        return Err(Error::damaged(path, format!("its header claims {count} sections")));
    }
    let length = header_length(count as usize);
    if length > file_length {
        return Err(short());
    }
    header.resize(length as usize, 0);
    file.read_exact(&mut header[PREFIX..]).map_err(Error::io("read", path))?;
    let (covered, crc) = header.split_at(header.len() - 4);
    if crc32c::crc32c(covered) != u32_at(crc, 0) {
        return Err(Error::damaged(path, "the checksum of its header does not match"));
    }
    let sections: Vec<Section> = covered[PREFIX..]
        .chunks_exact(ENTRY)
        .map(|entry| Section {
            offset: u64_at(entry, 0),
            length: u64_at(entry, 8),
            crc: u32_at(entry, 16),
        })
        .collect();
    let mut end = Some(length);
    for section in &sections {
        let start = end.and_then(|end| end.checked_next_multiple_of(kind.alignment()));
        if start != Some(section.offset) {
            return Err(Error::damaged(path, "its sections overlap or leave holes"));
        }
        end = section.offset.checked_add(section.length);
    }
    match end {
        Some(end) if end == file_length => Ok(Header { bytes: header, version, sections }),
        Some(end) => Err(Error::damaged(
            path,
            format!(
                "it has {file_length} bytes where its header says {end}: it was cut off or extended"
            ),
        )),
        None => Err(Error::damaged(path, "its header claims more bytes than any file has")),
    }
}

/// Reads one section of metadata and decodes it.
pub(crate) fn read_metadata<M: DeserializeOwned>(
    file: &mut File,
    path: &Path,
    section: Section,
) -> Result<M> {
    if section.length > METADATA_LIMIT as u64 {
        return Err(Error::damaged(path, format!("its metadata claim {} bytes", section.length)));
    }
    let mut bytes = vec![0; section.length as usize];
    file.seek(SeekFrom::Start(section.offset))
        .and_then(|_| file.read_exact(&mut bytes))
        .map_err(Error::io("read", path))?;
    if crc32c::crc32c(&bytes) != section.crc {
        return Err(Error::damaged(path, "the checksum of its metadata does not match"));
    }
    let config = bincode::config::legacy().with_limit::<METADATA_LIMIT>();
    match bincode::serde::decode_from_slice(&bytes, config) {
        Ok((value, consumed)) if consumed == bytes.len() => Ok(value),
        Ok(_) => Err(Error::damaged(path, "its metadata are longer than their content")),
        Err(error) => Err(Error::damaged(path, format!("its metadata cannot be decoded: {error}"))),
    }
}

/// The bytes of a metadata section.
pub(crate) fn encode_metadata(path: &Path, metadata: &impl Serialize) -> Result<Vec<u8>> {
    let config = bincode::config::legacy().with_limit::<METADATA_LIMIT>();
    match bincode::serde::encode_to_vec(metadata, config) {
        Ok(bytes) if bytes.len() <= METADATA_LIMIT => Ok(bytes),
        _ => Err(Error::Invalid(format!(
            "cannot write {}: names, categories and statistics need more than {} MiB",
            path.display(),
            METADATA_LIMIT >> 20
        ))),
    }
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}

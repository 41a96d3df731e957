//! Writing the sections of a data set one after the other, with checksums of their blocks. Knows
//! bytes, and not what they mean.

use crate::atomic::AtomicFile;
use crate::dataset::CHECK_BLOCK;
use crate::error::{Error, Result};
use crate::frame::{self, Section};
use crate::kind::FileKind;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

const ALIGNMENT: u64 = FileKind::Dataset.alignment();

/// A data set file whose sections are being written; the page before them is left for the header.
#[derive(Debug)]
pub(crate) struct SectionWriter {
    file: AtomicFile,
    position: u64,
    /// Where the section under way begins.
    start: u64,
    crc: u32,
    block_crc: u32,
    block_length: usize,
    /// Checksums of all blocks of all sections ended so far.
    block_sums: Vec<u32>,
}

impl SectionWriter {
    /// Begins the file and its first section.
    pub(crate) fn create(path: &Path) -> Result<SectionWriter> {
        let mut file = AtomicFile::create(path)?;
        file.seek(SeekFrom::Start(ALIGNMENT)).map_err(Error::io("write", path))?;
        Ok(SectionWriter {
            file,
            position: ALIGNMENT,
            start: ALIGNMENT,
            crc: 0,
            block_crc: 0,
            block_length: 0,
            block_sums: Vec::new(),
        })
    }

    /// The file's final name.
    pub(crate) fn path(&self) -> &Path {
        self.file.path()
    }

    /// Appends to the section under way.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes).map_err(Error::io("write", self.file.path()))?;
        self.position += bytes.len() as u64;
        self.crc = crc32c::crc32c_append(self.crc, bytes);
        let mut rest = bytes;
        while !rest.is_empty() {
            let (block, after) = rest.split_at(rest.len().min(CHECK_BLOCK - self.block_length));
            self.block_crc = crc32c::crc32c_append(self.block_crc, block);
            self.block_length += block.len();
            if self.block_length == CHECK_BLOCK {
                self.end_block();
            }
            rest = after;
        }
        Ok(())
    }

    /// Ends the section under way and begins the next; returns the one that ended.
    pub(crate) fn end_section(&mut self) -> Result<Section> {
        if self.block_length > 0 {
            self.end_block();
        }
        let length = self.position - self.start;
        let section = Section { offset: self.start, length, crc: self.crc };
        self.start = self.position.next_multiple_of(ALIGNMENT);
        self.crc = 0;
        self.position = self.start;
        let sought = self.file.seek(SeekFrom::Start(self.start));
        sought.map_err(Error::io("write", self.file.path()))?;
        Ok(section)
    }

    /// Checksums of the blocks of the sections ended so far, as they are stored.
    pub(crate) fn stored_sums(&self) -> Vec<u8> {
        self.block_sums.iter().flat_map(|sum| sum.to_le_bytes()).collect()
    }

    /// Appends the whole of another file to the section under way.
    pub(crate) fn append(&mut self, other: &mut AtomicFile) -> Result<()> {
        other.rewind().map_err(Error::io("read", other.path()))?;
        copy_blocks(other, |bytes| self.write(bytes))
    }

    /// Replaces the file, of which only the first section was begun, by one in which that is converted.
    pub(crate) fn convert(&mut self, convert: impl Fn(&[u8], &mut Vec<u8>)) -> Result<()> {
        let mut new = SectionWriter::create(self.path())?;
        let start = self.file.seek(SeekFrom::Start(self.start));
        start.map_err(Error::io("read", self.path()))?;
        let mut converted = Vec::new();
        copy_blocks(&mut self.file, |bytes| {
            converted.clear();
            convert(bytes, &mut converted);
            new.write(&converted)
        })?;
        *self = new;
        Ok(())
    }

    /// Writes the header and gives the file its name.
    pub(crate) fn commit(mut self, version: u32, sections: &[Section]) -> Result<()> {
        let header = frame::header_of(FileKind::Dataset, version, sections);
        let written = self.file.rewind().and_then(|()| self.file.write_all(&header));
        written.map_err(Error::io("write", self.file.path()))?;
        self.file.commit()
    }

    fn end_block(&mut self) {
        self.block_sums.push(self.block_crc);
        self.block_crc = 0;
        self.block_length = 0;
    }
}

/// Reads to the end of a file in full blocks; the last one may be shorter.
fn copy_blocks(file: &mut AtomicFile, mut sink: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
    let mut block = Vec::with_capacity(CHECK_BLOCK);
    loop {
        block.clear();
        let read = file.take(CHECK_BLOCK as u64).read_to_end(&mut block);
        if read.map_err(Error::io("read", file.path()))? == 0 {
            return Ok(());
        }
        sink(&block)?;
    }
}

//! Comparing a data set with its checksums.

use super::{CHECK_BLOCK, Dataset, SECTIONS};
use crate::error::{Error, Result};
use crate::frame::{self, Section};
use crate::map::Advice;
use crate::progress::{ImportProgress, advance};
use crate::schema::Target;
use crate::threads;
use rayon::prelude::*;
use std::fmt;
use std::ops::Range;

/// Blocks that are compared between two reports of progress.
const ROUND: usize = 64;

/// Something in a data set that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Defect {
    /// The checksum of a block does not match.
    Block {
        /// What the block is part of: features, targets or weights.
        region: &'static str,
        /// Which block of that, from 0.
        block: u64,
        /// Its bytes in the file.
        bytes: Range<u64>,
        /// The rows that are wholly or partly in it, from 0.
        rows: Range<u64>,
    },
    /// The checksums themselves are damaged, so that no block can be judged.
    Checksums,
    /// The bytes between two regions, after this one, are not zero.
    Padding(u64),
    /// A row, from 0, has a class that is beyond the number of classes, which comes second.
    Class(u64, u64),
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Defect::Block { region, block, bytes, rows } => write!(
                f,
                "the checksum of block {block} of its {region} does not match (bytes {} to {}, rows {} to {})",
                bytes.start,
                bytes.end,
                rows.start + 1,
                rows.end
            ),
            Defect::Checksums => f.write_str("the checksum of its checksums does not match"),
            Defect::Padding(after) => write!(f, "the padding after byte {after} is not zero"),
            Defect::Class(row, classes) => {
                write!(f, "row {} has a class beyond the {classes} known", row + 1)
            }
        }
    }
}

impl Dataset {
    /// Reads the whole file and compares every checksum, and every class with the number of classes.
    ///
    /// # Errors
    /// Names the first defect.
    pub fn verify(&self) -> Result<()> {
        match self.defects(&())?.first() {
            None => Ok(()),
            Some(defect) => Err(Error::damaged(&self.path, format!("{defect}: import it again"))),
        }
    }

    /// Does as [`Dataset::verify`], and returns all that is not as it was written. Of rows without a
    /// class only the first is among that.
    ///
    /// # Errors
    /// The file was cut short, or the disk cannot be read.
    pub fn defects(&self, progress: &dyn ImportProgress) -> Result<Vec<Defect>> {
        let [data @ .., sums_section, _] = self.sections.as_slice() else {
            unreachable!("open() checked the number of sections")
        };
        threads::start()?;
        progress.begin(data.iter().map(|section| section.length).sum());
        let mut defects = Vec::new();
        let sums = self.section(sums_section);
        if crc32c::crc32c(sums) != sums_section.crc {
            defects.push(Defect::Checksums);
        } else {
            let (mut sums, _) = sums.as_chunks::<4>();
            let widths = [self.row_bytes, self.target_bytes, 4];
            let mut done = 0;
            for ((section, region), width) in
                data.iter().zip(["features", "targets", "weights"]).zip(widths)
            {
                let (own, rest) =
                    sums.split_at(section.length.div_ceil(CHECK_BLOCK as u64) as usize);
                sums = rest;
                for block in self.bad_blocks(section, own, &mut done, progress)? {
                    defects.push(defect(region, block, section, width as u64));
                }
            }
        }
        defects.extend(self.bad_padding());
        defects.extend(self.bad_label());
        self.check_unchanged()?;
        Ok(defects)
    }

    /// Blocks of a section whose checksums are not those given, in order.
    fn bad_blocks(
        &self,
        section: &Section,
        sums: &[[u8; 4]],
        done: &mut u64,
        progress: &dyn ImportProgress,
    ) -> Result<Vec<u64>> {
        let mut bad = Vec::new();
        for (round, sums) in sums.chunks(ROUND).enumerate() {
            let first = round * ROUND;
            let start = section.offset as usize + first * CHECK_BLOCK;
            let end = (section.offset + section.length) as usize;
            let range = start..end.min(start + ROUND * CHECK_BLOCK);
            let next = range.end..end.min(range.end + ROUND * CHECK_BLOCK);
            self.map.advise(&next, Advice::WillNeed).map_err(Error::io("page", &self.path))?;
            self.populate_bytes(&range)?;
            let blocks = self.map[range.clone()].par_chunks(CHECK_BLOCK).zip(sums).enumerate();
            bad.par_extend(blocks.filter_map(|(index, (block, sum))| {
                let matches = crc32c::crc32c(block) == u32::from_le_bytes(*sum);
                (!matches).then_some((first + index) as u64)
            }));
            *done += range.len() as u64;
            advance(progress, *done, 0)?;
        }
        Ok(bad)
    }

    fn bad_padding(&self) -> Option<Defect> {
        let mut end = frame::header_length(SECTIONS) as usize;
        for section in &self.sections {
            if self.map[end..section.offset as usize].iter().any(|byte| *byte != 0) {
                return Some(Defect::Padding(end as u64));
            }
            end = (section.offset + section.length) as usize;
        }
        None
    }

    fn bad_label(&self) -> Option<Defect> {
        let Target::Classes { names, .. } = &self.encoding.target else { return None };
        let (labels, _) = self.section(&self.sections[1]).as_chunks();
        let classes = names.len() as u32;
        let row = labels.par_iter().position_first(|l| u32::from_le_bytes(*l) >= classes)?;
        Some(Defect::Class(row as u64, classes.into()))
    }
}

fn defect(region: &'static str, block: u64, section: &Section, width: u64) -> Defect {
    let start = block * CHECK_BLOCK as u64;
    let end = (start + CHECK_BLOCK as u64).min(section.length);
    Defect::Block {
        region,
        block,
        bytes: section.offset + start..section.offset + end,
        rows: start / width..end.div_ceil(width),
    }
}

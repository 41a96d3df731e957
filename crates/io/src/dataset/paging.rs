//! Which rows of a data set are in memory, and whether its file is still the one that was opened.

use super::Dataset;
use crate::error::{Error, Result};
use crate::identity::{Difference, Identity};
use crate::map::Advice;
use std::io;
use std::ops::Range;
use std::sync::PoisonError;

impl Dataset {
    /// Tells the system what is going to happen to some rows; those past the last one are ignored.
    /// This changes how long things take, never what is read.
    ///
    /// # Errors
    /// The system refuses, which it does not do where it merely cannot follow.
    pub fn advise(&self, rows: Range<u64>, advice: Advice) -> Result<()> {
        for range in self.ranges(rows) {
            self.map.advise(&range, advice).map_err(Error::io("page", &self.path))?;
        }
        Ok(())
    }

    /// Reads some rows into memory and returns when they are there; those past the last one are
    /// ignored. To be called from a thread that has nothing else to do.
    ///
    /// # Errors
    /// The file was cut short, or the disk cannot be read.
    pub fn populate(&self, rows: Range<u64>) -> Result<()> {
        self.ranges(rows).iter().try_for_each(|range| self.populate_bytes(range))
    }

    /// Reads some bytes of the file into memory.
    pub(super) fn populate_bytes(&self, range: &Range<usize>) -> Result<()> {
        self.map.populate(range).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => self.check_unchanged().err().unwrap_or_else(|| {
                Error::changed(&self.path, "its end could not be read for a moment")
            }),
            _ => Error::io("read", &self.path)(error),
        })
    }

    /// Checks that the path still leads to the file that was opened and that nothing wrote to that. A
    /// file replaced by renaming another over it can still be read as it was, but is reported too. Where
    /// something was done to the file that may or may not be a change of its bytes, they are compared
    /// with their checksums.
    ///
    /// # Errors
    /// Says what is different.
    pub fn check_unchanged(&self) -> Result<()> {
        let there = Identity::at(&self.path)?;
        let mut known = self.identity.lock().unwrap_or_else(PoisonError::into_inner);
        match known.difference(&there) {
            None => Ok(()),
            Some(Difference::Content(reason)) => Err(Error::changed(&self.path, reason)),
            Some(Difference::Status) if self.is_as_written() => {
                *known = there;
                Ok(())
            }
            Some(Difference::Status) => {
                let reason = "it was written to, as its checksums show";
                Err(Error::changed(&self.path, reason))
            }
        }
    }

    fn is_as_written(&self) -> bool {
        let mut sections = self.sections.iter();
        sections.all(|section| crc32c::crc32c(self.section(section)) == section.crc)
    }

    /// The bytes of some rows: one range each of features, targets and weights.
    fn ranges(&self, rows: Range<u64>) -> [Range<usize>; 3] {
        let end = rows.end.min(self.rows);
        let start = rows.start.min(end);
        let range =
            |at: usize, width: usize| at + start as usize * width..at + end as usize * width;
        [
            range(self.features_at, self.row_bytes),
            range(self.targets_at, self.target_bytes),
            range(self.weights_at, 4 * usize::from(self.weighted)),
        ]
    }
}

//! The sources of an import, opened one table after the other.

use super::columns::check_names;
use super::memory::Budget;
use super::options::ImportOptions;
use crate::error::Result;
use crate::format;
use crate::format::table::{Column, Table};
use crate::progress::{ImportProgress, advance};
use crate::source::{Reading, Source};
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// The sources of an import, which are opened anew for every pass.
pub(super) struct Input<'a> {
    pub(super) sources: Vec<Source>,
    pub(super) options: &'a ImportOptions,
    known: Vec<String>,
    pub(super) budget: Budget,
    pub(super) reading: Arc<Reading>,
    progress: &'a dyn ImportProgress,
    /// The notes that were told.
    told: Mutex<HashSet<String>>,
}

impl<'a> Input<'a> {
    pub(super) fn new(
        paths: &[PathBuf],
        options: &'a ImportOptions,
        known: Vec<String>,
        budget: Budget,
        progress: &'a dyn ImportProgress,
    ) -> Input<'a> {
        let reading = Arc::default();
        let sources = paths.iter().map(|path| Source::new(path, &reading)).collect();
        let told = Mutex::default();
        Input { sources, options, known, budget, reading, progress, told }
    }

    /// Tells what was guessed or lost, once: sources are read several times.
    pub(super) fn note(&self, path: &Path, note: &str) {
        let line = format!("{}: {note}", path.display());
        if self.told.lock().is_ok_and(|mut told| told.insert(line.clone())) {
            self.progress.note(&line);
        }
    }

    /// Tells what is about no source by itself.
    pub(super) fn tell(&self, note: &str) {
        self.progress.note(note);
    }

    /// Bytes of all sources together.
    pub(super) fn length(&self) -> Result<u64> {
        self.sources.iter().map(Source::length).sum()
    }

    pub(super) fn advance(&self, rows: u64) -> Result<()> {
        advance(self.progress, self.reading.bytes(), rows)
    }

    /// Opens one table after the other, each with the path that errors about it name. A table without a
    /// header has the column names of the first one, if it has as many columns.
    pub(super) fn for_each_table(
        &self,
        mut each: impl FnMut(Table, &Path) -> Result<()>,
    ) -> Result<()> {
        let mut read = self.options.reading(self.known.clone());
        let mut first: Option<Vec<Column>> = None;
        let mut rest = &self.sources[..];
        while let Some(source) = rest.first() {
            let mut table = format::open(rest, &self.options.format, &read)?;
            let notes = table.decoder.notes().iter().filter(|note| note.codes.is_none());
            notes.for_each(|note| self.note(source.path(), &note.text));
            check_names(&table, source.path())?;
            let first = first.get_or_insert_with(|| table.columns.clone());
            if self.known.is_empty() {
                read.known = first.iter().map(|column| column.name.clone()).collect();
            }
            if !table.named && table.columns.len() == first.len() {
                for (column, first) in table.columns.iter_mut().zip(first) {
                    column.name.clone_from(&first.name);
                }
            }
            rest = &rest[table.sources..];
            each(table, source.path())?;
        }
        Ok(())
    }
}
